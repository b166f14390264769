//! The control surface below `/__mock/`: look at requests, queue faults, move the clock, save and
//! load the world. It needs no token and counts for no rate limit.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::request::Request;
use super::{Fault, Faults, LimitScope, SeenRequest, Store, When};
use crate::clock::Clock;
use crate::webhooks::{Webhook, WebhookFaults, WebhookMode};
use crate::world::{Token, World};

/// The beginning of the paths.
const PREFIX: &str = "/__mock";

/// What a request did wrong, for 400.
type Refusal = String;

/// Answers a request of the control surface; none if it is not for it.
pub(super) fn respond(store: &mut Store, request: &Request) -> Option<Answer> {
    let path = request.path.strip_prefix(PREFIX)?;
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let outcome = match (request.method.as_str(), path.trim_matches('/')) {
        ("GET", "") => Ok(overview(store)),
        ("GET", "requests") => Ok(requests(store)),
        ("DELETE", "requests") => {
            store.requests.iter_mut().for_each(Vec::clear);
            Ok(json!({}))
        }
        ("POST", "faults") => add_fault(store, &request.body),
        ("DELETE", "faults") => {
            store.faults = Faults::default();
            Ok(json!({}))
        }
        ("GET", "clock") => Ok(clock(store)),
        ("POST", "clock") => set_clock(store, &request.body),
        ("POST", "tokens") => add_token(store, &request.body),
        ("POST", "jobs") => set_jobs(store, &request.body),
        ("GET", "webhooks") => Ok(webhooks(store)),
        ("POST", "webhooks") => add_webhook(store, &request.body),
        ("POST", "webhook-faults") => set_webhook_faults(store, &request.body),
        ("POST", "reset") => reset(store),
        ("GET", "world") => return Some(text(200, store.world.save())),
        ("PUT", "world") => load(store, &request.body),
        (_, path) => Err(format!(
            "nothing to do for {} {PREFIX}/{path}",
            request.method
        )),
    };
    Some(match outcome {
        Ok(value) => text(200, value.to_string()),
        Err(message) => text(400, json!({ "message": message }).to_string()),
    })
}

fn text(status: u16, body: String) -> Answer {
    Answer::new(status).with_body(body.into_bytes(), "application/json; charset=utf-8")
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let body = if body.trim_ascii().is_empty() {
        b"{}"
    } else {
        body
    };
    serde_json::from_slice(body).map_err(|error| format!("cannot read the body: {error}"))
}

fn overview(store: &Store) -> Value {
    json!({
        "now": store.world.now(),
        "requests": store.count,
        "builds": store.world.builds.len(),
        "organizations": store.world.organization_slugs(),
        "paths": [
            "GET /__mock/requests", "DELETE /__mock/requests", "POST /__mock/faults",
            "DELETE /__mock/faults", "GET /__mock/clock", "POST /__mock/clock",
            "POST /__mock/tokens", "POST /__mock/jobs", "POST /__mock/reset",
            "GET /__mock/world", "PUT /__mock/world", "GET /__mock/webhooks",
            "POST /__mock/webhooks", "POST /__mock/webhook-faults",
        ],
    })
}

fn requests(store: &Store) -> Value {
    let requests = store.requests.iter().flatten();
    requests.map(request_object).collect()
}

fn request_object(request: &SeenRequest) -> Value {
    json!({
        "method": request.method, "path": request.path, "query": request.query,
        "body": request.body, "status": request.status, "is_lost": request.is_lost,
        "is_unknown": request.is_unknown,
    })
}

/// A fault, and which requests it hits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    fault: String,
    /// A status, bytes, milliseconds, seconds, items, or an address: whatever the fault needs.
    #[serde(default)]
    value: Value,
    method: Option<String>,
    #[serde(default)]
    path: String,
    times: Option<u32>,
    chance: Option<f64>,
    #[serde(default)]
    seed: u64,
}

fn add_fault(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let order: FaultOrder = read(body)?;
    let fault = fault(&order.fault, &order.value)?;
    let when = match order.method.as_deref() {
        None => When::next(),
        Some("write") => When::write(),
        Some(method) => When::method(method),
    };
    let mut when = when.path(&order.path);
    when = match order.times {
        Some(times) => when.times(times),
        None if order.chance.is_some() => when.always(),
        None => when,
    };
    if let Some(chance) = order.chance {
        when = when.chance(chance, order.seed);
    }
    store.faults.push(fault, when);
    Ok(json!({}))
}

