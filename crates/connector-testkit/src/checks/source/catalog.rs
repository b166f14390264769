//! `discover`.

use connector_core::Catalog;

use crate::check::Check;
use crate::checks::streams::expect_sound;
use crate::report::{Unproven, Verdict, failed};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "catalog_is_stable",
        claim: "`discover` returns the same catalog each time, also from a new source. The catalog survives a round trip through JSON.",
        mutants: &["reverses the streams each time"],
        capability: Capability::Source,
        run: |suite| Box::pin(catalog_is_stable(suite)),
    },
    Check {
        name: "catalog_is_sound",
        claim: "Stream names are unique and schemas are valid. Keys, cursors and the fields of open rows are in the schema. Each stream has a sync mode and a description.",
        mutants: &[
            "a cursor that is not in the schema",
            "no sync mode",
            "a stream without description",
            "open rows by a field that is not in the schema",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(catalog_is_sound(suite)),
    },
];

async fn catalog_is_stable(suite: &Suite<'_>) -> Verdict {
    suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    if source.discover().await? != catalog {
        return failed("the second call returned another catalog");
    }
    if suite.source().await?.discover().await? != catalog {
        return failed("a new source returned another catalog");
    }
    if in_json(&catalog)? != catalog {
        return failed("the JSON form of the catalog is another catalog");
    }
    Ok(())
}

fn in_json(catalog: &Catalog) -> Verdict<Catalog> {
    let text = serde_json::to_string(catalog);
    let read = text.and_then(|text| serde_json::from_str(&text));
    read.map_err(|error| Unproven::Failed(format!("the catalog has no JSON form: {error}")))
}

async fn catalog_is_sound(suite: &Suite<'_>) -> Verdict {
    suite.reading()?;
    let catalog = suite.source().await?.discover().await?;
    expect_sound(&catalog)
}
