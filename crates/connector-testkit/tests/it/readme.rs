//! The table of checks in the README is the list of checks.

use std::fs;
use std::path::Path;

const BEGIN: &str = "tests/it/readme.rs -->\n";
const END: &str = "<!-- end of checks -->";

/// With `UPDATE_DOCS` set, the table is written anew.
#[test]
fn the_readme_lists_every_check_as_the_suite_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let begin = readme.find(BEGIN).expect("the README has the table") + BEGIN.len();
    let end = readme.find(END).expect("the table has an end");
    let expected = format!("\n{}\n", connector_testkit::table());

    if std::env::var_os("UPDATE_DOCS").is_some() {
        let readme = [&readme[..begin], &expected, &readme[end..]].concat();
        fs::write(&path, readme).unwrap();
        return;
    }

    assert_eq!(
        &readme[begin..end],
        expected,
        "run this test again with UPDATE_DOCS=1 to write the table anew"
    );
}