fn fault(name: &str, value: &Value) -> Result<Fault, Refusal> {
    let number = || {
        value
            .as_u64()
            .ok_or_else(|| format!("{name} needs a number as `value`"))
    };
    let small = |default: u16| u16::try_from(value.as_u64().unwrap_or(default.into()));
    let status = |default| small(default).map_err(|_| format!("{name} needs a status"));
    let size = || number().and_then(|number| usize::try_from(number).map_err(|e| e.to_string()));
    let address = || {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| format!("{name} needs an address as `value`"))
    };
    Ok(match name {
        "status" => Fault::status(status(502)?),
        "html_status" => Fault::Status {
            status: status(502)?,
            is_html: true,
        },
        "rate_limited" => Fault::RateLimited {
            scope: LimitScope::User,
            reset: value
                .as_u64()
                .and_then(|number| number.try_into().ok())
                .unwrap_or(1),
            has_details: true,
        },
        "closed_before" => Fault::ClosedBefore,
        "lost_answer" => Fault::LostAnswer,
        "status_after" => Fault::StatusAfter(status(502)?),
        "slow_head" => Fault::SlowHead(Duration::from_millis(number()?)),
        "slow_body" => Fault::SlowBody(Duration::from_millis(number()?)),
        "reset_mid_body" => Fault::ResetMidBody(size()?),
        "truncated_body" => Fault::TruncatedBody(size()?),
        "truncated_gzip" => Fault::TruncatedGzip,
        "not_json" => Fault::NotJson,
        "duplicate_item" => Fault::DuplicateItem,
        "empty_page" => Fault::EmptyPage,
        "heavy_page" => Fault::HeavyPage(u32::try_from(number()?).unwrap_or(u32::MAX)),
        "next_link_to" => Fault::NextLinkTo(address()?),
        "redirect" => Fault::Redirect(address()?),
        _ => return Err(format!("unknown fault: {name}")),
    })
}

fn clock(store: &Store) -> Value {
    json!({ "now": store.world.now() })
}

/// How the clock moves: by seconds, or to a time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    advance_seconds: Option<f64>,
    set: Option<DateTime<Utc>>,
}

fn set_clock(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let order: ClockOrder = read(body)?;
    if let Some(time) = order.set {
        store.world.clock.set(time);
    }
    if let Some(seconds) = order.advance_seconds {
        let by = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
        store.world.clock.advance(by);
    }
    store.world.catch_up();
    Ok(clock(store))
}

/// A token in the notation of the program's `--token`.
#[derive(Deserialize)]
struct TokenOrder {
    token: String,
}

fn add_token(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let order: TokenOrder = read(body)?;
    let token = Token::parse(&order.token, store.world.now())?;
    store.world.add_token(token);
    Ok(json!({}))
}

/// What becomes of the jobs of builds that run by themselves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsOrder {
    /// Name of jobs to fail; any job if it is empty.
    fail: Option<String>,
    times: Option<u32>,
    wait_seconds: Option<f64>,
    run_seconds: Option<f64>,
}

fn set_jobs(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let order: JobsOrder = read(body)?;
    if let Some(name) = order.fail {
        store.world.fail_jobs(&name, order.times.unwrap_or(1));
    }
    if order.wait_seconds.is_some() || order.run_seconds.is_some() {
        let seconds = |seconds: Option<f64>, default| {
            let seconds = Duration::try_from_secs_f64(seconds.unwrap_or(default));
            seconds.map_err(|error| error.to_string())
        };
        let (wait, run) = (
            seconds(order.wait_seconds, 5.0)?,
            seconds(order.run_seconds, 20.0)?,
        );
        store.world.set_build_timing(wait, run);
    }
    Ok(json!({}))
}

fn webhooks(store: &Store) -> Value {
    let sent = store.outbox.sent.iter();
    sent.map(|one| {
        json!({
            "event": one.event, "url": one.url, "body": one.body, "status": one.status,
            "is_lost": one.is_lost,
        })
    })
    .collect()
}

/// A receiver of webhooks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookOrder {
    url: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    events: Vec<String>,
    organization: Option<String>,
}

fn add_webhook(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let order: WebhookOrder = read(body)?;
    let mode = match order.mode.as_str() {
        "" | "token" => WebhookMode::Token,
        "signature" => WebhookMode::Signature,
        "event_bridge" => WebhookMode::EventBridge,
        other => return Err(format!("unknown mode: {other}")),
    };
    let mut webhook = Webhook::new(&order.url, &order.token)
        .mode(mode)
        .events(order.events);
    if let Some(organization) = &order.organization {
        webhook = webhook.organization(organization);
    }
    store.add_webhook(webhook);
    Ok(json!({}))
}

/// What goes wrong with webhooks: probabilities, and a delay in seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookFaultOrder {
    #[serde(default)]
    lost: f64,
    #[serde(default)]
    repeated: f64,
    #[serde(default)]
    swapped: f64,
    #[serde(default)]
    delay_seconds: f64,
    #[serde(default)]
    seed: u64,
}

fn set_webhook_faults(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let order: WebhookFaultOrder = read(body)?;
    let delay = Duration::try_from_secs_f64(order.delay_seconds);
    let faults = WebhookFaults::new(order.seed)
        .lost(order.lost)
        .repeated(order.repeated)
        .swapped(order.swapped)
        .delay(delay.map_err(|error| error.to_string())?);
    store.outbox.set_faults(faults);
    Ok(json!({}))
}

/// Starts over with the world of the start.
fn reset(store: &mut Store) -> Result<Value, Refusal> {
    let world = store
        .initial
        .clone()
        .ok_or("this fake keeps no copy of its first world")?;
    restore(store, &world)
}

fn load(store: &mut Store, body: &[u8]) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    restore(store, text)
}

fn restore(store: &mut Store, json: &str) -> Result<Value, Refusal> {
    let world = World::restore(json).map_err(|error| error.to_string())?;
    let is_running = store.has_running_clock;
    store.reset(world);
    if is_running {
        store.world.clock = Clock::running_from(store.world.now());
    }
    Ok(overview(store))
}
