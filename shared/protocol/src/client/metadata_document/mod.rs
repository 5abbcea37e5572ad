//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document-02): a client whose `client_id` is the URL of its
//! metadata. It registers nowhere: the server reads the document.

mod copies;
mod freshness;
mod policy;

pub use copies::{published_copy, published_identity};
pub(super) use freshness::identity_digest;
pub use freshness::{DocumentCopy, LAST_GOOD_COPY, fresh_until};
pub use policy::DocumentPolicy;

use super::registration::Limits;
use crate::{Client, ClientAuthenticationMethod, GrantType, Problem, RedirectUri, ResponseType, ScopeClaims};
use serde_json::{Map, Value, json};
use types::ClientId;
use types::remote_url::{self, EgressPolicy};
use url::Url;

/// The greatest length of a document, in bytes (§8.7 recommends 5 KB).
pub const MAX_DOCUMENT: usize = 5 * 1024;

/// Grants that a document may claim, where the deployment has them. Each other one needs a registration.
const GRANTS: [GrantType; 4] =
    [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode, GrantType::JwtBearer];

/// Members that are copied to the client as they are.
const COPIED: [&str; 8] = [
    "client_name",
    "client_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "software_id",
    "software_version",
    "initiate_login_uri",
];

/// Members with a secret, which a public document cannot hold (§4.1).
const SECRETS: [&str; 2] = ["client_secret", "client_secret_expires_at"];

/// Members with the keys of a client that authenticates by `private_key_jwt`.
const KEYS: [&str; 3] = ["jwks", "jwks_uri", "token_endpoint_auth_signing_alg"];

/// True if the `client_id` is the URL of a document (§3): https, a path, no dot segments, no user information, no fragment. It is
/// written as browsers write it, so two texts never name one document. A deployment at localhost reads documents there, too.
pub fn is_document_url(client_id: &ClientId, reach: EgressPolicy) -> bool {
    let text = client_id.as_str();
    // The parser removes dot segments, also percent-encoded ones.
    remote_url::parse(text, reach)
        .is_ok_and(|url| url.as_str() == text && url.fragment().is_none() && !matches!(url.path(), "" | "/"))
}

/// Returns the host of the document: the identity of the client (§8.5).
pub fn host(client_id: &ClientId) -> Option<String> {
    let url = Url::parse(client_id.as_str()).ok()?;
    Some(match (url.host_str()?, url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    })
}

/// Returns the client that a document describes. Unknown members and grants that the deployment does not have are left out, and
/// so are redirect URIs that no client may register. The `scope` of the document is no limit: the deployment's is. Errors: the
/// member that makes the document unusable.
pub fn read(client_id: &ClientId, document: &[u8], limits: &Limits<'_>) -> Result<Client, Problem> {
    let document = of_client(client_id, serde_json::from_slice(document).ok())?;
    let method = authentication_method(&document)?;
    let redirect_uris = redirect_uris(&document, limits)?;
    let is_native = !redirect_uris.iter().any(RedirectUri::is_https);
    let mut settings = Map::new();
    for name in COPIED {
        settings.extend(
            document.get(name).filter(|value| !is_left_out(value)).map(|value| (name.to_owned(), value.clone())),
        );
    }
    // The client_id tells where the user may be sent to after sign-out: to its own origin.
    let after_sign_out = texts(&document, "post_logout_redirect_uris").filter(|uri| is_same_origin(uri, client_id));
    let after_sign_out: Vec<&str> = after_sign_out.filter(|uri| RedirectUri::new(*uri).problem().is_none()).collect();
    for (name, value) in [
        ("client_id", json!(client_id)),
        ("token_endpoint_auth_method", json!(method)),
        ("redirect_uris", json!(redirect_uris)),
        ("post_logout_redirect_uris", json!(after_sign_out)),
        ("grant_types", json!(grants(&document, limits))),
        ("response_types", json!([ResponseType::Code])),
        ("application_type", json!(if is_native { "native" } else { "web" })),
        ("scope", json!(limits.scopes)),
    ] {
        settings.insert(name.to_owned(), value);
    }
    if method.needs_keys() {
        for name in KEYS {
            settings.extend(document.get(name).map(|value| (name.to_owned(), value.clone())));
        }
    }
    // A member of the wrong shape counts as left out, as an unknown one does.
    let client = Client::parse(settings).0.ok_or_else(|| Problem::new("document", "cannot be read"))?;
    let mut client = Client { scope_claims_in_id_token: ScopeClaims::Never, ..client };
    drop_unusable_texts(&mut client);
    match client.validate().into_iter().chain(reach_problem(&client, limits)).next() {
        None => Ok(client),
        Some(problem) => Err(problem),
    }
}

