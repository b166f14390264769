//! Objects of the API that have a slug.

use connector_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::streams::PIPELINES;

/// An object that has a slug, as it came.
#[derive(Debug, Clone)]
pub(crate) struct SlugObject {
    pub(crate) slug: String,
    pub(crate) raw: Box<RawValue>,
}

/// A pipeline that the configuration lists.
#[derive(Debug, Clone)]
pub(crate) struct SelectedPipeline {
    pub(crate) organization: String,
    pub(crate) pipeline: SlugObject,
}

/// A pipeline's id and slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PipelineRef {
    pub(crate) id: String,
    pub(crate) slug: String,
}

impl SlugObject {
    pub(super) fn new(slug: &str, raw: Box<RawValue>) -> Self {
        Self {
            slug: slug.to_owned(),
            raw,
        }
    }

    /// `None` if it has no slug.
    pub(super) fn parse(raw: Box<RawValue>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Slug {
            slug: String,
        }
        let Slug { slug } = serde_json::from_str(raw.get()).ok()?;
        Some(Self { slug, raw })
    }
}

impl PipelineRef {
    /// Of a pipeline as it came.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if it cannot be told from others.
    pub(crate) fn of(raw: &RawValue) -> Result<Self> {
        serde_json::from_str(raw.get()).map_err(|_| {
            let message = "a pipeline without a usable `id` or `slug`";
            Error::new(ErrorKind::Protocol, message).with_context("stream", PIPELINES)
        })
    }
}
