//! Where the journal is.

use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result};

use super::config::DestinationConfig;

/// Where it was before there was a folder for it.
const IN_WORKING_DIRECTORY: &str = "buildkite-journal.jsonl";

/// Where the journal of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JournalPlace {
    /// The settings want none.
    Nowhere,
    /// The settings name it, or there is no better place.
    Named(PathBuf),
    /// In the folder of this user: one for each address and organization.
    Own(PathBuf),
    /// Found in the working directory, where earlier versions have put it, instead of its own place.
    Found { found: PathBuf, own: PathBuf },
}

impl JournalPlace {
    pub(super) fn of(
        config: &DestinationConfig,
        base_url: &str,
        data_folder: Option<&Path>,
    ) -> Self {
        let earlier = PathBuf::from(IN_WORKING_DIRECTORY);
        match (config.journal.as_deref(), data_folder) {
            (Some(""), _) => Self::Nowhere,
            (Some(path), _) => Self::Named(path.into()),
            (None, None) => Self::Named(earlier),
            (None, Some(folder)) => {
                let name = file_name(base_url, config.organization.as_deref());
                let own = folder.join("journals").join(name);
                if earlier.exists() {
                    Self::Found {
                        found: earlier,
                        own,
                    }
                } else {
                    Self::Own(own)
                }
            }
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Nowhere => None,
            Self::Named(path) | Self::Own(path) | Self::Found { found: path, .. } => Some(path),
        }
    }

    /// What the user must know of it.
    pub(super) fn notice(&self) -> Option<String> {
        let Self::Found { found, own } = self else {
            return None;
        };
        Some(format!(
            "the journal is {} in the working directory; move it to {} to use it from everywhere",
            found.display(),
            own.display()
        ))
    }

    /// Makes the folder of this user, which only the user may open.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the folder.
    pub(super) fn make_folder(&self) -> Result<()> {
        let Self::Own(path) = self else {
            return Ok(());
        };
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| {
            let message = format!("the folder for the journal cannot be made: {error}");
            Error::new(ErrorKind::Io, message).with_context("folder", folder.display())
        })
    }
}

/// `api.buildkite.com-acme.jsonl`.
fn file_name(base_url: &str, organization: Option<&str>) -> String {
    let address = base_url.trim_end_matches('/');
    let address = address.strip_prefix("https://").unwrap_or(address);
    let organization = organization.map(|slug| format!("-{slug}"));
    let name = format!("{address}{}", organization.unwrap_or_default());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let plain = name.chars().map(|c| if is_plain(c) { c } else { '_' });
    format!("{}.jsonl", plain.collect::<String>())
}

#[cfg(test)]
mod tests {
    use connector_core::Configuration;
    use serde_json::{Value, json};

    use super::*;

    fn place(keys: Value, data_folder: Option<&Path>) -> JournalPlace {
        let keys = Configuration::new(keys).unwrap();
        let (connection, config) = DestinationConfig::parse(keys, None).unwrap();
        JournalPlace::of(&config, &connection.base_url, data_folder)
    }

    #[test]
    fn each_address_and_organization_has_a_journal_of_its_own() {
        let folder = Path::new("data");
        let name = |keys| {
            let place = place(keys, Some(folder));
            let path = place.path().unwrap().strip_prefix("data/journals").unwrap();
            path.to_str().unwrap().to_owned()
        };
        assert_eq!(name(json!({})), "api.buildkite.com.jsonl");
        let acme = json!({"organization": "acme"});
        assert_eq!(name(acme), "api.buildkite.com-acme.jsonl");
        let local = json!({"organization": "acme", "base_url": "http://127.0.0.1:8080/"});
        assert_eq!(name(local), "http___127.0.0.1_8080-acme.jsonl");
    }

    #[test]
    fn a_journal_that_is_named_is_where_it_is_named_and_an_empty_name_is_none() {
        let folder = Some(Path::new("data"));
        let named = place(json!({"journal": "here.jsonl"}), folder);
        assert_eq!(named, JournalPlace::Named("here.jsonl".into()));
        assert_eq!(place(json!({"journal": ""}), folder).path(), None);
        let without_folder = place(json!({}), None);
        assert_eq!(without_folder.path(), Some(Path::new(IN_WORKING_DIRECTORY)));
    }
}
