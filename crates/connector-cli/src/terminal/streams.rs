//! Standard input, output and error, or their replacements in a test.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;

use secrecy::SecretString;
use terminal_size::Width;

/// Asks for a secret without echoing it.
pub(crate) type Prompt = Arc<dyn Fn(&str) -> io::Result<SecretString> + Send + Sync>;

/// Standard input, output and error.
pub(crate) struct StandardStreams {
    pub(crate) input: Box<dyn Read + Send>,
    pub(crate) out: Box<dyn Write + Send>,
    pub(crate) err: Box<dyn Write + Send>,
    pub(crate) prompt: Prompt,
    /// Standard input is a terminal.
    pub(crate) has_user: bool,
    /// Standard error is a terminal.
    pub(crate) is_watched: bool,
    /// Columns of standard output, if it is a terminal.
    pub(crate) width: Option<u16>,
}

impl StandardStreams {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let width = terminal_size::terminal_size_of(io::stdout());
        Self {
            input: Box::new(io::stdin()),
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            prompt: Arc::new(|prompt| rpassword::prompt_password(prompt).map(SecretString::from)),
            has_user: io::stdin().is_terminal(),
            is_watched: io::stderr().is_terminal(),
            width: width.map(|(Width(width), _)| width),
        }
    }
}
