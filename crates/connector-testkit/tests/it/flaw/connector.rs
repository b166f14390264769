//! The connector and its roles.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use connector_core::{
    Capabilities, Connector, CredentialInspector, CredentialReport, Destination, DestinationRole,
    Identity, JsonObject, RecordLinks, Replica, ReplicaRole, Result, SettingsSchema, Setup, Source,
    SourceRole, StreamName, VerifiedWebhook, WebhookRequest, WebhookVerifier,
};
use secrecy::SecretString;

use super::Mutant;
use super::destination::WrongDestination;
use super::replica::WrongReplica;
use super::source::WrongSource;

/// A connector with a flaw.
#[derive(Clone)]
pub(crate) struct Wrong {
    pub(super) inner: Arc<dyn Connector>,
    pub(super) mutant: Arc<Mutant>,
}

impl Wrong {
    pub(crate) fn new(inner: impl Connector + 'static, mutant: Mutant) -> Self {
        Self {
            inner: Arc::new(inner),
            mutant: Arc::new(mutant),
        }
    }

    fn has_roles(&self) -> bool {
        self.mutant.roles.as_ref().is_none_or(|roles| roles())
    }

    fn setup(&self, setup: &Setup) -> Setup {
        let mut setup = setup.clone();
        if let Some(edit) = &self.mutant.setup {
            edit(&mut setup);
        }
        setup
    }

    fn edited(&self, mut settings: SettingsSchema) -> SettingsSchema {
        if let Some(edit) = &self.mutant.settings {
            edit(&mut settings);
        }
        settings
    }

    fn validated(&self, setup: &Setup, mut result: Result<()>) -> Result<()> {
        if let Some(edit) = &self.mutant.validate {
            edit(setup, &mut result);
        }
        result
    }

    fn opened(&self, setup: &Setup) {
        if let Some(opened) = &self.mutant.opened {
            opened(setup);
        }
    }
}

impl Connector for Wrong {
    fn identity(&self) -> Identity {
        let mut identity = self.inner.identity();
        if let Some(edit) = &self.mutant.identity {
            edit(&mut identity);
        }
        identity
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        self.inner.source().filter(|_| self.has_roles())?;
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        self.inner.destination().filter(|_| self.has_roles())?;
        Some(self)
    }

    fn replica(&self) -> Option<&dyn ReplicaRole> {
        self.inner.replica().filter(|_| self.has_roles())?;
        Some(self)
    }

    fn credential_inspector(&self) -> Option<&dyn CredentialInspector> {
        self.inner.credential_inspector()?;
        Some(self)
    }

    fn webhook_verifier(&self) -> Option<&dyn WebhookVerifier> {
        self.inner.webhook_verifier()?;
        Some(self)
    }

    fn record_links(&self) -> Option<&dyn RecordLinks> {
        self.inner.record_links()?;
        Some(self)
    }
}

#[async_trait]
impl SourceRole for Wrong {
    fn settings(&self) -> SettingsSchema {
        self.edited(self.inner.source().unwrap().settings())
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        let inner = self.inner.expect_source()?;
        self.validated(setup, inner.validate(&self.setup(setup)))
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let inner = self.inner.expect_source()?.open(self.setup(&setup)).await?;
        self.opened(&setup);
        Ok(Arc::new(WrongSource::new(
            inner,
            setup,
            Arc::clone(&self.mutant),
        )))
    }
}

#[async_trait]
impl DestinationRole for Wrong {
    fn settings(&self) -> SettingsSchema {
        self.edited(self.inner.destination().unwrap().settings())
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.destination().unwrap().capabilities();
        if let Some(edit) = &self.mutant.capabilities {
            edit(&mut capabilities);
        }
        capabilities
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        let inner = self.inner.expect_destination()?;
        self.validated(setup, inner.validate(&self.setup(setup)))
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let inner = self.inner.expect_destination()?;
        let inner = inner.open(self.setup(&setup)).await?;
        self.opened(&setup);
        Ok(Box::new(WrongDestination::new(inner, setup, self.clone())))
    }
}

#[async_trait]
impl ReplicaRole for Wrong {
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        let mut inner = self.inner.expect_replica()?.open(setup.clone()).await;
        if let Some(edit) = &self.mutant.replica {
            inner = edit(&setup, inner);
        }
        Ok(Arc::new(WrongReplica::new(
            inner?,
            Arc::clone(&self.mutant),
        )))
    }
}

#[async_trait]
impl CredentialInspector for Wrong {
    async fn inspect(&self, setup: Setup) -> Result<CredentialReport> {
        let inner = self.inner.credential_inspector().unwrap();
        let mut report = inner.inspect(setup.clone()).await;
        if let Some(edit) = &self.mutant.report {
            edit(&setup, &mut report);
        }
        report
    }

    async fn revoke(&self, setup: Setup) -> Result<()> {
        if self
            .mutant
            .revokes
            .as_ref()
            .is_some_and(|revokes| !revokes())
        {
            return Ok(());
        }
        self.inner
            .credential_inspector()
            .unwrap()
            .revoke(setup)
            .await
    }
}

impl WebhookVerifier for Wrong {
    fn verify(
        &self,
        request: &WebhookRequest<'_>,
        secrets: &[SecretString],
        now: SystemTime,
    ) -> Result<VerifiedWebhook> {
        let inner = self.inner.webhook_verifier().unwrap();
        match &self.mutant.webhook {
            Some(verify) => verify(inner, request, secrets, now),
            None => inner.verify(request, secrets, now),
        }
    }
}

impl RecordLinks for Wrong {
    fn link(&self, stream: &StreamName, record: &JsonObject) -> Option<String> {
        let mut link = self.inner.record_links().unwrap().link(stream, record);
        if let Some(edit) = &self.mutant.link {
            edit(stream, record, &mut link);
        }
        link
    }
}
