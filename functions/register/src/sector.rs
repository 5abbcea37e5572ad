//! `sector_identifier_uri` (OpenID Connect Registration §5): the URL of a list of redirect URIs, which must include
//! all of this client's. Otherwise a client could claim the sector of another one and learn its pairwise subjects.

use http::StatusCode;
use platform::fetch;
use protocol::Client;
use provider::Context;
use types::{Error, ErrorCode};

pub(crate) async fn check(client: &Client, context: &Context) -> Result<(), Error> {
    let Some(uri) = &client.sector_identifier_uri else { return Ok(()) };
    let invalid = |reason: &dyn std::fmt::Display| {
        Error::new(ErrorCode::InvalidClientMetadata, format!("sector_identifier_uri: {reason}"))
    };
    let fetched = context.fetch.get(uri, fetch::LIMIT, fetch::TIMEOUT).await.map_err(|error| invalid(&error))?;
    let listed: Option<Vec<String>> = Some(fetched.body)
        .filter(|_| fetched.status == StatusCode::OK)
        .and_then(|body| serde_json::from_slice(&body).ok());
    let listed = listed.ok_or_else(|| invalid(&"there is no JSON array of redirect URIs"))?;
    if client.redirect_uris.iter().all(|redirect| listed.contains(redirect)) {
        return Ok(());
    }
    Err(invalid(&"not all redirect_uris are listed there (OpenID Connect Registration section 5)"))
}
