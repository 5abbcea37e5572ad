//! Configuration: read once, at start, and checked whole.

use crate::RegistrationPolicy;
use crate::settings::SETTINGS;
use jose::{JwkSet, PublicKey};
use keys::{Secret, Secrets};
use protocol::{
    GrantType, Lifetimes, MAX_TOKEN_LIFETIME, RefreshLifetimes, Resource, STANDARD_SCOPES, TrustedIssuer,
    key_source_problem, redirect_uri,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use types::Scope;
use types::remote_url::EgressPolicy;

/// What a deployment decides.
#[derive(Debug)]
pub struct Config {
    /// The issuer: an origin.
    pub issuer: String,
    /// The audience of access tokens.
    pub audience: String,
    /// The scopes of the deployment's APIs.
    pub scopes: Vec<String>,
    /// The APIs that tokens can be asked for by name (RFC 8707).
    pub resources: Vec<Resource>,
    /// Whether every authorization request must be pushed (RFC 9126 §5).
    pub require_pushed_requests: bool,
    /// The issuers whose JWTs are accepted as grants (RFC 7523).
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The issuers whose SAML assertions are accepted as grants (RFC 7522).
    pub trusted_saml_issuers: Vec<TrustedIssuer>,
    /// From a pushed request to the expiry of its reference.
    pub pushed_request_lifetime: Duration,
    /// What pairwise subjects are made under, when it is not the secret itself.
    pub pairwise: Option<Secrets>,
    /// How clients may register themselves.
    pub registration: RegistrationPolicy,
    /// From a code's issue to its expiry.
    pub code_lifetime: Duration,
    /// From a device's request to the expiry of its codes.
    pub device_code_lifetime: Duration,
    /// Lifetimes of tokens.
    pub lifetimes: Lifetimes,
    /// How long a rotated refresh token gets the same successor again.
    pub refresh_grace: Duration,
    /// How long a person stays signed in.
    pub session_lifetime: Duration,
    /// How long a person has to sign in and consent.
    pub interaction_lifetime: Duration,
    /// How long a signing key signs.
    pub key_rotation: Duration,
}

/// All that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Each begins with the name of the setting and says what to do.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        debug_assert!(SETTINGS.iter().any(|setting| setting.name == name), "{name} is not in the table of settings");
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn problem(&mut self, name: &str, remedy: impl fmt::Display) {
        self.problems.push(format!("{name}: {remedy}"));
    }

    fn seconds(&mut self, name: &str, least: u64, most: u64) -> Duration {
        let default = SETTINGS.iter().find(|setting| setting.name == name).and_then(|setting| setting.default);
        let text = self.text(name).or(default.map(str::to_owned)).unwrap_or_default();
        match text.parse() {
            Ok(seconds) if (least..=most).contains(&seconds) => Duration::from_secs(seconds),
            _ => {
                self.problem(
                    name,
                    format_args!("'{text}' is not a whole number of seconds from {least} to {most}; set one"),
                );
                Duration::from_secs(least)
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problem(name, format_args!("'{other}' is neither true nor false; set one of them"));
                false
            }
        }
    }

    /// A setting that is a JSON array; empty when it is not set.
    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let Some(text) = self.text(name) else { return Vec::new() };
        serde_json::from_slice(text.as_bytes()).unwrap_or_else(|error| {
            self.problem(name, format_args!("is not the JSON array that it must be: {error}"));
            Vec::new()
        })
    }

    fn resources(&mut self, issuer: &str) -> Vec<Resource> {
        const NAME: &str = "LATCHKEY_RESOURCES";
        let mut resources: Vec<Resource> = self.list(NAME);
        for problem in resources.iter().filter_map(Resource::problem) {
            self.problem(NAME, problem);
        }
        // The audience of tokens for no resource in particular can be asked for by name as well.
        let own = Resource::of_any_scope(self.text("LATCHKEY_AUDIENCE").unwrap_or_else(|| issuer.to_owned()));
        if own.problem().is_none() && !resources.iter().any(|listed| listed.resource == own.resource) {
            resources.push(own);
        }
        resources
    }

    fn trusted_issuers(&mut self, name: &str, problems: impl Fn(&TrustedIssuer) -> Vec<String>) -> Vec<TrustedIssuer> {
        let issuers: Vec<TrustedIssuer> = self.list(name);
        for (position, trusted) in issuers.iter().enumerate() {
            for problem in problems(trusted) {
                self.problem(name, format_args!("[{position}] ({}) {problem}", trusted.issuer));
            }
            if issuers.iter().take(position).any(|before| before.issuer == trusted.issuer) {
                self.problem(name, format_args!("[{position}] ({}) issuer: is there twice", trusted.issuer));
            }
        }
        issuers
    }

    fn number(&mut self, name: &str) -> u32 {
        let default = SETTINGS.iter().find(|setting| setting.name == name).and_then(|setting| setting.default);
        let text = self.text(name).or(default.map(str::to_owned)).unwrap_or_default();
        text.parse().unwrap_or_else(|_| {
            self.problem(name, format_args!("'{text}' is not a whole number"));
            0
        })
    }

    fn registration(&mut self, reach: EgressPolicy) -> RegistrationPolicy {
        const WHO: &str = "LATCHKEY_REGISTRATION";
        const SCOPES: &str = "LATCHKEY_REGISTRATION_SCOPES";
        const GRANTS: &str = "LATCHKEY_REGISTRATION_GRANTS";
        const ISSUERS: &str = "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS";
        let mut policy = RegistrationPolicy {
            per_address: self.number("LATCHKEY_REGISTRATIONS_PER_ADDRESS"),
            in_total: self.number("LATCHKEY_REGISTRATIONS_IN_TOTAL"),
            unused_lifetime: self.seconds("LATCHKEY_REGISTRATION_UNUSED_LIFETIME", 60, 366 * 86_400),
            statement_issuers: self.list(ISSUERS),
            ..RegistrationPolicy::default()
        };
        for word in self.text(WHO).unwrap_or_default().split_ascii_whitespace() {
            match word {
                "closed" => {}
                "open" => policy.open = true,
                "token" => policy.token = true,
                "statement" => policy.statement = true,
                other => self.problem(WHO, format_args!("'{other}' is none of closed, open, token and statement")),
            }
        }
        match Scope::parse(&self.text(SCOPES).unwrap_or_else(|| STANDARD_SCOPES.join(" "))) {
            Some(scopes) => policy.scopes = scopes,
            None => self.problem(SCOPES, "has a character that no scope may have; separate names by spaces"),
        }
        let grants = self.text(GRANTS).unwrap_or_else(|| {
            let with_a_person = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
            with_a_person.map(GrantType::as_str).join(" ")
        });
        for word in grants.split_ascii_whitespace() {
            match GrantType::ALL.iter().find(|grant| grant.as_str() == word) {
                Some(grant) => policy.grants.push(*grant),
                None => self.problem(GRANTS, format_args!("'{word}' is no grant type")),
            }
        }
        for (position, trusted) in policy.statement_issuers.iter().enumerate() {
            let no_name = trusted.issuer.is_empty().then(|| "issuer: must not be empty".to_owned());
            let no_source = key_source_problem(trusted.jwks.as_ref(), trusted.jwks_uri.as_deref(), reach);
            for problem in no_name.into_iter().chain(no_source).chain(key_set_problem(trusted.jwks.as_ref())) {
                self.problem(ISSUERS, format_args!("[{position}] ({}) {problem}", trusted.issuer));
            }
        }
        policy
    }

    fn issuer(&mut self) -> String {
        const NAME: &str = "LATCHKEY_ISSUER";
        let Some(text) = self.text(NAME) else {
            self.problem(
                NAME,
                "is not set; set it to the origin that clients reach the server at, such as https://auth.example.com",
            );
            return String::new();
        };
        let origin = url::Url::parse(&text).ok().filter(|url| url.origin().ascii_serialization() == text);
        match origin {
            Some(url) if redirect_uri::is_secure(&url) => {}
            _ => self.problem(NAME, format_args!("'{text}' is not an https origin; write https://host, without a path, a slash at the end, a default port or capitals (http is for localhost alone)")),
        }
        text
    }

    fn secret(&mut self, name: &str) -> Option<Secret> {
        let text = self.text(name)?;
        match Secret::parse(&text) {
            Ok(secret) => Some(secret),
            Err(_) => {
                self.problem(name, "is not 32 bytes as base64url or hex; `latchkey init` makes one");
                None
            }
        }
    }
}

