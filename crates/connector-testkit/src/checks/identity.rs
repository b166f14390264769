//! Who the connector is.

use crate::check::Check;
use crate::report::{Verdict, failed};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "identity_is_sound",
    claim: "The name is lower kebab case. Title and version are set. The address of the documentation, if any, is a URL. There is at least one role.",
    mutants: &["a name with a space", "no version", "no role"],
    capability: Capability::Connector,
    run: |suite| Box::pin(identity_is_sound(suite)),
}];

async fn identity_is_sound(suite: &Suite<'_>) -> Verdict {
    let identity = suite.connector.identity();
    if !is_kebab_case(&identity.name) {
        return failed("the name is not lower kebab case");
    }
    if identity.title.trim().is_empty() || identity.version.trim().is_empty() {
        return failed("the title or the version is empty");
    }
    let url = &identity.documentation_url;
    if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
        return failed("the address of the documentation is not a URL");
    }
    let connector = suite.connector;
    if connector.source().is_none() && connector.destination().is_none() {
        return failed("it is neither a source nor a destination");
    }
    Ok(())
}

fn is_kebab_case(name: &str) -> bool {
    let is_word = |word: &str| {
        let mut bytes = word.bytes();
        !word.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.split('-').all(is_word)
}
