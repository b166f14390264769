//! Paths of artifacts, which come from outside: they must stay below a folder.

use std::path::{Component, Path, PathBuf};

use connector_core::{Error, ErrorKind, Result};

/// A path from outside, if it stays below the folder that it is joined to. Agents on Windows
/// separate it with `\`.
///
/// # Errors
/// [`ErrorKind::Data`] if it leads out of the folder.
pub(super) fn inside(path: &str) -> Result<PathBuf> {
    let slashed = path.replace('\\', "/");
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let has_drive = slashed.as_bytes().get(1) == Some(&b':');
    let is_stream = cfg!(windows) && slashed.contains(':');
    let parts = Path::new(&slashed).components();
    let is_safe =
        !slashed.contains('\0') && !has_drive && !is_stream && parts.clone().all(is_plain);
    let path_inside: PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
    if is_safe && path_inside.file_name().is_some() {
        return Ok(path_inside);
    }
    let message = "the path of an artifact would leave the folder; it is not fetched";
    let error = Error::new(ErrorKind::Data, message);
    Err(error.with_context("artifact", path.escape_debug()))
}

/// The same path with an ending appended to the name of the file.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Checks that nothing below a folder is reached through a symbolic link: whoever planted it would
/// choose what is overwritten. The folder itself may be one.
///
/// # Errors
/// [`ErrorKind::Data`] if it is.
pub(super) fn expect_no_link(folder: &Path, path: &Path) -> Result<()> {
    let below = path.ancestors().take_while(|part| *part != folder);
    let is_link = |part: &&Path| part.symlink_metadata().is_ok_and(|data| data.is_symlink());
    let Some(link) = below.into_iter().find(is_link) else {
        return Ok(());
    };
    let message = "a symbolic link is in the way, and nothing is written through one; remove it, \
                   or choose another folder";
    let error = Error::new(ErrorKind::Data, message);
    Err(error.with_context("link", link.display().to_string().escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        for path in [
            "../a",
            "a/../../b",
            "/etc/passwd",
            "",
            ".",
            "a\0b",
            "c:\\x",
            "c:x",
            "\\\\host\\share\\x",
            "a\\..\\b",
        ] {
            assert_eq!(
                inside(path).unwrap_err().kind(),
                ErrorKind::Data,
                "{path:?}"
            );
        }
        assert_eq!(
            inside("log/rspec.xml").unwrap(),
            PathBuf::from("log/rspec.xml")
        );
        assert_eq!(inside("log\\a").unwrap(), PathBuf::from("log/a"));
    }
}
