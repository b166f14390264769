use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, as `ExitCode` prints it.
    pub code: String,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn assert_code(&self, code: u8) {
        let expected = format!("{:?}", std::process::ExitCode::from(code));
        assert_eq!(self.code, expected, "{self:#?}");
    }

    /// The messages on standard output.
    pub fn messages(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// An output that tests look at. It can be closed: then nobody reads it any more.
#[derive(Clone, Default)]
pub struct Shared {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_closed: bool,
}

impl Shared {
    pub fn closed() -> Self {
        Self {
            is_closed: true,
            ..Self::default()
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }
}

/// The files of a call.
pub struct Files(TempDir);

impl Files {
    /// With an empty configuration.
    pub fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.put("config", "{}");
        files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The arguments `words`, then a flag for each file that there is out of `names`.
    pub fn arguments(&self, words: &[&str], names: &[&str]) -> Vec<OsString> {
        let mut arguments = vec!["program".into()];
        arguments.extend(words.iter().map(OsString::from));
        for name in names.iter().filter(|name| self.path(name).exists()) {
            arguments.push(format!("--{name}").into());
            arguments.push(self.path(name).into());
        }
        arguments
    }
}
