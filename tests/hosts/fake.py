"""The fake of Buildkite, as a program, with data that can be changed between two syncs.

BIN is the folder of the programs that were built.
"""

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

BIN = Path(os.environ["BIN"]).resolve()
TOKEN = "bkua_mock_buildkite_demo_token"
# A host may be told to use a proxy; the fake is on this machine.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


class Fake:
    """A running fake; `--load` of a folder or made-up data."""

    def __init__(self, *options):
        command = [BIN / "mock-buildkite", *map(str, options)]
        command += ["--rate-limit-user", "100000", "--rate-limit-organization", "100000"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[0]
        self.port = self.url.rsplit(":", 1)[1]
        self.config = {"api_key": TOKEN, "base_url": self.url}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def triggered(self):
        """The builds that were triggered here, by their messages."""
        path = f"/v2/organizations/{next(self.pages('/v2/organizations'))['slug']}"
        builds = self.pages(f"{path}/builds?meta_data[triggered-by]=buildkite-connector&per_page=100")
        return sorted(build["message"] for build in builds)

    def destination(self, folder, **more):
        """Settings that send builds to the first pipeline."""
        organization = next(self.pages("/v2/organizations"))["slug"]
        pipeline = next(self.pages(f"/v2/organizations/{organization}/pipelines"))["slug"]
        return {
            **self.config,
            "organization": organization,
            "pipeline": pipeline,
            "journal": str(Path(folder) / "journal.jsonl"),
            "settle_seconds": 1,
            **more,
        }

    def pages(self, path):
        """All items of a list."""
        url = f"{self.url}{path}"
        while url:
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request) as answer:
                yield from json.load(answer)
                links = answer.headers.get("Link") or ""
            following = [link for link in links.split(",") if 'rel="next"' in link]
            url = following[0].split("<")[1].split(">")[0] if following else None


class Recorded:
    """Data in a folder, served by one fake after another at the same address."""

    def __init__(self, folder, builds):
        self.folder = Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with Fake("--builds", builds, "--pipelines", 3) as fake:
            self.organization = next(fake.pages("/v2/organizations"))["slug"]
            path = f"/v2/organizations/{self.organization}"
            self.write("organizations", list(fake.pages("/v2/organizations")))
            self.write("pipelines", list(fake.pages(f"{path}/pipelines?per_page=100")))
            self.builds = list(
                fake.pages(f"{path}/builds?include_retried_jobs=true&per_page=100")
            )
        for build in self.builds:
            # What is open is read by every sync; here only what changes is to come again.
            if build["finished_at"] is None:
                build.update(state="passed", blocked=False, finished_at=later(build["created_at"], 5))
        self.write("builds", self.builds)
        self.port = 0

    def write(self, name, items):
        (self.folder / f"{name}.json").write_text(json.dumps(items))

    def serve(self):
        fake = Fake("--load", self.folder, "--port", self.port)
        self.port = fake.port
        return fake

    def jobs(self):
        return sum(len(build["jobs"]) for build in self.builds)

    def change_one(self):
        """An old build was retried and failed now. Returns its id."""
        newest = max(build["finished_at"] for build in self.builds)
        build = min(self.builds, key=lambda build: build["created_at"])
        build.update(state="failed", finished_at=later(newest, 30))
        self.write("builds", self.builds)
        return build["id"]


def later(time, minutes):
    from datetime import datetime, timedelta

    moved = datetime.fromisoformat(time.replace("Z", "+00:00")) + timedelta(minutes=minutes)
    return moved.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
