//! Prints the settings of a client for the README. What has no row, or a row and no setting, is an error; so is a value
//! that the code does not take.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::indexing_slicing, reason = "that is what it is for")]

use protocol::{Client, GrantType};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Values that a setting takes.
enum Values {
    /// Described.
    Any(&'static str),
    /// One of these.
    One(&'static [&'static str]),
    /// A list of these.
    Several(&'static [&'static str]),
}

use Values::{Any, One, Several};

/// A setting: its name, its values, what holds where the code has no default, and its meaning.
type Row = (&'static str, Values, &'static str, &'static str);

const URL: Values = Any("https URL");
const TEXT: Values = Any("text");
const FLAG: Values = Any("`true`, `false`");
const SECONDS: Values = Any("seconds");
const URIS: Values = Any("list of URIs");
const SIGNATURES: Values = One(&["ES256", "RS256", "PS256", "EdDSA"]);
const KEY_MANAGEMENT: Values = One(&["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]);
const CONTENT: Values = One(&["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]);
const GRANTS: &[&str] = &{
    let mut names = [""; GrantType::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = GrantType::ALL[index].as_str();
        index += 1;
    }
    names
};

const ROWS: &[Row] = &[
    ("client_id", Any("`A-Z a-z 0-9 - . _ ~`, 128 at most"), "generated", "the identifier on the wire: `--id`"),
    ("client_name", TEXT, "the client_id", "the name on pages: `--name`"),
    ("client_uri", URL, "none", "home page"),
    ("logo_uri", URL, "none", "logo"),
    ("policy_uri", URL, "none", "privacy policy"),
    ("tos_uri", URL, "none", "terms of service"),
    (
        "localized",
        Any("object: `{\"client_name#de\": …}`"),
        "none",
        "names and URLs in other languages, by language tag",
    ),
    ("contacts", Any("list of texts"), "none", "addresses of the responsible contacts"),
    ("software_id", TEXT, "none", "identifier of the software, the same for every installation"),
    ("software_version", TEXT, "none", "version of the software"),
    ("application_type", One(&["web", "native"]), "", "kind of application"),
    ("redirect_uris", URIS, "none", "redirect URIs; exact match, with a free port for `127.0.0.1` and `[::1]`"),
    ("post_logout_redirect_uris", URIS, "none", "redirect URIs after sign-out"),
    ("grant_types", Several(GRANTS), "", "grant types that the client may use: `--service` adds `client_credentials`"),
    ("response_types", Several(&["code", "code id_token"]), "", "response types that the client may request"),
    ("scope", Any("scopes, separated by spaces"), "", "scopes that the client may request: `--scope`"),
    ("resources", URIS, "any of the deployment's", "resources that the client may request (RFC 8707)"),
    (
        "token_endpoint_auth_method",
        One(&["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]),
        "",
        "client authentication; `none`: a public client. `--confidential` sets `client_secret_basic`",
    ),
    (
        "token_endpoint_auth_signing_alg",
        SIGNATURES,
        "any",
        "the only algorithm of client assertions (`private_key_jwt`)",
    ),
    ("jwks", Any("JWK Set"), "none", "public keys"),
    ("jwks_uri", URL, "none", "URL of the public keys, in place of `jwks`"),
    ("require_pkce", FLAG, "", "PKCE is required; always for a public client"),
    ("require_pushed_authorization_requests", FLAG, "`false`", "authorization requests must be pushed (RFC 9126)"),
    (
        "require_signed_request_object",
        FLAG,
        "`false`",
        "authorization requests must be signed request objects (RFC 9101)",
    ),
    (
        "request_object_signing_alg",
        One(&["none", "ES256", "RS256", "PS256", "EdDSA"]),
        "any but `none`",
        "the only algorithm of request objects",
    ),
    ("request_uris", URIS, "none", "URLs from which request objects may be fetched"),
    ("skip_consent", FLAG, "", "no consent page: for the operator's own applications"),
    ("default_max_age", SECONDS, "none", "`max_age` of requests without one"),
    ("default_acr_values", Any("list of texts"), "none", "`acr_values` of requests without them"),
    ("require_auth_time", FLAG, "`false`", "`auth_time` is required; ID tokens always have it"),
    ("initiate_login_uri", URL, "none", "URL for third-party initiated login"),
    ("subject_type", One(&["public", "pairwise"]), "", "`pairwise`: `sub` differs per sector"),
    ("sector_identifier_uri", URL, "none", "URL of the list of redirect URIs that share a sector"),
    ("id_token_signed_response_alg", SIGNATURES, "", "signature algorithm of ID tokens"),
    (
        "id_token_encrypted_response_alg",
        KEY_MANAGEMENT,
        "not encrypted",
        "key management algorithm of their encryption",
    ),
    (
        "id_token_encrypted_response_enc",
        CONTENT,
        "`A128CBC-HS256`",
        "content encryption algorithm, if they are encrypted",
    ),
    ("userinfo_signed_response_alg", SIGNATURES, "plain JSON", "signature algorithm of UserInfo responses"),
    (
        "userinfo_encrypted_response_alg",
        KEY_MANAGEMENT,
        "not encrypted",
        "key management algorithm of their encryption",
    ),
    (
        "userinfo_encrypted_response_enc",
        CONTENT,
        "`A128CBC-HS256`",
        "content encryption algorithm, if they are encrypted",
    ),
    ("introspects", URIS, "none", "for a resource server: the audiences whose tokens it may introspect"),
    (
        "introspection_signed_response_alg",
        SIGNATURES,
        "`RS256`",
        "signature algorithm of introspection responses that are JWTs",
    ),
    (
        "introspection_encrypted_response_alg",
        KEY_MANAGEMENT,
        "not encrypted",
        "key management algorithm of their encryption",
    ),
    (
        "introspection_encrypted_response_enc",
        CONTENT,
        "`A128CBC-HS256`",
        "content encryption algorithm, if they are encrypted",
    ),
    (
        "token_exchange",
        Any("object: `subject_clients`, `audiences`, `impersonation`"),
        "none",
        "policy for token exchange, see \"Token exchange\"",
    ),
    (
        "access_token_format",
        One(&["jwt", "opaque"]),
        "`jwt`",
        "format of access tokens, if the resource does not decide",
    ),
    ("access_token_lifetime", SECONDS, "the deployment's", "lifetime of access tokens"),
    ("id_token_lifetime", SECONDS, "the deployment's", "lifetime of ID tokens"),
    (
        "refresh_token_lifetime",
        SECONDS,
        "the deployment's",
        "time from a grant to the expiry of its last refresh token",
    ),
    ("refresh_token_idle_lifetime", SECONDS, "the deployment's", "time for which a refresh token may remain unused"),
    ("backchannel_logout_uri", URL, "none", "URL for back-channel logout tokens"),
    ("backchannel_logout_session_required", FLAG, "`false`", "`sid` is required; logout tokens always have it"),
    ("frontchannel_logout_uri", URL, "none", "URL for the front-channel logout frame; same origin as a redirect URI"),
    ("frontchannel_logout_session_required", FLAG, "`false`", "`sid` is required; the frame always gets it"),
];

fn main() -> ExitCode {
    if let Err(problem) = check() {
        eprintln!("{problem}");
        return ExitCode::FAILURE;
    }
    let untouched = read("client_id", json!("x")).map(|client| json!(client)).unwrap_or_default();
    println!("| setting | values | default | meaning |\n|---|---|---|---|");
    for (name, values, unset, meaning) in ROWS {
        let values = match values {
            Any(text) => (*text).to_owned(),
            One(values) => code(values),
            Several(values) => format!("list of {}", code(values)),
        };
        let default = untouched.get(name).filter(|_| unset.is_empty()).map(shown);
        println!("| `{name}` | {values} | {} | {meaning} |", default.as_deref().unwrap_or(unset));
    }
    ExitCode::SUCCESS
}

/// Holds the rows against the code.
fn check() -> Result<(), String> {
    // Serde names every field when one is unknown: "…, expected one of `a`, `b`".
    let fields = read("?", Value::Null).err().unwrap_or_default();
    let (_, fields) = fields.split_once("expected one of").ok_or("the fields are not to be had")?;
    let fields: Vec<&str> = fields.split('`').skip(1).step_by(2).collect();
    for field in &fields {
        if !ROWS.iter().any(|(name, ..)| name == field) {
            return Err(format!("{field} has no row"));
        }
    }
    for (name, values, ..) in ROWS {
        let (values, is_list) = match values {
            Any(_) if fields.contains(name) => continue,
            Any(_) => return Err(format!("{name} is no setting")),
            One(values) => (*values, false),
            Several(values) => (*values, true),
        };
        for value in values {
            read(name, if is_list { json!([value]) } else { json!(value) })
                .map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(())
}

/// A client of which nothing but this is said.
fn read(name: &str, value: Value) -> Result<Client, String> {
    let mut client = json!({ "client_id": "x" });
    if let Some(members) = client.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    serde_json::from_value(client).map_err(|error| error.to_string())
}

fn code(values: &[&str]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => format!("`{other}`"),
    }
}
