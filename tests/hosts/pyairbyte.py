"""PyAirbyte, unmodified, loads `source-buildkite` by its path, and a plugin of ours as a destination.

Started by `run.sh`.
"""

import os
import sys
import tempfile
from pathlib import Path

# Before PyAirbyte is imported: no registry is asked, nothing is reported, and what is written goes
# to a folder that is removed.
SCRATCH = tempfile.TemporaryDirectory()
os.environ["AIRBYTE_OFFLINE_MODE"] = "1"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["AIRBYTE_PROJECT_DIR"] = SCRATCH.name
os.environ["AIRBYTE_CACHE_ROOT"] = SCRATCH.name + "/.cache"
os.environ["AIRBYTE_LOGGING_ROOT"] = SCRATCH.name + "/logs"

import airbyte as ab
from airbyte.exceptions import PyAirbyteError

from fake import BIN, Fake, Recorded

SOURCE = BIN / "source-buildkite"
# The plugin for JSON lines.
DESTINATION = BIN / "examples" / "serve_over_airbyte"


def source(config, executable=SOURCE):
    return ab.get_source(
        "source-buildkite",
        config=config,
        local_executable=str(executable),
        install_if_missing=False,
    )


def read(config, streams, cache, executable=SOURCE):
    one = source(config, executable)
    if streams == "all":
        one.select_all_streams()
    else:
        one.select_streams(streams)
    return one.read(cache=cache)


def rows(cache, stream):
    return {row["id"]: dict(row) for row in cache[stream]}


def a_wrong_key_is_said_in_our_words():
    with Fake("--builds", 1) as fake:
        try:
            source({**fake.config, "api_key": "bkua_wrong"}).check()
        except PyAirbyteError as error:
            text = str(error)
            assert "Buildkite does not accept the API token" in text, text
            assert "bkua_wrong" not in text, text
            return next(line.strip() for line in text.splitlines() if "Failure Reason" in line)
        raise AssertionError("a wrong key was taken")


def all_streams_are_read_into_the_default_cache():
    with Fake("--builds", 100) as fake:
        cache = ab.get_default_cache()
        done = read(fake.config, "all", cache)
        assert len(cache["builds"]) == 100, len(cache["builds"])
        assert len(cache["jobs"]) == 1000, len(cache["jobs"])
        return f"{done.processed_records} records of {len(done.streams)} streams"


def the_second_read_brings_only_what_changed(folder):
    data = Recorded(folder / "incremental", builds=300)
    cache = ab.new_local_cache("incremental", cache_dir=folder / "cache")
    with data.serve() as fake:
        first = read(fake.config, ["builds", "jobs"], cache)
    assert len(rows(cache, "builds")) == 300
    assert len(rows(cache, "jobs")) == data.jobs()
    changed = data.change_one()
    with data.serve() as fake:
        second = read(fake.config, ["builds", "jobs"], cache)
    builds = rows(cache, "builds")
    assert builds[changed]["state"] == "failed", builds[changed]["state"]
    assert len(builds) == 300
    assert 0 < second.processed_records < 300, second.processed_records
    return f"{first.processed_records} records, then {second.processed_records}"


def a_source_that_was_killed_is_gone_on_from(folder):
    data = Recorded(folder / "killed", builds=1000)
    cache = ab.new_local_cache("killed", cache_dir=folder / "cache")
    os.environ.update(PROGRAM=str(SOURCE), AFTER="8")
    killed = Path(__file__).parent / "killed.py"
    with data.serve() as fake:
        try:
            read(fake.config, ["builds", "jobs"], cache, killed)
        except PyAirbyteError as error:
            failure = type(error).__name__
        else:
            raise AssertionError("a source that was killed counts as read")
        again = read(fake.config, ["builds", "jobs"], cache)
    assert len(rows(cache, "builds")) == 1000, len(rows(cache, "builds"))
    assert len(rows(cache, "jobs")) == data.jobs(), len(rows(cache, "jobs"))
    return f"{failure}, then {again.processed_records} of {1000 + data.jobs()} records"


def a_destination_of_ours_keeps_what_comes_and_its_states_count(folder):
    data, out = Recorded(folder / "written", builds=300), folder / "out"
    out.mkdir()
    states = ab.new_local_cache("states", cache_dir=folder / "cache")
    destination = ab.get_destination(
        "destination-jsonl", config={"path": f"{out}/"}, local_executable=str(DESTINATION)
    )
    destination.check()

    def write():
        with data.serve() as fake:
            one = source(fake.config)
            one.select_streams(["builds", "jobs"])
            destination.write(one, cache=False, state_cache=states)
        return len((out / "builds.jsonl").read_text().splitlines())

    first = write()
    changed = data.change_one()
    second = write() - first
    assert first == 300, first
    assert 0 < second < 30, second
    assert changed in "".join((out / "builds.jsonl").read_text().splitlines()[first:])
    return f"{first} builds, then {second}"


def our_destination_triggers_a_build_for_each_record_once(folder):
    folder = folder / "triggered"
    data = Recorded(folder / "data", builds=12)
    states = ab.new_local_cache("triggered", cache_dir=folder / "cache")
    fields = {
        "commit": {"pointer": "/commit"},
        "branch": {"pointer": "/branch"},
        "message": "again {{ pipeline_slug }} {{ number }}",
    }
    mapping = {"builds": {"to": "builds", "fields": fields}}
    with Fake("--builds", 1) as to, data.serve() as fake:
        settings = to.destination(folder, mapping=mapping, idempotency_key=["/id"])
        destination = ab.get_destination(
            "destination-buildkite",
            config=settings,
            local_executable=str(BIN / "destination-buildkite"),
        )
        destination.check()
        for _ in range(2):
            one = source(fake.config)
            one.select_streams(["builds"])
            destination.write(one, cache=False, state_cache=states, force_full_refresh=True)
        triggered = to.triggered()
    wanted = sorted(f"again {b['pipeline']['slug']} {b['number']}" for b in data.builds)
    assert triggered == wanted, triggered
    return f"{len(triggered)} builds of {len(data.builds)} records, written twice"


def main():
    folder = Path(SCRATCH.name)
    for check, arguments in [
        (a_wrong_key_is_said_in_our_words, []),
        (all_streams_are_read_into_the_default_cache, []),
        (the_second_read_brings_only_what_changed, [folder]),
        (a_source_that_was_killed_is_gone_on_from, [folder]),
        (a_destination_of_ours_keeps_what_comes_and_its_states_count, [folder]),
        (our_destination_triggers_a_build_for_each_record_once, [folder]),
    ]:
        print(f"-- {check.__name__}: {check(*arguments)}", file=sys.stderr, flush=True)


main()
