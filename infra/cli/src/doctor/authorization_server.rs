//! The authorization server: its metadata (RFC 8414, OpenID Connect Discovery) and its way in for a client that it does not know.

use super::mcp_server::{Protected, scopes};
use super::report::Report;
use super::web::{Web, is_secure};
use crate::args::DoctorArgs;
use crate::client::random_id;
use crate::deployment::encoded;
use protocol::CodeChallenge;
use serde_json::{Value, json};
use ureq::http::Method;

const METADATA: &str = "server metadata";
const ISSUER: &str = "issuer";
const PKCE: &str = "PKCE";
const ENDPOINTS: &str = "endpoints";
const SCOPES: &str = "scopes";
const REGISTRATION: &str = "registration";
const DOCUMENT: &str = "client document";
const SIGN_IN: &str = "sign-in page";

/// Reads the metadata and judges them. `None`: no client can use them.
pub(super) fn examine(protected: &Protected, web: &Web, report: &mut Report) -> Option<Value> {
    let Some(metadata) = read(&protected.issuer, web, report) else {
        report.not_run(&[ISSUER, PKCE, ENDPOINTS, SCOPES], "the metadata cannot be read");
        return None;
    };
    judge_issuer(&protected.issuer, &metadata, report);
    if lists(&metadata, "code_challenge_methods_supported", "S256") {
        report.ok(PKCE, "S256");
    } else {
        let remedy =
            "List S256 in code_challenge_methods_supported, in both metadata documents: clients stop without it.";
        report.fail(PKCE, "code_challenge_methods_supported does not have S256", remedy);
    }
    judge_endpoints(&metadata, report);
    judge_scopes(&protected.scope, &metadata, report);
    Some(metadata)
}

/// Reads the first of the documents that clients look for (MCP, Authorization Server Metadata Discovery).
fn read(issuer: &str, web: &Web, report: &mut Report) -> Option<Value> {
    let locations = locations(issuer);
    for location in &locations {
        let answer = web.send(Method::GET, location, None, "application/json").ok();
        if let Some(answer) = answer.filter(|answer| answer.status == 200) {
            let document = web.read(METADATA, location, &answer, report)?;
            report.ok(METADATA, location.clone());
            return Some(document);
        }
    }
    // The reason is that of the first location.
    web.document(METADATA, locations.first()?, report)
}

