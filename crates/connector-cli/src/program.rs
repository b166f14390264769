//! The description of a command line.

use connector_core::Registry;

use crate::demo::Demo;
use crate::extension::CustomCommand;
use crate::profile::Profile;
use crate::settings::ConnectorRef;

/// A command line for a set of connectors.
///
/// ```no_run
/// # fn start(registry: connector_core::Registry) -> std::process::ExitCode {
/// connector_cli::Program::new("ticket-connector", env!("CARGO_PKG_VERSION"), registry)
///     .with_about("Copies tickets to where you can query them", "")
///     .with_default_source("tickets")
///     .with_default_destination("sqlite:tickets.db")
///     .run()
/// # }
/// ```
pub struct Program {
    pub(crate) profile: Profile,
    pub(crate) commands: Vec<CustomCommand>,
}

impl Program {
    /// A program with these connectors. `name` is the name that users type. Its environment
    /// variables begin with the name in capital letters, and its credential store is in a folder of
    /// that name. An empty version is not shown.
    #[must_use]
    pub fn new(name: &str, version: &str, registry: Registry) -> Self {
        Self {
            profile: Profile::new(name, version, registry),
            commands: Vec::new(),
        }
    }

    /// Sets the description in the help: one line, and a few more sentences.
    #[must_use]
    pub fn with_about(mut self, line: &str, details: &str) -> Self {
        line.clone_into(&mut self.profile.about);
        details.clone_into(&mut self.profile.details);
        self
    }

    /// Sets examples for the help: lines with a heading.
    #[must_use]
    pub fn with_examples(mut self, examples: &str) -> Self {
        examples.clone_into(&mut self.profile.examples);
        self
    }

    /// Sets the source that is used if the user names none: `NAME` or `NAME:LOCATION`. Without it,
    /// the only source is the default, if there is exactly one.
    ///
    /// # Panics
    /// If it does not have that form.
    #[must_use]
    pub fn with_default_source(mut self, source: &str) -> Self {
        self.profile.default_source = Some(reference(source));
        self
    }

    /// Sets the destination that is used if the user names none: `NAME` or `NAME:LOCATION`. Without
    /// it, the only destination is the default, if there is exactly one.
    ///
    /// # Panics
    /// If it does not have that form.
    #[must_use]
    pub fn with_default_destination(mut self, destination: &str) -> Self {
        self.profile.default_destination = Some(reference(destination));
        self
    }

    /// Adds a prefix of secrets of a remote. An argument that contains it is refused, and no error
    /// quotes it.
    #[must_use]
    pub fn with_secret_prefix(mut self, prefix: &str) -> Self {
        self.profile.secret_prefixes.push(prefix.to_owned());
        self
    }

    /// Adds crates whose log `-v` shows. They must not log secrets.
    #[must_use]
    pub fn with_log_of(mut self, crates: &[&str]) -> Self {
        let crates = crates.iter().map(|name| (*name).to_owned());
        self.profile.log_targets.extend(crates);
        self
    }

    /// Sets a command that shows what a connector has written. `{location}` is replaced with the
    /// location, `{stream}` with a stream.
    #[must_use]
    pub fn with_first_look(mut self, connector: &str, command: &str) -> Self {
        let look = (connector.to_owned(), command.to_owned());
        self.profile.first_looks.push(look);
        self
    }

    /// Sets the field of a result that names its subject, for the lines of a dry run.
    #[must_use]
    pub fn with_result_subject(mut self, field: &str) -> Self {
        self.profile.result_subject = Some(field.to_owned());
        self
    }

    /// Adds `--demo`.
    #[must_use]
    pub fn with_demo(mut self, demo: impl Demo + 'static) -> Self {
        self.profile.demo = Some(Box::new(demo));
        self
    }

    /// Adds a command.
    #[must_use]
    pub fn with_command(mut self, command: CustomCommand) -> Self {
        self.commands.push(command);
        self
    }
}

fn reference(text: &str) -> ConnectorRef {
    text.parse()
        .expect("a default is given as NAME or NAME:LOCATION")
}
