//! Dynamic client registration (RFC 7591, OpenID Connect Registration) and its management (RFC 7592).
//!
//! A client may set the rows of [`settings::SETTINGS`] that are open to it. All other members
//! are dropped (RFC 7591 §2), among them the settings that only the operator may change: consent, lifetimes, resources,
//! introspection, exchange. Lists are requests: their acceptable entries are registered, and the response has the result
//! (§3.2.1). A registration is rejected if nothing usable is left.

use super::kinds::ApplicationType;
pub use super::registration_state::{ActiveRegistration, RegistrationState};
use super::{human, settings};
use crate::limits::MAX_CLIENT;
use crate::parameters::printable;
use crate::{
    AuthorizationDetailsTypes, Client, ClientAuthenticationMethod, GrantType, MutualTls, Problem, Profile, RedirectUri,
    RegistrationId, ResponseType, ScopeClaims, StoredClient,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use types::remote_url::{self, EgressPolicy};
use types::{Algorithm, ClientId, Error, ErrorCode, Scope, Timestamp};

/// The members of a registration response that a client must not send when it replaces its settings (RFC 7592 §2.2).
const SERVER_MANAGED: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// A demand for more security that not every deployment fulfils (RFC 8705 §3.4). A client that relies on it must not believe that it is
/// met.
const CERTIFICATE_BOUND: &str = "tls_client_certificate_bound_access_tokens";

/// The claims of a software statement that describe the statement, not the software (RFC 7519 §4.1).
const ENVELOPE_CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement"];

/// The policy of the deployment for clients that register themselves.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Scopes that they may have.
    pub scopes: &'a Scope,
    /// Grants that they may use.
    pub grants: &'a [GrantType],
    /// Types of authorization details that they may use.
    pub details_types: &'a AuthorizationDetailsTypes,
    /// Private-use schemes without a dot that their redirect URIs may have.
    pub schemes: &'a [String],
    /// True if a client that does not authenticate by its own keys becomes public.
    pub public: bool,
    /// Security profile of every client.
    pub profile: Option<Profile>,
    /// Algorithms of this server's signatures.
    pub signing: &'a [Algorithm],
    /// Mutual TLS, if the deployment offers it.
    pub mutual_tls: Option<&'a MutualTls>,
    /// Addresses at which the URLs may be that this server calls.
    pub reach: EgressPolicy,
}

impl Limits<'_> {
    /// True if a redirect URI may have this private-use scheme: a domain name in reverse order, which one party controls (RFC 8252
    /// §7.1), or one that the operator lists.
    fn allows_scheme(&self, scheme: &str) -> bool {
        scheme.contains('.') || self.schemes.iter().any(|listed| listed == scheme)
    }

    /// True if a client that the operator did not register may have this redirect URI.
    pub(super) fn accepts(&self, uri: &RedirectUri) -> bool {
        uri.problem().is_none() && uri.private_use_scheme().is_none_or(|scheme| self.allows_scheme(&scheme))
    }
}

/// Returns the client that the metadata describes. The claims of a software statement take precedence (RFC 7591 §2.3).
/// Errors: `invalid_client_metadata`, `invalid_redirect_uri`.
pub fn read(
    client_id: &ClientId,
    mut metadata: Map<String, Value>,
    statement: Option<&Map<String, Value>>,
    limits: &Limits<'_>,
) -> Result<Client, Error> {
    if let Some(statement) = statement {
        metadata.extend(statement.iter().map(|(name, value)| (name.clone(), value.clone())));
        ENVELOPE_CLAIMS.iter().for_each(|claim| {
            metadata.remove(*claim);
        });
    }
    let mut localized = Map::new();
    let mut known = Map::new();
    for (name, value) in metadata {
        if value.is_null() || value == "" {
            // `null` counts as left out (RFC 7592 §2.2), and so does an empty text, which many libraries send.
        } else if value == true && name == CERTIFICATE_BOUND && limits.mutual_tls.is_none() {
            return Err(invalid(format!("{name}: is not supported here; leave it out")));
        } else if is_self_service(&name) {
            known.insert(name, value);
        } else if human::split(&name).is_some() {
            localized.insert(name, value);
        }
    }
    let is_stated = statement.is_some_and(|statement| statement.contains_key(METHOD));
    narrow_method(&mut known, limits.public && !is_stated, limits);
    narrow_signatures(&mut known, limits);
    narrow_redirects(&mut known, limits)?;
    narrow_grants(&mut known, limits)?;
    narrow_scope(&mut known, limits)?;
    narrow_details_types(&mut known, limits)?;
    known.insert("client_id".to_owned(), json!(client_id));
    if !localized.is_empty() {
        known.insert("localized".to_owned(), Value::Object(localized));
    }
    let (client, problems) = Client::parse(known);
    reject(problems)?;
    let mut client = client.ok_or_else(|| invalid("the metadata cannot be read"))?;
    client.scope_claims_in_id_token = ScopeClaims::Never;
    let client = client.narrowed(limits.profile);
    check(&client, limits)?;
    Ok(client)
}

