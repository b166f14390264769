//! The files of a source, and their streams.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use connector_core::{Catalog, Error, ErrorKind, Result, StreamName};

use super::inference;
use super::lines::{Form, Lines, form_of};
use super::position::Position;
use super::reading::Part;
use crate::config::refused;
use crate::line::Enveloped;
use crate::{committed, error, tail};

/// One file. All its lines belong to `stream`, if that is set.
pub(crate) fn of_file(path: &Path, stream: Option<&StreamName>) -> Result<Vec<Part>> {
    let mut lines = Lines::open(path, Position::default(), None)?;
    if let Some(stream) = stream {
        return Ok(vec![part(path.to_owned(), Form::Bare(stream.clone()))]);
    }
    let first = lines.next()?.unwrap_or_default();
    let mut part = part(path.to_owned(), form_of(first, stem(path)));
    if matches!(Enveloped::parse(first), Some(Enveloped::Commit)) {
        part.end = committed_end(path)?;
    }
    Ok(vec![part])
}

/// Where the last commit in a file ends.
fn committed_end(path: &Path) -> Result<Option<u64>> {
    let file = File::open(path).map_err(|error| error::of_io(error, path))?;
    let last = tail::last_commit(&file, path, "")?;
    Ok(last.map(|last| last.end))
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
    let lengths = committed::lengths(path);
    let named = |path: PathBuf| {
        let stream = stem(&path);
        let end = lengths.get(&stream).copied();
        Part {
            end,
            ..part(path, Form::Bare(stream))
        }
    };
    Ok(files.into_iter().map(named).collect())
}

/// Whether a file has lines that no sync has committed.
pub(crate) fn has_uncommitted(part: &Part) -> bool {
    let length = fs::metadata(&part.path).map_or(0, |found| found.len());
    part.end.is_some_and(|end| end < length)
}

/// Reads all files to find their streams.
pub(crate) fn catalog(parts: &[Part]) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    for part in parts {
        let lines = Lines::open(&part.path, Position::default(), part.end)?;
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
        end: None,
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
