//! Settings in environment variables.

use connector_core::{Error, ErrorKind, Result};
use credential_store::Host;

use super::side::{Origin, Side, StoredCredential};
use super::value;

const CREDENTIAL: &str = "credential";

/// The variables of a program: `EXAMPLE_PATH` for the setting `path`.
pub(super) struct Environment<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) prefix: &'a str,
}

impl Environment<'_> {
    /// Applies its variables to `source`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a variable that is not text.
    pub(super) fn apply_to_source(&self, source: &mut Side) -> Result<()> {
        self.apply(source, |key| vec![self.variable(key)])
    }

    /// Applies its variables to `destination`, except those that the source uses.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a variable that is not text.
    pub(super) fn apply_to_destination(&self, destination: &mut Side, source: &Side) -> Result<()> {
        let takes_credential = source.schema().takes_credential();
        self.apply(destination, |key| {
            let own = self.variable(&format!("destination_{key}"));
            let is_taken = source.schema().has(key) || (key == CREDENTIAL && takes_credential);
            let shared = Some(self.variable(key)).filter(|_| !is_taken);
            [Some(own), shared].into_iter().flatten().collect()
        })
    }

    fn apply(&self, side: &mut Side, variables: impl Fn(&str) -> Vec<String>) -> Result<()> {
        let keys: Vec<_> = side.schema().keys().map(str::to_owned).collect();
        for key in keys {
            if let Some((variable, text)) = self.first(variables(&key))? {
                let value = value::from_text(&text, &side.property(&key));
                side.set(&key, value, Origin::Variable(variable));
            }
        }
        if side.schema().takes_credential()
            && let Some((_, name)) = self.first(variables(CREDENTIAL))?
        {
            let named_in = None;
            side.credential = Some(StoredCredential { name, named_in });
        }
        Ok(())
    }

    fn variable(&self, key: &str) -> String {
        let key = key.to_ascii_uppercase().replace('-', "_");
        format!("{}_{key}", self.prefix)
    }

    /// The first of these variables that is set and not empty.
    fn first(&self, variables: Vec<String>) -> Result<Option<(String, String)>> {
        for variable in variables {
            let Some(text) = self.host.variable(&variable).filter(|v| !v.is_empty()) else {
                continue;
            };
            let text = text.into_string().map_err(|_| {
                let message = format!("the environment variable {variable} is not text");
                Error::new(ErrorKind::Config, message)
            })?;
            return Ok(Some((variable, text)));
        }
        Ok(None)
    }
}