fn is_self_service(name: &str) -> bool {
    settings::of_clients().any(|setting| setting == name)
}

/// Rejects the first problem; those of redirect URIs come first, because they have an error code of their own.
fn reject(problems: Vec<Problem>) -> Result<(), Error> {
    let is_redirect = |problem: &&Problem| problem.field() == "redirect_uris";
    match problems.iter().find(is_redirect).or(problems.first()) {
        None => Ok(()),
        Some(problem) if is_redirect(&problem) => Err(Error::new(ErrorCode::InvalidRedirectUri, problem.to_string())),
        Some(problem) => Err(invalid(problem.to_string())),
    }
}

fn check(client: &Client, limits: &Limits<'_>) -> Result<(), Error> {
    let mut problems = client.validate();
    problems.extend(client.application_type_problem(limits.reach));
    problems.extend(client.redirect_uris.iter().filter_map(|uri| scheme_problem(uri, limits)));
    problems.extend(client.sector_proof_problem());
    // OpenID Connect Registration §2. A client of the operator may also have a local http URL.
    if client.initiate_login_uri.as_ref().is_some_and(|url| !url.starts_with("https:")) {
        problems.push(Problem::new("initiate_login_uri", "must be an https URL"));
    }
    for (field, url) in client.called_urls() {
        problems.extend(remote_url::parse(url, limits.reach).err().map(|error| Problem::new(field, error.to_string())));
    }
    reject(problems)?;
    if serde_json::to_vec(client).is_ok_and(|json| json.len() > MAX_CLIENT) {
        return Err(invalid(format!("the metadata is longer than {} KiB", MAX_CLIENT / 1024)));
    }
    Ok(())
}

/// Returns the problem of a private-use scheme that is not allowed.
fn scheme_problem(uri: &RedirectUri, limits: &Limits<'_>) -> Option<Problem> {
    let scheme = uri.private_use_scheme().filter(|scheme| !limits.allows_scheme(scheme))?;
    let rule = format!(
        "has the scheme '{}': use https, a loopback address, or a scheme in reverse domain name form such as com.example.app:/callback",
        printable(&scheme)
    );
    Some(Problem::new("redirect_uris", rule))
}

const METHOD: &str = "token_endpoint_auth_method";

/// Replaces an authentication method that this server does not have: the client authenticates with its keys if it has some, or
/// with a secret (RFC 7591 §3.2.1). With `public`, a client that does not authenticate with its keys is public. A method that the
/// profile does not admit counts as one that this server does not have.
fn narrow_method(known: &mut Map<String, Value>, public: bool, limits: &Limits<'_>) {
    let sent = known.get(METHOD).and_then(Value::as_str);
    let (profile, mutual_tls) = (limits.profile, limits.mutual_tls);
    let is_admitted = |method: &&ClientAuthenticationMethod| {
        method.is_offered(mutual_tls) && profile.is_none_or(|profile| profile.admits(**method))
    };
    let asked = ClientAuthenticationMethod::ALL.iter().filter(is_admitted).find(|method| Some(method.as_str()) == sent);
    let has_keys = known.contains_key("jwks") || known.contains_key("jwks_uri");
    let method = match asked {
        Some(method) if !public || method.needs_keys() || method.needs_certificate() => return,
        None if sent.is_none() && !public && profile.is_none() => return,
        None if has_keys && (sent.is_some() || profile.is_some()) => ClientAuthenticationMethod::PrivateKeyJwt,
        Some(_) | None if public => ClientAuthenticationMethod::None,
        Some(_) | None => ClientAuthenticationMethod::ClientSecretBasic,
    };
    known.insert(METHOD.to_owned(), json!(method.as_str()));
}