/// What is wrong with an issuer of JWTs, its keys among it.
fn jwt_issuer_problems(trusted: &TrustedIssuer, reach: EgressPolicy) -> Vec<String> {
    let mut problems = trusted.jwt_problems(reach);
    problems.extend(key_set_problem(trusted.jwks.as_ref()));
    problems
}

/// What is wrong with keys that are in the settings.
fn key_set_problem(jwks: Option<&Value>) -> Option<String> {
    let has_keys = JwkSet::from_value(jwks?).is_some_and(|set| !set.keys.is_empty());
    (!has_keys).then(|| "jwks: must be a JWK Set with a public key for ES256, RS256, PS256 or EdDSA".to_owned())
}

/// How far a deployment of this issuer reaches.
fn reach(issuer: &str) -> EgressPolicy {
    if issuer.starts_with("https://") { EgressPolicy::Public } else { EgressPolicy::Loopback }
}

/// What is wrong with an issuer of SAML assertions, its certificates among it.
fn saml_issuer_problems(trusted: &TrustedIssuer) -> Vec<String> {
    let mut problems = trusted.saml_problems();
    for (position, _) in
        trusted.certificates.iter().enumerate().filter(|(_, text)| PublicKey::from_certificate(text).is_none())
    {
        problems.push(format!("certificates[{position}]: is no X.509 certificate with an RSA or P-256 key"));
    }
    problems
}

