//! The content of artifacts.

use super::World;
use crate::seed::artifact_content;

impl World {
    /// Sets the content of an artifact. Its object, with size and SHA-1, does not change.
    pub fn set_artifact_content(&mut self, id: &str, bytes: impl Into<Vec<u8>>) {
        self.contents.insert(id.to_owned(), bytes.into());
    }

    /// The content of an artifact of a build: the content that a test has set, or content derived
    /// from its id and size. None if there is no such artifact.
    pub(crate) fn artifact_content(&self, build: &str, id: &str) -> Option<Vec<u8>> {
        let artifacts = self.of_build("artifacts", self.build_by_id(build)?);
        let mut artifacts = artifacts.into_iter().map(|entry| entry.object);
        let artifact = artifacts.find(|object| object.text("id").as_deref() == Some(id))?;
        let size = artifact.get("file_size").as_u64().unwrap_or(0);
        let made_up = || artifact_content(id, usize::try_from(size).unwrap_or(0));
        Some(self.contents.get(id).cloned().unwrap_or_else(made_up))
    }
}

impl World {
    /// Keeps a file that was sent to the storage under a key.
    pub(crate) fn keep_upload(&mut self, key: &str, bytes: &[u8]) {
        self.contents.insert(key.to_owned(), bytes.to_vec());
    }

    /// The file that was sent to the storage under a key.
    pub(crate) fn upload(&self, key: &str) -> Option<&[u8]> {
        self.contents.get(key).map(Vec::as_slice)
    }
}
