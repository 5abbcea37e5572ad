//! Content-Security-Policy of a page.

use crate::Page;

pub(crate) fn unfinished(nonce: &str) -> Page {
    Page { html: String::new(), csp: format!("default-src 'none'; style-src 'nonce-{nonce}'") }
}
