//! One page of a listing.

use crate::AuditEvent;
use http::StatusCode;
use latchkey_http::{Request, Response};
use serde_json::{Map, Value};
use storage::{Cursor, Unreadable};

/// Greatest number of items on a page.
pub const PAGE: u32 = 100;

/// Returns the cursor of the requested page.
pub fn cursor(request: &Request) -> Option<Cursor> {
    form_urlencoded::parse(request.query.as_bytes())
        .find(|(name, _)| name == "cursor")
        .map(|(_, value)| Cursor(value.into_owned()))
}

/// Returns the page as a response: `items`, `next` unless it is the last page, and `unreadable` if there are such
/// records: their names. The log gets the reasons.
pub fn page(items: &[Value], unreadable: &[Unreadable], next: Option<Cursor>, request: &Request) -> Response {
    for Unreadable { key, reason } in unreadable {
        let reason = format!("{}: {reason}", key.as_str());
        AuditEvent::RecordUnreadable { reason: &reason }.record(request);
    }
    let mut page = Map::new();
    page.insert("items".to_owned(), items.into());
    if !unreadable.is_empty() {
        let name = |record: &Unreadable| record.key.id().trim_start_matches("name#").to_owned();
        page.insert("unreadable".to_owned(), unreadable.iter().map(name).collect());
    }
    if let Some(Cursor(next)) = next {
        page.insert("next".to_owned(), next.into());
    }
    Response::json(StatusCode::OK, &page)
}
