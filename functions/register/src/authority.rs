//! Authorization of registrations and of their management: bearer tokens (RFC 6750), and quotas for open
//! registration.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join_all;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::InitialAccessToken;
use protocol::rate_limit::Quota;
use provider::rate_limiter::{QuotaCounter, Used, network, site};
use provider::{Context, HandlerError, bearer_challenge, responses};
use std::time::Duration;
use types::{Error, ErrorCode};

const HOUR: Duration = Duration::from_secs(3600);

/// The window of the total, and the number of such windows in an hour.
const SHORT: Duration = Duration::from_secs(900);
const SHORT_IN_HOUR: u32 = 4;

/// The networks of one site that may exhaust their quotas.
const SITE: u32 = 4;

/// One part in so many of the total is kept for networks that register their first client.
const RESERVE: u32 = 4;

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Answers a request with an invalid token (RFC 6750 §3), or without a token; then the challenge names no error
/// (§3.1).
pub(crate) fn challenge(request: &Request, error: &Error) -> Response {
    let has_token = matches!(request.bearer(), Ok(Some(_)));
    let value = bearer_challenge(has_token.then_some(error));
    request.log.error(error.code.as_str(), &error.description);
    Response::json(StatusCode::UNAUTHORIZED, &error.to_body()).with(header::WWW_AUTHENTICATE, &value)
}

pub(crate) fn invalid_token(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidToken, description)
}

/// Returns the initial access token of a request, if it has one (RFC 7591 §3). An invalid token is rejected even if
/// none is required.
pub(crate) fn initial_access(request: &Request, context: &Context) -> Result<Option<InitialAccessToken>, HandlerError> {
    let Some(token) = request.bearer()? else { return Ok(None) };
    let invalid = invalid_token("the initial access token is unknown or expired");
    let older = invalid_token(
        "the initial access token was issued in an earlier epoch than this deployment's; the operator must issue another",
    );
    InitialAccessToken::open(&context.secrets, token, request.received_at)
        .map(Some)
        .map_err(|reason| HandlerError::of_token(reason, invalid, older))
}

/// Counts an open registration: per network and per site (a /48 of IPv6), and in total.
///
/// - The total is counted in quarters of an hour, so that registrations that exhaust it stop others for minutes.
/// - A quarter of the total is kept for networks that register their first client of the hour.
/// - A registration that any of the quotas refuses is counted by none.
pub(crate) async fn take_quota(request: &Request, context: &Context) -> Result<(), HandlerError> {
    let policy = &context.config.registration;
    let now = request.received_at;
    let quota = |most, window, kind, of: &[&str]| QuotaCounter::new(context, now, Quota { most, window }, kind, of);
    let of_network = quota(policy.per_address, HOUR, "registrations of network", &[&network(request.address)]);
    let of_site = site(request.address)
        .map(|site| quota(policy.per_address.saturating_mul(SITE), HOUR, "registrations of site", &[&site]));
    let of_all = quota(policy.in_total.div_ceil(SHORT_IN_HOUR), SHORT, "registrations", &[]);
    let quotas: Vec<_> = [Some(&of_all), Some(&of_network), of_site.as_ref()].into_iter().flatten().collect();
    let counted = join_all(quotas.iter().map(|quota| quota.add())).await;
    let refused = refusal(&counted, policy.in_total.div_ceil(SHORT_IN_HOUR));
    if refused.is_some() || counted.iter().any(Result::is_err) {
        let granted = quotas.iter().zip(&counted).filter(|(_, counted)| counted.is_ok());
        join_all(granted.map(|(quota, _)| quota.release())).await;
    }
    for counted in counted {
        counted?;
    }
    let description = "too many clients were registered recently; try again later";
    refused.map_or(Ok(()), |wait| Err(responses::too_many(request, wait, description).into()))
}

/// Returns the time to wait if a quota refuses. The first entry is the total, the second one that of the network.
fn refusal(counted: &[Result<Used, HandlerError>], in_total: u32) -> Option<Duration> {
    let used: Vec<&Used> = counted.iter().filter_map(|counted| counted.as_ref().ok()).collect();
    let exceeded = used.iter().filter_map(|used| used.exceeded).max();
    let [all, network, ..] = used.as_slice() else { return exceeded };
    let open_to_all = in_total.saturating_sub(in_total.div_euclid(RESERVE));
    let takes_reserve = network.total > 1 && all.total > open_to_all.into();
    exceeded.or_else(|| takes_reserve.then_some(SHORT))
}
