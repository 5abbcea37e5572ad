//! Validation of a client's settings.

use super::human;
use crate::id_jag_issue::IdJagTarget;
use crate::limits::{MAX_KEYS, MAX_LIST, MAX_REFRESH_LIFETIME, MAX_TEXT};
use crate::{
    ApplicationType, BackchannelDelivery, Client, GrantType, MAX_TOKEN_LIFETIME, Problem, RedirectUri,
    RefreshTokenReplay, ResponseType, SubjectType, is_reserved, is_secure_url, resource,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use types::remote_url::{self, EgressPolicy};
use types::{ClientId, RequestObjectAlgorithm};
use url::Url;

/// The members of a JWK that hold a private or a symmetric key (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// True for a character that changes the direction of the text around it (UAX #9): with it, a name could show another host or
/// another name on a page.
pub(crate) const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Client {
    /// Decodes settings that an operator or a client sends. A member without a row in [`super::settings::SETTINGS`] and a value of
    /// the wrong shape are problems; the client that is returned lacks them. `None` if `client_id` is missing or wrong.
    pub fn parse(settings: Map<String, Value>) -> (Option<Self>, Vec<Problem>) {
        super::settings::decode(settings)
    }

    /// Returns every problem of the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !is_client_id(self.client_id.as_str()) {
            problems.push(Self::id_problem());
        }
        self.redirects(&mut problems);
        self.grants(&mut problems);
        self.texts(&mut problems);
        self.pages(&mut problems);
        self.keys(&mut problems);
        self.certificates(&mut problems);
        self.encryption(&mut problems);
        self.request_encryption(&mut problems);
        self.remote_urls(&mut problems);
        self.sectors(&mut problems);
        self.durations(&mut problems);
        self.backchannel(&mut problems);
        problems.extend(self.profile.iter().flat_map(|profile| profile.problems(self)));
        problems
    }

    /// Returns the problem of a `client_id` that no registered client may have.
    pub fn id_problem() -> Problem {
        let rule = format!(
            "must be 1 to {} of the characters A-Z a-z 0-9 - . _ ~, or an absolute URI without a fragment",
            ClientId::MAX_LENGTH
        );
        Problem::new("client_id", rule)
    }

    fn redirects(&self, problems: &mut Vec<Problem>) {
        for (field, uris) in
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)]
        {
            if uris.len() > MAX_LIST {
                problems.push(Problem::new(field, format!("must not be more than {MAX_LIST}")));
            }
            for uri in uris {
                if uri.as_str().len() > MAX_TEXT {
                    let rule = format!("must not be longer than {MAX_TEXT} bytes");
                    problems.push(Problem::new(field, rule).with_value(uri.as_str()));
                } else if let Some(rule) = uri.problem() {
                    problems.push(Problem::new(field, rule).with_value(uri.as_str()));
                }
            }
        }
        if self.may_use(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            problems.push(Problem::new("redirect_uris", "the authorization_code grant needs at least one"));
        }
    }

    fn grants(&self, problems: &mut Vec<Problem>) {
        let makes_refresh_tokens = [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::Ciba];
        let mut grant = |rule: &'static str| problems.push(Problem::new("grant_types", rule));
        if self.may_use(GrantType::RefreshToken) && !makes_refresh_tokens.into_iter().any(|grant| self.may_use(grant)) {
            grant("refresh_token needs authorization_code or another that makes some");
        }
        if self.may_use(GrantType::ClientCredentials) && !self.is_confidential() {
            grant("client_credentials needs a client that authenticates (RFC 6749 section 4.4)");
        }
        if self.may_use(GrantType::TokenExchange) && !(self.is_confidential() && self.token_exchange.is_some()) {
            grant("token-exchange needs a client that authenticates, and token_exchange to say what it may exchange");
        }
        if self.may_use(GrantType::Ciba) && !self.is_confidential() {
            grant("urn:openid:params:grant-type:ciba needs a client that authenticates (CIBA Core section 4)");
        }
        let targets = self.token_exchange.iter().flat_map(|policy| &policy.id_jags);
        problems.extend(targets.filter_map(IdJagTarget::problem));
        if self.may_use(GrantType::AuthorizationCode) && self.response_types.is_empty() {
            problems.push(Problem::new("response_types", "the authorization_code grant needs one"));
        }
        for uri in self.resources.iter().flatten() {
            if let Some(rule) = resource::identifier_problem(uri) {
                problems.push(Problem::new("resources", rule).with_value(uri));
            }
        }
        if self.refresh_token_replay == RefreshTokenReplay::Reject && !self.is_at_loopback() {
            let rule = "reject is for public clients whose redirect URIs are all at loopback addresses";
            problems.push(Problem::new("refresh_token_replay", rule));
        }
        if !self.refresh_token_rotation && !self.is_confidential() {
            let rule = "must be true for a client that does not authenticate (RFC 9700 section 4.14.2)";
            problems.push(Problem::new("refresh_token_rotation", rule));
        }
        if !self.introspects.is_empty() && !self.is_confidential() {
            problems.push(Problem::new("introspects", "needs a client that authenticates (RFC 7662 section 2.1)"));
        }
    }

    /// True for a public client whose redirect URIs are all at loopback addresses (RFC 8252 §7.3).
    fn is_at_loopback(&self) -> bool {
        !self.is_confidential()
            && !self.redirect_uris.is_empty()
            && self.redirect_uris.iter().all(RedirectUri::is_loopback)
    }

    fn texts(&self, problems: &mut Vec<Problem>) {
        let localized = self.localized.iter().map(|(field, value)| (field.as_str(), value.as_str()));
        for (field, value) in self.localizable().chain(localized) {
            let Some((base, _)) = human::split(field) else {
                problems.push(Problem::new("localized", "names no field and language").with_value(field));
                continue;
            };
            if value.chars().any(is_bidi_control) {
                let rule =
                    "must not have characters that change the direction of text (Unicode Bidirectional Algorithm)";
                problems.push(Problem::new(field.to_owned(), rule));
            } else if value.len() > MAX_TEXT || value.chars().any(char::is_control) {
                let rule = format!("must be at most {MAX_TEXT} bytes without control characters");
                problems.push(Problem::new(field.to_owned(), rule));
            } else if base != "client_name" && !is_web_url(value) {
                problems.push(Problem::new(field.to_owned(), "must be an https URL"));
            }
        }
        let is_long = |text: &String| text.len() > MAX_TEXT;
        for (field, is_too_long) in [
            (
                "authorization_details_types",
                self.authorization_details_types.len() > MAX_LIST
                    || self.authorization_details_types.iter().any(is_long),
            ),
            ("contacts", self.contacts.len() > MAX_LIST || self.contacts.iter().any(is_long)),
            (
                "default_acr_values",
                self.default_acr_values.len() > MAX_LIST || self.default_acr_values.iter().any(is_long),
            ),
            ("software_id", self.software_id.as_ref().is_some_and(is_long)),
            ("software_version", self.software_version.as_ref().is_some_and(is_long)),
        ] {
            if is_too_long {
                problems.push(Problem::new(field, "is too long"));
            }
        }
    }

    /// Checks the URLs that a browser opens.
    fn pages(&self, problems: &mut Vec<Problem>) {
        for (field, url) in [
            ("initiate_login_uri", &self.initiate_login_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ] {
            if url.as_deref().is_some_and(|url| !is_web_url(url) || url.contains('#')) {
                problems.push(Problem::new(field, "must be an https URL without a fragment"));
            }
        }
        // OpenID Connect Front-Channel Logout §2.
        if let Some(url) = &self.frontchannel_logout_uri
            && !self.redirect_uris.iter().any(|redirect| is_same_origin(redirect.as_str(), url))
        {
            let rule = "must have the scheme, host and port of a redirect URI";
            problems.push(Problem::new("frontchannel_logout_uri", rule));
        }
    }

    fn keys(&self, problems: &mut Vec<Problem>) {
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            problems.push(Problem::new("jwks", "must not be given besides jwks_uri (RFC 7591 section 2)"));
        }
        if let Some(rule) = self.jwks.as_ref().and_then(key_set_problem) {
            problems.push(Problem::new("jwks", rule));
        }
        let has_keys = self.jwks.is_some() || self.jwks_uri.is_some();
        let signs = self.request_object_signing_alg.is_some_and(|alg| alg.signature().is_some());
        for (field, needs_keys) in [
            (
                "backchannel_authentication_request_signing_alg",
                self.backchannel_authentication_request_signing_alg.is_some(),
            ),
            ("token_endpoint_auth_method", self.token_endpoint_auth_method.needs_keys()),
            ("request_object_signing_alg", signs),
            ("require_signed_request_object", self.require_signed_request_object),
        ] {
            if needs_keys && !has_keys {
                problems.push(Problem::new(field, "needs jwks or jwks_uri"));
            }
        }
        if self.require_signed_request_object && self.request_object_signing_alg == Some(RequestObjectAlgorithm::None) {
            problems.push(Problem::new("require_signed_request_object", "contradicts request_object_signing_alg"));
        }
    }

    /// Checks the URLs that this server calls. Loopback is allowed here; the egress policy of the deployment is checked
    /// at each call.
    fn remote_urls(&self, problems: &mut Vec<Problem>) {
        if self.request_uris.len() > MAX_LIST {
            problems.push(Problem::new("request_uris", format!("must not be more than {MAX_LIST}")));
        }
        for (field, url) in self.called_urls() {
            if let Err(error) = remote_url::parse(url, EgressPolicy::Loopback) {
                problems.push(Problem::new(field, error.to_string()).with_value(url));
            }
        }
        if self.backchannel_logout_uri.as_ref().is_some_and(|url| url.contains('#')) {
            problems.push(Problem::new("backchannel_logout_uri", "must not have a fragment"));
        }
    }

    /// Checks the settings of backchannel authentication (CIBA Core §4).
    fn backchannel(&self, problems: &mut Vec<Problem>) {
        const ENDPOINT: &str = "backchannel_client_notification_endpoint";
        let is_ping = self.backchannel_token_delivery_mode == Some(BackchannelDelivery::Ping);
        if is_ping && self.backchannel_client_notification_endpoint.is_none() {
            problems.push(Problem::new(ENDPOINT, "is needed for the delivery mode ping (CIBA Core section 4)"));
        }
        if self.backchannel_client_notification_endpoint.as_ref().is_some_and(|url| url.contains('#')) {
            problems.push(Problem::new(ENDPOINT, "must not have a fragment"));
        }
    }

    /// Returns the URLs that this server calls, with their fields.
    pub fn called_urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let single = [
            ("jwks_uri", &self.jwks_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
            ("backchannel_client_notification_endpoint", &self.backchannel_client_notification_endpoint),
        ];
        let single = single.into_iter().filter_map(|(field, url)| Some((field, url.as_deref()?)));
        single.chain(self.request_uris.iter().map(|url| ("request_uris", url.as_str())))
    }

    fn sectors(&self, problems: &mut Vec<Problem>) {
        if self.subject_type == SubjectType::Pairwise && self.sector().is_none() {
            let rule =
                "pairwise needs redirect URIs of one host, or sector_identifier_uri (OpenID Connect Core section 8.1)";
            problems.push(Problem::new("subject_type", rule));
        }
    }

    fn durations(&self, problems: &mut Vec<Problem>) {
        let (a_day, ten_years) = ((MAX_TOKEN_LIFETIME, "a day"), (MAX_REFRESH_LIFETIME, "10 years"));
        for (field, seconds, (most, in_words)) in [
            ("access_token_lifetime", self.access_token_lifetime, a_day),
            ("id_token_lifetime", self.id_token_lifetime, a_day),
            ("refresh_token_lifetime", self.refresh_token_lifetime, ten_years),
            ("refresh_token_idle_lifetime", self.refresh_token_idle_lifetime, ten_years),
        ] {
            if seconds.is_some_and(|seconds| !(1..=most.as_secs()).contains(&seconds)) {
                problems.push(Problem::new(field, format!("must be 1 second to {in_words}")));
            }
        }
    }

    /// Returns a redirect URI that does not fit `application_type` (OpenID Connect Registration §2, RFC 8252 §7). This
    /// applies to clients that register themselves; an operator may decide otherwise.
    pub fn application_type_problem(&self, reach: EgressPolicy) -> Option<Problem> {
        let is_hybrid = self.response_types.contains(&ResponseType::CodeIdToken);
        self.redirect_uris.iter().find_map(|uri| {
            let url = uri.url()?;
            let rule = match (self.application_type, url.scheme()) {
                (ApplicationType::Web, "https") => None,
                (ApplicationType::Web, "http") if is_hybrid && reach == EgressPolicy::Public => {
                    Some("must be https: the response has an ID token")
                }
                (_, "http") => None,
                (ApplicationType::Web, _) => Some("has a scheme of its own: register with application_type native"),
                (ApplicationType::Native, _) => None,
            };
            rule.map(|rule| Problem::new("redirect_uris", rule).with_value(uri.as_str()))
        })
    }
}

