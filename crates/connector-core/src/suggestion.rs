//! "Did you mean": the known name that is nearest to a mistyped one.

/// The words to append to "no such …": `, did you mean `builds`?`, or nothing if no known name is
/// near.
#[must_use]
pub fn did_you_mean(name: &str, known: &[&str]) -> String {
    let distance = |candidate: &&str| {
        strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase())
    };
    // A third of the letters may be wrong.
    let is_near = |candidate: &&str| distance(candidate) <= name.chars().count().max(3) / 3;
    let nearest = known.iter().copied().filter(is_near).min_by_key(distance);
    nearest.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["builds", "jobs", "pipelines"];
        assert_eq!(
            did_you_mean("pipelnes", &known),
            ", did you mean `pipelines`?"
        );
        assert_eq!(did_you_mean("Builds", &known), ", did you mean `builds`?");
        assert_eq!(did_you_mean("agents", &known), "");
        assert_eq!(did_you_mean("", &known), "");
    }
}
