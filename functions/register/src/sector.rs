//! `sector_identifier_uri` (OpenID Connect Registration §5): the URL of a list of redirect URIs, which must include
//! all of this client's. Otherwise a client could claim the sector of another one and learn its pairwise subjects. A
//! pairwise client has a redirect URI and no grant that works without one (see `registration::read`).

use http::StatusCode;
use platform::fetch;
use protocol::{Client, RedirectUri};
use provider::Context;
use types::{Error, ErrorCode};

pub(crate) async fn check(client: &Client, context: &Context) -> Result<(), Error> {
    let Some(uri) = &client.sector_identifier_uri else { return Ok(()) };
    let invalid =
        |reason: &str| Error::new(ErrorCode::InvalidClientMetadata, format!("sector_identifier_uri: {reason}"));
    let fetched = context.fetch.get(uri, fetch::LIMIT, fetch::TIMEOUT).await;
    let fetched = fetched.map_err(|error| context.log_fetch_error(&error)).ok();
    let fetched = fetched.filter(|fetched| fetched.status == StatusCode::OK);
    let listed: Option<Vec<RedirectUri>> = fetched.and_then(|fetched| types::json::decode(&fetched.body).ok());
    let listed =
        listed.ok_or_else(|| invalid("the URL does not answer with status 200 and a JSON array of redirect URIs"))?;
    if client.redirect_uris.iter().all(|redirect| listed.contains(redirect)) {
        return Ok(());
    }
    Err(invalid("not all redirect_uris are listed there (OpenID Connect Registration section 5)"))
}
