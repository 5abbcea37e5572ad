//! Initial access tokens of the admin API (RFC 7591 §1.2).

use crate::problem;
use http::StatusCode;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::Problem;
use provider::{AuditEvent, Context, HandlerError};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The lifetime of an initial access token, in seconds: a minute to a year.
const LIFETIME: RangeInclusive<u64> = 60..=366 * 86_400;
const DEFAULT_LIFETIME: u64 = 86_400;

/// Issues an initial access token for a number of registrations: `uses` (by default 1) and `lifetime` in seconds (by default
/// a day). Only this response contains it. Round trips: none; its use is stored.
pub(crate) fn issue(
    mut body: Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let mut problems = Vec::new();
    let mut number = |name: &'static str, default: u64, range: RangeInclusive<u64>| {
        let value = body.remove(name).map_or(Some(default), |value| value.as_u64());
        value.filter(|value| range.contains(value)).unwrap_or_else(|| {
            let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
            problems.push(Problem::new(name, rule));
            default
        })
    };
    let uses = number("uses", 1, 1..=u32::MAX.into());
    let lifetime = number("lifetime", DEFAULT_LIFETIME, LIFETIME);
    problems.extend(body.keys().map(|name| Problem::new(name.clone(), "there is no such member")));
    if !problems.is_empty() {
        return Ok(problem(request, StatusCode::BAD_REQUEST, &problems));
    }
    let expires_at = request.received_at.after(Duration::from_secs(lifetime));
    let uses = u32::try_from(uses).unwrap_or(u32::MAX);
    let token = provider::initial_access_token(&context.secrets, entropy::bytes()?, uses, expires_at);
    AuditEvent::InitialAccessTokenIssued.record(request);
    let answer = json!({ "initial_access_token": token, "uses": uses, "expires_at": expires_at.as_secs() });
    Ok(Response::json(StatusCode::CREATED, &answer))
}
