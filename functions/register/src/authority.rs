//! Authorization of registrations and of their management: bearer tokens (RFC 6750), and quotas for open
//! registration.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join_all;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
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
/// - The total of a quarter is counted in parts, each with a key of its own: no key takes part in every registration. A
///   registration takes one part at random, and another one if that is full.
/// - A quarter of the total is kept for networks that register their first client of the hour.
/// - A registration that any of the quotas refuses is counted by none.
///
/// Round trips: 2 at the same time, 3 over IPv6; 2 more if a part is full, and one for each quota after a refusal.
pub(crate) async fn take_quota(request: &Request, context: &Context) -> Result<(), HandlerError> {
    let policy = &context.config.registration;
    let now = request.received_at;
    let quota = |most, window, kind, of: &[&str]| QuotaCounter::new(context, now, Quota { most, window }, kind, of);
    let of_network = quota(policy.per_address, HOUR, "registrations of network", &[&network(request.address)]);
    let of_site = site(request.address)
        .map(|site| quota(policy.per_address.saturating_mul(SITE), HOUR, "registrations of site", &[&site]));
    let parts = Parts::of(policy.in_total);
    let part = u32::from_le_bytes(entropy::bytes()?);
    let of_part = |part: u32| quota(parts.most, SHORT, "registrations", &[&parts.name(part)]);
    let limits: Vec<_> = [Some(&of_network), of_site.as_ref()].into_iter().flatten().collect();
    let mut of_all = of_part(part);
    let (mut all, counted) = futures::join!(of_all.add(), join_all(limits.iter().map(|quota| quota.add())));
    let is_first = |used: &&Used| used.total <= 1;
    let is_first = counted.first().and_then(|counted| counted.as_ref().ok()).filter(is_first).is_some();
    if parts.count > 1 && all.as_ref().is_ok_and(|used| parts.refuse(used, is_first).is_some()) {
        of_all.release().await;
        of_all = of_part(part.wrapping_add(1));
        all = of_all.add().await;
    }
    let by_limits = counted.iter().flatten().filter_map(|used| used.exceeded).max();
    let refused = all.as_ref().ok().and_then(|used| parts.refuse(used, is_first)).max(by_limits);
    if refused.is_some() || all.is_err() || counted.iter().any(Result::is_err) {
        let granted =
            limits.iter().copied().zip(&counted).chain([(&of_all, &all)]).filter(|(_, counted)| counted.is_ok());
        join_all(granted.map(|(quota, _)| quota.release())).await;
    }
    for counted in counted.into_iter().chain([all]) {
        counted?;
    }
    let description = "too many clients were registered recently; try again later";
    refused.map_or(Ok(()), |wait| Err(responses::too_many(request, wait, description).into()))
}

/// Registrations in one part of the total, at least: fewer would fill some parts long before the others.
const PART: u32 = 16;

/// The most parts of the total.
const MAX_PARTS: u32 = 256;

/// The parts in which the total of a window is counted.
struct Parts {
    count: u32,
    /// The registrations in each.
    most: u32,
}

impl Parts {
    fn of(in_an_hour: u32) -> Self {
        let in_total = in_an_hour.div_ceil(SHORT_IN_HOUR);
        let count = in_total.div_euclid(PART).clamp(1, MAX_PARTS);
        Self { count, most: in_total.div_ceil(count) }
    }

    fn name(&self, part: u32) -> String {
        part.checked_rem(self.count).unwrap_or_default().to_string()
    }

    /// Returns the time to wait if a part is full. A network that registers its first client may use the reserve.
    fn refuse(&self, used: &Used, is_first: bool) -> Option<Duration> {
        let open_to_all = self.most.saturating_sub(self.most.div_euclid(RESERVE));
        used.exceeded.or_else(|| (!is_first && used.total > open_to_all.into()).then_some(SHORT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_spread_over_parts() {
        for (in_an_hour, count, most) in [(1, 1, 1), (60, 1, 15), (500, 7, 18), (4_000, 62, 17), (1_000_000, 256, 977)]
        {
            let parts = Parts::of(in_an_hour);
            assert_eq!((parts.count, parts.most), (count, most), "{in_an_hour}");
        }
        let parts = Parts::of(500);
        let names: std::collections::BTreeSet<String> = (0..100).map(|part| parts.name(part)).collect();
        assert_eq!(names.len(), 7);
    }

    #[test]
    fn a_part_keeps_a_quarter_for_first_registrations() {
        let parts = Parts::of(500);
        let used = |total| Used { total, exceeded: None };
        assert_eq!(parts.refuse(&used(14), false), None);
        assert_eq!(parts.refuse(&used(15), false), Some(SHORT));
        assert_eq!(parts.refuse(&used(15), true), None);
        let exceeded = Some(Duration::from_secs(7));
        assert_eq!(parts.refuse(&Used { total: 19, exceeded }, true), exceeded);
    }
}