impl Config {
    /// Reads the settings. Reports all that is wrong at once.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Secrets), ConfigError> {
        let mut reader = Reader { lookup, problems: Vec::new() };
        let issuer = reader.issuer();
        let reach = reach(&issuer);
        if reader.text("LATCHKEY_SECRET").is_none() {
            reader.problem("LATCHKEY_SECRET", "is not set; `latchkey init` makes one");
        }
        let secret = reader.secret("LATCHKEY_SECRET");
        let previous = reader.secret("LATCHKEY_SECRET_PREVIOUS");
        const YEAR: u64 = 366 * 86_400;
        let config = Self {
            audience: reader.text("LATCHKEY_AUDIENCE").unwrap_or_else(|| issuer.clone()),
            scopes: match reader.text("LATCHKEY_SCOPES").map(|text| Scope::parse(&text)) {
                None => Vec::new(),
                Some(Some(scope)) => scope.iter().map(str::to_owned).collect(),
                Some(None) => {
                    reader.problem(
                        "LATCHKEY_SCOPES",
                        "has a character that no scope may have (RFC 6749 section 3.3); separate names by spaces",
                    );
                    Vec::new()
                }
            },
            resources: reader.resources(&issuer),
            trusted_issuers: reader
                .trusted_issuers("LATCHKEY_TRUSTED_ISSUERS", |trusted| jwt_issuer_problems(trusted, reach)),
            trusted_saml_issuers: reader.trusted_issuers("LATCHKEY_TRUSTED_SAML_ISSUERS", saml_issuer_problems),
            require_pushed_requests: reader.flag("LATCHKEY_REQUIRE_PUSHED_REQUESTS"),
            pushed_request_lifetime: reader.seconds("LATCHKEY_PUSHED_REQUEST_LIFETIME", 5, 600),
            pairwise: reader.secret("LATCHKEY_PAIRWISE_SECRET").map(|secret| Secrets::new(secret, None)),
            registration: reader.registration(reach),
            code_lifetime: reader.seconds("LATCHKEY_CODE_LIFETIME", 1, 600),
            device_code_lifetime: reader.seconds("LATCHKEY_DEVICE_CODE_LIFETIME", 60, 3600),
            lifetimes: Lifetimes {
                access_token: reader.seconds("LATCHKEY_ACCESS_TOKEN_LIFETIME", 1, MAX_TOKEN_LIFETIME.as_secs()),
                id_token: reader.seconds("LATCHKEY_ID_TOKEN_LIFETIME", 1, MAX_TOKEN_LIFETIME.as_secs()),
                refresh: RefreshLifetimes {
                    absolute: reader.seconds("LATCHKEY_REFRESH_TOKEN_LIFETIME", 1, 10 * YEAR),
                    idle: reader.seconds("LATCHKEY_REFRESH_TOKEN_IDLE_LIFETIME", 1, 10 * YEAR),
                },
            },
            refresh_grace: reader.seconds("LATCHKEY_REFRESH_GRACE", 0, 300),
            session_lifetime: reader.seconds("LATCHKEY_SESSION_LIFETIME", 60, YEAR),
            interaction_lifetime: reader.seconds("LATCHKEY_INTERACTION_LIFETIME", 60, 86_400),
            key_rotation: reader.seconds("LATCHKEY_KEY_ROTATION", 86_400, 10 * YEAR),
            issuer,
        };
        match secret {
            Some(secret) if reader.problems.is_empty() => Ok((config, Secrets::new(secret, previous))),
            _ => Err(ConfigError { problems: reader.problems }),
        }
    }

    /// The grants that this deployment offers: those of assertions only if it trusts anybody who makes them.
    pub fn grant_types(&self) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.iter().copied().filter(|grant| match grant {
            GrantType::JwtBearer => !self.trusted_issuers.is_empty(),
            GrantType::Saml2Bearer => !self.trusted_saml_issuers.is_empty(),
            _ => true,
        })
    }

    /// Whether cookies can be marked secure and bound to the host: everywhere but on http://localhost.
    pub fn is_https(&self) -> bool {
        self.reach() == EgressPolicy::Public
    }

    /// How far it may call other servers.
    pub fn reach(&self) -> EgressPolicy {
        reach(&self.issuer)
    }
}
