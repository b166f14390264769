//! Proves that the settings and the token can read.

use connector_core::{Error, ErrorKind, Result, StreamName};

use super::reader::Reader;
use super::scope::Scope;
use crate::connection::missing_scopes;
use crate::error::explain;
use crate::streams::ORGANIZATIONS;

impl Reader {
    /// Proves that the token has the scopes of the default streams, and that the organizations and
    /// pipelines of the settings exist.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] and [`ErrorKind::Permission`] for the token, [`ErrorKind::Config`] for
    /// the settings.
    pub(crate) async fn check(&self) -> Result<()> {
        let client = self.client_for(None).without_connection_retries();
        let token = client.access_token().await.map_err(explain)?;
        if let Some(scopes) = &token.scopes {
            self.check_scopes(scopes)?;
        }
        let scope = Scope::new(&self.config, Vec::new());
        if let Err(error) = scope.organization_objects(&client).await {
            if !(error.kind() == ErrorKind::Permission && self.names_organizations()) {
                return Err(error);
            }
            self.notice(None, format!("organizations were not checked: {error}"));
        }
        scope.selected(&client).await?;
        scope.first_absent().map_or(Ok(()), Err)
    }

    /// Without the scope for organizations, those that the settings list can still be read.
    fn check_scopes(&self, granted: &[String]) -> Result<()> {
        let missing = self.missing_by_scope(granted);
        if missing.is_empty() {
            return Ok(());
        }
        let needs: Vec<_> = missing
            .iter()
            .map(|(scope, streams)| {
                let streams: Vec<_> = streams.iter().map(StreamName::as_str).collect();
                format!("{scope} (streams: {})", streams.join(", "))
            })
            .collect();
        let message = format!("the token lacks the scopes: {}", needs.join("; "));
        let is_spared = |(_, streams): &(String, Vec<StreamName>)| streams == &[ORGANIZATIONS];
        if self.names_organizations() && missing.iter().all(is_spared) {
            self.notice(None, message);
            return Ok(());
        }
        Err(Error::new(ErrorKind::Permission, message))
    }

    /// The scopes that the default streams lack, each with these streams.
    fn missing_by_scope(&self, granted: &[String]) -> Vec<(String, Vec<StreamName>)> {
        let mut missing: Vec<(String, Vec<StreamName>)> = Vec::new();
        let streams = self.catalog().streams.into_iter();
        for stream in streams.filter(|stream| stream.is_default) {
            for scope in missing_scopes(stream.scopes.iter().map(String::as_str), granted) {
                match missing.iter_mut().find(|(known, _)| known == scope) {
                    Some((_, streams)) => streams.push(stream.name.clone()),
                    None => missing.push((scope.to_owned(), vec![stream.name.clone()])),
                }
            }
        }
        missing
    }

    fn names_organizations(&self) -> bool {
        self.config.organizations.is_some()
    }
}
