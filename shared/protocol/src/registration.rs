//! Clients that register themselves (RFC 7591, OpenID Connect Registration) and look after their own settings
//! (RFC 7592).
//!
//! A client may set what [`FIELDS`] lists and nothing else: all other members are dropped, as RFC 7591 §2 has it,
//! this server's own settings (consent, lifetimes, resources, introspection, exchange) among them. What it asks for is
//! narrowed to what the deployment lets such clients have, and the answer tells what became of it (§3.2.1).

use crate::client::human;
use crate::parameters::printable;
use crate::{Client, GrantType, ResponseType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::remote_url::{self, EgressPolicy};
use types::{Error, ErrorCode, Scope, Timestamp};

/// What a client may say of itself.
pub const FIELDS: &[&str] = &[
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "application_type",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "scope",
    "contacts",
    "software_id",
    "software_version",
    "jwks",
    "jwks_uri",
    "subject_type",
    "sector_identifier_uri",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "request_object_signing_alg",
    "require_signed_request_object",
    "request_uris",
    "require_pushed_authorization_requests",
    "require_auth_time",
    "default_max_age",
    "default_acr_values",
    "initiate_login_uri",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
];

/// What a client must not send when it replaces its settings (RFC 7592 §2.2).
const OURS: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// Claims of a software statement that are about the statement, not about the software (RFC 7519 §4.1).
const NOT_METADATA: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement"];

/// How large a client may be, in bytes of JSON.
const MAX_CLIENT: usize = 32 * 1024;

/// What clients that register themselves may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// The scopes.
    pub scopes: &'a Scope,
    /// The grants.
    pub grants: &'a [GrantType],
    /// How far the URLs may be that this server is to call.
    pub reach: EgressPolicy,
}

/// Reads what a client says of itself, and what a software statement says of it, which counts for more (RFC 7591
/// §2.3). The client gets this identifier.
pub fn read(
    client_id: &str,
    mut metadata: Map<String, Value>,
    statement: Option<&Map<String, Value>>,
    limits: &Limits<'_>,
) -> Result<Client, Error> {
    if let Some(statement) = statement {
        metadata.extend(statement.iter().map(|(name, value)| (name.clone(), value.clone())));
        NOT_METADATA.iter().for_each(|claim| {
            metadata.remove(*claim);
        });
    }
    let mut localized = Map::new();
    let mut known = Map::new();
    for (name, value) in metadata {
        if value.is_null() {
            // Left out (RFC 7592 §2.2).
        } else if FIELDS.contains(&name.as_str()) {
            known.insert(name, value);
        } else if human::split(&name).is_some() {
            localized.insert(name, value);
        }
    }
    narrow_grants(&mut known, limits)?;
    narrow_scope(&mut known, limits)?;
    known.insert("client_id".to_owned(), json!(client_id));
    if !localized.is_empty() {
        known.insert("localized".to_owned(), Value::Object(localized));
    }
    let mut client = parse(known)?;
    // OpenID Connect knows no PKCE: its `nonce` does the same for a client that cannot be impersonated (RFC 9700
    // §2.1.1). Whoever sends a challenge is held to it in any case.
    client.require_pkce = !(client.is_confidential() && client.scope.contains("openid"));
    check(&client, limits)?;
    Ok(client)
}

