//! Which streams the token may read.

use async_trait::async_trait;
use connector_core::{Catalog, Error, ErrorKind, PermissionAwareSource, Result, Stream};

use super::MemorySource;

#[async_trait]
impl PermissionAwareSource for MemorySource {
    async fn mark_readable(&self, mut catalog: Catalog) -> Result<Catalog> {
        let rights = self.request(None).await?;
        for stream in &mut catalog.streams {
            stream.is_readable = Some(missing(stream, &rights).is_none());
        }
        Ok(catalog)
    }
}

/// Checks that these rights suffice to read a stream.
pub(super) fn expect(stream: &Stream, rights: &[String]) -> Result<()> {
    let Some(missing) = missing(stream, rights) else {
        return Ok(());
    };
    let message = format!("the token lacks the right `{missing}`; grant it, or use another token");
    Err(Error::new(ErrorKind::Permission, message).with_context("stream", &stream.name))
}

fn missing<'s>(stream: &'s Stream, rights: &[String]) -> Option<&'s String> {
    stream.scopes.iter().find(|scope| !rights.contains(scope))
}
