//! Artifacts of jobs, and their content.

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::super::words::MESSAGES;
use super::{BuildChildren, Child, number_of};
use crate::document::Document;
use crate::rng::Rng;
use crate::time::parse_millis;

/// Paths under which jobs upload files, with their media types.
const FILES: [(&str, &str); 7] = [
    ("log/test.log", "text/plain"),
    ("reports/junit.xml", "text/xml"),
    ("reports/coverage/index.html", "text/html"),
    ("dist/app.tar.gz", "application/x-gzip"),
    ("screenshots/überblick 1.png", "image/png"),
    ("README.md", "text/markdown"),
    (".buildkite/generated.yml", "text/yaml"),
];

/// Of how many in a hundred jobs there are artifacts.
const PERCENT: u64 = 40;
/// No made-up content is longer, in bytes.
const MOST_BYTES: u64 = 6000;

impl BuildChildren<'_> {
    /// `GET BUILD/artifacts`
    pub(super) fn artifacts(&self) -> Vec<Child> {
        let mut artifacts = Vec::new();
        for job in self.started_jobs() {
            let job_id = job.text("id").unwrap_or_default();
            let mut rng = self.rng(30, &job_id);
            let count = if rng.percent(PERCENT) {
                1 + rng.below(3)
            } else {
                0
            };
            let first = rng.below(FILES.len() as u64);
            let started = job.text("started_at").and_then(|time| parse_millis(&time));
            for at in 0..count {
                let file = usize::try_from(first + at).unwrap_or(0) % FILES.len();
                let id = rng.uuid(started.unwrap_or(0) + 2000).to_string();
                let object = self.artifact(&job_id, &id, FILES[file], &mut rng);
                artifacts.push((Some(job_id.clone()), Document::from(object)));
            }
        }
        artifacts
    }

    fn artifact(&self, job: &str, id: &str, file: (&str, &str), rng: &mut Rng) -> Value {
        let (path, mime_type) = file;
        let (dirname, filename) = path.rsplit_once('/').unwrap_or((".", path));
        let url = format!("{}/jobs/{job}/artifacts/{id}", self.url());
        let state = match rng.below(40) {
            0 => "expired",
            1 => "error",
            2 => "new",
            3 => "deleted",
            _ => "finished",
        };
        // Empty files occur.
        let size = if rng.percent(3) {
            0
        } else {
            rng.below(MOST_BYTES)
        };
        let content = artifact_content(id, usize::try_from(size).unwrap_or(0));
        json!({
            "id": id,
            "job_id": job,
            "url": url,
            "download_url": format!("{url}/download"),
            "state": state,
            "path": path,
            "dirname": dirname,
            "filename": filename,
            "mime_type": mime_type,
            "file_size": size,
            "glob_path": null,
            "original_path": null,
            "sha1sum": sha1(&content),
        })
    }
}

/// The content of an artifact: so many bytes of text, and a few that are none.
pub(crate) fn artifact_content(id: &str, size: usize) -> Vec<u8> {
    let mut rng = Rng::of(&[31, number_of(id)]);
    let mut content = Vec::with_capacity(size + 200);
    while content.len() < size {
        content.extend_from_slice(rng.pick(&MESSAGES).as_bytes());
        content.extend_from_slice(rng.hex(8).as_bytes());
        content.extend_from_slice(b"\x00\xff\r\n");
    }
    content.truncate(size);
    content
}

fn sha1(content: &[u8]) -> String {
    hex::encode(Sha1::digest(content))
}