/// Replaces an algorithm that this server does not sign by with RS256 (RFC 7591 §3.2.1).
fn narrow_signatures(known: &mut Map<String, Value>, limits: &Limits<'_>) {
    let is_omitted = |sent: &Value| {
        let alg = sent.as_str().and_then(|name| name.parse::<Algorithm>().ok());
        alg.is_some_and(|alg| !limits.signing.contains(&alg))
    };
    for name in [
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
        "authorization_signed_response_alg",
    ] {
        if known.get(name).is_some_and(is_omitted) {
            known.insert(name.to_owned(), json!(Algorithm::RS256));
        }
    }
}

/// True if a public client may use the grant (RFC 6749 §4.4, RFC 8693 §2.1).
fn is_for_public(grant: GrantType) -> bool {
    !matches!(grant, GrantType::ClientCredentials | GrantType::TokenExchange | GrantType::Ciba)
}

/// Keeps the redirect URIs that such a client may have. If none is left, all stay, and the check names the first problem.
///
/// Without `application_type` a client with a loopback or private-use redirect URI is native (RFC 8252 §7): OpenID Connect
/// Registration §2 has `web` as default, which no native application means that leaves it out.
fn narrow_redirects(known: &mut Map<String, Value>, limits: &Limits<'_>) -> Result<(), Error> {
    let acceptable = |known: &Map<String, Value>, name: &str| -> Result<Vec<RedirectUri>, Error> {
        let sent = known.get(name).map(types::json::typed::<Vec<RedirectUri>>);
        let sent = sent.map(|sent| {
            let error = || Error::new(ErrorCode::InvalidRedirectUri, format!("{name}: must be a list of strings"));
            sent.ok_or_else(error)
        });
        Ok(sent.transpose()?.unwrap_or_default().into_iter().filter(|uri| limits.accepts(uri)).collect())
    };
    let mut uris = acceptable(known, "redirect_uris")?;
    let is_web = known.get("application_type").map(|kind| kind == ApplicationType::Web.as_str());
    match is_web {
        None if uris.iter().any(|uri| uri.is_loopback() || uri.private_use_scheme().is_some()) => {
            known.insert("application_type".to_owned(), json!(ApplicationType::Native));
        }
        Some(true) => uris.retain(|uri| uri.private_use_scheme().is_none()),
        None | Some(false) => {}
    }
    for (name, uris) in
        [("redirect_uris", uris), ("post_logout_redirect_uris", acceptable(known, "post_logout_redirect_uris")?)]
    {
        if !uris.is_empty() {
            known.insert(name.to_owned(), json!(uris));
        }
    }
    Ok(())
}

