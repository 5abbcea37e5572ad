//! The identifier of an interaction, by which the logs of a client and of this server are compared (FAPI 1.0 Part 1 §6.2.1).

use latchkey_http::{INTERACTION_ID, Request, Response};
use platform::entropy;
use provider::HandlerError;
use uuid::{Builder, Uuid};

/// Returns the response with `x-fapi-interaction-id`: the UUID of the request, or a new one if the request has none (FAPI 1.0 Part 1 §6.2.1, 11).
pub(crate) fn identified(request: &Request, response: Response) -> Result<Response, HandlerError> {
    let sent = request.header(&INTERACTION_ID).filter(|sent| Uuid::try_parse(sent).is_ok());
    let id = match sent {
        Some(sent) => sent.to_owned(),
        None => Builder::from_random_bytes(entropy::bytes()?).into_uuid().to_string(),
    };
    Ok(response.with(INTERACTION_ID, &id))
}
