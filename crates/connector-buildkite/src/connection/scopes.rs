//! Which scopes a token lacks.

/// Those of `needed` that are not `granted`, in their order.
pub(crate) fn missing_scopes<'a, S: AsRef<str>>(
    needed: impl IntoIterator<Item = &'a str>,
    granted: &[S],
) -> Vec<&'a str> {
    let is_missing = |scope: &&str| !granted.iter().any(|one| one.as_ref() == *scope);
    needed.into_iter().filter(is_missing).collect()
}
