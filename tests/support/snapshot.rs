//! Snapshots of bodies: what a client or a user receives, with the values masked that differ from run to run.
//!
//! The snapshots stand in `tests/snapshots/`, one set for all platforms. A difference fails the test and shows a diff.
//! `INSTA_UPDATE=always cargo xtask test --only local` writes them anew; review the change as any other.

use crate::call::Reply;
use crate::page::Page;
use crate::target::{base, mtls_origin};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Members whose value differs from run to run; in any object.
const VOLATILE: &[&str] = &[
    "access_token",
    "refresh_token",
    "device_code",
    "user_code",
    "client_secret",
    "registration_access_token",
    "iat",
    "exp",
    "nbf",
    "auth_time",
    "jti",
    "sid",
    "sub",
    "kid",
    "nonce",
    "at_hash",
    "c_hash",
    "x",
    "y",
    "n",
    "client_id_issued_at",
    "initial_access_token",
    "state",
    "code",
    "request_uri",
    "grant",
    "published_at",
    "signs_from",
    "verifies_until",
    "created_at",
    "standing",
    "verification_uri_complete",
    "updated_at",
    "refresh_token_timeout",
    "authorization_expires_in",
];

/// Compares the JSON body of a response with the snapshot of this name.
#[track_caller]
pub fn json(name: &str, reply: &Reply) {
    value(name, reply.json());
}

/// Compares a JSON document with the snapshot of this name.
#[track_caller]
pub fn value(name: &str, document: Value) {
    let text = serde_json::to_string_pretty(&masked(document)).expect("JSON");
    compare(name, "json", &text);
}

/// Compares the status, the error code and the description of an error with the snapshot of this name.
#[track_caller]
pub fn error(name: &str, reply: &Reply) {
    let mut document = Map::new();
    document.insert("status".to_owned(), reply.status.into());
    document.insert("body".to_owned(), reply.json());
    value(name, document.into());
}

/// Compares a page with the snapshot of this name: its markup without style, script and random values.
#[track_caller]
pub fn page(name: &str, page: &Page) {
    page_without(name, page, &[]);
}

/// Does the same as `page`, and masks these texts.
#[track_caller]
pub fn page_without(name: &str, page: &Page, masked: &[&str]) {
    let markup = masked.iter().fold(markup(page), |markup, text| markup.replace(text, "…"));
    compare(name, "html", &markup);
}

/// The document with each volatile value replaced by its name in angle brackets. The claims of an ID token are shown.
fn masked(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(masked).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), &value) {
                    ("id_token", Value::String(token)) => masked(decoded(token)),
                    // Its claims are the members beside it.
                    ("signed_metadata", Value::String(_)) => "<signed_metadata>".into(),
                    (_, Value::String(_) | Value::Number(_)) if VOLATILE.contains(&name.as_str()) => {
                        format!("<{name}>").into()
                    }
                    _ => masked(value),
                };
                (name, value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::String(text) => named(&text).into(),
        value => value,
    }
}

/// The text with the issuer, and its host and port, replaced by those of `https://issuer.example`; so the origin with certificates.
fn named(text: &str) -> String {
    let authority = base().split_once("://").map_or(base(), |(_, authority)| authority);
    let text = text.replace(mtls_origin(), "https://mtls.issuer.example");
    text.replace(base(), "https://issuer.example").replace(authority, "issuer.example")
}

fn decoded(token: &str) -> Value {
    let part = |index: usize| -> Value {
        let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap_or_default()).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let mut document = Map::new();
    document.insert("header".to_owned(), part(0));
    document.insert("claims".to_owned(), part(1));
    document.into()
}

/// The markup of a page, one element a line.
fn markup(page: &Page) -> String {
    let mut text = named(&page.reply.text());
    for (start, end) in [("<style", "</style>"), ("<script", "</script>")] {
        while let Some((before, rest)) = text.clone().split_once(start) {
            let after = rest.split_once(end).map_or("", |(_, after)| after);
            text = format!("{before}<!-- {} -->{after}", start.trim_start_matches('<'));
        }
    }
    for (before, after) in [
        ("name=\"csrf\" value=\"", "\""),
        ("name=\"interaction\" value=\"", "\""),
        ("name=\"state\" value=\"", "\""),
        ("interaction=", "\""),
        ("nonce=\"", "\""),
        ("id=\"request-id\">", "<"),
        ("&#34;challenge&#34;:&#34;", "&#34;"),
    ] {
        text = between(&text, before, after);
    }
    text.replace("><", ">\n<").lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Masks the text between `before` and `after`, wherever they stand.
fn between(text: &str, before: &str, after: &str) -> String {
    let mut parts = text.split(before);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.find(after).map_or("", |end| part.split_at(end).1);
        masked.push_str(before);
        masked.push('…');
        masked.push_str(rest);
    }
    masked
}

#[track_caller]
fn compare(name: &str, kind: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("{name}.{kind}"), text));
}