/// Keeps the grant types and response types that such a client may have and that fit each other (RFC 7591 §2.1). Errors: none
/// is left.
fn narrow_grants(known: &mut Map<String, Value>, limits: &Limits<'_>) -> Result<(), Error> {
    let sent = strings(known, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    let is_public = known.get(METHOD).is_some_and(|method| method == ClientAuthenticationMethod::None.as_str());
    let is_allowed = |name: &&String| {
        let mut grants = limits.grants.iter().filter(|grant| !is_public || is_for_public(**grant));
        grants.any(|grant| grant.as_str() == name.as_str())
    };
    let grants: Vec<&String> = sent.iter().filter(is_allowed).collect();
    if let (true, Some(other)) = (grants.is_empty(), sent.first()) {
        return Err(invalid(format!(
            "grant_types: '{}' is not for clients that register themselves",
            printable(other)
        )));
    }
    let has_code = grants.iter().any(|grant| *grant == GrantType::AuthorizationCode.as_str());
    let grants = json!(grants);
    let types = match strings(known, "response_types")? {
        _ if !has_code => Vec::new(),
        None => vec![ResponseType::Code],
        Some(sent) => {
            let types: Vec<ResponseType> = sent.iter().filter_map(|text| ResponseType::parse(text)).collect();
            if let (true, Some(other)) = (types.is_empty(), sent.first()) {
                return Err(invalid(format!("response_types: '{}' is not supported", printable(other))));
            }
            types
        }
    };
    known.insert("grant_types".to_owned(), grants);
    known.insert("response_types".to_owned(), json!(types));
    Ok(())
}

/// Narrows the scope to the policy; a client without a scope gets all of the policy.
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

/// Keeps the types of authorization details that such a client may use (RFC 7591 §3.2.1). A client without one still has its scope.
fn narrow_details_types(known: &mut Map<String, Value>, limits: &Limits<'_>) -> Result<(), Error> {
    const NAME: &str = "authorization_details_types";
    if let Some(mut types) = strings(known, NAME)? {
        types.retain(|name| limits.details_types.find(name).is_some());
        known.insert(NAME.to_owned(), json!(types));
    }
    Ok(())
}

fn strings(known: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Error> {
    known
        .get(name)
        .map(|value| types::json::typed(value).ok_or_else(|| invalid(format!("{name}: must be a list of strings"))))
        .transpose()
}

/// Checks the members of a replacement that are no settings (RFC 7592 §2.2). Errors: `invalid_client_metadata`.
pub fn check_replacement(client_id: &ClientId, metadata: &Map<String, Value>) -> Result<(), Error> {
    if let Some(managed) = SERVER_MANAGED.iter().find(|name| metadata.contains_key(**name)) {
        return Err(invalid(format!("{managed}: must not be sent (RFC 7592 section 2.2)")));
    }
    if metadata.get("client_id").and_then(Value::as_str) != Some(client_id.as_str()) {
        return Err(invalid("client_id: must be sent, and be the client's own (RFC 7592 section 2.2)"));
    }
    Ok(())
}

/// Returns the settings that a client may see of itself (RFC 7591 §3.2.1).
pub fn document(client: &Client) -> Map<String, Value> {
    let Value::Object(mut all) = json!(client) else { return Map::new() };
    all.retain(|name, _| name == "client_id" || is_self_service(name));
    all.extend(client.localized.iter().map(|(name, value)| (name.clone(), json!(value))));
    all
}

fn invalid(description: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::InvalidClientMetadata, description)
}

/// Candidates for the `client_id` of a shared client. The operator may have taken the first ones.
const SHARED_NAMES: u8 = 4;

/// Returns the `client_id`s under which identical registrations share a client: the digest of the registered metadata, in the
/// order in which they are tried. They depend on nothing else, so every instance finds the same client without an index.
pub fn shared_names(client: &Client) -> Vec<ClientId> {
    let mut document = document(client);
    document.remove("client_id");
    let text = Value::Object(document).to_string();
    let name = |candidate: u8| {
        let digest =
            Sha256::new().chain_update(b"shared client\0").chain_update([candidate]).chain_update(&text).finalize();
        ClientId::parse(&URL_SAFE_NO_PAD.encode(digest))
    };
    (0..SHARED_NAMES).filter_map(name).collect()
}

/// Returns the registration of a shared client, which has no record of its own; `None` if it is not shared. A client that
/// was deleted and registered again is another registration.
pub fn of_shared(stored: &StoredClient) -> Option<Registration> {
    let registered_at = stored.since.filter(|_| stored.is_shared())?;
    let client_id = stored.client.client_id.as_str();
    let at = registered_at.as_millis().to_be_bytes();
    let digest =
        Sha256::new().chain_update(b"shared registration\0").chain_update(at).chain_update(client_id).finalize();
    let id = RegistrationId::new([0, 0], *digest.first_chunk()?);
    Some(Registration { id, registered_at, software_statement: None })
}

/// The part of a registration that never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Identifier of the registration, unique even if a `client_id` is used again.
    pub id: RegistrationId,
    /// Time of registration.
    pub registered_at: Timestamp,
    /// Software statement, returned unchanged (RFC 7591 §3.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<String>,
}
