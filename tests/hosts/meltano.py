"""Meltano, unmodified, runs `tap-buildkite` into target-jsonl; so does a plain pipe.

Started by `run.sh`; MELTANO and TARGET are the two programs, PUBLIC_TAP is a tap of others.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fake import BIN, TOKEN, Fake, Recorded

TAP = BIN / "tap-buildkite"
MELTANO = os.environ["MELTANO"]
TARGET = os.environ["TARGET"]
PUBLIC_TAP = os.environ["PUBLIC_TAP"]
KILLED = Path(__file__).resolve().parent / "killed.py"
ENVIRONMENT = {
    **os.environ,
    "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
    "NO_COLOR": "1",
    "BUILDKITE_API_TOKEN": TOKEN,
    "PROGRAM": str(TAP),
    "AFTER": "4",
}


class Project:
    """A Meltano project in a folder of its own."""

    def __init__(self, folder):
        self.folder = Path(folder)
        (self.folder / "out").mkdir(parents=True)

    def define(self, config, executable=TAP, select=("builds.*", "jobs.*", "!builds.message")):
        # As the README has it, less what the tap does not need to be told.
        settings = [
            {"name": "api_key", "kind": "string", "sensitive": True},
            {"name": "base_url"},
            {"name": "organizations", "kind": "array"},
        ]
        tap = {
            "name": "tap-buildkite",
            "namespace": "tap_buildkite",
            "executable": str(executable),
            "capabilities": ["catalog", "discover", "state"],
            "settings": settings,
            "config": config,
            "select": list(select),
        }
        target = {
            "name": "target-jsonl",
            "namespace": "target_jsonl",
            "executable": TARGET,
            "config": {"destination_path": "out", "do_timestamp_file": False},
        }
        project = {
            "version": 1,
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {"extractors": [tap], "loaders": [target]},
        }
        (self.folder / "meltano.yml").write_text(json.dumps(project))

    def meltano(self, *arguments, status=0):
        done = subprocess.run(
            [MELTANO, *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) == (status == 0), f"{arguments}: {done.returncode}\n{said}"
        return said

    def run(self, status=0):
        return self.meltano("run", "tap-buildkite", "target-jsonl", status=status)

    def lines(self, stream):
        return lines(self.folder / "out" / f"{stream}.jsonl")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ids(records):
    return {record["id"] for record in records}


def its_configuration_is_tested_and_its_fields_listed(folder):
    project = Project(folder / "config")
    with Recorded(folder / "data", builds=5).serve() as fake:
        project.define(fake.config)
        said = project.meltano("config", "test", "tap-buildkite")
        assert "configuration is valid" in said, said
        said = project.meltano("select", "tap-buildkite", "--list", "--all")
        assert "builds.finished_at" in said, said[-2000:]
        project.define({**fake.config, "api_key": "bkua_wrong"})
        said = project.run(status=1)
        assert "does not accept the API token" in said and "bkua_wrong" not in said, said
    return "valid"


def the_second_run_brings_only_what_changed(folder):
    project, data = Project(folder / "runs"), Recorded(folder / "data", builds=300)
    named = {"api_key": "$BUILDKITE_API_TOKEN", "organizations": [data.organization]}
    with data.serve() as fake:
        project.define({**fake.config, **named})
        project.run()
    first = project.lines("builds")
    assert len(first) == 300, len(first)
    assert all("message" not in build and "state" in build for build in first)
    assert ids(project.lines("jobs")) == {job["id"] for b in data.builds for job in b["jobs"]}
    changed = data.change_one()
    with data.serve() as fake:
        # The settings are as they were: the fake serves at the same address.
        project.run()
    second = project.lines("builds")[300:]
    assert changed in ids(second), second
    assert len(second) < 30, len(second)
    return f"{len(first)} builds, then {len(second)}"


def a_tap_that_was_killed_is_gone_on_from(folder):
    project, data = Project(folder / "killed"), Recorded(folder / "data", builds=1000)
    with data.serve() as fake:
        project.define(fake.config, executable=KILLED)
        project.run(status=1)
        before = len(project.lines("builds"))
        project.define(fake.config)
        project.run()
    builds = project.lines("builds")
    assert len(ids(builds)) == 1000, len(ids(builds))
    assert len(ids(project.lines("jobs"))) == data.jobs()
    return f"{before} builds, then {len(builds) - before} more"


def a_pipe_goes_on_from_the_last_state(folder):
    folder = folder / "pipe"
    data = Recorded(folder / "data", builds=1000)
    (folder / "out").mkdir()
    config, to, state = folder / "tap.json", folder / "target.json", folder / "state.json"
    to.write_text(json.dumps({"destination_path": str(folder / "out"), "do_timestamp_file": False}))
    with data.serve() as fake:
        config.write_text(json.dumps(fake.config))
        pipe(f"{KILLED} --config {config}", f"{TARGET} --config {to}", state)
        before = len(lines(folder / "out" / "builds.jsonl"))
        pipe(f"{TAP} --config {config} --state {state}", f"{TARGET} --config {to}", state)
    builds = lines(folder / "out" / "builds.jsonl")
    assert 0 < before < 1000, before
    assert len(ids(builds)) == 1000, len(ids(builds))
    assert len(builds) < 1000 + before, "the second run began anew"
    return f"{before} builds, then {len(builds) - before} more"


def the_output_of_a_public_tap_triggers_builds(folder):
    folder = folder / "triggered"
    folder.mkdir()
    rows = [{"commit": "HEAD", "branch": "main", "message": f"deploy {n}"} for n in range(20)]
    (folder / "deploys.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config, to = folder / "tap.json", folder / "target.json"
    config.write_text(json.dumps({"path": str(folder / "deploys.jsonl"), "stream_name": "deploys"}))
    with Fake("--builds", 1) as fake:
        to.write_text(json.dumps(fake.destination(folder)))
        for _ in range(2):
            # Without a state the tap sends everything again.
            target = f"{BIN / 'target-buildkite'} --config {to}"
            pipe(f"{PUBLIC_TAP} --config {config}", target, folder / "state.json")
        triggered = fake.triggered()
    assert triggered == sorted(row["message"] for row in rows), triggered
    return f"{len(triggered)} builds of {len(rows)} rows, sent twice"


def pipe(tap, target, state):
    """`tap | target`, and the last state that the target printed."""
    done = subprocess.run(
        f"{tap} | {target}", shell=True, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout, done.stderr
    state.write_text(done.stdout.splitlines()[-1])


def main():
    with tempfile.TemporaryDirectory() as folder:
        for check in [
            a_pipe_goes_on_from_the_last_state,
            its_configuration_is_tested_and_its_fields_listed,
            the_second_run_brings_only_what_changed,
            a_tap_that_was_killed_is_gone_on_from,
            the_output_of_a_public_tap_triggers_builds,
        ]:
            print(f"-- {check.__name__}: {check(Path(folder))}", file=sys.stderr, flush=True)


main()
