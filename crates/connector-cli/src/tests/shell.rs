//! Runs command lines, and catches what they print.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use connector_core::Registry;
use tempfile::TempDir;

use super::store::Store;
use super::tickets::Tickets;
use crate::terminal::StandardStreams;
use crate::{Exit, Program};

pub(super) const TOKEN: &str = "tkt_5ecret";

/// A folder, an environment, and two connectors.
pub(super) struct Shell {
    pub(super) folder: TempDir,
    pub(super) tickets: Tickets,
    pub(super) store: Store,
    variables: BTreeMap<String, OsString>,
    input: String,
    is_closed: bool,
}

/// What a command line printed, and its exit code.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
}

#[derive(Clone, Default)]
struct Caught {
    text: Arc<Mutex<Vec<u8>>>,
    is_closed: bool,
}

impl Shell {
    /// With a token in the environment.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().join("credentials").into_os_string();
        let variables = [
            ("TICKETS_TOKEN".to_owned(), TOKEN.into()),
            ("TOY_CONNECTOR_STORE".to_owned(), credentials),
        ];
        Self {
            folder,
            tickets: Tickets::default(),
            store: Store::default(),
            variables: variables.into(),
            input: String::new(),
            is_closed: false,
        }
    }

    pub(super) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn without_token(mut self) -> Self {
        self.variables.remove("TICKETS_TOKEN");
        self
    }

    pub(super) fn with_input(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }

    /// Nobody reads standard output.
    pub(super) fn with_closed_output(mut self) -> Self {
        self.is_closed = true;
        self
    }

    /// Writes a file, and returns its path.
    pub(super) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    pub(super) fn program(&self) -> Program {
        let registry = Registry::new()
            .with(self.tickets.clone())
            .with(self.store.clone());
        Program::new("toy-connector", "1.2.3", registry)
            .with_default_source("tickets")
            .with_default_destination("store:copy.db")
            .with_secret_prefix("tkt_")
            .with_first_look("store", "look {location} {stream}")
            .with_result_subject("project")
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_program(self.program(), arguments)
    }

    pub(super) fn run_program(&self, program: Program, arguments: &[&str]) -> Ran {
        let caught = |is_closed| Caught {
            is_closed,
            ..Caught::default()
        };
        let (out, err) = (caught(self.is_closed), caught(false));
        let streams = StandardStreams {
            input: Box::new(Cursor::new(self.input.clone())),
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            prompt: Arc::new(|_| Err(io::Error::other("nobody is there"))),
            has_user: false,
            is_watched: false,
            width: None,
        };
        let variables = self.variables.clone();
        let variables = Arc::new(move |name: &str| variables.get(name).cloned());
        let arguments = std::iter::once("toy-connector").chain(arguments.iter().copied());
        let arguments = arguments.map(OsString::from).collect();
        let exit = program.run_with(arguments, streams, variables);
        let (out, err) = (out.text(), err.text());
        assert!(!out.contains(TOKEN) && !err.contains(TOKEN), "{out}{err}");
        Ran { exit, out, err }
    }

    /// Runs it, and returns what it answered.
    pub(super) fn answer(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.exit, Exit::Complete, "{arguments:?}: {}", ran.err);
        ran.out
    }

    /// Runs it, expects a failure, and returns what it says.
    pub(super) fn refusal(&self, exit: Exit, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.exit, exit, "{arguments:?}: {}", ran.err);
        ran.err
    }
}

impl Caught {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
