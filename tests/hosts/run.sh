#!/usr/bin/env bash
# The executables in hosts that others wrote, unmodified, against the fake. Needs Python 3.10, 3.11
# or 3.12, which PyAirbyte insists on, and, once, a network for pip; the environments are kept.
# Without one of them nothing can be run, which is said: exit code 77.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
environments=$target/hosts

cannot() {
    printf 'THE HOSTS ARE NOT RUN: %s\n' "$1" >&2
    exit 77
}

# Makes the environment of one package, unless it is there, and prints where its programs are.
environment() {
    local folder=$environments/$1
    if [ ! -e "$folder/complete" ]; then
        printf -- '-- pip install %s\n' "$1" >&2
        rm -rf "$folder"
        "$python" -m venv "$folder" >&2
        "$folder/bin/pip" install --quiet --disable-pip-version-check "$1" >&2 ||
            cannot "pip cannot install $1"
        touch "$folder/complete"
    fi
    (cd "$folder/bin" && pwd)
}

# Some systems keep this part of Python in a package of its own.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3 python3-venv
fi
is_right='import ensurepip, sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'
for python in python3 python3.12 python3.11 python3.10 ''; do
    "$python" -c "$is_right" 2>/dev/null && break
done
[ -n "$python" ] || cannot "there is no Python 3.10, 3.11 or 3.12"

cargo build --quiet --bins -p buildkite-connector -p mock-buildkite
cargo build --quiet -p examples --example serve_over_airbyte
BIN=$(cd "$target/debug" && pwd)
pyairbyte=$(environment airbyte==0.71.3)
meltano=$(environment meltano==4.4.1)
jsonl=$(environment target-jsonl==0.1.4)
tap=$(environment tap-jsonl==0.3.1)

# What a host says is shown only if something goes wrong.
said=$(mktemp)
trap 'rm -f "$said"' EXIT
run() {
    if "$@" >"$said" 2>&1; then
        grep -a '^-- ' "$said"
    else
        cat "$said"
        exit 1
    fi
}

export BIN
run "$pyairbyte/python" tests/hosts/pyairbyte.py
run env MELTANO="$meltano/meltano" TARGET="$jsonl/target-jsonl" PUBLIC_TAP="$tap/tap-jsonl" \
    "$python" tests/hosts/meltano.py
