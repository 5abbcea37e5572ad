//! The signing keys of the admin API: list, rotate, replace.

use http::StatusCode;
use jose::Algorithm;
use keys::{Occasion, PublishedKeys};
use latchkey_http::{Request, Response};
use protocol::Parameters;
use provider::{Actor, AuditEvent, Context, HandlerError};
use serde_json::{Value, json};
use types::{Error, Timestamp};

/// Returns the published keys.
pub(crate) async fn list(now: Timestamp, context: &Context) -> Result<Response, HandlerError> {
    let keyring = context.keyring(now).await?;
    Ok(Response::json(StatusCode::OK, &document(keyring.key_set().published(), now)))
}

/// Starts a rotation. `rotate` publishes successors, which sign when every cache has them. `replace` lets them sign
/// at once, and signatures of the old keys are rejected. `?alg=` selects the key of one algorithm.
pub(crate) async fn act(
    occasion: fn(Option<Algorithm>) -> Occasion,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Ok(alg) = named(&request.query) else {
        return Ok(crate::problem(
            request,
            StatusCode::BAD_REQUEST,
            &["alg: must be one of ES256, RS256, PS256, EdDSA"],
        ));
    };
    let occasion = occasion(alg);
    let now = request.received_at;
    let rotation = context.rotate_keys(occasion, now).await?;
    if rotation.changed {
        let event = match occasion {
            Occasion::Compromise(_) => AuditEvent::KeysReplaced,
            Occasion::Due | Occasion::Early(_) => AuditEvent::KeysRotated { actor: Actor::Administrator },
        };
        event.record(request);
    }
    Ok(Response::json(StatusCode::OK, &document(&rotation.keys, now)))
}

fn document(keys: &PublishedKeys, now: Timestamp) -> Value {
    let items: Vec<Value> = keys
        .keys
        .iter()
        .filter(|key| key.is_alive(now))
        .map(|key| {
            json!({
                "kid": key.kid,
                "alg": key.alg,
                "signs": keys.signing(key.alg, now).is_some_and(|signing| signing.kid == key.kid),
                "signs_from": key.signs_from.as_secs(),
                "verifies_until": key.verifies_until.map(Timestamp::as_secs),
            })
        })
        .collect();
    json!({ "items": items })
}

/// Returns the algorithm that a query names. Only an empty query means every key; an invalid one must not.
fn named(query: &str) -> Result<Option<Algorithm>, Error> {
    if query.is_empty() {
        return Ok(None);
    }
    let parameters = Parameters::parse(query.as_bytes())?;
    parameters.refuse_repeated()?;
    let alg = parameters.required("alg")?.parse();
    alg.map(Some).map_err(|_| Error::invalid_request("alg is unknown"))
}
