//! Configuration: read once, at start, and checked as a whole.

use crate::mail::{MailPolicy, MailWebhook};
use crate::registration::KNOWN_HOSTS;
use crate::settings::{SETTINGS, Seconds};
use crate::{
    Issuers, ListCheck, PasswordPolicy, ProofReplay, RegistrationPolicy, Sections, TrustedProxy, list_problems,
};
use jose::dpop::NoncePolicy;
use keys::{DerivedKeys, Secret, Secrets};
use latchkey_http::ProxyFields;
use protocol::administration::AdminPublicKey;
use protocol::mail::{HeaderText, SenderKind};
use protocol::metadata_document::DocumentPolicy;
use protocol::{
    ClientAuthenticationMethod, EmailAddress, GrantType, Lifetimes, MutualTls, Problem, Profile, RedirectUri,
    RefreshLifetimes, RelyingParty, Resource, RetryWindows, STANDARD_SCOPES, SigningAlgorithms,
};
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use types::json::NotJson;
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
    /// Resources that are there without an entry of the configuration: the audience of tokens for no resource, and an API that this
    /// process serves.
    pub own_resources: Vec<Resource>,
    /// Sections that the environment sets.
    pub sections: Sections,
    /// True if the metadata list the scopes for claims about users.
    pub advertise_personal_scopes: bool,
    /// Security profile of every client.
    pub profile: Option<Profile>,
    /// True if every authorization request must be pushed (RFC 9126 §5).
    pub require_pushed_requests: bool,
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
    /// Mutual TLS, if the deployment offers it.
    pub mutual_tls: Option<MutualTls>,
    /// Lifetime of an authorization code.
    pub code_lifetime: Duration,
    /// Lifetime of a device code and its user code.
    pub device_code_lifetime: Duration,
    /// URL of the push service that learns of backchannel requests.
    pub backchannel_webhook: Option<String>,
    /// Lifetimes of tokens.
    pub lifetimes: Lifetimes,
    /// Times in which a rotated refresh token is still accepted.
    pub refresh_retry: RetryWindows,
    /// The most live grants of a user for one client.
    pub max_grants: u32,
    /// The DPoP proofs that must have a nonce.
    pub dpop_nonce: NoncePolicy,
    /// The DPoP proofs that are accepted once.
    pub dpop_replay: ProofReplay,
    /// Lifetime of a session.
    pub session_lifetime: Duration,
    /// Time in which a user must sign in and consent.
    pub interaction_lifetime: Duration,
    /// Rules for passwords.
    pub passwords: PasswordPolicy,
    /// This server as authenticators know it; `None` if there are no passkeys.
    pub passkeys: Option<RelyingParty>,
    /// The sender of mails; `None` if the deployment sends none.
    pub mail: Option<MailPolicy>,
    /// True if users may delete their accounts.
    pub account_deletion: bool,
    /// True if users may change their e-mail addresses, where mails can be sent.
    pub account_email: bool,
    /// Time in which a signing key signs.
    pub key_rotation: Duration,
    /// Algorithms of this server's signatures, without those of omitted key types.
    pub signing: SigningAlgorithms,
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

    /// Returns the value of a setting that is JSON; `None` if it is not set.
    fn json(&mut self, name: &str) -> Option<Value> {
        let text = self.text(name)?;
        match types::json::value(text.as_bytes()) {
            Ok(value) => Some(value),
            Err(NotJson { line, column }) => {
                self.problem(name, format_args!("is not JSON: see line {line}, column {column}"));
                None
            }
        }
    }

    /// Reads the sections of the configuration that the environment sets.
    fn sections(&mut self, reach: EgressPolicy, check: ListCheck) -> Sections {
        let mut list = |name: &'static str| {
            let list = self.json(name)?;
            let problems = check(name, &list, reach);
            let is_good = problems.is_empty();
            self.problems.extend(problems);
            is_good.then_some(list)
        };
        let resources = list(Sections::RESOURCES);
        let issuers = [Sections::JWT_ISSUERS, Sections::SAML_ISSUERS, Sections::STATEMENT_ISSUERS].map(list);
        let resources = resources.and_then(|list| {
            let resources = Sections::resources_of_environment(list);
            resources.map_err(|rule| self.problem(Sections::RESOURCES, rule)).ok()
        });
        let has_issuers = issuers.iter().any(Option::is_some);
        let issuers = has_issuers.then(|| {
            Issuers::of_environment(issuers, reach).map_err(|(name, rule)| self.problem(name, rule)).unwrap_or_default()
        });
        Sections { resources, issuers, ..Sections::default() }
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
        PasswordPolicy {
            minimum: usize::try_from(self.number_in_range("LATCHKEY_MIN_PASSWORD")).unwrap_or(usize::MAX),
            hash_work: self.number_in_range("LATCHKEY_PASSWORD_HASH_WORK"),
            breached_url: self.remote_url("LATCHKEY_BREACHED_PASSWORDS", reach),
        }
    }

    fn passkeys(&mut self, issuer: &str) -> Option<RelyingParty> {
        const DOMAIN: &str = "LATCHKEY_PASSKEY_DOMAIN";
        let domain = self.text(DOMAIN);
        let party = RelyingParty::new(&Issuer::new(issuer.to_owned()), domain.as_deref());
        if party.is_none() && domain.is_some() {
            self.problem(DOMAIN, "must be the host of LATCHKEY_ISSUER or a parent domain of it, in lower case");
        }
        party.filter(|_| self.switch("LATCHKEY_PASSKEYS"))
    }

    fn mail(&mut self, issuer: &str, reach: EgressPolicy) -> Option<MailPolicy> {
        const SENDER: &str = "LATCHKEY_MAIL";
        const FROM: &str = "LATCHKEY_MAIL_FROM";
        const NAME: &str = "LATCHKEY_MAIL_NAME";
        let webhook = self.mail_webhook(reach);
        let (word, from, name) = (self.text(SENDER), self.text(FROM), self.text(NAME));
        let sender = match word.filter(|word| word != "none") {
            Some(word) => SenderKind::parse(&word).or_else(|| {
                let words = SenderKind::ALL.map(SenderKind::as_str).join(", ");
                self.problem(SENDER, format_args!("'{word}' is none of none, {words}; set one of them"));
                None
            })?,
            None => {
                if from.is_some() {
                    self.problem(SENDER, "is not set, but LATCHKEY_MAIL_FROM is: name the sender, or remove both");
                }
                return None;
            }
        };
        let Some(from) = from else {
            self.problem(FROM, "is not set, but LATCHKEY_MAIL is: set the address that mails come from");
            return None;
        };
        let address = EmailAddress::parse(&from);
        if address.is_none() {
            self.problem(FROM, format_args!("'{from}' {}", EmailAddress::RULE));
        }
        let shown = HeaderText::parse(name.as_deref().unwrap_or(MailPolicy::default_name(issuer)));
        let shown = shown.filter(MailPolicy::is_name);
        if shown.is_none() {
            self.problem(NAME, MailPolicy::NAME_RULE);
        }
        Some(MailPolicy { sender, from: address?, name: shown?, webhook })
    }

    fn mail_webhook(&mut self, reach: EgressPolicy) -> Option<MailWebhook> {
        const URL: &str = "LATCHKEY_MAIL_WEBHOOK";
        const SECRET: &str = "LATCHKEY_MAIL_WEBHOOK_SECRET";
        let (url, secret) = (self.remote_url(URL, reach), self.text(SECRET));
        match (url, secret) {
            (Some(url), Some(secret)) if secret.chars().count() >= MailWebhook::MIN_SECRET => {
                Some(MailWebhook { url, secret })
            }
            (Some(_), _) => {
                self.problem(
                    SECRET,
                    "is not set, or has fewer than 32 characters; set one that `openssl rand -base64 32` makes",
                );
                None
            }
            (None, Some(_)) => {
                self.problem(
                    URL,
                    "is not set, but LATCHKEY_MAIL_WEBHOOK_SECRET is: set the URL of the service that sends mails",
                );
                None
            }
            (None, None) => None,
        }
    }

    /// Reads the URL of a service that this server calls.
    fn remote_url(&mut self, name: &str, reach: EgressPolicy) -> Option<String> {
        let url = self.text(name)?;
        if let Err(rule) = remote_url::parse(&url, reach) {
            self.problem(name, rule);
        }
        Some(url)
    }

    fn epoch(&mut self) -> u16 {
        const NAME: &str = "LATCHKEY_EPOCH";
        let epoch = self.number(NAME);
        epoch.try_into().unwrap_or_else(|_| {
            self.problem(NAME, format_args!("{epoch} is greater than {}", u16::MAX));
            0
        })
    }

    fn registration(&mut self) -> RegistrationPolicy {
        const WHO: &str = "LATCHKEY_REGISTRATION";
        const SCOPES: &str = "LATCHKEY_REGISTRATION_SCOPES";
        const GRANTS: &str = "LATCHKEY_REGISTRATION_GRANTS";
        const SCHEMES: &str = "LATCHKEY_REGISTRATION_SCHEMES";
        let mut policy = RegistrationPolicy {
            per_address: self.number("LATCHKEY_REGISTRATIONS_PER_ADDRESS"),
            per_software: self.number("LATCHKEY_REGISTRATIONS_PER_SOFTWARE"),
            hosts: self.registration_hosts(),
            public: self.flag("LATCHKEY_REGISTRATION_PUBLIC"),
            in_total: self.number("LATCHKEY_REGISTRATIONS_IN_TOTAL"),
            unused_lifetime: self.seconds("LATCHKEY_REGISTRATION_UNUSED_LIFETIME"),
            request_uris: self.flag("LATCHKEY_REGISTRATION_REQUEST_URIS"),
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
            let with_a_user = [GrantType::AuthorizationCode, GrantType::RefreshToken];
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
        policy
    }

    fn registration_hosts(&mut self) -> Vec<String> {
        const NAME: &str = "LATCHKEY_REGISTRATION_HOSTS";
        let mut hosts = Vec::new();
        for word in self.text(NAME).unwrap_or_else(|| "known".to_owned()).split_ascii_whitespace() {
            let is_host = || url::Url::parse(&format!("https://{word}/")).is_ok_and(|url| url.host_str() == Some(word));
            match word {
                "none" => {}
                "known" => hosts.extend(KNOWN_HOSTS.map(str::to_owned)),
                host if is_host() => hosts.push(host.to_owned()),
                other => {
                    self.problem(NAME, format_args!("'{other}' is no host in lower case, such as app.example.com"))
                }
            }
        }
        hosts
    }

    fn signing(&mut self) -> SigningAlgorithms {
        const NAME: &str = "LATCHKEY_OMITTED_KEY_TYPES";
        let text = self.text(NAME).unwrap_or_default();
        let words: Vec<&str> = text.split_ascii_whitespace().filter(|word| *word != "none").collect();
        match SigningAlgorithms::without(&words) {
            Ok(signing) => signing,
            Err(word) => {
                self.problem(
                    NAME,
                    format_args!(
                        "'{word}' is neither OKP nor EC; RSA cannot be omitted, because each client may demand RS256"
                    ),
                );
                SigningAlgorithms::default()
            }
        }
    }

    fn proxy(&mut self) -> Option<TrustedProxy> {
        let is_only_way = self.flag(TrustedProxy::ONLY);
        let proxy =
            TrustedProxy::of(self.text(TrustedProxy::ADDRESS_HEADER), self.text(TrustedProxy::SECRET), is_only_way);
        let certificates = (self.text(TrustedProxy::CERTIFICATE_HEADER), self.text(TrustedProxy::CERTIFICATE_CHAIN));
        let secret = self.text(TrustedProxy::CERTIFICATE_SECRET);
        let proxy = proxy.and_then(|proxy| match (proxy, certificates) {
            (proxy, (None, None)) if secret.is_none() => Ok(proxy),
            (Some(proxy), (Some(field), chain)) => {
                proxy.with_certificates(&field, secret.as_deref(), chain.as_deref()).map(Some)
            }
            (None, (Some(_), _)) => Err(Problem::new(
                TrustedProxy::CERTIFICATE_HEADER,
                "is set without a proxy: set LATCHKEY_PROXY_ADDRESS_HEADER and LATCHKEY_PROXY_SECRET too",
            )),
            (_, (None, _)) => Err(Problem::new(
                TrustedProxy::CERTIFICATE_HEADER,
                "is not set, but LATCHKEY_PROXY_CERTIFICATE_SECRET or LATCHKEY_PROXY_CERTIFICATE_CHAIN is: name the header field in which the proxy sends certificates, or set none of the three",
            )),
        });
        proxy.unwrap_or_else(|problem| {
            self.problems.push(problem);
            None
        })
    }

    fn mutual_tls(&mut self) -> Option<MutualTls> {
        const ORIGIN: &str = "LATCHKEY_MTLS_ORIGIN";
        const METHODS: &str = "LATCHKEY_MTLS_METHODS";
        let (origin, words) = (self.text(ORIGIN), self.text(METHODS).unwrap_or_default());
        let method_of = |word: &str| {
            let mut known = ClientAuthenticationMethod::ALL.iter().filter(|method| method.needs_certificate());
            known.find(|method| method.as_str() == word).copied()
        };
        let mut methods = Vec::new();
        for word in words.split_ascii_whitespace() {
            match method_of(word) {
                Some(method) => methods.push(method),
                None => self.problem(
                    METHODS,
                    format_args!(
                        "'{word}' is neither tls_client_auth nor self_signed_tls_client_auth; set one or both"
                    ),
                ),
            }
        }
        let Some(origin) = origin else {
            if !methods.is_empty() {
                self.problem(ORIGIN, "is not set, but LATCHKEY_MTLS_METHODS is: set the origin at which the platform asks clients for certificates");
            }
            return None;
        };
        if !is_origin(&origin) {
            self.problem(
                ORIGIN,
                format_args!(
                    "'{origin}' is not an https origin; write https://host, without a path or a slash at the end"
                ),
            );
        }
        Some(MutualTls { origin, methods })
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

    /// Reads a setting that has one of these values.
    fn one_of<T: Copy + Default, const N: usize>(
        &mut self,
        name: &str,
        values: [T; N],
        word: fn(T) -> &'static str,
    ) -> T {
        let Some(text) = self.text(name) else { return T::default() };
        values.into_iter().find(|value| word(*value) == text).unwrap_or_else(|| {
            self.problem(name, format_args!("'{text}' is none of {}; set one of them", values.map(word).join(", ")));
            T::default()
        })
    }

    fn profile(&mut self) -> Option<Profile> {
        const NAME: &str = "LATCHKEY_PROFILE";
        let text = self.text(NAME).filter(|text| text != "none")?;
        let known = Profile::ALL.into_iter().find(|profile| profile.as_str() == text);
        if known.is_none() {
            let names = Profile::ALL.map(Profile::as_str).join(", ");
            self.problem(NAME, format_args!("'{text}' is none of none, {names}; set one of them"));
        }
        known
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
        match is_origin(&text) {
            true => {}
            false => self.problem(NAME, format_args!("'{text}' is not an https origin; write https://host, without a path, a slash at the end, a default port or capitals (http is for localhost alone)")),
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

/// True if a text is an origin, https except for localhost, as it is serialized (RFC 6454 §6.2).
fn is_origin(text: &str) -> bool {
    let url = url::Url::parse(text).ok().filter(|url| url.origin().ascii_serialization() == text);
    url.is_some_and(|url| protocol::is_secure_url(&url))
}

/// Returns the egress policy of a deployment with this issuer.
fn reach(issuer: &str) -> EgressPolicy {
    if issuer.starts_with("https://") { EgressPolicy::Public } else { EgressPolicy::Loopback }
}

impl Config {
    /// Reads the settings. Errors: every problem of the settings.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Secrets), ConfigError> {
        Self::read_with(lookup, list_problems)
    }

    /// Reads the settings, with another check of the lists among them. A list is decoded by the rules of its items in any case:
    /// resources now, issuers before the first of them is used. Errors: every problem of the settings.
    pub fn read_with(
        lookup: &dyn Fn(&str) -> Option<String>,
        check: ListCheck,
    ) -> Result<(Self, Secrets), ConfigError> {
        let mut reader = Reader { lookup, problems: Vec::new() };
        let issuer = reader.issuer();
        let reach = reach(&issuer);
        let secrets = reader.secrets();
        let epoch = reader.epoch();
        let audience = reader.text("LATCHKEY_AUDIENCE").unwrap_or_else(|| issuer.clone());
        // A request may also name the audience of tokens for no resource.
        let own = Resource::of_any_scope(audience.clone());
        let signing = reader.signing();
        let sections = reader.sections(reach, check);
        for resource in sections.resources.iter().flatten() {
            if let Some(problem) = resource.signature_problem(signing.offered()) {
                reader.problem("LATCHKEY_RESOURCES", problem);
            }
        }
        let config = Self {
            own_resources: if own.validate().is_none() { vec![own] } else { Vec::new() },
            sections,
            registration: reader.registration(),
            advertise_personal_scopes: reader.flag("LATCHKEY_ADVERTISE_PERSONAL_SCOPES"),
            audience,
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
            profile: reader.profile(),
            require_pushed_requests: reader.flag("LATCHKEY_REQUIRE_PUSHED_REQUESTS"),
            pushed_request_lifetime: reader.seconds("LATCHKEY_PUSHED_REQUEST_LIFETIME"),
            client_documents: reader.client_documents(),
            document_grants_outlive_session: reader.switch("LATCHKEY_CLIENT_DOCUMENT_OFFLINE"),
            client_document_copies: reader.switch("LATCHKEY_CLIENT_DOCUMENT_COPIES"),
            proxy: reader.proxy(),
            mutual_tls: reader.mutual_tls(),
            code_lifetime: reader.seconds("LATCHKEY_CODE_LIFETIME"),
            device_code_lifetime: reader.seconds("LATCHKEY_DEVICE_CODE_LIFETIME"),
            backchannel_webhook: reader.remote_url("LATCHKEY_BACKCHANNEL_WEBHOOK", reach),
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
            dpop_nonce: reader.one_of("LATCHKEY_DPOP_NONCE", NoncePolicy::ALL, NoncePolicy::as_str),
            dpop_replay: reader.one_of("LATCHKEY_DPOP_REPLAY", ProofReplay::ALL, ProofReplay::as_str),
            session_lifetime: reader.seconds("LATCHKEY_SESSION_LIFETIME"),
            interaction_lifetime: reader.seconds("LATCHKEY_INTERACTION_LIFETIME"),
            passwords: reader.passwords(reach),
            passkeys: reader.passkeys(&issuer),
            mail: reader.mail(&issuer, reach),
            account_deletion: reader.flag("LATCHKEY_ACCOUNT_DELETION"),
            account_email: reader.switch("LATCHKEY_ACCOUNT_EMAIL"),
            key_rotation: reader.seconds("LATCHKEY_KEY_ROTATION"),
            signing,
            admin_keys: reader.admin_keys(),
            issuer: Issuer::new(issuer),
        };
        match secrets {
            Some(secrets) if reader.problems.is_empty() => Ok((config, secrets.with_epoch(epoch))),
            _ => Err(ConfigError { problems: reader.problems }),
        }
    }

    /// Returns the header fields of the trusted proxy.
    pub fn proxy_fields(&self) -> Option<ProxyFields<'_>> {
        self.proxy.as_ref().map(TrustedProxy::fields)
    }

    /// Returns the URLs of an endpoint: that of the issuer, and its alias for mutual TLS (RFC 8705 §5).
    pub fn endpoint_urls(&self, path: &str) -> Vec<String> {
        let alias = self.mutual_tls.as_ref().map(|offered| format!("{}{path}", offered.origin));
        std::iter::once(self.issuer.endpoint(path)).chain(alias).collect()
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

    #[test]
    fn mail_has_a_sender_an_address_and_a_name() {
        let read = |set: &[(&str, &str)]| {
            let lookup = |name: &str| match name {
                "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
                "LATCHKEY_SECRET" => Some("00".repeat(32)),
                name => set.iter().find(|(setting, _)| *setting == name).map(|(_, value)| (*value).to_owned()),
            };
            Config::read(&lookup).map(|(config, _)| config.mail).map_err(|error| error.to_string())
        };
        const SENDER: (&str, &str) = ("LATCHKEY_MAIL", "webhook");
        const FROM: (&str, &str) = ("LATCHKEY_MAIL_FROM", "id@id.example");
        const URL: (&str, &str) = ("LATCHKEY_MAIL_WEBHOOK", "https://mail.example/send");
        const SECRET: (&str, &str) = ("LATCHKEY_MAIL_WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef");
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("LATCHKEY_MAIL", "none")]), Ok(None));
        let mail = read(&[SENDER, FROM, URL, SECRET]).unwrap().unwrap();
        assert_eq!((mail.sender, mail.name.as_str()), (SenderKind::Webhook, "id.example"));
        for (issuer, name) in [
            ("https://id.example", "id.example"),
            ("http://localhost:8787", "localhost"),
            ("http://127.0.0.1:8787", "127.0.0.1"),
            ("http://[::1]:8787", "localhost"),
        ] {
            let shown = HeaderText::parse(MailPolicy::default_name(issuer)).filter(MailPolicy::is_name);
            assert_eq!(shown.as_ref().map(HeaderText::as_str), Some(name));
        }
        assert!(!format!("{mail:?}").contains(SECRET.1));
        for (set, problem) in [
            (&[("LATCHKEY_MAIL", "sendmail"), FROM][..], "LATCHKEY_MAIL: 'sendmail' is none of none, ses,"),
            (&[SENDER], "LATCHKEY_MAIL_FROM: is not set"),
            (&[FROM], "LATCHKEY_MAIL: is not set"),
            (
                &[SENDER, ("LATCHKEY_MAIL_FROM", "Id <id@id.example>")],
                "LATCHKEY_MAIL_FROM: 'Id <id@id.example>' must be",
            ),
            (&[SENDER, FROM, ("LATCHKEY_MAIL_NAME", "a\nBcc: b@c.example")], "LATCHKEY_MAIL_NAME: must have"),
            (&[SENDER, FROM, ("LATCHKEY_MAIL_NAME", "https://evil.example")], "LATCHKEY_MAIL_NAME: must have"),
            (&[SENDER, FROM, URL], "LATCHKEY_MAIL_WEBHOOK_SECRET: is not set"),
            (&[SENDER, FROM, SECRET], "LATCHKEY_MAIL_WEBHOOK: is not set"),
            (&[SENDER, FROM, ("LATCHKEY_MAIL_WEBHOOK", "http://mail.example"), SECRET], "LATCHKEY_MAIL_WEBHOOK: "),
        ] {
            let problems = read(set).unwrap_err();
            assert!(problems.contains(problem), "{problems}");
        }
    }

    #[test]
    fn mutual_tls_has_an_origin() {
        let read = |origin: &str, methods: &str| {
            let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let lookup = |name: &str| match name {
                "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
                "LATCHKEY_SECRET" => Some("00".repeat(32)),
                "LATCHKEY_MTLS_ORIGIN" => set(origin),
                "LATCHKEY_MTLS_METHODS" => set(methods),
                _ => None,
            };
            Config::read(&lookup).map(|(config, _)| config).map_err(|error| error.to_string())
        };
        let config = read("https://mtls.id.example", "self_signed_tls_client_auth tls_client_auth").unwrap();
        assert_eq!(config.endpoint_urls("/token"), ["https://id.example/token", "https://mtls.id.example/token"]);
        assert_eq!(config.mutual_tls.map(|offered| offered.methods.len()), Some(2));
        assert!(read("", "").unwrap().mutual_tls.is_none());
        for (origin, methods, setting) in [
            ("https://mtls.id.example/", "", "LATCHKEY_MTLS_ORIGIN"),
            ("http://mtls.id.example", "", "LATCHKEY_MTLS_ORIGIN"),
            ("", "tls_client_auth", "LATCHKEY_MTLS_ORIGIN"),
            ("https://mtls.id.example", "private_key_jwt", "LATCHKEY_MTLS_METHODS"),
        ] {
            assert!(read(origin, methods).unwrap_err().contains(setting), "{origin} {methods}");
        }
    }

    /// A Worker has no table of members. Nevertheless no member of a list is overlooked, and no list is used that breaks a rule.
    #[test]
    fn lists_without_the_full_check_keep_their_rules() {
        let read = |name: &str, list: &str| {
            let lookup = |asked: &str| match asked {
                "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
                "LATCHKEY_SECRET" => Some("00".repeat(32)),
                asked if asked == name => Some(list.to_owned()),
                _ => None,
            };
            let (config, _) = Config::read_with(&lookup, |_, _, _| Vec::new()).map_err(|error| error.to_string())?;
            let issuers = config.sections.issuers.unwrap_or_default();
            let lists = [issuers.jwt().map(drop), issuers.saml().map(drop), issuers.software_statements().map(drop)];
            lists.into_iter().collect::<Result<(), _>>().map_err(|error| error.to_string())
        };
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let jwt = |more: &str| format!(r#"[{{"issuer":"https://i.example","jwks":{{"keys":[{key}]}}{more}}}]"#);
        let statement = format!(r#"[{{"issuer":"https://i.example","jwks":{{"keys":[{key}]}}}}]"#);
        assert_eq!(read(Sections::RESOURCES, r#"[{"resource":"https://api.example"}]"#), Ok(()));
        assert_eq!(read(Sections::JWT_ISSUERS, &jwt(r#","subject":"same""#)), Ok(()));
        assert_eq!(read(Sections::STATEMENT_ISSUERS, &statement), Ok(()));
        for (name, list, reason) in [
            (Sections::RESOURCES, "{}", "must be a list of objects"),
            (Sections::RESOURCES, "[7]", "another type"),
            (
                Sections::RESOURCES,
                r#"[{"resource":"https://a.example","scope":"x"}]"#,
                "scope: there is no such setting",
            ),
            (Sections::RESOURCES, r#"[{"resource":"a"}]"#, "must be an absolute URI"),
            (Sections::JWT_ISSUERS, "7", "must be a list of objects"),
            (Sections::JWT_ISSUERS, &jwt(""), "subject: is missing"),
            (Sections::JWT_ISSUERS, &jwt(r#","subject":"same","clinets":[]"#), "clinets: there is no such setting"),
            (Sections::JWT_ISSUERS, &jwt(r#","workloads":[{"nmae":"a"}]"#), "nmae: there is no such setting"),
            (Sections::SAML_ISSUERS, r#"[{"issuer":"s","subject":"same"}]"#, "at least one is needed"),
            (Sections::STATEMENT_ISSUERS, r#"[{"issuer":"https://i.example"}]"#, "give either jwks or jwks_uri"),
        ] {
            let error = read(name, list).unwrap_err();
            assert!(error.contains(reason), "{list}: {error}");
        }
    }
}
