#!/usr/bin/env bash
# Clients of Buildkite that others wrote, unmodified, against the fake. Needs Python 3 and, once, a
# network for pip; the environment is kept. Without them nothing can be run, which is said: exit
# code 77.
set -euo pipefail
cd "$(dirname "$0")/../../.."

target=${CARGO_TARGET_DIR:-target}
environment=$target/clients

cannot() {
    printf 'THE CLIENTS ARE NOT RUN: %s\n' "$1" >&2
    exit 77
}

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3 python3-venv ||
        cannot "there is no Python 3 with venv"
fi
if [ ! -e "$environment/complete" ]; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check pybuildkite==1.3.0 ||
        cannot "pip cannot install pybuildkite"
    touch "$environment/complete"
fi

cargo build --quiet --bin mock-buildkite -p mock-buildkite
BIN=$(cd "$target/debug" && pwd) "$environment/bin/python" mock-buildkite/tests/clients/pybuildkite_methods.py
