"""Every method of pybuildkite, a client that others wrote, against the fake.

BIN is the folder of the programs that were built. A method of the client that no call here covers
fails the run, as does a call whose answer is not what the client's caller would expect.
"""

import inspect
import os
import subprocess
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from pybuildkite.buildkite import Buildkite
from pybuildkite.builds import BuildState
from pybuildkite.client import Client
from pybuildkite.jobs import LogFormat

BIN = Path(os.environ["BIN"]).resolve()
TOKEN = "bkua_mock_buildkite_demo_token"
ORG = "acme-inc"
STEPS = """
steps:
- label: Test
  command: make test
- label: Lint
  command: exit 1
- block: Release?
  fields:
  - text: Version
    key: version
  depends_on: []
"""
# A machine may be told to use a proxy; the fake is on it.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@contextmanager
def fake():
    """The address of a fake whose builds run at once."""
    command = [BIN / "mock-buildkite", "--builds", "60", "--job-wait", "0s", "--job-run", "0s"]
    command += ["--rate-limit-user", "100000", "--rate-limit-organization", "100000"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Calls:
    """A client that keeps which of its methods were called."""

    def __init__(self, url):
        self.client = Buildkite(per_page=30)
        self.client.set_access_token(TOKEN)
        self.client.base_url = f"{url}/v2/"
        self.called = set()

    def __call__(self, group, method, *args, **more):
        self.called.add((group, method))
        return getattr(getattr(self.client, group)(), method)(*args, **more)

    def methods(self):
        """All public methods of the client, by the groups that it hands out."""
        own = {name for name, _ in inspect.getmembers(Client, inspect.isfunction)}
        for group, _ in inspect.getmembers(Buildkite, inspect.isfunction):
            if group.startswith("_") or group == "set_access_token":
                continue
            kind = type(getattr(self.client, group)())
            for name, _ in inspect.getmembers(kind, inspect.isfunction):
                if not name.startswith("_") and name not in own:
                    yield group, name


def reads(call):
    """Organizations, people, agents and the rest that only lists."""
    assert call("meta", "get_meta_information")["webhook_ips"]
    assert call("access_tokens", "get_token")["scopes"]
    assert call("users", "get_current_user")["email"]
    assert [one["slug"] for one in call("organizations", "list_all")] == [ORG]
    assert call("organizations", "get_org", ORG)["slug"] == ORG
    assert call("emojis", "list_emojis", ORG)[0]["name"]
    assert call("teams", "list_teams", ORG)[0]["slug"]
    agents = call("agents", "list_all", ORG)
    assert call("agents", "get_agent", ORG, agents[0]["id"]) == agents[0]
    assert call("agents", "stop_agent", ORG, agents[0]["id"], force=True) is True


def pipelines(call):
    """A pipeline of each kind is created, changed, archived and deleted."""
    first = call("pipelines", "list_pipelines", ORG, with_pagination=True)
    assert len(first.body) == 8 and first.next_page is None
    old = call("pipelines", "create_pipeline", ORG, "Old", "git@example.com:acme/old.git")
    assert old["steps"][0]["name"] == ":pipeline:", old["steps"]
    new = call("pipelines", "create_yaml_pipeline", ORG, "New", "git@example.com:acme/new.git", STEPS)
    assert new["configuration"] == STEPS and new["slug"] == "new"
    changed = call("pipelines", "update_pipeline", ORG, "new", description="changed", default_branch="dev")
    assert (changed["description"], changed["default_branch"]) == ("changed", "dev")
    assert call("pipelines", "get_pipeline", ORG, "new") == changed
    assert call("pipelines", "archive_pipeline", ORG, "old")["archived_at"]
    assert call("pipelines", "unarchive_pipeline", ORG, "old")["archived_at"] is None
    assert call("pipelines", "delete_pipeline", ORG, "old") is True
    assert "old" not in [one["slug"] for one in call("pipelines", "list_pipelines", ORG)]


def builds(call):
    """Builds are created, found by filters, canceled and rebuilt."""
    made = call(
        "builds", "create_build", ORG, "new", "HEAD", "main",
        message="from Python", meta_data={"who": "pybuildkite"}, env={"A": "b"}, clean_checkout=True,
    )
    assert (made["number"], made["message"], made["env"]["A"]) == (1, "from Python", "b")
    yesterday = datetime.now() - timedelta(days=365 * 50)
    for method, *place in [["list_all"], ["list_all_for_org", ORG], ["list_all_for_pipeline", ORG, "new"]]:
        found = call("builds", method, *place, meta_data={"who": "pybuildkite"})
        assert [one["id"] for one in found] == [made["id"]], method
        both = call("builds", method, *place, states=[BuildState.PASSED, BuildState.FAILED, BuildState.BLOCKED])
        assert {one["state"] for one in both} <= {"passed", "failed", "blocked"}, method
        since = call("builds", method, *place, created_from=yesterday, branch="main", with_pagination=True)
        assert since.body and all(one["branch"] == "main" for one in since.body), method
    again = call("builds", "rebuild_build", ORG, "new", 1)
    assert again["rebuilt_from"]["number"] == 1
    whole = call("builds", "get_build_by_number", ORG, "new", 1, include_retried_jobs=True)
    jobs(call, whole)
    running = next(one for one in call("builds", "list_all_for_org", ORG) if not one["finished_at"])
    canceled = call("builds", "cancel_build", ORG, running["pipeline"]["slug"], running["number"])
    assert canceled["state"] in ("canceling", "canceled")


def jobs(call, build):
    """A failed job is retried, a block step released, a log read in every form and deleted."""
    place = (ORG, "new", build["number"])
    test, lint, release = build["jobs"]
    assert lint["state"] == "failed", lint
    log = call("jobs", "get_job_log", *place, test["id"], log_format=LogFormat.JSON)
    assert log["content"] and log["size"] == len(log["content"].encode())
    assert call("jobs", "get_job_log", *place, test["id"], log_format=LogFormat.TEXT)
    assert b"<" in call("jobs", "get_job_log", *place, test["id"])
    assert call("jobs", "get_job_environment_variables", *place, test["id"])["env"]["BUILDKITE"] == "true"
    retried = call("jobs", "retry_job", *place, lint["id"])
    assert retried["id"] != lint["id"]
    released = call("jobs", "unblock_job", *place, release["id"], fields={"version": "1"})
    assert released["state"] == "unblocked"
    assert call("jobs", "delete_job_log", *place, test["id"]) is True


def parts(call):
    """Annotations and artifacts of a build that has some."""
    for build in call("builds", "list_all_for_org", ORG):
        place = (ORG, build["pipeline"]["slug"], build["number"])
        notes = call("annotations", "list_annotations", *place)
        files = call("artifacts", "list_artifacts_for_build", *place)
        files = [one for one in files if one["state"] == "finished"]
        if notes and files:
            break
    assert notes[0]["body_html"]
    file = files[0]
    of_job = call("artifacts", "list_artifacts_for_job", *place, file["job_id"])
    assert file["id"] in [one["id"] for one in of_job]
    assert call("artifacts", "get_artifact", *place, file["job_id"], file["id"]) == file
    content = call("artifacts", "download_artifact", *place, file["job_id"], file["id"])
    assert len(content) == file["file_size"]
    chunks = call("artifacts", "download_artifact", *place, file["job_id"], file["id"], as_stream=True)
    assert b"".join(chunks) == content


def main():
    with fake() as url:
        call = Calls(url)
        for part in (reads, pipelines, builds, parts):
            part(call)
        assert call("access_tokens", "revoke_token") is True
        methods = set(call.methods())
        assert not methods - call.called, methods - call.called
        print(f"-- pybuildkite: {len(methods)} methods")


main()