/// True if the text may be the `client_id` of a client that an operator registers: a name, or a URI, as other servers give
/// to some clients.
fn is_client_id(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_of_uri = |byte: u8| is_unreserved(byte) || b":/?[]@!$&'()*+,;=%".contains(&byte);
    let is_uri = || text.bytes().all(is_of_uri) && Url::parse(text).is_ok();
    !is_reserved(text) && (text.bytes().all(is_unreserved) || is_uri())
}

/// True if a browser may be sent to the URL.
fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_secure_url(&url))
}

fn is_same_origin(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin().is_tuple() && one.origin() == other.origin(),
        _ => false,
    }
}

/// Returns the rule that a set of public keys breaks (RFC 7517 §5).
fn key_set_problem(jwks: &Value) -> Option<String> {
    let Some(keys) = jwks.get("keys").and_then(Value::as_array) else {
        return Some("must be a JWK Set: an object with the member keys".to_owned());
    };
    if !(1..=MAX_KEYS).contains(&keys.len()) {
        return Some(format!("must have 1 to {MAX_KEYS} keys"));
    }
    let rule = keys.iter().find_map(|key| {
        if key.get("kty").and_then(Value::as_str).is_none_or(|kty| kty == "oct") {
            return Some("must hold public keys alone");
        }
        if PRIVATE_MEMBERS.iter().any(|member| key.get(member).is_some()) {
            return Some("must not hold a private key");
        }
        is_short_rsa(key).then_some("must have RSA keys of 2048 bits or more (RFC 7518 section 3.3)")
    });
    rule.map(str::to_owned)
}

/// True for an RSA key whose modulus is shorter than 2048 bits (RFC 7518 §3.3, §3.5).
fn is_short_rsa(key: &Value) -> bool {
    let modulus = key.get("n").and_then(Value::as_str).and_then(|n| URL_SAFE_NO_PAD.decode(n).ok()).unwrap_or_default();
    let significant = modulus.iter().skip_while(|byte| **byte == 0);
    let bits = significant.clone().count().saturating_mul(8);
    let unused = significant.clone().next().map_or(0, |first| usize::try_from(first.leading_zeros()).unwrap_or(0));
    key.get("kty").and_then(Value::as_str) == Some("RSA") && bits.saturating_sub(unused) < 2048
}
