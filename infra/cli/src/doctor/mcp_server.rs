//! The MCP server: its challenge and its metadata (MCP, Authorization; RFC 9728).

use super::challenge;
use super::report::Report;
use super::web::{Web, is_secure};
use crate::args::DoctorArgs;
use resource_server::metadata;
use serde_json::{Value, json};
use ureq::http::{Method, header};

/// A protected MCP server.
pub(super) struct Protected {
    /// The URL that clients connect to, which is the `resource` that they ask for.
    pub(super) url: String,
    /// The first of `authorization_servers`, as it is written.
    pub(super) issuer: String,
    /// The scope that a client asks for: that of the challenge, or else `scopes_supported`.
    pub(super) scope: String,
}

const URL: &str = "URL";
const CHALLENGE: &str = "challenge";
const METADATA: &str = "resource metadata";
const RESOURCE: &str = "resource";
const ISSUERS: &str = "authorization_servers";

/// Follows the challenge to the metadata. `None`: they name no authorization server.
pub(super) fn examine(args: &DoctorArgs, web: &Web, report: &mut Report) -> Option<Protected> {
    let url = args.mcp.as_str();
    judge_url(url, report);
    let challenge = challenge_of(url, web, report);
    let usual = metadata::url_of(url);
    let named = challenge.as_ref().and_then(|parameters| parameters.get("resource_metadata"));
    let Some(location) = named.cloned().or_else(|| usual.clone()) else {
        report.not_run(&[METADATA, RESOURCE, ISSUERS], "the URL has no host");
        return None;
    };
    let Some(document) = web.document(METADATA, &location, report) else {
        report.not_run(&[RESOURCE, ISSUERS], "the metadata cannot be read");
        return None;
    };
    report.ok(METADATA, location.clone());
    if let Some(usual) = usual.filter(|usual| *usual != location)
        && !web.send(Method::GET, &usual, None, "application/json").is_ok_and(|answer| answer.status == 200)
    {
        let remedy = "Serve the document there too (RFC 9728 §3.1): some clients do not read the challenge.";
        report.warn(METADATA, format!("{usual} has no metadata"), remedy);
    }
    judge_resource(url, &document, report);
    let supported = scopes(&document);
    if supported.contains(&"offline_access") {
        let remedy =
            "Leave offline_access out of scopes_supported: it is no scope of a resource (MCP, Refresh Tokens).";
        report.warn(METADATA, "scopes_supported has offline_access", remedy);
    }
    let named = challenge.and_then(|mut parameters| parameters.remove("scope"));
    let scope = named.unwrap_or_else(|| supported.join(" "));
    let issuer = issuer_of(&document, report)?;
    Some(Protected { url: url.to_owned(), issuer, scope })
}

fn judge_url(url: &str, report: &mut Report) {
    if !is_secure(url) {
        report.fail(
            URL,
            format!("{url} is not an https URL"),
            "Serve it over https: clients send tokens to no other URL.",
        );
    } else if url.contains('#') {
        report.fail(URL, format!("{url} has a fragment"), "Leave the fragment out (RFC 8707 §2).");
    } else if url.ends_with('/') {
        let remedy = "Use the URL without the slash, and write it everywhere alike: some clients compare strings.";
        report.warn(URL, format!("{url} ends with a slash"), remedy);
    } else {
        report.ok(URL, url);
    }
}

/// Sends the first message of a client without a token. Returns the parameters of the challenge.
fn challenge_of(url: &str, web: &Web, report: &mut Report) -> Option<std::collections::BTreeMap<String, String>> {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "latchkey doctor", "version": env!("CARGO_PKG_VERSION") },
        },
    });
    let answer = match web.send(Method::POST, url, Some(&message), "application/json, text/event-stream") {
        Ok(answer) => answer,
        Err(reason) => {
            report.fail(CHALLENGE, format!("{url} {reason}"), "Check that the server runs and is reachable from here.");
            return None;
        }
    };
    web.judge_time(CHALLENGE, url, &answer, report);
    if let Some(location) = answer.location() {
        let remedy =
            format!("Give users {location}, or serve /mcp and /mcp/ alike: a client drops its token at a redirect.");
        report.fail(CHALLENGE, format!("{url} redirects to {location}"), remedy);
        return None;
    }
    if answer.status != 401 {
        let remedy = match answer.status {
            200..=299 => "Guard the route: it answers without a token.",
            403 => "Answer 401 to a request without a token. 403 tells the client that no token helps.",
            _ => "Answer 401 to a request without a token, before anything else is checked.",
        };
        report.fail(CHALLENGE, format!("{url} answers {} to a request without a token", answer.status), remedy);
        return None;
    }
    let fields = answer.headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let Some(parameters) = challenge::bearer(fields) else {
        let remedy = "Send WWW-Authenticate: Bearer resource_metadata=\"…\", scope=\"…\" with the 401.";
        report.fail(CHALLENGE, "the 401 has no Bearer challenge", remedy);
        return None;
    };
    match parameters.get("resource_metadata") {
        None => {
            let location = metadata::url_of(url).unwrap_or_default();
            let remedy = format!("Add resource_metadata=\"{location}\" to the challenge: Claude reads nothing else.");
            report.fail(CHALLENGE, "the challenge has no resource_metadata", remedy);
        }
        Some(location) if !is_secure(location) => {
            let remedy = "Write the absolute https URL of the metadata (RFC 9728 §5.1).";
            report.fail(CHALLENGE, format!("resource_metadata is {location}"), remedy);
        }
        Some(_) if !parameters.contains_key("scope") => {
            let remedy =
                "Add scope=\"…\" with what this request needs. Otherwise clients ask for every scope there is.";
            report.warn(CHALLENGE, "the challenge names no scope", remedy);
        }
        Some(_) => report.ok(CHALLENGE, "401 with resource_metadata and scope"),
    }
    Some(parameters)
}

fn judge_resource(url: &str, document: &Value, report: &mut Report) {
    let resource = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    if resource == url {
        report.ok(RESOURCE, resource);
    } else if resource.trim_end_matches('/') == url.trim_end_matches('/') {
        let remedy =
            format!("Write \"resource\": \"{url}\", the same string as the URL: some clients compare strings.");
        report.warn(RESOURCE, format!("{resource:?} and the URL differ in a slash"), remedy);
    } else {
        let remedy = format!("Write \"resource\": \"{url}\". A proxy before the server must not change it.");
        report.fail(RESOURCE, format!("{resource:?} is not the URL that clients connect to"), remedy);
    }
}

/// Returns the issuer that clients take: the first one.
fn issuer_of(document: &Value, report: &mut Report) -> Option<String> {
    let issuer = document.pointer("/authorization_servers/0").and_then(Value::as_str);
    match issuer {
        None => {
            let remedy =
                "Write \"authorization_servers\": [\"ISSUER\"], the issuer as the authorization server writes it.";
            report.fail(ISSUERS, "authorization_servers is missing or empty", remedy);
        }
        Some(issuer) if !is_secure(issuer) => {
            report.fail(ISSUERS, format!("{issuer} is not an https URL"), "Name the https URL of the issuer.");
            return None;
        }
        Some(issuer) => report.ok(ISSUERS, issuer),
    }
    issuer.map(str::to_owned)
}

/// Returns `scopes_supported`.
pub(super) fn scopes(document: &Value) -> Vec<&str> {
    let list = document.get("scopes_supported").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}
