//! Patterns in which `*` stands for any text, as branches and paths of artifacts are filtered.

/// Whether a text matches a pattern: the exact text, where `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

/// Whether a branch filter such as `main release/* !wip*` admits a branch. A filter of exclusions
/// alone admits every other branch, and an empty filter admits all.
pub(crate) fn is_in_branch_filter(filter: &str, branch: &str) -> bool {
    let (excluded, included): (Vec<&str>, Vec<&str>) = filter
        .split_whitespace()
        .partition(|pattern| pattern.starts_with('!'));
    let is_excluded = excluded
        .iter()
        .any(|pattern| matches(&pattern[1..], branch));
    !is_excluded && (included.is_empty() || included.iter().any(|pattern| matches(pattern, branch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_everything_else_for_itself() {
        for (pattern, text, expected) in [
            ("log/a.txt", "log/a.txt", true),
            ("log/a.txt", "log/b.txt", false),
            ("*", "", true),
            ("log/*", "log/a/b.txt", true),
            ("*.txt", "log/a.txt", true),
            ("*.txt", "log/a.txt.gz", false),
            ("log/*/*.xml", "log/a/b.xml", true),
            ("log/*/*.xml", "log/b.xml", false),
            ("aba*aba", "aba", false),
            ("*dev*", "feature/dev-1", true),
            ("feature/*", "main", false),
            ("main", "main-2", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_branch_filter_admits_what_it_includes_and_not_what_it_excludes() {
        for (filter, branch, expected) in [
            ("", "main", true),
            ("main", "main", true),
            ("main", "main-2", false),
            ("main release/*", "release/1", true),
            ("!wip*", "main", true),
            ("!wip*", "wip-1", false),
            ("release/* !release/old", "release/old", false),
        ] {
            let admitted = is_in_branch_filter(filter, branch);
            assert_eq!(admitted, expected, "{filter} {branch}");
        }
    }
}
