//! Prints the settings of a client for the README. What has no row, or a row and no setting, is an error; so is a value
//! that the code does not take.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::indexing_slicing, reason = "that is what it is for")]

use protocol::{Client, GrantType};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What can be set.
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
    ("client_id", Any("`A-Z a-z 0-9 - . _ ~`, 128 at most"), "made up", "its name on the wire: `--id`"),
    ("client_name", TEXT, "the id", "its name for people: `--name`"),
    ("client_uri", URL, "none", "its home page"),
    ("logo_uri", URL, "none", "its picture"),
    ("policy_uri", URL, "none", "how it uses what it learns about people"),
    ("tos_uri", URL, "none", "its terms of service"),
    ("localized", Any("object: `{\"client_name#de\": …}`"), "none", "names and URLs in other languages"),
    ("contacts", Any("list of texts"), "none", "how to reach those who answer for it"),
    ("software_id", TEXT, "none", "names its software, the same for every installation"),
    ("software_version", TEXT, "none", "the version of its software"),
    ("application_type", One(&["web", "native"]), "", "what kind of application it is"),
    (
        "redirect_uris",
        URIS,
        "none",
        "where people are sent with a code; exact, but for the port of `127.0.0.1` and `[::1]`",
    ),
    ("post_logout_redirect_uris", URIS, "none", "where people may be sent after sign-out"),
    ("grant_types", Several(GRANTS), "", "what it may use: `--service` adds `client_credentials`"),
    ("response_types", Several(&["code", "code id_token"]), "", "what its authorization requests may ask for"),
    ("scope", Any("scopes, separated by spaces"), "", "what it may ask for: `--scope`"),
    ("resources", URIS, "any of the deployment's", "the APIs that it may ask for by `resource`"),
    (
        "token_endpoint_auth_method",
        One(&["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]),
        "",
        "how it proves who it is; `none`: public. `--confidential` makes it `client_secret_basic`",
    ),
    ("token_endpoint_auth_signing_alg", SIGNATURES, "any", "the one algorithm of its assertions (`private_key_jwt`)"),
    ("jwks", Any("JWK Set"), "none", "its public keys"),
    ("jwks_uri", URL, "none", "where they are; not besides `jwks`"),
    ("require_pkce", FLAG, "", "whether it must use PKCE; a public client always must"),
    ("require_pushed_authorization_requests", FLAG, "`false`", "whether its requests must be pushed (RFC 9126)"),
    (
        "require_signed_request_object",
        FLAG,
        "`false`",
        "whether its requests must be signed request objects (RFC 9101)",
    ),
    (
        "request_object_signing_alg",
        One(&["none", "ES256", "RS256", "PS256", "EdDSA"]),
        "any but `none`",
        "the one algorithm of its request objects",
    ),
    ("request_uris", URIS, "none", "where its request objects may be fetched from"),
    ("skip_consent", FLAG, "", "people are not asked: for the operator's own applications"),
    ("default_max_age", SECONDS, "none", "`max_age` when a request has none"),
    ("default_acr_values", Any("list of texts"), "none", "`acr_values` when a request has none"),
    ("require_auth_time", FLAG, "`false`", "whether it insists on `auth_time`; ID tokens always have it"),
    ("initiate_login_uri", URL, "none", "where others may send a browser to begin a sign-in"),
    ("subject_type", One(&["public", "pairwise"]), "", "`pairwise`: it knows people by names of its sector's own"),
    ("sector_identifier_uri", URL, "none", "lists the redirect URIs that share a sector"),
    ("id_token_signed_response_alg", SIGNATURES, "", "how its ID tokens are signed"),
    ("id_token_encrypted_response_alg", KEY_MANAGEMENT, "not encrypted", "how their key travels"),
    ("id_token_encrypted_response_enc", CONTENT, "`A128CBC-HS256`", "how they are encrypted, where they are"),
    ("userinfo_signed_response_alg", SIGNATURES, "plain JSON", "how its UserInfo responses are signed"),
    ("userinfo_encrypted_response_alg", KEY_MANAGEMENT, "not encrypted", "how their key travels"),
    ("userinfo_encrypted_response_enc", CONTENT, "`A128CBC-HS256`", "how they are encrypted, where they are"),
    ("introspects", URIS, "none", "a resource server: the audiences whose tokens it may introspect"),
    (
        "introspection_signed_response_alg",
        SIGNATURES,
        "`RS256`",
        "how introspection responses are signed that are JWTs",
    ),
    ("introspection_encrypted_response_alg", KEY_MANAGEMENT, "not encrypted", "how their key travels"),
    ("introspection_encrypted_response_enc", CONTENT, "`A128CBC-HS256`", "how they are encrypted, where they are"),
    (
        "token_exchange",
        Any("object: `subject_clients`, `audiences`, `impersonation`"),
        "none",
        "what it may exchange: see \"Token exchange\"",
    ),
    ("access_token_format", One(&["jwt", "opaque"]), "`jwt`", "its access tokens, when the resource does not decide"),
    ("access_token_lifetime", SECONDS, "the deployment's", "how long its access tokens live"),
    ("id_token_lifetime", SECONDS, "the deployment's", "how long its ID tokens live"),
    ("refresh_token_lifetime", SECONDS, "the deployment's", "from a grant to the end of its refresh tokens"),
    ("refresh_token_idle_lifetime", SECONDS, "the deployment's", "how long a refresh token may go unused"),
    ("backchannel_logout_uri", URL, "none", "told when a session ends"),
    ("backchannel_logout_session_required", FLAG, "`false`", "whether it must be told which; it always is"),
    ("frontchannel_logout_uri", URL, "none", "shown in a frame when a session ends; of a redirect URI's origin"),
    ("frontchannel_logout_session_required", FLAG, "`false`", "whether the frame must be told which; it always is"),
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
