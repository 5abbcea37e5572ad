//! One page of a listing.

use http::StatusCode;
use latchkey_http::{Request, Response};
use serde_json::{Value, json};
use storage::Cursor;

/// Greatest number of items on a page.
pub(crate) const PAGE: u32 = 100;

/// Returns the cursor of the requested page.
pub(crate) fn cursor(request: &Request) -> Option<Cursor> {
    form_urlencoded::parse(request.query.as_bytes())
        .find(|(name, _)| name == "cursor")
        .map(|(_, value)| Cursor(value.into_owned()))
}

/// Returns the page as a response.
pub(crate) fn page(items: &[Value], next: Option<Cursor>) -> Response {
    match next {
        Some(Cursor(next)) => Response::json(StatusCode::OK, &json!({ "items": items, "next": next })),
        None => Response::json(StatusCode::OK, &json!({ "items": items })),
    }
}
