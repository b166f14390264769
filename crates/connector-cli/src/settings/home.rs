//! `~`, which a shell does not expand after `NAME:` or in a file.

use std::path::{Path, PathBuf};

/// `path` with a leading `~` replaced by the user's home folder.
pub(crate) fn expand(path: &str) -> String {
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
    in_home(path, home.as_deref())
}

/// As above, for a path.
pub(crate) fn expand_path(path: &Path) -> PathBuf {
    path.to_str()
        .map_or_else(|| path.to_owned(), |path| expand(path).into())
}

fn in_home(path: &str, home: Option<&Path>) -> String {
    let rest = path.strip_prefix('~');
    let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with(std::path::is_separator));
    match (rest, home.and_then(Path::to_str)) {
        (Some(rest), Some(home)) => format!("{home}{rest}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_tilde_is_the_home_folder() {
        let home = Some(Path::new("/home/ada"));
        assert_eq!(in_home("~/a.db", home), "/home/ada/a.db");
        assert_eq!(in_home("~", home), "/home/ada");
        for path in ["~ada/a.db", "a/~/b", "-", "a.db"] {
            assert_eq!(in_home(path, home), path);
        }
        assert_eq!(in_home("~/a.db", None), "~/a.db");
    }
}
