//! Records that a copy rejects are saved in a file beside it, and each sync tries them again.

use std::path::{Path, PathBuf};

use connector_core::LocationKind;
use host_kit::waiting_records;

use crate::exit::Exit;
use crate::figures::counted;
use crate::settings::Side;
use crate::terminal::Terminal;

const ENDING: &str = "rejected.jsonl";

/// The file for the sync named `sync` into `copy`: beside the copy, or in `folder` if the copy is
/// not a file. `None` if nothing would be lost without one, because no state moves past a rejected
/// record.
pub(super) fn file(
    copy: &Side,
    sync: &str,
    default_sync: &str,
    folder: Option<&Path>,
) -> Option<PathBuf> {
    let keeps = copy
        .capabilities()
        .is_some_and(|c| c.keeps_state && !c.acts);
    if !keeps || copy.location() == Some("-") {
        return None;
    }
    // Two syncs into one copy must not share a file.
    let of_sync = if sync == default_sync {
        String::new()
    } else {
        format!("{}.", plain(sync))
    };
    let kind = copy
        .schema()
        .location
        .as_ref()
        .map(|location| location.kind);
    match copy.location() {
        Some(path) if kind != Some(LocationKind::Url) => {
            let path = path.trim_end_matches(std::path::is_separator);
            Some(PathBuf::from(format!("{path}.{of_sync}{ENDING}")))
        }
        _ => {
            let name = format!("{}.{of_sync}{ENDING}", plain(&copy.label()));
            Some(folder?.join("rejected").join(name))
        }
    }
}

/// Reports how many records are in the file and what to do about them. Until there are none, the
/// exit code is that of an incomplete sync.
pub(super) fn report(path: &Path, exit: Exit, terminal: &Terminal) -> Exit {
    let count = match waiting_records(path) {
        Ok(0) => return exit,
        Ok(count) => counted(count, "rejected record"),
        Err(error) => {
            terminal.warn(&error);
            return exit;
        }
    };
    let path = path.display();
    terminal.warn(format_args!(
        "{count} in {path}; each sync tries them again. Remove the cause, or correct the lines, or \
         delete the file"
    ));
    if exit == Exit::Complete {
        return Exit::Partly;
    }
    exit
}

/// A text as part of a file name.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    text.chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .collect()
}
