//! What a token is and what it opens.

use async_trait::async_trait;
use connector_core::{CredentialInspector, CredentialReport, MissingScopes, Result, Setup, Stream};
use secrecy::{ExposeSecret, SecretString};

use super::Memory;
use super::remote::catalog;
use super::settings::CopySettings;

fn token(setup: &Setup) -> Result<SecretString> {
    Ok(CopySettings::parse(setup)?.token)
}

#[async_trait]
impl CredentialInspector for Memory {
    async fn inspect(&self, setup: Setup) -> Result<CredentialReport> {
        let rights = self.remote.request(token(&setup)?.expose_secret())?;
        let mut report = CredentialReport::default();
        for Stream { name, scopes, .. } in &catalog().streams {
            let missing = scopes.iter().filter(|scope| !rights.contains(scope));
            let missing: Vec<_> = missing.cloned().collect();
            if missing.is_empty() {
                report.readable.push(name.clone());
            } else {
                report
                    .unreadable
                    .push(MissingScopes::new(name.clone(), missing));
            }
        }
        report.scopes = Some(rights);
        Ok(report)
    }

    async fn revoke(&self, setup: Setup) -> Result<()> {
        let token = token(&setup)?;
        self.remote.request(token.expose_secret())?;
        self.remote.revoke(token.expose_secret());
        Ok(())
    }
}
