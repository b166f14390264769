//! Receivers of webhooks: set up by a test, or by the API's notification services.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Delivery, bridge, payload};
use crate::document::Document;
use crate::ids::id_of_name;
use crate::world::{Event, Subject, World};

/// How a receiver is told that a webhook is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookMode {
    /// `X-Buildkite-Token: <token>`.
    Token,
    /// `X-Buildkite-Signature: timestamp=…,signature=…`, an HMAC-SHA256 with the token as its key.
    Signature,
    /// An envelope of Amazon EventBridge, with the token in the header `X-Api-Key` as an API
    /// destination sends it.
    EventBridge,
}

/// A receiver of webhooks.
///
/// ```
/// use mock_buildkite::{Webhook, WebhookMode};
///
/// let webhook = Webhook::new("http://127.0.0.1:8080/hooks/buildkite", "secret")
///     .mode(WebhookMode::Signature)
///     .events(["build.finished", "job.finished"]);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Webhook {
    url: String,
    token: String,
    mode: WebhookMode,
    /// All events if there are none.
    events: Vec<String>,
    /// Only this organization's; all if none is named.
    organization: Option<String>,
    /// Name of the person who set it up.
    sender: String,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("url", &self.url)
            .field("mode", &self.mode)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// A receiver of all events in token mode. The address must begin with `http://`: the fake does
    /// not speak TLS.
    pub fn new(url: &str, token: &str) -> Self {
        Self {
            url: url.to_owned(),
            token: token.to_owned(),
            mode: WebhookMode::Token,
            events: Vec::new(),
            organization: None,
            sender: "Demo User".to_owned(),
        }
    }

    /// How it is told that a webhook is genuine.
    pub fn mode(self, mode: WebhookMode) -> Self {
        Self { mode, ..self }
    }

    /// Limits it to these events.
    pub fn events<S: Into<String>>(self, events: impl IntoIterator<Item = S>) -> Self {
        let events = events.into_iter().map(Into::into).collect();
        Self { events, ..self }
    }

    /// Limits it to one organization, by slug.
    pub fn organization(self, slug: &str) -> Self {
        let organization = Some(slug.to_owned());
        Self {
            organization,
            ..self
        }
    }

    /// The receiver that a notification service sets up; none if it is no enabled webhook.
    fn of_service(organization: &str, service: &Value) -> Option<Self> {
        let is_webhook = service["provider"]["id"] == "webhook" && service["enabled"] == true;
        let settings = &service["settings"];
        let url = settings["url"].as_str()?;
        if !is_webhook || !url.starts_with("http://") {
            return None;
        }
        let events = settings["events"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str);
        let mode = if settings["token_mode"] == "signature" {
            WebhookMode::Signature
        } else {
            WebhookMode::Token
        };
        let webhook = Self::new(url, settings["token"].as_str().unwrap_or_default());
        let sender = service["created_by"]["name"]
            .as_str()
            .unwrap_or("Demo User");
        Some(Self {
            sender: sender.to_owned(),
            ..webhook.mode(mode).events(events).organization(organization)
        })
    }

    fn wants(&self, event: &Event, organization: &str) -> bool {
        let is_of = self
            .organization
            .as_ref()
            .is_none_or(|one| one == organization);
        is_of && (self.events.is_empty() || self.events.iter().any(|one| one == event.name))
    }

    /// The request that reports an event; none if its object is gone.
    pub(super) fn delivery(&self, world: &World, event: &Event) -> Option<Delivery> {
        let sender =
            json!({"id": id_of_name(&self.sender, 1_600_000_000_000), "name": self.sender});
        let body = match self.mode {
            WebhookMode::EventBridge => bridge::envelope(world, event)?,
            _ => payload::payload(world, event, sender)?,
        };
        let now = world.clock.now_millis() / 1000;
        let mut headers = vec![("Content-Type", "application/json".to_owned())];
        match self.mode {
            WebhookMode::EventBridge => headers.push(("X-Api-Key", self.token.clone())),
            WebhookMode::Token => {
                headers.push(("X-Buildkite-Event", event.name.to_owned()));
                headers.push(("X-Buildkite-Token", self.token.clone()));
            }
            WebhookMode::Signature => {
                headers.push(("X-Buildkite-Event", event.name.to_owned()));
                let signature = signature(&self.token, now, &body);
                let value = format!("timestamp={now},signature={signature}");
                headers.push(("X-Buildkite-Signature", value));
            }
        }
        Some(Delivery {
            event: event.name.to_owned(),
            url: self.url.clone(),
            headers,
            body,
            is_lost: false,
        })
    }
}

/// Everybody who wants an event. Of a ping only the service hears that was set up.
pub(super) fn of_event(world: &World, receivers: &[Webhook], event: &Event) -> Vec<Webhook> {
    let Some(organization) = payload::organization(world, event) else {
        return Vec::new();
    };
    let pinged = match &event.subject {
        Subject::Service { id, .. } => Some(id),
        _ => None,
    };
    let place = [("organization_slug".to_owned(), organization.clone())];
    let services = world.stored_below("notification_services", &place);
    let services = services.iter().map(|entry| &entry.object);
    let is_meant = |service: &&Document| pinged.is_none() || service.text("id").as_ref() == pinged;
    let of_service = |service: &Document| {
        let service = serde_json::from_str(&service.to_json()).ok()?;
        Webhook::of_service(&organization, &service)
    };
    let services = services.filter(is_meant).filter_map(of_service);
    if pinged.is_some() {
        return services.collect();
    }
    let all = receivers.iter().cloned().chain(services);
    all.filter(|one| one.wants(event, &organization)).collect()
}

/// The signature of a body: HMAC-SHA256 of `timestamp.body`, in lower-case hexadecimal digits.
fn signature(token: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("keys have any length");
    mac.update(format!("{timestamp}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn a_signature_is_the_one_of_the_documentation() {
        let expected = "4d39bd2442f073b6bc62e95d0297ce25475582a17389ab860abdc778fe1d9f77";
        let actual = signature("secret", 1_700_000_000, "{\"event\":\"ping\"}");
        assert_eq!(actual, expected);
    }
}
