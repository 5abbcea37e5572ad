//! Signed backchannel requests (CIBA Core §7.1.1).

use jose::Jwt;
use protocol::{Client, Parameters, StoredClient, signed_parameters};
use provider::{Context, HandlerError, KeySource};
use serde_json::Value;
use std::borrow::Cow;
use types::{Error, Timestamp};

/// The parameters that authenticate the client, beside those of the request.
const OF_CLIENT: [&str; 5] = ["client_id", "client_secret", "client_assertion", "client_assertion_type", "request"];

/// Returns the parameters of the request: those of the signed request, if there is one. Errors: `invalid_request`.
pub(crate) async fn parameters<'a>(
    sent: &'a Parameters,
    stored: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<Cow<'a, Parameters>, HandlerError> {
    let client = &stored.client;
    let Some(object) = sent.value("request") else {
        if must_sign(client) {
            return Err(Error::invalid_request(
                "the requests of this client must be signed: send the parameter request",
            )
            .into());
        }
        return Ok(Cow::Borrowed(sent));
    };
    if sent.names().any(|name| !OF_CLIENT.contains(&name)) {
        let description = "a signed request holds all parameters; send no other beside it (CIBA Core section 7.1.1)";
        return Err(Error::invalid_request(description).into());
    }
    let refuse = |description: &str| HandlerError::from(Error::invalid_request(description.to_owned()));
    let jwt =
        Jwt::parse(object).ok_or_else(|| refuse("the request is no JWT signed by an algorithm of this server"))?;
    let alg = jwt.header().alg;
    if client.backchannel_authentication_request_signing_alg.is_some_and(|registered| registered != alg) {
        return Err(refuse("alg of the request is not the client's backchannel_authentication_request_signing_alg"));
    }
    if !client.may_sign_by(alg) {
        return Err(refuse("the profile of the client does not allow the alg of the request"));
    }
    let keys = KeySource::of_stored(stored).ok_or_else(|| refuse("the client has registered no keys"))?;
    match context.verify_by(&jwt, keys, now).await {
        Ok(Value::Object(claims)) => Ok(Cow::Owned(signed_parameters(claims, client, &context.config.issuer, now)?)),
        Ok(_) => Err(refuse("the request is not a JSON object")),
        Err(error) => Err(refuse(&error.to_string())),
    }
}

/// True if the client registered a signature, or its security profile demands one (FAPI-CIBA §5.2.2).
fn must_sign(client: &Client) -> bool {
    client.backchannel_authentication_request_signing_alg.is_some() || client.profile.is_some()
}
