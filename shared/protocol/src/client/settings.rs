//! The table of client settings (RFC 7591 §2, OpenID Connect Registration §2, and settings of this server).
//!
//! Validation, registration, the admin API and the documentation read this table. A new setting is one row here and one
//! field of [`Client`].

use super::{
    AccessTokenFormat, ApplicationType, BackchannelDelivery, Client, ClientAuthenticationMethod, GrantType,
    RefreshTokenReplay, ResponseType, ScopeClaims, SubjectType,
};
use crate::id_jag_issue::IdJagTarget;
use crate::shape::{self, Member, Shape};
use crate::token_exchange::ExchangedType;
use crate::{Problem, Profile};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::{Algorithm, ClientId, ContentEncryption, KeyManagementAlgorithm, RequestObjectAlgorithm};

/// A setting of a client.
#[derive(Clone, Copy, Debug)]
pub struct ClientSetting {
    /// Name and shape.
    pub member: Member,
    /// Parties that may set it.
    pub set_by: SetBy,
    /// Value in words of a client that does not set it (Markdown); `None` if the code has a default value.
    pub unset: Option<&'static str>,
    /// True if it may be given in several languages, as in `client_name#de` (RFC 7591 §2.2).
    pub is_localizable: bool,
    /// Specification.
    pub specification: &'static str,
    /// Meaning (Markdown).
    pub meaning: &'static str,
}

/// The parties that may set a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The operator alone.
    Operator,
    /// The operator, and a client that registers itself, itself or by its software statement.
    Client,
}

impl ClientSetting {
    const fn client(name: &'static str, shape: Shape, specification: &'static str, meaning: &'static str) -> Self {
        let member = Member::optional(name, shape);
        Self { member, set_by: SetBy::Client, unset: None, is_localizable: false, specification, meaning }
    }

    const fn operator(name: &'static str, shape: Shape, specification: &'static str, meaning: &'static str) -> Self {
        Self { set_by: SetBy::Operator, ..Self::client(name, shape, specification, meaning) }
    }

    const fn unset(self, words: &'static str) -> Self {
        Self { unset: Some(words), ..self }
    }

    const fn localizable(self) -> Self {
        Self { is_localizable: true, ..self }
    }

    /// Returns the default value in words (Markdown).
    pub fn default(&self) -> String {
        let client = decode(Map::from_iter([("client_id".to_owned(), json!("x"))])).0;
        let value = || json!(client).get(self.member.name).map(in_words);
        self.unset.map(str::to_owned).or_else(value).unwrap_or_default()
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        other => format!("`{other}`"),
    }
}

/// Returns the settings that a client may set for itself.
pub fn of_clients() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter(|setting| setting.set_by == SetBy::Client).map(|setting| setting.member.name)
}

pub(super) fn is_localizable(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.is_localizable && setting.member.name == name)
}

/// Decodes settings strictly. Returns the client that the members without problems describe, and the problems.
pub(super) fn decode(settings: Map<String, Value>) -> (Option<Client>, Vec<Problem>) {
    let members: Vec<Member> = SETTINGS.iter().map(|setting| setting.member).collect();
    shape::decode(&members, settings)
}

const SIGNATURE: Shape =
    Shape::OneOf(|| std::iter::once(Algorithm::ED25519).chain(Algorithm::ALL.iter().map(|alg| alg.as_str())).collect());
const KEY_MANAGEMENT: Shape = Shape::OneOf(|| KeyManagementAlgorithm::ALL.iter().map(|alg| alg.as_str()).collect());
const RECEIVED: Shape = Shape::OneOf(|| KeyManagementAlgorithm::RECEIVED.iter().map(|alg| alg.as_str()).collect());
const CONTENT_ENCRYPTION: Shape = Shape::OneOf(|| ContentEncryption::ALL.iter().map(|enc| enc.as_str()).collect());
const REQUEST_OBJECT: Shape = Shape::OneOf(|| {
    let names = RequestObjectAlgorithm::ALL.iter().map(|alg| alg.as_str());
    std::iter::once(Algorithm::ED25519).chain(names).collect()
});
const GRANT_TYPES: Shape = Shape::ListOf(|| GrantType::ALL.iter().map(|grant| grant.as_str()).collect());
const RESPONSE_TYPES: Shape = Shape::ListOf(|| ResponseType::ALL.iter().map(|kind| kind.as_str()).collect());
const AUTHENTICATION: Shape =
    Shape::OneOf(|| ClientAuthenticationMethod::ALL.iter().map(|method| method.as_str()).collect());
