//! Standard input and named pipes. Their streams are discovered from the beginning; then all is
//! read once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use connector_core::{Catalog, Error, ErrorKind, Result, StreamName};

use super::inference::{self, Inference};
use super::lines::{Form, Lines, Reader, form_of};
use super::reading::Part;
use crate::error;

/// How much of a pipe is read to discover its streams, up to the end of the line there.
const HEAD: u64 = 1024 * 1024;

/// A pipe that is opened when it is first needed.
pub(crate) struct PipeInput {
    path: PathBuf,
    /// The stream of all lines, if it is set.
    stream: Option<StreamName>,
    opened: Mutex<Option<Opened>>,
}

struct Opened {
    /// What has been read so far.
    head: Vec<u8>,
    /// `None` once the read has begun.
    rest: Option<Reader>,
}

impl PipeInput {
    /// Standard input, if the path is `-`, or a named pipe.
    pub(crate) fn new(path: &Path, stream: Option<StreamName>) -> Self {
        Self {
            path: path.to_owned(),
            stream,
            opened: Mutex::new(None),
        }
    }

    /// The streams, from the settings or the first lines.
    pub(crate) fn catalog(&self) -> Result<Catalog> {
        let origin = self.path.display().to_string();
        if let Some(stream) = &self.stream {
            let stream = Inference::default().stream(stream.clone(), &origin);
            return Ok(Catalog::new([stream]));
        }
        let mut guard = self.lock();
        let opened = self.open(&mut guard)?;
        let form = self.form(opened)?;
        inference::infer(opened.head_lines(&self.path), &form, &origin)
    }

    /// The whole pipe, to be read.
    pub(crate) fn part(&self, known: BTreeSet<StreamName>) -> Result<Part> {
        let mut guard = self.lock();
        let opened = self.open(&mut guard)?;
        let form = self.form(opened)?;
        let head = Cursor::new(std::mem::take(&mut opened.head));
        let rest = opened.rest.take().ok_or_else(|| {
            let message = "a pipe can be read only once; write it to a file first";
            Error::new(ErrorKind::Config, message).with_context("path", self.path.display())
        })?;
        Ok(Part {
            path: self.path.clone(),
            form,
            end: None,
            pipe: Some((Box::new(head.chain(rest)), known)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        // A panic leaves a valid state: bytes are in the head or still to come.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open<'p>(&self, opened: &'p mut Option<Opened>) -> Result<&'p mut Opened> {
        let new = match opened.take() {
            Some(opened) => opened,
            None if self.path == Path::new("-") => Opened::new(Box::new(io::stdin())),
            None => {
                let file = File::open(&self.path);
                let file = file.map_err(|error| error::of_io(error, &self.path))?;
                Opened::new(Box::new(file))
            }
        };
        Ok(opened.insert(new))
    }

    fn form(&self, opened: &mut Opened) -> Result<Form> {
        if let Some(stream) = &self.stream {
            return Ok(Form::Bare(stream.clone()));
        }
        let read = opened.read_head();
        read.map_err(|error| error::of_io(error, &self.path))?;
        let mut lines = opened.head_lines(&self.path);
        let unnamed = StreamName::from("");
        match lines.next()?.map(|first| form_of(first, unnamed)) {
            None | Some(Form::Enveloped) => Ok(Form::Enveloped),
            Some(Form::Bare(_)) => {
                let message = "the lines do not name their stream; set the key `stream`";
                let error = Error::new(ErrorKind::Config, message);
                Err(error.with_context("path", self.path.display()))
            }
        }
    }
}

impl Opened {
    fn new(rest: Reader) -> Self {
        Self {
            head: Vec::new(),
            rest: Some(rest),
        }
    }

    /// Reads the head, up to the end of a line, unless that is done.
    fn read_head(&mut self) -> io::Result<()> {
        let Some(rest) = &mut self.rest else {
            return Ok(());
        };
        while (self.head.len() as u64) < HEAD || !self.head.contains(&b'\n') {
            if rest.take(HEAD).read_to_end(&mut self.head)? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn head_lines(&self, path: &Path) -> Lines {
        // A line that is cut off here is read with the rest.
        let end = memchr::memrchr(b'\n', &self.head).map_or(self.head.len(), |at| at + 1);
        let head = self.head[..end].to_owned();
        Lines::new(path, Box::new(Cursor::new(head)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str, stream: Option<&str>) -> PipeInput {
        let input = PipeInput::new(Path::new("-"), stream.map(StreamName::from));
        let reader = Cursor::new(text.to_owned().into_bytes());
        *input.lock() = Some(Opened::new(Box::new(reader)));
        input
    }

    fn names(catalog: &Catalog) -> Vec<&str> {
        let names = catalog.streams.iter().map(|stream| stream.name.as_str());
        names.collect()
    }

    fn text_of(part: Part) -> String {
        let mut text = String::new();
        let (mut reader, _) = part.pipe.unwrap();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_beginning_is_read_again_with_the_rest_and_only_once() {
        for lines in [1, 3, 100_000] {
            let line = "{\"stream\":\"a\",\"record\":{\"id\":1}}\n";
            let text = line.repeat(lines) + "{\"stream\":\"a\",\"record\":{}}";
            let input = input(&text, None);

            assert_eq!(names(&input.catalog().unwrap()), ["a"]);
            assert_eq!(names(&input.catalog().unwrap()), ["a"]);
            let part = input.part(BTreeSet::new()).unwrap();
            assert_eq!(part.form, Form::Enveloped);
            assert!(text_of(part) == text);
            let again = input.part(BTreeSet::new());
            assert!(again.is_err_and(|error| error.message().contains("only once")));
        }
    }

    #[test]
    fn bare_lines_need_the_name_of_their_stream_and_with_it_nothing_is_read_ahead() {
        let refused = input("{\"id\":1}\n", None).catalog().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.message().contains("key `stream`"));

        let named = input("{\"stream\":\"a\",\"record\":{}}\n", Some("b"));
        assert_eq!(names(&named.catalog().unwrap()), ["b"]);
        assert!(named.lock().as_ref().unwrap().head.is_empty());
        assert_eq!(
            named.part(BTreeSet::new()).unwrap().form,
            Form::Bare("b".into())
        );
    }

    #[test]
    fn an_empty_pipe_has_no_streams() {
        assert_eq!(input("", None).catalog().unwrap(), Catalog::default());
    }
}
