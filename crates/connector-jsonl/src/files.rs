//! The files that a source reads, and the streams in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use connector_core::{Catalog, Error, ErrorKind, Result, StreamName};

use crate::config::refused;
use crate::error;
use crate::inference;
use crate::input::{Form, Lines, form_of};
use crate::position::Position;
use crate::reading::Part;

/// One file. All its lines belong to `stream`, if there is one.
pub(crate) fn of_file(path: &Path, stream: Option<&StreamName>) -> Result<Vec<Part>> {
    let mut lines = Lines::open(path, Position::default())?;
    let form = match stream {
        Some(stream) => Form::Bare(stream.clone()),
        None => form_of(lines.next()?.unwrap_or_default(), stem(path)),
    };
    Ok(vec![part(path.to_owned(), form)])
}

/// The files of a folder, in the order of their names.
pub(crate) fn of_folder(path: &Path, stream: Option<&StreamName>) -> Result<Vec<Part>> {
    if stream.is_some() {
        let message = "is only for one file or `-`; in a folder files name their streams";
        return Err(refused("stream", message).with_context("path", path.display()));
    }
    let files = list(path).map_err(|error| error::of_io(error, path))?;
    if files.is_empty() {
        let message = "the folder holds no file with a name like `builds.jsonl`";
        let error = Error::new(ErrorKind::Config, message);
        return Err(error.with_context("path", path.display()));
    }
    let named = |path: PathBuf| {
        let form = Form::Bare(stem(&path));
        part(path, form)
    };
    Ok(files.into_iter().map(named).collect())
}

/// Reads all files to learn their streams.
pub(crate) fn catalog(parts: &[Part]) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    for part in parts {
        let lines = Lines::open(&part.path, Position::default())?;
        let origin = part.path.file_name().unwrap_or_default().to_string_lossy();
        let found = inference::infer(lines, &part.form, &origin)?;
        catalog.streams.extend(found.streams);
    }
    Ok(catalog)
}

fn part(path: PathBuf, form: Form) -> Part {
    Part {
        path,
        form,
        pipe: None,
    }
}

/// The stream of a file of bare records.
fn stem(path: &Path) -> StreamName {
    let stem = path.file_stem().unwrap_or_default();
    StreamName::from(stem.to_string_lossy().as_ref())
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "jsonl") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