/// Returns the URLs of the metadata of an issuer, in the order in which clients try them.
fn locations(issuer: &str) -> Vec<String> {
    let Some((scheme, rest)) = issuer.split_once("://") else { return Vec::new() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    let inserted = |name: &str| {
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        format!("{scheme}://{host}/.well-known/{name}{path}")
    };
    let mut all = vec![inserted("oauth-authorization-server"), inserted("openid-configuration")];
    if !path.is_empty() {
        all.push(format!("{scheme}://{host}/{path}/.well-known/openid-configuration"));
    }
    all
}

/// The issuer is compared as a string (RFC 8414 §3.3, RFC 9207 §2.4).
fn judge_issuer(named: &str, metadata: &Value, report: &mut Report) {
    let issuer = metadata.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if issuer == named {
        report.ok(ISSUER, issuer);
    } else if issuer.trim_end_matches('/') == named.trim_end_matches('/') {
        let remedy = format!(
            "Write {issuer:?} in authorization_servers of the MCP server, as a string: URL types such as pydantic's AnyHttpUrl add a slash."
        );
        report.fail(ISSUER, format!("the MCP server names {named:?}, the server itself {issuer:?}"), remedy);
    } else {
        let remedy = "Name the same issuer in authorization_servers and in the metadata of the authorization server.";
        report.fail(ISSUER, format!("the MCP server names {named:?}, the server itself {issuer:?}"), remedy);
    }
    if metadata.get("authorization_response_iss_parameter_supported") != Some(&json!(true)) {
        let remedy = "Send iss with each authorization response, and set authorization_response_iss_parameter_supported (RFC 9207).";
        report.warn(ISSUER, "authorization responses have no iss", remedy);
    }
}

fn judge_endpoints(metadata: &Value, report: &mut Report) {
    let mut complete = true;
    for name in ["authorization_endpoint", "token_endpoint"] {
        let url = metadata.get(name).and_then(Value::as_str).unwrap_or_default();
        if !is_secure(url) {
            complete = false;
            report.fail(ENDPOINTS, format!("{name} is {url:?}"), format!("Write the https URL of the {name}."));
        }
    }
    if !lists(metadata, "grant_types_supported", "refresh_token") {
        let remedy = "Offer refresh tokens. Without them users sign in again whenever an access token expires.";
        report.warn(ENDPOINTS, "grant_types_supported does not have refresh_token", remedy);
    } else if complete {
        report.ok(ENDPOINTS, "authorization and token endpoint, refresh tokens");
    }
}

fn judge_scopes(scope: &str, metadata: &Value, report: &mut Report) {
    let supported = scopes(metadata);
    let unknown: Vec<&str> = scope.split(' ').filter(|name| !name.is_empty() && !supported.contains(name)).collect();
    if supported.is_empty() || unknown.is_empty() {
        report.ok(SCOPES, if scope.is_empty() { "none" } else { scope });
    } else {
        let remedy = "Add these scopes to the resource in the authorization server, and open it to clients that register themselves.";
        report.fail(SCOPES, format!("the authorization server does not offer {}", unknown.join(" ")), remedy);
    }
}

fn lists(metadata: &Value, list: &str, value: &str) -> bool {
    metadata.get(list).and_then(Value::as_array).is_some_and(|list| list.iter().any(|entry| entry == value))
}

/// Registers a client, and opens the sign-in page with it and with a metadata document.
pub(super) fn try_clients(args: &DoctorArgs, protected: &Protected, metadata: &Value, web: &Web, report: &mut Report) {
    let endpoint = metadata.get("registration_endpoint").and_then(Value::as_str);
    let reads_documents = metadata.get("client_id_metadata_document_supported") == Some(&json!(true));
    if endpoint.is_none() && !reads_documents {
        let remedy =
            "Offer registration (RFC 7591) or client ID metadata documents, or give each client its client_id by hand.";
        report.fail(REGISTRATION, "no client can register itself", remedy);
        report.not_run(&[DOCUMENT, SIGN_IN], "there is no client_id");
        return;
    }
    let registered = match endpoint {
        None => {
            let remedy = "Offer registration (RFC 7591) too: Cursor, Gemini CLI and others have no document.";
            report.warn(REGISTRATION, "there is no registration_endpoint", remedy);
            None
        }
        Some(_) if args.no_registration => {
            report.ok(REGISTRATION, "offered; not tried (--no-registration)");
            None
        }
        Some(endpoint) => register(endpoint, &args.redirect_uri, web, report),
    };
    if !reads_documents {
        let remedy = "Read client ID metadata documents too, and set client_id_metadata_document_supported.";
        report.warn(DOCUMENT, "client ID metadata documents are not read", remedy);
    } else if !lists(metadata, "token_endpoint_auth_methods_supported", "none") {
        let remedy = "List none in token_endpoint_auth_methods_supported: Claude chooses its document only then.";
        report.warn(DOCUMENT, "token_endpoint_auth_methods_supported does not have none", remedy);
    } else {
        let link = link(args, protected, metadata, &args.document);
        if let Some(link) = link.and_then(|link| open(DOCUMENT, &link, web, report)) {
            report.ok(DOCUMENT, args.document.clone());
            report.sign_in = Some(link);
        }
    }
    let Some(client_id) = registered else {
        match report.sign_in {
            Some(_) => report.ok(SIGN_IN, "shown to the client with the document"),
            None => report.not_run(&[SIGN_IN], "no client was registered"),
        }
        return;
    };
    if let Some(link) = link(args, protected, metadata, &client_id).and_then(|link| open(SIGN_IN, &link, web, report)) {
        report.ok(SIGN_IN, format!("shown to the registered client {client_id}"));
        report.sign_in = Some(link);
    }
}

/// Registers a client as MCP clients do. Returns its client_id.
fn register(endpoint: &str, redirect_uri: &str, web: &Web, report: &mut Report) -> Option<String> {
    let request = json!({
        "client_name": "latchkey doctor",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    let answer = match web.send(Method::POST, endpoint, Some(&request), "application/json") {
        Ok(answer) => answer,
        Err(reason) => {
            report.fail(
                REGISTRATION,
                format!("{endpoint} {reason}"),
                "Check that the endpoint is reachable from here.",
            );
            return None;
        }
    };
    web.judge_time(REGISTRATION, endpoint, &answer, report);
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let client_id = body.get("client_id").and_then(Value::as_str);
    if answer.status != 201 || client_id.is_none() {
        let reason = body.get("error_description").or_else(|| body.get("error")).and_then(Value::as_str);
        let reason = reason.unwrap_or(if answer.is_html() { "an HTML page" } else { "no client_id" });
        let remedy = "Open registration to MCP clients: public clients, authorization_code and refresh_token, loopback redirect URIs.";
        report.fail(REGISTRATION, format!("{endpoint} answers {} with {reason}", answer.status), remedy);
        return None;
    }
    if let Some(method) = body.get("token_endpoint_auth_method").filter(|method| *method != "none") {
        let remedy = "Register a client that asks for none as a public client.";
        report.warn(REGISTRATION, format!("the client is registered with {method}"), remedy);
    } else {
        report.ok(REGISTRATION, endpoint);
    }
    client_id.map(str::to_owned)
}

/// Returns the URL of the authorization request of a client.
fn link(args: &DoctorArgs, protected: &Protected, metadata: &Value, client_id: &str) -> Option<String> {
    let endpoint = metadata.get("authorization_endpoint").and_then(Value::as_str)?;
    let verifier = [random_id().ok()?, random_id().ok()?, random_id().ok()?].concat();
    let challenge = CodeChallenge::of_verifier(&verifier).ok()?;
    let mut parameters = vec![
        ("response_type", "code".to_owned()),
        ("client_id", client_id.to_owned()),
        ("redirect_uri", args.redirect_uri.clone()),
        ("resource", protected.url.clone()),
        ("state", random_id().ok()?),
        ("code_challenge", challenge.as_str().to_owned()),
        ("code_challenge_method", "S256".to_owned()),
    ];
    if !protected.scope.is_empty() {
        parameters.push(("scope", protected.scope.clone()));
    }
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    Some(format!("{endpoint}{separator}{}", query.join("&")))
}

/// Opens the page as a browser without a session. Returns the link, or records that the page reports an error.
fn open(check: &'static str, link: &str, web: &Web, report: &mut Report) -> Option<String> {
    let answer = match web.send(Method::GET, link, None, "text/html") {
        Ok(answer) => answer,
        Err(reason) => {
            report.fail(check, format!("the authorization endpoint {reason}"), "Check that it is reachable from here.");
            return None;
        }
    };
    web.judge_time(check, "the authorization endpoint", &answer, report);
    if let Some(error) = answer.location().and_then(error_of) {
        report.fail(check, format!("the client gets the error {error}"), remedy_of(&error));
        return None;
    }
    if answer.status >= 400 {
        let remedy = "Open the link to see the reason. The resource must be open to clients that register themselves, and the document admitted.";
        report.fail(check, format!("the authorization endpoint answers {}: {link}", answer.status), remedy);
        return None;
    }
    Some(link.to_owned())
}

/// Returns `error` of an authorization response (RFC 6749 §4.1.2.1).
fn error_of(location: &str) -> Option<String> {
    let (_, query) = location.split_once(['?', '#'])?;
    let value = |name: &str| query.split(['&', '#']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let description = value("error_description").map(|text| text.replace('+', " ")).unwrap_or_default();
    value("error").map(|error| format!("{error} {description}").trim().to_owned())
}

fn remedy_of(error: &str) -> &'static str {
    match error.split(' ').next() {
        Some("invalid_target") => "Configure the URL of the MCP server as a resource of the authorization server.",
        Some("invalid_scope") => "Give the resource these scopes, and open it to clients that register themselves.",
        _ => "See the log of the authorization server.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_looked_for_in_the_order_of_the_specification() {
        assert_eq!(
            locations("https://id.example"),
            [
                "https://id.example/.well-known/oauth-authorization-server",
                "https://id.example/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            locations("https://id.example/t/"),
            [
                "https://id.example/.well-known/oauth-authorization-server/t",
                "https://id.example/.well-known/openid-configuration/t",
                "https://id.example/t/.well-known/openid-configuration",
            ]
        );
        assert!(locations("id.example").is_empty());
    }

    #[test]
    fn an_error_in_the_query_or_the_fragment_is_found() {
        assert_eq!(
            error_of("http://a/cb?state=x&error=invalid_target&error_description=a+b").unwrap(),
            "invalid_target a b"
        );
        assert_eq!(error_of("http://a/cb#error=x").unwrap(), "x");
        assert_eq!(error_of("https://id.example/login?request=error"), None);
    }
}
