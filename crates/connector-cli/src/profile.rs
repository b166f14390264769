//! The name, the connectors and the help texts of a program.

use std::path::PathBuf;

use connector_core::{Connector, Registry, StreamName};
use directories::ProjectDirs;

use crate::demo::Demo;
use crate::settings::ConnectorRef;

/// The name, the connectors and the help texts of a program.
pub(crate) struct Profile {
    /// The name that is typed: `example-connector`.
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) registry: Registry,
    /// One line.
    pub(crate) about: String,
    /// A few more sentences.
    pub(crate) details: String,
    /// Lines for the help, with a heading.
    pub(crate) examples: String,
    pub(crate) default_source: Option<ConnectorRef>,
    pub(crate) default_destination: Option<ConnectorRef>,
    /// What the secrets of its remotes begin with.
    pub(crate) secret_prefixes: Vec<String>,
    /// Crates whose log is shown.
    pub(crate) log_targets: Vec<String>,
    /// Connectors, with a command that shows what was written.
    pub(crate) first_looks: Vec<(String, String)>,
    /// The field of a result that names its subject.
    pub(crate) result_subject: Option<String>,
    pub(crate) demo: Option<Box<dyn Demo>>,
}

impl Profile {
    pub(crate) fn new(name: &str, version: &str, registry: Registry) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            registry,
            about: "Copies records from a source to a destination".to_owned(),
            details: String::new(),
            examples: String::new(),
            default_source: None,
            default_destination: None,
            secret_prefixes: Vec::new(),
            log_targets: Vec::new(),
            first_looks: Vec::new(),
            result_subject: None,
            demo: None,
        }
    }

    /// What its environment variables begin with: `EXAMPLE_CONNECTOR`.
    pub(crate) fn prefix(&self) -> String {
        let letter = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        self.name.chars().map(letter).collect()
    }

    /// One of its environment variables: `EXAMPLE_CONNECTOR_STORE`.
    pub(crate) fn variable(&self, name: &str) -> String {
        format!("{}_{name}", self.prefix())
    }

    /// Its folder for user data; `None` for a user without a home folder.
    pub(crate) fn data_folder(&self) -> Option<PathBuf> {
        let folders = ProjectDirs::from("", "", &self.name)?;
        Some(folders.data_dir().to_owned())
    }

    /// The source if the user names none: the default, or the only one.
    pub(crate) fn default_source(&self) -> Option<ConnectorRef> {
        let only = || self.only(|connector| connector.source().is_some());
        self.default_source.clone().or_else(only)
    }

    /// The destination if the user names none.
    pub(crate) fn default_destination(&self) -> Option<ConnectorRef> {
        let only = || self.only(|connector| connector.destination().is_some());
        self.default_destination.clone().or_else(only)
    }

    /// A command that shows what was written to this location; `None` if the program has none for
    /// the connector.
    pub(crate) fn first_look(
        &self,
        connector: &str,
        at: &str,
        stream: &StreamName,
    ) -> Option<String> {
        let mut known = self.first_looks.iter();
        let (_, command) = known.find(|(name, _)| name == connector)?;
        let command = command.replace("{location}", &for_shell(at));
        Some(command.replace("{stream}", stream.as_str()))
    }

    /// Whether a text may hold a secret.
    pub(crate) fn holds_secret(&self, text: &str) -> bool {
        let mut prefixes = self.secret_prefixes.iter();
        prefixes.any(|prefix| text.contains(prefix.as_str()))
    }

    fn only(&self, has_role: impl Fn(&dyn Connector) -> bool) -> Option<ConnectorRef> {
        let mut all = self
            .registry
            .iter()
            .filter(|connector| has_role(&***connector));
        let only = all.next()?.identity().name;
        all.next().is_none().then(|| ConnectorRef::new(only))
    }
}

/// A path, quoted for a shell.
fn for_shell(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(for_shell("data/b-1.db"), "data/b-1.db");
        assert_eq!(for_shell("my 'own'.db"), r"'my '\''own'\''.db'");
    }

    #[test]
    fn variables_begin_with_the_name_of_the_program() {
        let profile = Profile::new("my-tool", "1", Registry::new());
        assert_eq!(profile.variable("STORE"), "MY_TOOL_STORE");
    }
}