/// The client that these members describe; the error names the member that is wrong.
fn parse(known: Map<String, Value>) -> Result<Client, Error> {
    let error = match serde_json::from_value(Value::Object(known.clone())) {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    Err(match Client::wrong_members(&known).next() {
        None => invalid(printable_long(&error.to_string())),
        Some((name, why)) => {
            let description = format!("{name}: {}", printable_long(&why));
            if name == "redirect_uris" { invalid_redirect(description) } else { invalid(description) }
        }
    })
}

fn check(client: &Client, limits: &Limits<'_>) -> Result<(), Error> {
    let problems = client.problems();
    if let Some(problem) = problems.iter().find(|problem| problem.starts_with("redirect_uris:")) {
        return Err(invalid_redirect(problem.clone()));
    }
    if let Some(problem) = client.application_type_problem(limits.reach) {
        return Err(invalid_redirect(format!("redirect_uris: {problem}")));
    }
    if let Some(problem) = problems.into_iter().next() {
        return Err(invalid(problem));
    }
    // OpenID Connect Registration §2. Where the operator registers clients, this machine's http will do as well.
    if client.initiate_login_uri.as_ref().is_some_and(|url| !url.starts_with("https:")) {
        return Err(invalid("initiate_login_uri: must be an https URL"));
    }
    for (field, url) in client.called_urls() {
        remote_url::parse(url, limits.reach).map_err(|problem| invalid(format!("{field}: {problem}")))?;
    }
    if serde_json::to_vec(client).is_ok_and(|json| json.len() > MAX_CLIENT) {
        return Err(invalid("the metadata is longer than 32 KiB"));
    }
    Ok(())
}

/// Grant types and response types fit each other (RFC 7591 §2.1). `implicit` beside `authorization_code`, which OpenID
/// Connect Registration §2 has hybrid clients register, is dropped: nothing here is issued under it.
fn narrow_grants(known: &mut Map<String, Value>, limits: &Limits<'_>) -> Result<(), Error> {
    let mut grants = strings(known, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    let has_code = grants.iter().any(|grant| grant == GrantType::AuthorizationCode.as_str());
    if has_code {
        grants.retain(|grant| grant != "implicit");
    }
    if let Some(other) = grants.iter().find(|grant| !limits.grants.iter().any(|known| known.as_str() == *grant)) {
        return Err(invalid(format!(
            "grant_types: '{}' is not for clients that register themselves",
            printable(other)
        )));
    }
    known.insert("grant_types".to_owned(), json!(grants));
    let types = match strings(known, "response_types")? {
        None if has_code => vec![ResponseType::Code],
        None => Vec::new(),
        Some(sent) => sent
            .iter()
            .map(|text| {
                ResponseType::parse(text)
                    .ok_or_else(|| invalid(format!("response_types: '{}' is not supported", printable(text))))
            })
            .collect::<Result<_, _>>()?,
    };
    if !has_code && !types.is_empty() {
        return Err(invalid("response_types: need the grant type authorization_code (RFC 7591 section 2.1)"));
    }
    known.insert("response_types".to_owned(), json!(types));
    Ok(())
}

/// What the client asks for, as far as it may have it; all of that when it does not say.
fn narrow_scope(known: &mut Map<String, Value>, limits: &Limits<'_>) -> Result<(), Error> {
    let scope = match known.get("scope") {
        None => limits.scopes.clone(),
        Some(sent) => {
            let scope = sent.as_str().and_then(Scope::parse).ok_or_else(|| {
                invalid("scope: must be a string of scopes separated by spaces (RFC 6749 section 3.3)")
            })?;
            let narrowed = scope.within(limits.scopes);
            if narrowed.is_empty() && !scope.is_empty() {
                return Err(invalid("scope: none of it is for clients that register themselves"));
            }
            narrowed
        }
    };
    known.insert("scope".to_owned(), json!(scope));
    Ok(())
}

fn strings(known: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Error> {
    known
        .get(name)
        .map(|value| {
            serde_json::from_value(value.clone()).map_err(|_| invalid(format!("{name}: must be a list of strings")))
        })
        .transpose()
}

/// What a request to replace a client's settings must and must not hold besides them (RFC 7592 §2.2).
pub fn check_replacement(client_id: &str, metadata: &Map<String, Value>) -> Result<(), Error> {
    if let Some(ours) = OURS.iter().find(|name| metadata.contains_key(**name)) {
        return Err(invalid(format!("{ours}: must not be sent (RFC 7592 section 2.2)")));
    }
    if metadata.get("client_id").and_then(Value::as_str) != Some(client_id) {
        return Err(invalid("client_id: must be sent, and be the client's own (RFC 7592 section 2.2)"));
    }
    Ok(())
}

/// A client as it is told of itself (RFC 7591 §3.2.1): what it may say, with its name.
pub fn document(client: &Client) -> Map<String, Value> {
    let Value::Object(mut all) = json!(client) else { return Map::new() };
    all.retain(|name, _| name == "client_id" || FIELDS.contains(&name.as_str()));
    all.extend(client.localized.iter().map(|(name, value)| (name.clone(), json!(value))));
    all
}

fn invalid(description: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::InvalidClientMetadata, description)
}

fn invalid_redirect(description: String) -> Error {
    Error::new(ErrorCode::InvalidRedirectUri, description)
}

/// At most 200 characters of an explanation that may quote what a stranger sent.
fn printable_long(text: &str) -> String {
    text.chars().take(200).filter(|character| !character.is_control()).collect()
}

/// A registration, as it was made: never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Tells it from every other, also from one of the same client identifier: [`crate::GrantId::name`].
    pub id: String,
    /// When it was made.
    pub registered_at: Timestamp,
    /// The software statement that it was made with, to be returned as it was (RFC 7591 §3.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<String>,
}

/// What changes of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationState {
    /// The generation of the newest registration access token.
    pub latest: u32,
    /// The oldest generation that is good: the one before the newest, until the newest is first used. So a client that
    /// never got the answer to its update is not locked out.
    pub oldest: u32,
    /// The generation at which the client's secret was made.
    pub secret: u32,
    /// Whether several registrations that were the same share the client. Nobody owns it then: it can be read, and
    /// neither changed nor deleted.
    #[serde(default)]
    pub shared: bool,
    /// Whether its client was deleted. It is remembered for a while, so that nothing that comes late makes the client
    /// again, and a deletion that broke off can be finished.
    #[serde(default)]
    pub ended: bool,
    /// The fingerprint under which an identical registration finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Tells one writer from another.
    pub writer: String,
}

