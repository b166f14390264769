//! Tables in the documentation that are made from code.

use std::fs;
use std::path::Path;

const END: &str = "<!-- end of table -->";

/// A table in Markdown.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<_> = header.iter().map(|&cell| cell.to_owned()).collect();
    let mut table = line(&header) + &"|---".repeat(header.len()) + "|\n";
    table.extend(rows.into_iter().map(|cells| line(&cells)));
    table
}

/// Fails unless `page`, a path below the workspace, has `expected` as the table of this name. With
/// `UPDATE_DOCS` set, the table is written instead.
pub(crate) fn assert_table(page: &str, name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = path
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file());
    let path = root.expect("the workspace has a lock file").join(page);
    let text = fs::read_to_string(&path).unwrap();
    let marker = format!("<!-- table: {name} -->\n");
    let begin = text.find(&marker).map(|at| at + marker.len());
    let begin = begin.unwrap_or_else(|| panic!("{page} has no `{}`", marker.trim()));
    let end = begin + text[begin..].find(END).expect("the table has an end");
    let expected = format!("\n{expected}\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, [&text[..begin], &expected, &text[end..]].concat()).unwrap();
        return;
    }
    let is_same = text[begin..end] == expected;
    assert!(
        is_same,
        "{page}: the table `{name}` is old; set UPDATE_DOCS=1 to write it anew"
    );
}