/// Returns what a document says of the identity of its client: how the client authenticates, and its keys. For a client that an
/// identity provider introduces: such a client has no redirect URI and no page. Errors: the member that makes the document
/// unusable.
pub fn read_identity(client_id: &ClientId, document: Value) -> Result<Client, Problem> {
    let document = of_client(client_id, Some(document))?;
    let method = authentication_method(&document)?;
    let mut settings = Map::new();
    settings.insert("client_id".to_owned(), json!(client_id));
    settings.insert("token_endpoint_auth_method".to_owned(), json!(method));
    settings.insert("grant_types".to_owned(), json!([GrantType::JwtBearer]));
    if method.needs_keys() {
        settings.extend(KEYS.iter().filter_map(|name| Some(((*name).to_owned(), document.get(*name)?.clone()))));
    }
    let client: Option<Client> = types::json::typed(&Value::Object(settings));
    let has_keys = |client: &Client| client.jwks.is_some() != client.jwks_uri.is_some();
    let client = client.filter(|client| !method.needs_keys() || has_keys(client));
    client.ok_or_else(|| Problem::new("jwks", "give either jwks or jwks_uri"))
}

/// Returns the members of a document that is of this client.
fn of_client(client_id: &ClientId, document: Option<Value>) -> Result<Map<String, Value>, Problem> {
    let Some(Value::Object(document)) = document else {
        return Err(Problem::new("document", "must be a JSON object"));
    };
    if document.get("client_id").and_then(Value::as_str) != Some(client_id.as_str()) {
        return Err(Problem::new("client_id", "must be the URL of the document, to the character"));
    }
    if let Some(secret) = SECRETS.iter().find(|name| document.contains_key(**name)) {
        return Err(Problem::new(*secret, "must not be in a document that everyone can read"));
    }
    Ok(document)
}

/// Returns the authentication method: the one that the document names, or else the first supported one of its list
/// `token_endpoint_auth_methods_supported`. Without both the client is public.
fn authentication_method(document: &Map<String, Value>) -> Result<ClientAuthenticationMethod, Problem> {
    const NAME: &str = "token_endpoint_auth_method";
    const USABLE: [ClientAuthenticationMethod; 2] =
        [ClientAuthenticationMethod::None, ClientAuthenticationMethod::PrivateKeyJwt];
    let usable = |name: &str| USABLE.into_iter().find(|method| method.as_str() == name);
    let named = document.get(NAME).filter(|value| !is_left_out(value)).map(|value| value.as_str().unwrap_or_default());
    let others: Vec<&str> = texts(document, "token_endpoint_auth_methods_supported").collect();
    if named.is_none() && others.is_empty() {
        return Ok(ClientAuthenticationMethod::None);
    }
    named
        .into_iter()
        .chain(others)
        .find_map(usable)
        .ok_or_else(|| Problem::new(NAME, "must be none or private_key_jwt: a document cannot establish a secret"))
}

/// Returns the redirect URIs that may be registered. One that breaks a rule never matches a request, and spoils no other one.
fn redirect_uris(document: &Map<String, Value>, limits: &Limits<'_>) -> Result<Vec<RedirectUri>, Problem> {
    const NAME: &str = "redirect_uris";
    let usable: Vec<RedirectUri> =
        texts(document, NAME).map(RedirectUri::new).filter(|uri| limits.accepts(uri)).collect();
    if usable.is_empty() && !document.get(NAME).is_none_or(is_left_out) {
        return Err(Problem::new(NAME, "has none that may be used: https, or http at a loopback address"));
    }
    Ok(usable)
}

/// Returns the grants of the document that the deployment has for it; the code grant if the document names none.
fn grants(document: &Map<String, Value>, limits: &Limits<'_>) -> Vec<GrantType> {
    let named: Vec<&str> = texts(document, "grant_types").collect();
    let named = if named.is_empty() { vec![GrantType::AuthorizationCode.as_str()] } else { named };
    GRANTS.into_iter().filter(|grant| named.contains(&grant.as_str()) && limits.grants.contains(grant)).collect()
}

/// Removes names and links that break a rule: they are only shown.
fn drop_unusable_texts(client: &mut Client) {
    for field in client.validate().iter().map(Problem::field) {
        match field {
            "client_name" => client.client_name = None,
            "client_uri" => client.client_uri = None,
            "policy_uri" => client.policy_uri = None,
            "tos_uri" => client.tos_uri = None,
            "initiate_login_uri" => client.initiate_login_uri = None,
            "contacts" => client.contacts.clear(),
            "software_id" => client.software_id = None,
            "software_version" => client.software_version = None,
            _ => {}
        }
    }
}

/// Returns the problem of a URL that this server would have to call.
fn reach_problem(client: &Client, limits: &Limits<'_>) -> Option<Problem> {
    let mut problems = client
        .called_urls()
        .filter_map(|(field, url)| remote_url::parse(url, limits.reach).err().map(|rule| Problem::new(field, rule)));
    problems.next()
}

fn is_same_origin(uri: &str, client_id: &ClientId) -> bool {
    matches!((Url::parse(uri), Url::parse(client_id.as_str())), (Ok(one), Ok(other)) if one.origin() == other.origin())
}

/// True if a member counts as left out: null, or empty text.
fn is_left_out(value: &Value) -> bool {
    value.is_null() || value == ""
}

/// Returns the texts of a member that is a list.
fn texts<'a>(document: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> {
    document.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