impl RegistrationState {
    /// Of a client that just registered.
    pub fn new(fingerprint: Option<String>, writer: String) -> Self {
        Self { latest: 0, oldest: 0, secret: 0, shared: false, ended: false, fingerprint, writer }
    }

    /// Whether a token of this generation is good.
    pub fn accepts(&self, generation: u32) -> bool {
        !self.ended && self.may_end_with(generation)
    }

    /// Whether a token of this generation is good for deleting the client, which may have been begun before.
    pub fn may_end_with(&self, generation: u32) -> bool {
        (self.oldest..=self.latest).contains(&generation)
    }

    /// After a token of this generation was used to read; `None` when that changes nothing.
    pub fn read_with(&self, generation: u32, writer: String) -> Option<Self> {
        (generation == self.latest && self.oldest < self.latest).then(|| Self {
            oldest: self.latest,
            writer,
            ..self.clone()
        })
    }

    /// After the settings were replaced with a token of this generation: a new token follows the newest. With the one
    /// before it, the request is a retry whose answer was lost, and gets the same token, and the same secret, again.
    #[must_use]
    pub fn replaced_with(&self, generation: u32, new_secret: bool, writer: String) -> Self {
        if generation != self.latest {
            return Self { writer, ..self.clone() };
        }
        let latest = self.latest.saturating_add(1);
        let secret = if new_secret { latest } else { self.secret };
        Self { latest, oldest: generation, secret, fingerprint: None, writer, ..self.clone() }
    }

    /// After the same registration was made once more.
    #[must_use]
    pub fn shared(&self, writer: String) -> Self {
        Self { shared: true, writer, ..self.clone() }
    }

    /// After the client was deleted. No identical registration finds it any more.
    #[must_use]
    pub fn ended(&self, writer: String) -> Self {
        Self { ended: true, fingerprint: None, writer, ..self.clone() }
    }
}
