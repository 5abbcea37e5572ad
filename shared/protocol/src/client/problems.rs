//! What can be wrong with a client's settings.

use super::human;
use crate::{
    ApplicationType, Client, ClientAuthenticationMethod, GrantType, MAX_TOKEN_LIFETIME, ResponseType, SubjectType,
    redirect_uri, resource,
};
use serde_json::Value;
use std::time::Duration;
use types::RequestObjectAlgorithm;
use types::remote_url::{self, EgressPolicy};
use url::Url;

/// How many members a list may have.
const MAX_LIST: usize = 100;
/// How long a name, a contact or a URL may be, in bytes.
const MAX_TEXT: usize = 2048;
/// How long a family of refresh tokens can live.
const MAX_REFRESH_LIFETIME: Duration = Duration::from_secs(10 * 366 * 86_400);
/// How many keys a client may have.
const MAX_KEYS: usize = 20;
/// The members of a JWK that tell a private or a symmetric key (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Client {
    /// All that is wrong with it, each with the name of the field.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let id_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if self.client_id.is_empty() || self.client_id.len() > 128 || !self.client_id.bytes().all(id_allowed) {
            problems.push("client_id: must be 1 to 128 of the characters A-Z a-z 0-9 - . _ ~".to_owned());
        }
        self.redirects(&mut problems);
        self.grants(&mut problems);
        self.texts(&mut problems);
        self.keys(&mut problems);
        problems.extend(self.encryption_problems());
        self.remote_urls(&mut problems);
        self.sector_problems(&mut problems);
        let (a_day, ten_years) = ((MAX_TOKEN_LIFETIME, "a day"), (MAX_REFRESH_LIFETIME, "10 years"));
        for (field, seconds, (most, in_words)) in [
            ("access_token_lifetime", self.access_token_lifetime, a_day),
            ("id_token_lifetime", self.id_token_lifetime, a_day),
            ("refresh_token_lifetime", self.refresh_token_lifetime, ten_years),
            ("refresh_token_idle_lifetime", self.refresh_token_idle_lifetime, ten_years),
        ] {
            if seconds.is_some_and(|seconds| seconds == 0 || seconds > most.as_secs()) {
                problems.push(format!("{field}: must be 1 second to {in_words}"));
            }
        }
        problems
    }

    fn redirects(&self, problems: &mut Vec<String>) {
        for (field, uris) in
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)]
        {
            if uris.len() > MAX_LIST {
                problems.push(format!("{field}: must not be more than {MAX_LIST}"));
            }
            for uri in uris {
                let too_long = (uri.len() > MAX_TEXT).then_some("must not be longer than 2048 bytes");
                if let Some(problem) = too_long.or_else(|| redirect_uri::problem(uri)) {
                    problems.push(format!("{field}: '{}' {problem}", crate::parameters::printable(uri)));
                }
            }
        }
        if self.may_use(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            problems.push("redirect_uris: the authorization_code grant needs at least one".to_owned());
        }
    }

    fn grants(&self, problems: &mut Vec<String>) {
        let makes_refresh_tokens = [GrantType::AuthorizationCode, GrantType::DeviceCode];
        if self.may_use(GrantType::RefreshToken) && !makes_refresh_tokens.into_iter().any(|grant| self.may_use(grant)) {
            problems.push("grant_types: refresh_token needs authorization_code or another that makes some".to_owned());
        }
        if self.may_use(GrantType::ClientCredentials) && !self.is_confidential() {
            problems.push(
                "grant_types: client_credentials needs a client that authenticates (RFC 6749 section 4.4)".to_owned(),
            );
        }
        if self.may_use(GrantType::TokenExchange) && !(self.is_confidential() && self.token_exchange.is_some()) {
            problems.push(
                "grant_types: token-exchange needs a client that authenticates, and token_exchange to say what it may exchange"
                    .to_owned(),
            );
        }
        if self.may_use(GrantType::AuthorizationCode) && self.response_types.is_empty() {
            problems.push("response_types: the authorization_code grant needs one".to_owned());
        }
        for uri in self.resources.iter().flatten() {
            if let Some(problem) = resource::identifier_problem(uri) {
                problems.push(format!("resources: '{}' {problem}", crate::parameters::printable(uri)));
            }
        }
        if !self.introspects.is_empty() && !self.is_confidential() {
            problems.push("introspects: needs a client that authenticates (RFC 7662 section 2.1)".to_owned());
        }
    }

    fn texts(&self, problems: &mut Vec<String>) {
        let plain = human::FIELDS.iter().filter_map(|field| Some((*field, self.human(field)?)));
        let localized = self.localized.iter().map(|(field, value)| (field.as_str(), value.as_str()));
        for (field, value) in plain.chain(localized) {
            let Some((base, _)) = human::split(field) else {
                problems
                    .push(format!("localized: '{}' names no field and language", crate::parameters::printable(field)));
                continue;
            };
            if value.len() > MAX_TEXT || value.chars().any(char::is_control) {
                problems.push(format!("{field}: must be at most 2048 bytes without control characters"));
            } else if base != "client_name" && !is_web_url(value) {
                problems.push(format!("{field}: must be an https URL"));
            }
        }
        let lists = [("contacts", &self.contacts), ("default_acr_values", &self.default_acr_values)];
        for (field, texts) in lists {
            if texts.len() > MAX_LIST || texts.iter().any(|text| text.len() > MAX_TEXT) {
                problems.push(format!("{field}: is too long"));
            }
        }
        for (field, text) in [("software_id", &self.software_id), ("software_version", &self.software_version)] {
            if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
                problems.push(format!("{field}: is too long"));
            }
        }
        for (field, url) in [
            ("initiate_login_uri", &self.initiate_login_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ] {
            if url.as_deref().is_some_and(|url| !is_web_url(url) || url.contains('#')) {
                problems.push(format!("{field}: must be an https URL without a fragment"));
            }
        }
        // OpenID Connect Front-Channel Logout §2.
        if let Some(url) = &self.frontchannel_logout_uri
            && !self.redirect_uris.iter().any(|redirect| is_same_origin(redirect, url))
        {
            problems.push("frontchannel_logout_uri: must have the scheme, host and port of a redirect URI".to_owned());
        }
    }

    fn keys(&self, problems: &mut Vec<String>) {
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            problems.push("jwks: must not be given besides jwks_uri (RFC 7591 section 2)".to_owned());
        }
        if let Some(problem) = self.jwks.as_ref().and_then(key_set_problem) {
            problems.push(format!("jwks: {problem}"));
        }
        let has_keys = self.jwks.is_some() || self.jwks_uri.is_some();
        let mut needs = |field: &str, wanted: bool| {
            if wanted && !has_keys {
                problems.push(format!("{field}: needs jwks or jwks_uri"));
            }
        };
        let by_key = self.token_endpoint_auth_method == ClientAuthenticationMethod::PrivateKeyJwt;
        needs("token_endpoint_auth_method", by_key);
        let signs = self.request_object_signing_alg.is_some_and(|alg| alg.signature().is_some());
        needs("request_object_signing_alg", signs);
        needs("require_signed_request_object", self.require_signed_request_object);
        if self.require_signed_request_object && self.request_object_signing_alg == Some(RequestObjectAlgorithm::None) {
            problems.push("require_signed_request_object: contradicts request_object_signing_alg".to_owned());
        }
    }

    /// The URLs that this server itself will call. Loopback passes here; whether the deployment reaches it is judged
    /// when it calls.
    fn remote_urls(&self, problems: &mut Vec<String>) {
        if self.request_uris.len() > MAX_LIST {
            problems.push(format!("request_uris: must not be more than {MAX_LIST}"));
        }
        for (field, url) in self.called_urls() {
            if let Err(problem) = remote_url::parse(url, EgressPolicy::Loopback) {
                problems.push(format!("{field}: '{}' {problem}", crate::parameters::printable(url)));
            }
        }
        if self.backchannel_logout_uri.as_ref().is_some_and(|url| url.contains('#')) {
            problems.push("backchannel_logout_uri: must not have a fragment".to_owned());
        }
    }

    /// The URLs that this server itself will call, with their fields.
    pub fn called_urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let single = [
            ("jwks_uri", &self.jwks_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
        ];
        let single = single.into_iter().filter_map(|(field, url)| Some((field, url.as_deref()?)));
        single.chain(self.request_uris.iter().map(|url| ("request_uris", url.as_str())))
    }

    fn sector_problems(&self, problems: &mut Vec<String>) {
        if self.subject_type == SubjectType::Pairwise && self.sector().is_none() {
            problems.push(
                "subject_type: pairwise needs redirect URIs of one host, or sector_identifier_uri (OpenID Connect Core section 8.1)"
                    .to_owned(),
            );
        }
    }

    /// What is wrong with its redirect URIs for the kind of application that it says it is (OpenID Connect
    /// Registration §2, RFC 8252 §7). Whoever writes a client's settings for themselves is held to it; the operator may
    /// know better.
    pub fn application_type_problem(&self, reach: EgressPolicy) -> Option<String> {
        let is_hybrid = self.response_types.contains(&ResponseType::CodeIdToken);
        self.redirect_uris.iter().find_map(|uri| {
            let url = Url::parse(uri).ok()?;
            let problem = match (self.application_type, url.scheme()) {
                (ApplicationType::Web, "https") => None,
                (ApplicationType::Web, "http") if is_hybrid && reach == EgressPolicy::Public => {
                    Some("must be https: the response has an ID token")
                }
                (_, "http") => None,
                (ApplicationType::Web, _) => Some("has a scheme of its own: register with application_type native"),
                (ApplicationType::Native, _) => None,
            };
            problem.map(|problem| format!("'{}' {problem}", crate::parameters::printable(uri)))
        })
    }
}

/// A URL that a browser may be sent to.
fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| redirect_uri::is_secure(&url))
}

fn is_same_origin(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin().is_tuple() && one.origin() == other.origin(),
        _ => false,
    }
}

/// Why this is not a set of public keys (RFC 7517 §5).
fn key_set_problem(jwks: &Value) -> Option<&'static str> {
    let Some(keys) = jwks.get("keys").and_then(Value::as_array) else {
        return Some("must be a JWK Set: an object with the member keys");
    };
    if keys.is_empty() || keys.len() > MAX_KEYS {
        return Some("must have 1 to 20 keys");
    }
    keys.iter().find_map(|key| {
        if key.get("kty").and_then(Value::as_str).is_none_or(|kty| kty == "oct") {
            return Some("must hold public keys alone");
        }
        PRIVATE_MEMBERS.iter().any(|member| key.get(member).is_some()).then_some("must not hold a private key")
    })
}
