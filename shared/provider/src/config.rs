//! Configuration: read once, at start, and checked as a whole.

use crate::settings::{SETTINGS, Seconds};
use crate::{PasswordPolicy, RegistrationPolicy, StatementIssuer, TrustedProxy};
use jose::{JwkSet, PublicKey};
use keys::{DerivedKeys, Secret, Secrets};
use protocol::administration::AdminPublicKey;
use protocol::metadata_document::DocumentPolicy;
use protocol::resource::Targets;
use protocol::shape::{self, Member};
use protocol::{
    ClientOrigin, GrantType, Lifetimes, Problem, RedirectUri, RefreshLifetimes, Resource, RetryWindows,
    STANDARD_SCOPES, StoredClient, TrustedIssuer, key_source_problem,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;
use types::remote_url::{self, EgressPolicy};
use types::{Issuer, Scope};

/// The configuration of a deployment.
#[derive(Debug)]
pub struct Config {
    /// Issuer identifier: an origin.
    pub issuer: Issuer,
    /// Audience of access tokens that name no resource.
    pub audience: String,
    /// Scopes of the deployment's APIs.
    pub scopes: Vec<String>,
    /// APIs that a request may name as `resource` (RFC 8707).
    pub resources: Vec<Resource>,
    /// True if the metadata list the scopes for claims about users.
    pub advertise_personal_scopes: bool,
    /// Those of the APIs that clients which the operator did not register may request.
    pub open_resources: Vec<Resource>,
    /// True if every authorization request must be pushed (RFC 9126 §5).
    pub require_pushed_requests: bool,
    /// Issuers whose JWTs are accepted as grants (RFC 7523).
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Issuers whose SAML assertions are accepted as grants (RFC 7522).
    pub trusted_saml_issuers: Vec<TrustedIssuer>,
    /// Lifetime of a `request_uri` of a pushed request.
    pub pushed_request_lifetime: Duration,
    /// Registration policy.
    pub registration: RegistrationPolicy,
    /// Metadata documents of clients that the deployment reads.
    pub client_documents: DocumentPolicy,
    /// True if grants of clients with a metadata document outlive the session of the sign-in.
    pub document_grants_outlive_session: bool,
    /// True if copies of documents of well-known clients replace those that cannot be read.
    pub client_document_copies: bool,
    /// The proxy that names the addresses of clients.
    pub proxy: Option<TrustedProxy>,
    /// Lifetime of an authorization code.
    pub code_lifetime: Duration,
    /// Lifetime of a device code and its user code.
    pub device_code_lifetime: Duration,
    /// Lifetimes of tokens.
    pub lifetimes: Lifetimes,
    /// Times in which a rotated refresh token is still accepted.
    pub refresh_retry: RetryWindows,
    /// The most live grants of a user for one client.
    pub max_grants: u32,
    /// Lifetime of a session.
    pub session_lifetime: Duration,
    /// Time in which a user must sign in and consent.
    pub interaction_lifetime: Duration,
    /// Rules for passwords.
    pub passwords: PasswordPolicy,
    /// Time in which a signing key signs.
    pub key_rotation: Duration,
    /// Public halves of the first admin keys; `None` if the administration is switched off.
    pub admin_keys: Option<Vec<AdminPublicKey>>,
}

/// The problems of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Problems; the field of each is the name of a setting.
    pub problems: Vec<Problem>,
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
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        debug_assert!(SETTINGS.iter().any(|setting| setting.name == name), "{name} is not in the table of settings");
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn problem(&mut self, name: &str, remedy: impl fmt::Display) {
        self.problems.push(Problem::new(name.to_owned(), remedy.to_string()));
    }

    fn seconds(&mut self, name: &str) -> Duration {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let default = setting.and_then(|setting| setting.default).map(str::to_owned);
        let Seconds { least, most } =
            setting.and_then(|setting| setting.seconds).unwrap_or(Seconds { least: 0, most: u64::MAX });
        let text = self.text(name).or(default).unwrap_or_default();
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

    /// Returns the items of a setting that is a JSON array of objects; none if it is not set.
    fn list<T: DeserializeOwned>(&mut self, name: &str, members: &[Member]) -> Vec<T> {
        let Some(text) = self.text(name) else { return Vec::new() };
        let items: Vec<Map<String, Value>> = match serde_json::from_slice(text.as_bytes()) {
            Ok(items) => items,
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                self.problem(name, format_args!("is not a JSON array of objects: see line {line}, column {column}"));
                return Vec::new();
            }
        };
        let (mut list, before) = (Vec::new(), self.problems.len());
        for (position, item) in items.into_iter().enumerate() {
            let (decoded, problems) = shape::decode(members, item);
            for problem in &problems {
                self.problem(name, format_args!("[{position}] {problem}"));
            }
            list.extend(decoded);
        }
        // Later problems name positions: they must be those of the setting.
        if self.problems.len() == before { list } else { Vec::new() }
    }

    fn resources(&mut self, issuer: &str) -> Vec<Resource> {
        const NAME: &str = "LATCHKEY_RESOURCES";
        let mut resources: Vec<Resource> = self.list(NAME, Resource::MEMBERS);
        for problem in resources.iter().filter_map(Resource::validate) {
            self.problem(NAME, problem);
        }
        // A request may also name the default audience.
        let own = Resource::of_any_scope(self.text("LATCHKEY_AUDIENCE").unwrap_or_else(|| issuer.to_owned()));
        if own.validate().is_none() && !resources.iter().any(|listed| listed.resource == own.resource) {
            resources.push(own);
        }
        resources
    }

    fn trusted_issuers(&mut self, name: &str, problems: impl Fn(&TrustedIssuer) -> Vec<Problem>) -> Vec<TrustedIssuer> {
        let issuers: Vec<TrustedIssuer> = self.list(name, TrustedIssuer::MEMBERS);
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

    fn number_in_range(&mut self, name: &str) -> u32 {
        let before = self.problems.len();
        let number = self.number(name);
        let range = SETTINGS.iter().find(|setting| setting.name == name).and_then(|setting| setting.range);
        let (least, most) = range.unwrap_or((0, u32::MAX));
        if self.problems.len() == before && !(least..=most).contains(&number) {
            self.problem(name, format_args!("{number} is not from {least} to {most}"));
        }
        number
    }

    fn passwords(&mut self, reach: EgressPolicy) -> PasswordPolicy {
        const BREACHED: &str = "LATCHKEY_BREACHED_PASSWORDS";
        let breached_url = self.text(BREACHED);
        if let Some(Err(rule)) = breached_url.as_deref().map(|url| remote_url::parse(url, reach)) {
            self.problem(BREACHED, rule);
        }
        PasswordPolicy {
            minimum: usize::try_from(self.number_in_range("LATCHKEY_MIN_PASSWORD")).unwrap_or(usize::MAX),
            hash_work: self.number_in_range("LATCHKEY_PASSWORD_HASH_WORK"),
            breached_url,
        }
    }

    fn epoch(&mut self) -> u16 {
        const NAME: &str = "LATCHKEY_EPOCH";
        let epoch = self.number(NAME);
        epoch.try_into().unwrap_or_else(|_| {
            self.problem(NAME, format_args!("{epoch} is greater than {}", u16::MAX));
            0
        })
    }

    fn registration(&mut self, reach: EgressPolicy) -> RegistrationPolicy {
        const WHO: &str = "LATCHKEY_REGISTRATION";
        const SCOPES: &str = "LATCHKEY_REGISTRATION_SCOPES";
        const GRANTS: &str = "LATCHKEY_REGISTRATION_GRANTS";
        const SCHEMES: &str = "LATCHKEY_REGISTRATION_SCHEMES";
        const ISSUERS: &str = "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS";
        let mut policy = RegistrationPolicy {
            per_address: self.number("LATCHKEY_REGISTRATIONS_PER_ADDRESS"),
            in_total: self.number("LATCHKEY_REGISTRATIONS_IN_TOTAL"),
            unused_lifetime: self.seconds("LATCHKEY_REGISTRATION_UNUSED_LIFETIME"),
            request_uris: self.flag("LATCHKEY_REGISTRATION_REQUEST_URIS"),
            statement_issuers: self.list(ISSUERS, StatementIssuer::MEMBERS),
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
            let with_a_user = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
            with_a_user.map(GrantType::as_str).join(" ")
        });
        for word in grants.split_ascii_whitespace() {
            match GrantType::ALL.iter().find(|grant| grant.as_str() == word) {
                Some(grant) => policy.grants.push(*grant),
                None => self.problem(GRANTS, format_args!("'{word}' is no grant type")),
            }
        }
        for word in self.text(SCHEMES).unwrap_or_default().split_ascii_whitespace() {
            let uri = RedirectUri::new(format!("{word}://callback"));
            match uri.private_use_scheme().filter(|scheme| scheme == word && uri.problem().is_none()) {
                Some(scheme) => policy.schemes.push(scheme),
                None => self.problem(SCHEMES, format_args!("'{word}' is no private-use scheme in lower case")),
            }
        }
        for (position, trusted) in policy.statement_issuers.iter().enumerate() {
            let no_name = trusted.issuer.is_empty().then(|| Problem::new("issuer", "must not be empty"));
            let no_source = key_source_problem(trusted.jwks.as_ref(), trusted.jwks_uri.as_deref(), reach);
            for problem in no_name.into_iter().chain(no_source).chain(key_set_problem(trusted.jwks.as_ref())) {
                self.problem(ISSUERS, format_args!("[{position}] ({}) {problem}", trusted.issuer));
            }
        }
        policy
    }

    fn proxy(&mut self) -> Option<TrustedProxy> {
        let is_only_way = self.flag(TrustedProxy::ONLY);
        let proxy =
            TrustedProxy::of(self.text(TrustedProxy::ADDRESS_HEADER), self.text(TrustedProxy::SECRET), is_only_way);
        proxy.unwrap_or_else(|problem| {
            self.problems.push(problem);
            None
        })
    }

    fn client_documents(&mut self) -> DocumentPolicy {
        const NAME: &str = "LATCHKEY_CLIENT_DOCUMENTS";
        let text = self.text(NAME).unwrap_or_else(|| DocumentPolicy::PUBLISHED.to_owned());
        match DocumentPolicy::parse(&text) {
            Ok(policy) => policy,
            Err(word) => {
                self.problem(
                    NAME,
                    format_args!("'{word}' is neither a URL nor https://host/*; set off, any, known, or URLs"),
                );
                DocumentPolicy::Off
            }
        }
    }

    /// Reads a setting that is `on` or `off`, and on by default.
    fn switch(&mut self, name: &str) -> bool {
        match self.text(name).as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(other) => {
                self.problem(name, format_args!("'{other}' is neither on nor off; set one of them"));
                false
            }
        }
    }

    fn admin_keys(&mut self) -> Option<Vec<AdminPublicKey>> {
        const KEYS: &str = "LATCHKEY_ADMIN_KEY";
        let is_on = self.switch("LATCHKEY_ADMIN");
        let mut keys = Vec::new();
        for (position, text) in self.text(KEYS).unwrap_or_default().split_ascii_whitespace().enumerate() {
            match AdminPublicKey::parse(text) {
                Ok(key) => keys.push(key),
                // The text may be a private key: do not show it.
                Err(error) => self.problem(KEYS, format_args!("[{position}] {error}; `latchkey init` makes one")),
            }
        }
        is_on.then_some(keys)
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
            Some(url) if protocol::is_secure_url(&url) => {}
            _ => self.problem(NAME, format_args!("'{text}' is not an https origin; write https://host, without a path, a slash at the end, a default port or capitals (http is for localhost alone)")),
        }
        text
    }

    /// Reads the deployment secret, or in its place the keys of one function.
    fn secrets(&mut self) -> Option<Secrets> {
        let pairwise = self.secret("LATCHKEY_PAIRWISE_SECRET");
        let previous = self.secret("LATCHKEY_SECRET_PREVIOUS");
        let keys = self.derived_keys("LATCHKEY_KEYS");
        let previous_keys = self.derived_keys("LATCHKEY_KEYS_PREVIOUS");
        let is_set = |reader: &Self, name: &str| reader.text(name).is_some();
        if !is_set(self, "LATCHKEY_KEYS") {
            if is_set(self, "LATCHKEY_KEYS_PREVIOUS") {
                self.problem(
                    "LATCHKEY_KEYS_PREVIOUS",
                    "is set without LATCHKEY_KEYS, and nothing would use it: set LATCHKEY_KEYS too, or remove it. Beside LATCHKEY_SECRET the previous secret is LATCHKEY_SECRET_PREVIOUS",
                );
            }
            if !is_set(self, "LATCHKEY_SECRET") {
                self.problem(
                    "LATCHKEY_SECRET",
                    "is not set; `latchkey init` makes one. A function of a deployment has LATCHKEY_KEYS in its place",
                );
            }
            let mut current = self.secret("LATCHKEY_SECRET")?.derive();
            if let Some(pairwise) = &pairwise {
                current = current.with_pairwise(pairwise);
            }
            return Some(Secrets::of(current, previous.map(|previous| previous.derive())));
        }
        for name in ["LATCHKEY_SECRET", "LATCHKEY_SECRET_PREVIOUS", "LATCHKEY_PAIRWISE_SECRET"] {
            if is_set(self, name) {
                self.problem(name, "is set besides LATCHKEY_KEYS, which replaces it: remove it from this function");
            }
        }
        Some(Secrets::of(keys?, previous_keys))
    }

    fn derived_keys(&mut self, name: &str) -> Option<DerivedKeys> {
        let text = self.text(name)?;
        match DerivedKeys::parse(&text) {
            Ok(keys) => Some(keys),
            Err(error) => {
                self.problem(name, error);
                None
            }
        }
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

/// Returns the problems of an issuer of JWTs and of its keys.
fn jwt_issuer_problems(trusted: &TrustedIssuer, reach: EgressPolicy) -> Vec<Problem> {
    let mut problems = trusted.validate_jwt(reach);
    problems.extend(key_set_problem(trusted.jwks.as_ref()));
    problems
}

/// Returns the problem of keys that are in the settings.
fn key_set_problem(jwks: Option<&Value>) -> Option<Problem> {
    let has_keys = JwkSet::from_value(jwks?).is_some_and(|set| !set.keys.is_empty());
    let rule = "must be a JWK Set with a public key for ES256, RS256, PS256 or EdDSA";
    (!has_keys).then(|| Problem::new("jwks", rule))
}

/// Returns the egress policy of a deployment with this issuer.
fn reach(issuer: &str) -> EgressPolicy {
    if issuer.starts_with("https://") { EgressPolicy::Public } else { EgressPolicy::Loopback }
}

/// Returns the problems of an issuer of SAML assertions and of its certificates.
fn saml_issuer_problems(trusted: &TrustedIssuer) -> Vec<Problem> {
    let mut problems = trusted.validate_saml();
    for (position, _) in
        trusted.certificates.iter().enumerate().filter(|(_, text)| PublicKey::from_certificate(text).is_none())
    {
        let rule = "is no X.509 certificate with an RSA or P-256 key";
        problems.push(Problem::new(format!("certificates[{position}]"), rule));
    }
    problems
}

impl Config {
    /// Reads the settings. Errors: every problem of the settings.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Secrets), ConfigError> {
        let mut reader = Reader { lookup, problems: Vec::new() };
        let issuer = reader.issuer();
        let reach = reach(&issuer);
        let secrets = reader.secrets();
        let epoch = reader.epoch();
        let resources = reader.resources(&issuer);
        let mut registration = reader.registration(reach);
        let open_resources: Vec<Resource> =
            resources.iter().filter(|resource| resource.registered_clients).cloned().collect();
        for resource in &open_resources {
            registration.scopes = registration.scopes.with(&resource.scopes);
        }
        let config = Self {
            open_resources,
            advertise_personal_scopes: reader.flag("LATCHKEY_ADVERTISE_PERSONAL_SCOPES"),
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
            resources,
            trusted_issuers: reader
                .trusted_issuers("LATCHKEY_TRUSTED_ISSUERS", |trusted| jwt_issuer_problems(trusted, reach)),
            trusted_saml_issuers: reader.trusted_issuers("LATCHKEY_TRUSTED_SAML_ISSUERS", saml_issuer_problems),
            require_pushed_requests: reader.flag("LATCHKEY_REQUIRE_PUSHED_REQUESTS"),
            pushed_request_lifetime: reader.seconds("LATCHKEY_PUSHED_REQUEST_LIFETIME"),
            registration,
            client_documents: reader.client_documents(),
            document_grants_outlive_session: reader.switch("LATCHKEY_CLIENT_DOCUMENT_OFFLINE"),
            client_document_copies: reader.switch("LATCHKEY_CLIENT_DOCUMENT_COPIES"),
            proxy: reader.proxy(),
            code_lifetime: reader.seconds("LATCHKEY_CODE_LIFETIME"),
            device_code_lifetime: reader.seconds("LATCHKEY_DEVICE_CODE_LIFETIME"),
            lifetimes: Lifetimes {
                access_token: reader.seconds("LATCHKEY_ACCESS_TOKEN_LIFETIME"),
                id_token: reader.seconds("LATCHKEY_ID_TOKEN_LIFETIME"),
                refresh: RefreshLifetimes {
                    absolute: reader.seconds("LATCHKEY_REFRESH_TOKEN_LIFETIME"),
                    idle: reader.seconds("LATCHKEY_REFRESH_TOKEN_IDLE_LIFETIME"),
                },
            },
            refresh_retry: RetryWindows {
                grace: reader.seconds("LATCHKEY_REFRESH_GRACE"),
                lost_answer: reader.seconds("LATCHKEY_REFRESH_LOST_ANSWER"),
            },
            max_grants: reader.number_in_range("LATCHKEY_MAX_GRANTS"),
            session_lifetime: reader.seconds("LATCHKEY_SESSION_LIFETIME"),
            interaction_lifetime: reader.seconds("LATCHKEY_INTERACTION_LIFETIME"),
            passwords: reader.passwords(reach),
            key_rotation: reader.seconds("LATCHKEY_KEY_ROTATION"),
            admin_keys: reader.admin_keys(),
            issuer: Issuer::new(issuer),
        };
        match secrets {
            Some(secrets) if reader.problems.is_empty() => Ok((config, secrets.with_epoch(epoch))),
            _ => Err(ConfigError { problems: reader.problems }),
        }
    }

    /// Returns the resources and scopes that a client may request.
    pub fn targets(&self, client: &StoredClient) -> Targets<'_> {
        let resources = match client.origin {
            ClientOrigin::Operator => &self.resources,
            _ => &self.open_resources,
        };
        Targets { resources, scopes: &self.scopes }
    }

    /// True if a grant of this client for these resources outlives the session of the sign-in without `offline_access`.
    pub fn grant_outlives_session(&self, stored: &StoredClient, resources: &[String]) -> bool {
        let has_tokens = stored.client.may_use(GrantType::RefreshToken);
        let of_resource =
            |resource: &Resource| resource.grants_outlive_session && resources.contains(&resource.resource);
        let is_set = stored.client.grants_outlive_session
            || (stored.is_document() && self.document_grants_outlive_session)
            || self.resources.iter().any(of_resource);
        has_tokens && is_set
    }

    /// Returns the words for users of a scope, if a resource describes it.
    pub fn scope_description(&self, scope: &str) -> Option<&str> {
        self.resources.iter().find_map(|resource| resource.scope_descriptions.get(scope)).map(String::as_str)
    }

    /// Returns what is probably not meant: for the log at start.
    pub fn warnings(&self) -> Vec<&'static str> {
        let has_open_clients = self.registration.open || self.client_documents != DocumentPolicy::Off;
        let listed = |resources: &[Resource]| resources.iter().any(|resource| !resource.scopes.is_empty());
        let mut warnings = Vec::new();
        if has_open_clients && listed(&self.resources) && !listed(&self.open_resources) {
            warnings.push("no client that registers itself or has a metadata document can get a scope of a resource: set registered_clients of a resource in LATCHKEY_RESOURCES, or close registration and set LATCHKEY_CLIENT_DOCUMENTS=off");
        }
        warnings
    }

    /// Returns the grants that this deployment offers. Assertion grants need a trusted issuer.
    pub fn grant_types(&self) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.iter().copied().filter(|grant| match grant {
            GrantType::JwtBearer => !self.trusted_issuers.is_empty(),
            GrantType::Saml2Bearer => !self.trusted_saml_issuers.is_empty(),
            _ => true,
        })
    }

    /// Returns the header field in which the trusted proxy names the client's address, in lower case.
    pub fn address_field(&self) -> Option<&str> {
        self.proxy.as_ref().map(TrustedProxy::address_field)
    }

    /// True if cookies can be `Secure` and bound to the host: everywhere except at http://localhost.
    pub fn is_https(&self) -> bool {
        self.reach() == EgressPolicy::Public
    }

    /// Returns the egress policy: the addresses that this server may call.
    pub fn reach(&self) -> EgressPolicy {
        reach(self.issuer.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of the previous secret without those of the current one would be ignored without a word.
    #[test]
    fn previous_keys_beside_the_secret_are_a_problem() {
        let lookup = |name: &str| match name {
            "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
            "LATCHKEY_SECRET" => Some("00".repeat(32)),
            "LATCHKEY_KEYS_PREVIOUS" => Some("any".to_owned()),
            _ => None,
        };
        let problems = Config::read(&lookup).unwrap_err().to_string();
        assert!(problems.contains("LATCHKEY_KEYS_PREVIOUS: is set without LATCHKEY_KEYS"), "{problems}");
        assert!(problems.contains("LATCHKEY_SECRET_PREVIOUS"), "{problems}");
    }
}