const DELIVERY: Shape = Shape::OneOf(|| BackchannelDelivery::ALL.iter().map(|mode| mode.as_str()).collect());
const PROFILE: Shape = Shape::OneOf(|| Profile::ALL.iter().map(|profile| profile.as_str()).collect());
const APPLICATION_TYPE: Shape = Shape::OneOf(|| ApplicationType::ALL.iter().map(|kind| kind.as_str()).collect());
const SUBJECT_TYPE: Shape = Shape::OneOf(|| SubjectType::ALL.iter().map(|kind| kind.as_str()).collect());
const TOKEN_FORMAT: Shape = Shape::OneOf(|| AccessTokenFormat::ALL.iter().map(|format| format.as_str()).collect());
const REFRESH_TOKEN_REPLAY: Shape = Shape::OneOf(|| RefreshTokenReplay::ALL.iter().map(|kind| kind.as_str()).collect());
const SCOPE_CLAIMS: Shape = Shape::OneOf(|| ScopeClaims::ALL.iter().map(|kind| kind.as_str()).collect());
const EXCHANGED_TYPES: Shape = Shape::ListOf(|| ExchangedType::ALL.iter().map(|kind| kind.as_str()).collect());
const TOKEN_EXCHANGE: Shape = Shape::Object(&[
    Member::optional(
        "subject_clients",
        Shape::Decoded(|value| <Vec<ClientId>>::deserialize(value).is_ok(), "must be a list of client_ids"),
    ),
    Member::optional("subject_token_types", EXCHANGED_TYPES),
    Member::optional("subject_audiences", Shape::Texts),
    Member::optional("audiences", Shape::Texts),
    Member::optional("impersonation", Shape::Flag),
    Member::optional("id_jags", Shape::Objects(IdJagTarget::MEMBERS)),
]);

const CORE: &str = "RFC 7591 §2";
const OIDC: &str = "OpenID Connect Registration §2";
const CIBA: &str = "OpenID Connect CIBA Core §4";
const OURS: &str = "this server";

