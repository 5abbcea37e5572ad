//! Limits of registrations that create a client: per network, in total, and per software.
//! `infra/decisions/registration-limits.md` says which one protects whom.

use futures::future::join_all;
use latchkey_http::Request;
use platform::entropy;
use protocol::Client;
use protocol::rate_limit::Quota;
use provider::rate_limiter::{QuotaCounter, Used, network, site};
use provider::{Context, HandlerError, responses};
use serde_json::{Map, Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The window of a total, and the number of such windows in an hour.
const SHORT: Duration = Duration::from_secs(900);
const SHORT_IN_HOUR: u32 = 4;

/// The networks of one site that may exhaust their quotas.
const SITE: u32 = 4;

/// One part in so many of a total is kept for networks that register their first client.
const RESERVE: u32 = 4;

/// Counts an open registration: a hosted client by its redirect host, as long as the host has room, every other by its network and
/// in total.
///
/// The limit of a host only adds to the others. An attacker who names the host and uses it up leaves its users with the limits of
/// their networks.
///
/// Round trips: 1 for a hosted client; otherwise 2 at the same time, 3 over IPv6. 2 more if a part is full, and one for each quota
/// after a refusal.
pub(crate) async fn take_open(client: &Client, request: &Request, context: &Context) -> Result<(), HandlerError> {
    let policy = &context.config.registration;
    if let Some(host) = policy.hosted_at(client) {
        let total = Total::new(policy.per_software, "registrations of host", vec![host.to_owned()], request, context);
        if take(&[], &total).await?.is_none() {
            return Ok(());
        }
    }
    let quota = |most, kind, of: &str| {
        QuotaCounter::new(context, request.received_at, Quota { most, window: HOUR }, kind, &[of])
    };
    let of_network = quota(policy.per_address, "registrations of network", &network(request.address));
    let of_site = site(request.address)
        .map(|site| quota(policy.per_address.saturating_mul(SITE), "registrations of site", &site));
    let limits: Vec<_> = [Some(of_network), of_site].into_iter().flatten().collect();
    let total = Total::new(policy.in_total, "registrations", Vec::new(), request, context);
    refuse(take(&limits, &total).await?, request)
}

/// Counts a registration with a software statement: per software. Statements are in each copy of the software, so anyone may hold
/// one. One site gets half of the software's limit, and a quarter is kept for networks that register their first client.
///
/// Round trips: 2 at the same time; 2 more if a part is full, and one for each quota after a refusal.
pub(crate) async fn take_stated(
    statement: &Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<(), HandlerError> {
    let (most, software) = (context.config.registration.per_software, software(statement));
    let place = site(request.address).unwrap_or_else(|| network(request.address));
    let quota = Quota { most: most.div_ceil(2), window: HOUR };
    let of_place = QuotaCounter::new(
        context,
        request.received_at,
        quota,
        "registrations of software and site",
        &[&software, &place],
    );
    let total = Total::new(most, "registrations of software", vec![software], request, context);
    refuse(take(&[of_place], &total).await?, request)
}

/// Returns the name of the software that a statement is about: its issuer, and `software_id`, or else `sub` (RFC 7591 §2.3).
fn software(statement: &Map<String, Value>) -> String {
    let claim = |name: &str| statement.get(name).filter(|value| value.is_string());
    json!([claim("iss"), claim("software_id").or_else(|| claim("sub"))]).to_string()
}

fn refuse(refused: Option<Duration>, request: &Request) -> Result<(), HandlerError> {
    let description = "too many clients were registered recently; try again later";
    refused.map_or(Ok(()), |wait| Err(responses::too_many(request, wait, description).into()))
}

/// Counts a registration in the limits of its place and in a total. Returns the time to wait if any of them is exceeded; then none
/// of them has counted it.
///
/// The first limit says whether the network registers its first client of the hour. Without limits every registration may use the
/// reserve.
async fn take(limits: &[QuotaCounter<'_>], total: &Total<'_>) -> Result<Option<Duration>, HandlerError> {
    let part = u32::from_le_bytes(entropy::bytes()?);
    let mut of_all = total.part(part);
    let (mut all, counted) = futures::join!(of_all.add(), join_all(limits.iter().map(QuotaCounter::add)));
    let is_first = counted.first().is_none_or(|counted| counted.as_ref().is_ok_and(|used| used.total <= 1));
    if total.parts.count > 1 && all.as_ref().is_ok_and(|used| total.parts.refuse(used, is_first).is_some()) {
        of_all.release().await;
        of_all = total.part(part.wrapping_add(1));
        all = of_all.add().await;
    }
    let by_limits = counted.iter().flatten().filter_map(|used| used.exceeded).max();
    let refused = all.as_ref().ok().and_then(|used| total.parts.refuse(used, is_first)).max(by_limits);
    if refused.is_some() || all.is_err() || counted.iter().any(Result::is_err) {
        let granted = limits.iter().zip(&counted).chain([(&of_all, &all)]).filter(|(_, counted)| counted.is_ok());
        join_all(granted.map(|(quota, _)| quota.release())).await;
    }
    for counted in counted.into_iter().chain([all]) {
        counted?;
    }
    Ok(refused)
}

/// The registrations of an hour, counted in quarters of it, so that registrations that exhaust them stop others for minutes. Each
/// quarter is counted in parts, each with a key of its own: no key takes part in every registration. A registration takes one part at
/// random, and another one if that is full.
struct Total<'a> {
    parts: Parts,
    kind: &'static str,
    of: Vec<String>,
    request: &'a Request,
    context: &'a Context,
}

impl<'a> Total<'a> {
    fn new(in_an_hour: u32, kind: &'static str, of: Vec<String>, request: &'a Request, context: &'a Context) -> Self {
        Self { parts: Parts::of(in_an_hour), kind, of, request, context }
    }

    fn part(&self, part: u32) -> QuotaCounter<'a> {
        let quota = Quota { most: self.parts.most, window: SHORT };
        let part = self.parts.name(part);
        let of: Vec<&str> = self.of.iter().map(String::as_str).chain([part.as_str()]).collect();
        QuotaCounter::new(self.context, self.request.received_at, quota, self.kind, &of)
    }
}

/// Registrations in one part of a total, at least: fewer would fill some parts long before the others.
const PART: u32 = 16;

/// The most parts of a total.
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

    #[test]
    fn software_is_named_by_the_issuer_of_its_statement() {
        let of = |statement: Value| software(statement.as_object().unwrap());
        let one = of(json!({ "iss": "a", "software_id": "x", "sub": "1" }));
        assert_eq!(one, of(json!({ "iss": "a", "software_id": "x", "sub": "2", "jti": "9" })));
        assert_ne!(one, of(json!({ "iss": "b", "software_id": "x" })));
        assert_ne!(of(json!({ "iss": "a", "sub": "x" })), of(json!({ "iss": "a" })));
    }
}
