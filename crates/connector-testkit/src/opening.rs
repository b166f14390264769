//! Opening the connector under test, and reading from it.

use std::sync::Arc;

use connector_core::{
    Destination, Ignore, Message, Observer, ReadRequest, Result, Source, State, WritePlan,
};
use futures::StreamExt;

use crate::check::Role;
use crate::report::{Verdict, failed};
use crate::{Access, Suite};

impl Suite<'_> {
    /// Opens it as `role`, to see whether that works.
    pub(crate) async fn open(&self, role: Role, access: &Access) -> Result<()> {
        let setup = access.setup(Arc::new(Ignore))?;
        match role {
            Role::Destination => {
                let opened = self.connector.expect_destination()?.open(setup).await;
                opened.map(|_| ())
            }
            Role::Any | Role::Source => {
                let opened = self.connector.expect_source()?.open(setup).await;
                opened.map(|_| ())
            }
        }
    }

    /// The source of what is given to read.
    pub(crate) async fn source(&self) -> Verdict<Arc<dyn Source>> {
        let access = &self.reading()?.access;
        Ok(self.source_of(access, Arc::new(Ignore)).await?)
    }

    pub(crate) async fn source_of(
        &self,
        access: &Access,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<dyn Source>> {
        self.connector
            .expect_source()?
            .open(access.setup(observer)?)
            .await
    }

    pub(crate) async fn destination_of(&self, access: &Access) -> Result<Box<dyn Destination>> {
        let setup = access.setup(Arc::new(Ignore))?;
        self.connector.expect_destination()?.open(setup).await
    }

    /// Writes every stream in its preferred mode.
    pub(crate) fn plan(&self) -> Verdict<WritePlan> {
        let capabilities = self.connector.expect_destination()?.capabilities();
        let streams = self.writing()?.streams().iter().cloned();
        Ok(WritePlan::preferred("testkit", streams, &capabilities)?)
    }
}

/// All messages of a read that must end well.
pub(crate) async fn read(source: &dyn Source, request: ReadRequest) -> Verdict<Vec<Message>> {
    let messages: Vec<_> = source.read(request).collect().await;
    let mut read = Vec::with_capacity(messages.len());
    for message in messages {
        match message {
            Ok(message) => read.push(message),
            Err(error) => {
                return failed(format!("a read failed that was to succeed: {error}"));
            }
        }
    }
    Ok(read)
}

/// The first messages of a read, which is dropped then.
pub(crate) async fn read_some(
    source: &dyn Source,
    request: ReadRequest,
    count: usize,
) -> Verdict<Vec<Message>> {
    let messages: Vec<_> = source.read(request).take(count).collect().await;
    Ok(messages.into_iter().collect::<Result<_>>()?)
}

/// The last checkpoint, as a host gives it back: by way of its JSON form.
pub(crate) fn last_state(messages: &[Message]) -> Verdict<Option<State>> {
    let state = messages.iter().rev().find_map(|message| match message {
        Message::Checkpoint(state) => Some(state),
        _ => None,
    });
    let Some(state) = state else { return Ok(None) };
    Ok(Some(State::parse(&state.to_json()?)?))
}