/// Every setting of a client, in the order of the documentation.
pub const SETTINGS: &[ClientSetting] = {
    use ClientSetting as S;
    use Shape::{Any, Flag, Scopes, Seconds, Text, TextMap, Texts, Uris, Url};
    &[
        S::operator("client_id", Any("at most 512 of `A-Z a-z 0-9 - . _ ~`, or an absolute URI"), CORE, "identifier on the wire: `--id`")
            .unset("generated"),
        S::client("client_name", Text, CORE, "name that users see: `--name`").unset("the id").localizable(),
        S::client("client_uri", Url, CORE, "home page").unset("none").localizable(),
        S::client("logo_uri", Url, CORE, "logo").unset("none").localizable(),
        S::client("policy_uri", Url, CORE, "privacy policy: how the client uses the claims of users")
            .unset("none")
            .localizable(),
        S::client("tos_uri", Url, CORE, "terms of service").unset("none").localizable(),
        S::operator(
            "localized",
            TextMap("object: `{\"client_name#de\": …}`"),
            "RFC 7591 §2.2",
            "names and URLs in other languages",
        )
        .unset("none"),
        S::client("contacts", Texts, CORE, "addresses of the developers who are responsible").unset("none"),
        S::client("software_id", Text, CORE, "identifier of the software, the same for every installation")
            .unset("none"),
        S::client("software_version", Text, CORE, "version of the software").unset("none"),
        S::operator(
            "profile",
            PROFILE,
            "FAPI 2.0",
            "security profile, which narrows the other settings: see \"Profiles\". The deployment's (`LATCHKEY_PROFILE`) counts where it is stricter",
        )
        .unset("none"),
        S::client("application_type", APPLICATION_TYPE, OIDC, "kind of application"),
        S::client(
            "redirect_uris",
            Uris,
            CORE,
            "redirect URIs; matched exactly, except for the port of `127.0.0.1`, `[::1]` and `localhost`",
        )
        .unset("none"),
        S::client(
            "post_logout_redirect_uris",
            Uris,
            "OpenID Connect RP-Initiated Logout §3.1",
            "where a browser may be sent after sign-out",
        )
        .unset("none"),
        S::client("grant_types", GRANT_TYPES, CORE, "grants that it may use: `--service` adds `client_credentials`"),
        S::client("response_types", RESPONSE_TYPES, CORE, "response types of its authorization requests"),
        S::client("scope", Scopes, CORE, "scopes that it may request: `--scope`"),
        S::operator("default_scope", Scopes, "RFC 6749 §3.3", "scopes of a request that names neither scopes nor a resource")
            .unset("`scope` without `openid` and `offline_access`"),
        S::operator("resources", Uris, "RFC 8707 §2", "the APIs that it may name as `resource`")
            .unset("any of the deployment's"),
        S::client(
            "authorization_details_types",
            Texts,
            "RFC 9396 §10",
            "types of authorization details that its requests may have",
        )
        .unset("none"),
        S::client(
            "token_endpoint_auth_method",
            AUTHENTICATION,
            CORE,
            "client authentication method; `none`: public client. `--confidential` makes it `client_secret_basic`",
        ),
        S::client(
            "token_endpoint_auth_signing_alg",
            SIGNATURE,
            OIDC,
            "the one algorithm of its client assertions (`private_key_jwt`)",
        )
        .unset("any"),
        S::client(
            "tls_client_auth_subject_dn",
            Text,
            "RFC 8705 §2.1.2",
            "`tls_client_auth`: the subject, as a distinguished name (RFC 4514) of its certificate",
        )
        .unset("none"),
        S::client(
            "tls_client_auth_san_dns",
            Text,
            "RFC 8705 §2.1.2",
            "`tls_client_auth`: a DNS name among the subject alternative names of its certificate",
        )
        .unset("none"),
        S::client(
            "tls_client_auth_san_uri",
            Text,
            "RFC 8705 §2.1.2",
            "`tls_client_auth`: a URI among the subject alternative names of its certificate",
        )
        .unset("none"),
        S::client(
            "tls_client_auth_san_ip",
            Text,
            "RFC 8705 §2.1.2",
            "`tls_client_auth`: an IP address among the subject alternative names of its certificate",
        )
        .unset("none"),
        S::client(
            "tls_client_auth_san_email",
            Text,
            "RFC 8705 §2.1.2",
            "`tls_client_auth`: an e-mail address among the subject alternative names of its certificate",
        )
        .unset("none"),
        S::client("jwks", Any("JWK Set"), CORE, "public keys").unset("none"),
        S::client("jwks_uri", Url, CORE, "URL of its public keys; excludes `jwks`").unset("none"),
        S::client(
            "dpop_bound_access_tokens",
            Flag,
            "RFC 9449 §5.2",
            "each of its token requests needs a DPoP proof",
        )
        .unset("`false`"),
        S::client(
            "tls_client_certificate_bound_access_tokens",
            Flag,
            "RFC 8705 §3.4",
            "each of its token requests needs a client certificate",
        )
        .unset("`false`"),
        S::operator(
            "require_pkce",
            Flag,
            "RFC 9700 §2.1.1",
            "PKCE is required; for a public client it always is. A confidential client may send the scope `openid` and a `nonce` in its place",
        ),
        S::operator(
            "require_nonce",
            Flag,
            "RFC 9700 §2.1.1",
            "a request without PKCE needs a `nonce`; it always needs the scope `openid`",
        ),
        S::client(
            "require_pushed_authorization_requests",
            Flag,
            "RFC 9126 §6",
            "its authorization requests must be pushed",
        )
        .unset("`false`"),
        S::client(
            "require_signed_request_object",
            Flag,
            "RFC 9101 §10.5",
            "its authorization requests must be signed request objects",
        )
        .unset("`false`"),
        S::client("request_object_signing_alg", REQUEST_OBJECT, OIDC, "the one algorithm of its request objects")
            .unset("any but `none`"),
        S::client(
            "request_object_encryption_alg",
            RECEIVED,
            OIDC,
            "key management of its request objects, which must all be encrypted to the key of this server",
        )
        .unset("encrypted or not"),
        S::client(
            "request_object_encryption_enc",
            CONTENT_ENCRYPTION,
            OIDC,
            "content encryption of its encrypted request objects",
        )
        .unset("`A128CBC-HS256`; any without `request_object_encryption_alg`"),
        S::client("request_uris", Uris, OIDC, "URLs that its request objects may be fetched from").unset("none"),
        S::operator(
            "skip_consent",
            Flag,
            OURS,
            "users are not asked for consent: for the operator's own applications. A public client at a loopback or private-use redirect URI asks all the same (RFC 8252 §8.6)",
        ),
        S::client("default_max_age", Seconds, OIDC, "`max_age` of a request that has none").unset("none"),
        S::client("default_acr_values", Texts, OIDC, "`acr_values` of a request that has none").unset("none"),
        S::client("require_auth_time", Flag, OIDC, "ID tokens must have `auth_time`; they always do").unset("`false`"),
        S::client("initiate_login_uri", Url, OIDC, "URL at which another party may start a sign-in").unset("none"),
        S::client(
            "subject_type",
            SUBJECT_TYPE,
            "OpenID Connect Core §8",
            "`pairwise`: each user has another `sub` in each sector",
        ),
        S::client(
            "sector_identifier_uri",
            Url,
            "OpenID Connect Core §8.1",
            "URL of a list of the redirect URIs that share a sector",
        )
        .unset("none"),
        S::client("id_token_signed_response_alg", SIGNATURE, OIDC, "signature of its ID tokens"),
        S::client("id_token_encrypted_response_alg", KEY_MANAGEMENT, OIDC, "key management of its encrypted ID tokens")
            .unset("not encrypted"),
        S::client(
            "id_token_encrypted_response_enc",
            CONTENT_ENCRYPTION,
            OIDC,
            "content encryption of its encrypted ID tokens",
        )
        .unset("`A128CBC-HS256`"),
        S::operator(
            "scope_claims_in_id_token",
            SCOPE_CLAIMS,
            "OpenID Connect Core §5.4",
            "ID tokens that hold the claims of the scopes, such as `name` and `email`: `never`, the first of a grant (`code`), or also those of refreshes (`always`). `never` for a client that registers itself",
        ),
        S::client("userinfo_signed_response_alg", SIGNATURE, OIDC, "signature of its UserInfo responses")
            .unset("plain JSON"),
        S::client(
            "userinfo_encrypted_response_alg",
            KEY_MANAGEMENT,
            OIDC,
            "key management of its encrypted UserInfo responses",
        )
        .unset("not encrypted"),
        S::client(
            "userinfo_encrypted_response_enc",
            CONTENT_ENCRYPTION,
            OIDC,
            "content encryption of its encrypted UserInfo responses",
        )
        .unset("`A128CBC-HS256`"),
        S::client(
            "authorization_signed_response_alg",
            SIGNATURE,
            "JARM §3",
            "signature of authorization responses that are JWTs",
        )
        .unset("`RS256`"),
        S::client(
            "authorization_encrypted_response_alg",
            KEY_MANAGEMENT,
            "JARM §3",
            "key management of encrypted authorization responses",
        )
        .unset("not encrypted"),
        S::client(
            "authorization_encrypted_response_enc",
            CONTENT_ENCRYPTION,
            "JARM §3",
            "content encryption of encrypted authorization responses",
        )
        .unset("`A128CBC-HS256`"),
        S::operator(
            "introspects",
            Uris,
            "RFC 7662 §4",
            "a resource server: the audiences whose tokens it may introspect",
        )
        .unset("none"),
        S::client(
            "introspection_signed_response_alg",
            SIGNATURE,
            "RFC 9701 §6",
            "signature of introspection responses that are JWTs",
        )
        .unset("`RS256`"),
        S::client(
            "introspection_encrypted_response_alg",
            KEY_MANAGEMENT,
            "RFC 9701 §6",
            "key management of encrypted introspection responses",
        )
        .unset("not encrypted"),
        S::client(
            "introspection_encrypted_response_enc",
            CONTENT_ENCRYPTION,
            "RFC 9701 §6",
            "content encryption of encrypted introspection responses",
        )
        .unset("`A128CBC-HS256`"),
        S::operator(
            "token_exchange",
            TOKEN_EXCHANGE,
            "RFC 8693",
            "tokens that it may exchange: see \"Token exchange\"",
        )
        .unset("none"),
        S::operator("access_token_format", TOKEN_FORMAT, OURS, "access tokens, unless the resource decides")
            .unset("`jwt`"),
        S::operator(
            "access_token_signed_response_alg",
            SIGNATURE,
            "RFC 9068 §2.1",
            "signature of its access tokens, unless the resource decides",
        )
        .unset("`ES256`"),
        S::operator(
            "omit_iss_in_errors",
            Flag,
            "RFC 9207 §2",
            "authorization error responses have no `iss`: mod_auth_openidc of Debian 12 takes an error with `iss` for a new sign-in and loops. Not for a client that checks `iss`",
        )
        .unset("`false`"),
        S::operator(
            "grants_outlive_session",
            Flag,
            OURS,
            "its grants stay when the user signs out of the browser, also without `offline_access`: for agents that act while the user is away",
        )
        .unset("`false`"),
        S::operator("access_token_lifetime", Seconds, OURS, "lifetime of its access tokens, at most a day")
            .unset("the deployment's"),
        S::operator("id_token_lifetime", Seconds, OURS, "lifetime of its ID tokens, at most a day")
            .unset("the deployment's"),
        S::operator("refresh_token_lifetime", Seconds, OURS, "time from a grant to the end of its refresh tokens")
            .unset("the deployment's"),
        S::operator(
            "refresh_token_idle_lifetime",
            Seconds,
            OURS,
            "time after which an unused refresh token expires; it is for refresh tokens that rotate",
        )
        .unset("the deployment's"),
        S::operator(
            "refresh_token_rotation",
            Flag,
            "RFC 9700 §4.14.2",
            "each refresh yields a new refresh token. `false`: the token stays until its lifetime ends, for a confidential client",
        )
        .unset("`true`"),
        S::operator(
            "refresh_token_replay",
            REFRESH_TOKEN_REPLAY,
            "RFC 9700 §4.14.2",
            "a refresh token that was used before ends the grant (`revoke`), or is only rejected (`reject`, for a public client at loopback redirect URIs whose processes share one store of tokens)",
        )
        .unset("`revoke`"),
        S::client(
            "backchannel_token_delivery_mode",
            DELIVERY,
            CIBA,
            "mode in which it learns of the decision about a backchannel request: `ping` calls it, with `poll` it asks",
        )
        .unset("`poll`"),
        S::client(
            "backchannel_client_notification_endpoint",
            Url,
            CIBA,
            "URL that learns of the decision in ping mode",
        )
        .unset("none"),
        S::client(
            "backchannel_authentication_request_signing_alg",
            SIGNATURE,
            CIBA,
            "the one algorithm of its backchannel requests, which then must be signed",
        )
        .unset("they may be unsigned"),
        S::client(
            "backchannel_user_code_parameter",
            Flag,
            CIBA,
            "its backchannel requests have `user_code` where the user has one; a user who has one gets no request without it",
        )
        .unset("`false`"),
        S::client(
            "backchannel_logout_uri",
            Url,
            "OpenID Connect Back-Channel Logout §2.2",
            "receives a logout token when a session ends",
        )
        .unset("none"),
        S::client(
            "backchannel_logout_session_required",
            Flag,
            "OpenID Connect Back-Channel Logout §2.2",
            "logout tokens must have `sid`; they always do",
        )
        .unset("`false`"),
        S::client(
            "frontchannel_logout_uri",
            Url,
            "OpenID Connect Front-Channel Logout §2",
            "opened in a frame when a session ends; must have the origin of a redirect URI",
        )
        .unset("none"),
        S::client(
            "frontchannel_logout_session_required",
            Flag,
            "OpenID Connect Front-Channel Logout §2",
            "the frame must receive `iss` and `sid`; it always does",
        )
        .unset("`false`"),
    ]
};

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Returns a value that differs from the default.
    fn sample(setting: &ClientSetting) -> Value {
        match setting.member.shape {
            Shape::Text | Shape::Url => json!("x"),
            Shape::Any(_) if setting.member.name == "jwks" => json!({ "keys": [] }),
            Shape::Any(_) => json!("x"),
            Shape::Flag => json!(setting.default() != "`true`"),
            Shape::Seconds => json!(7),
            Shape::Texts | Shape::Uris => json!(["x"]),
            Shape::Scopes => json!("a b"),
            Shape::OneOf(names) => json!(names().last()),
            Shape::ListOf(names) => json!([names().last()]),
            Shape::TextMap(_) => json!({ "client_name#de": "x" }),
            Shape::Object(_) => json!({
                "subject_clients": ["x"], "subject_token_types": ["urn:ietf:params:oauth:token-type:jwt"],
                "audiences": [], "impersonation": true,
            }),
            Shape::Objects(_) => json!([]),
            Shape::Decoded(..) => Value::Null,
        }
    }

    #[test]
    fn every_row_is_a_field_and_every_field_has_a_row() {
        let settings: Map<String, Value> =
            SETTINGS.iter().map(|setting| (setting.member.name.to_owned(), sample(setting))).collect();
        let (client, problems) = decode(settings.clone());
        assert_eq!(problems, []);
        let client = client.unwrap();
        let shown = json!(client);
        for (name, value) in &settings {
            assert_eq!(shown.get(name), Some(value), "{name}");
        }
        let debug = format!("{client:#?}");
        let is_field = |line: &&str| line.starts_with("    ") && !line.starts_with("     ") && line.contains(": ");
        let fields = debug.lines().filter(is_field).filter_map(|line| line.trim().split(": ").next());
        for field in fields {
            assert!(settings.contains_key(field), "{field} has no row");
        }
        assert_eq!(shown.as_object().unwrap().len(), SETTINGS.len());
    }

    #[test]
    fn every_value_that_a_row_names_is_decoded() {
        for setting in SETTINGS {
            let values: Vec<Value> = match setting.member.shape {
                Shape::OneOf(names) => names().into_iter().map(Value::from).collect(),
                Shape::ListOf(names) => names().into_iter().map(|name| json!([name])).collect(),
                _ => continue,
            };
            for value in values {
                let members = json!({ "client_id": "x", setting.member.name: value });
                let (client, problems) = decode(members.as_object().unwrap().clone());
                assert!(client.is_some() && problems.is_empty(), "{members}: {problems:?}");
            }
        }
    }

    #[test]
    fn wrong_members_are_named_and_left_out() {
        let members = json!({
            "client_id": "x", "redirect_uris": 3, "colour": "red", "grant_types": ["password"], "skip_consent": "yes",
            "token_exchange": { "impersonation": 1, "colour": "red" }, "client_name": "X", "logo_uri": null,
        });
        let (client, problems) = decode(members.as_object().unwrap().clone());
        let mut fields: Vec<&str> = problems.iter().map(Problem::field).collect();
        fields.sort_unstable();
        let expected = ["colour", "grant_types", "redirect_uris", "skip_consent"];
        assert_eq!(fields, [&expected[..], &["token_exchange.colour", "token_exchange.impersonation"]].concat());
        assert_eq!(client.unwrap().client_name.as_deref(), Some("X"));
    }
}
