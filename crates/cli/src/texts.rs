//! What the help says of the program.

pub(crate) const ABOUT: &str =
    "Copies Buildkite's organizations, pipelines, builds and jobs to where you can query them";

pub(crate) const DETAILS: &str = "\
The first sync reads everything that was asked for. Later ones read only what is new or changed.
After an interruption, even by `kill -9`, the next one resumes; the copy has no gaps.";

pub(crate) const EXAMPLES: &str = "\
Examples:
  Try it without an account; everything happens on this machine:
    buildkite-connector sync --demo

  Copy an organization into a database. Run the same command again to resume or to update:
    export BUILDKITE_API_TOKEN=...
    buildkite-connector sync --organization acme --to sqlite:buildkite.db

  Estimate the cost beforehand, and check afterwards that the copy is whole and up to date:
    buildkite-connector plan --organization acme --to sqlite:buildkite.db
    buildkite-connector verify --organization acme --to sqlite:buildkite.db

  Pipe the builds of this year into another program:
    buildkite-connector sync --stream builds --since 2026-01-01 --to jsonl:- |
      jq -r '.record | select(.state == \"failed\") | .web_url'

The token:
  BUILDKITE_API_TOKEN, or a hidden prompt on a terminal; never an argument. Create one in
  Buildkite under Personal Settings > API Access Tokens, with the scopes read_organizations,
  read_pipelines and read_builds.";
