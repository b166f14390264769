//! `credential check`: what a key can do.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use connector_core::{
    Connector, CredentialInspector, CredentialReport, Error, ErrorKind, Result, Setup,
};
use sync_runner::Progress;

use super::{name, named, open};
use crate::arguments::{self, add_declared};
use crate::context::Context;
use crate::credentials::store_error;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::observing;
use crate::profile::Profile;
use crate::report::CredentialText;
use crate::settings::{ConnectorRef, of_remotes};

pub(super) const NAME: &str = "check";

pub(super) fn command(profile: &Profile) -> Command {
    let about = "Show what the API key can read and write, and which scopes it does not need";
    let command = Command::new(NAME).about(about).arg(name());
    add_declared(command, &of_remotes(&profile.registry))
}

pub(super) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let name = named(matches);
    let progress = Arc::new(Progress::new());
    let (connector, setup) = inspected(context, &name, matches, &progress)?;
    let work = async move { inspector(&*connector)?.inspect(setup).await };
    let done: Option<CredentialReport> = context.watch_question(work, &progress).await?;
    let Some(report) = done else {
        return Ok(Exit::Stopped);
    };
    open(context)?
        .mark_checked(&name, context.now)
        .map_err(store_error)?;
    for warning in &report.warnings {
        context.terminal.warn(warning);
    }
    context.terminal.answer(CredentialText(&report))?;
    Ok(Exit::Complete)
}

/// The connector of a stored credential, and the setup for its inspector.
pub(super) fn inspected(
    context: &Context,
    name: &str,
    matches: &ArgMatches,
    progress: &Arc<Progress>,
) -> Result<(Arc<dyn Connector>, Setup), Failure> {
    let info = open(context)?.info(name).map_err(store_error)?;
    let connector = info.connector.as_str();
    let store = context.credentials();
    let credential = store
        .store()
        .credential(name, connector)
        .map_err(store_error)?;
    let mut given = arguments::given(matches, &context.profile);
    given.from = Some(ConnectorRef::new(connector));
    let side = context.resolver().source(&given)?;
    let (_, setup) = side.setup(Some(credential))?;
    let setup = setup.with_observer(observing::logged(progress));
    Ok((Arc::clone(side.connector()), setup))
}

/// The inspector of a connector.
///
/// # Errors
/// [`ErrorKind::Config`] if it has none.
pub(super) fn inspector(connector: &dyn Connector) -> Result<&dyn CredentialInspector> {
    connector.credential_inspector().ok_or_else(|| {
        let name = connector.identity().name;
        let message = format!("the connector `{name}` cannot ask its remote about a credential");
        Error::new(ErrorKind::Config, message)
    })
}
