//! Whether a pipeline takes a new build.

use serde_json::{Value, json};

use super::refused;
use crate::document::Document;
use crate::pattern::is_in_branch_filter;
use crate::routes::Reply;
use crate::steps::{Facts, holds};

/// Refuses a build of a branch that the pipeline does not build.
pub(super) fn admit(pipeline: &Document, branch: &str, ignores_filters: bool) -> Result<(), Reply> {
    if !pipeline.get("archived_at").is_null() {
        // Status and text are inferred.
        return Err(refused("Builds can't be created on an archived pipeline"));
    }
    if ignores_filters {
        return Ok(());
    }
    let settings = &pipeline.get("provider")["settings"];
    if settings["trigger_mode"] == "none" || settings["build_branches"] == false {
        return Err(refused("Branches have been disabled for this pipeline"));
    }
    if !is_in_branch_filter(
        &pipeline.text("branch_configuration").unwrap_or_default(),
        branch,
    ) {
        // The text is inferred.
        return Err(refused(
            "Branch does not match the pipeline's branch filter",
        ));
    }
    let condition = settings["filter_condition"].as_str().unwrap_or_default();
    if settings["filter_enabled"] == true && !can_hold(condition, branch) {
        return Err(refused(
            "Build does not match the pipeline's filter condition",
        ));
    }
    Ok(())
}

/// Whether a condition can hold for a build of a branch. One that is not understood counts as
/// holding.
fn can_hold(condition: &str, branch: &str) -> bool {
    let facts = Facts {
        build: json!({"branch": branch}),
        pipeline: Value::Null,
    };
    condition.trim().is_empty() || holds(condition, &facts) != Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_refused_only_if_it_cannot_hold() {
        for (condition, expected) in [
            ("", true),
            ("build.branch == \"main\"", true),
            ("build.branch == 'other'", false),
            ("build.branch != \"main\"", false),
            ("build.branch != \"other\"", true),
            (
                "build.branch == \"other\" || build.branch == \"main\"",
                true,
            ),
            (
                "build.branch == \"main\" && build.branch != \"main\"",
                false,
            ),
            (
                "!build.pull_request.draft || build.branch == \"other\"",
                true,
            ),
            ("(build.branch == \"other\")", false),
            ("build.branch =~ /^x/", false),
            ("build.branch is what", true),
        ] {
            assert_eq!(can_hold(condition, "main"), expected, "{condition}");
        }
    }
}
