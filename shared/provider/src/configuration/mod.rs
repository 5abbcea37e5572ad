//! The configuration of a deployment: what is a list or a text. Numbers, names and secrets are settings ([`Config`]).
//!
//! It is one record of the store. Each instance caches it for at most [`CACHED_FOR`], so the record is read once a minute by
//! each instance, however many requests come. A request sees one version of it.

mod checks;
mod rules;
mod sections;

use crate::{CACHED_FOR, Config, Context, HandlerError};
pub use checks::{ListCheck, list_problems};
use manifest::{RecordKind, Verb};
use protocol::metadata_document::DocumentPolicy;
use protocol::registration::Limits;
use protocol::resource::Targets;
use protocol::{
    AuthenticationClasses, AuthorizationDetailsTypes, ClaimDefinitions, GrantType, Problem, Resource, StoredClient,
};
pub use sections::{Issuers, Sections};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::configuration::{self, StoredConfiguration};
use types::{ClientId, Scope, Timestamp};

/// Age from which an instance reads the configuration again beside a request, so that no later request waits for it.
const RENEWED_AFTER: Duration = Duration::from_secs(45);

/// The configuration, of the store or of the environment.
#[derive(Debug)]
pub struct Configuration {
    /// Version in the store; 0 if nothing is stored.
    pub version: u64,
    /// APIs that a request may name as `resource` (RFC 8707).
    pub resources: Vec<Resource>,
    /// Those of the APIs that clients which the operator did not register may request.
    pub open_resources: Vec<Resource>,
    /// Scopes of the deployment that no resource lists.
    pub scopes: Vec<String>,
    /// Scopes that clients which the operator did not register may have.
    pub registration_scopes: Scope,
    /// Trusted issuers.
    pub issuers: Issuers,
    /// Claims that the operator defined.
    pub claims: ClaimDefinitions,
    /// Scopes that release them, and that neither a specification nor a resource has.
    pub claim_scopes: Vec<String>,
    /// Types of authorization details (RFC 9396).
    pub details_types: AuthorizationDetailsTypes,
    /// Those of the types that clients which the operator did not register may use.
    pub open_details_types: AuthorizationDetailsTypes,
    /// Authentication context classes.
    pub classes: AuthenticationClasses,
}

impl Configuration {
    /// Returns the configuration of the environment alone.
    pub(crate) fn of_environment(config: &Config) -> Self {
        Self::new(config, 0, config.sections.clone())
    }

    /// Returns the configuration of environment and store. Errors: a section is in both, or this version cannot read one.
    fn of_store(config: &Config, stored: &StoredConfiguration) -> Result<Self, Problem> {
        if let Some(problem) = conflicts(config, stored.sections.keys().map(String::as_str)).into_iter().next() {
            return Err(problem);
        }
        let in_store = Sections::of_store(&stored.sections)
            .ok_or_else(|| Problem::new("configuration", "a section has a form that this version cannot read"))?;
        let of_environment = config.sections.clone();
        let sections = Sections {
            resources: in_store.resources.or(of_environment.resources),
            issuers: in_store.issuers.or(of_environment.issuers),
            claims: in_store.claims,
            authorization_details_types: in_store.authorization_details_types,
            acr: in_store.acr,
        };
        Ok(Self::new(config, stored.version, sections))
    }

    fn new(config: &Config, version: u64, sections: Sections) -> Self {
        let mut resources = sections.resources.unwrap_or_default();
        for own in &config.own_resources {
            if !resources.iter().any(|listed| listed.resource == own.resource) {
                resources.push(own.clone());
            }
        }
        let open_resources: Vec<Resource> =
            resources.iter().filter(|resource| resource.registered_clients).cloned().collect();
        let registration_scopes = open_resources
            .iter()
            .fold(config.registration.scopes.clone(), |scopes, resource| scopes.with(&resource.scopes));
        let issuers = sections.issuers.unwrap_or_default();
        let claims = sections.claims.unwrap_or_default();
        let is_of_resource = |scope: &str| resources.iter().any(|resource| resource.scopes.contains(scope));
        // Filled one by one: `collect` would add a sort to every Worker.
        let mut claim_scopes: BTreeSet<&str> = BTreeSet::new();
        claim_scopes.extend(claims.scopes().filter(|scope| !is_of_resource(scope)));
        let claim_scopes = claim_scopes.into_iter().map(str::to_owned).collect();
        let scopes = config.scopes.clone();
        let details_types = sections.authorization_details_types.unwrap_or_default();
        let open_details_types = details_types.for_registered_clients();
        let classes = sections.acr.unwrap_or_default();
        Self {
            version,
            resources,
            open_resources,
            scopes,
            registration_scopes,
            issuers,
            claims,
            claim_scopes,
            details_types,
            open_details_types,
            classes,
        }
    }

    /// Returns the resources and scopes that a client may request.
    pub fn targets(&self, client: &StoredClient) -> Targets<'_> {
        let resources = if client.origin.is_operator() { &self.resources } else { &self.open_resources };
        let details_types = self.details_types_of(client);
        Targets {
            resources,
            scopes: &self.scopes,
            claim_scopes: &self.claim_scopes,
            claims: &self.claims,
            details_types,
            classes: &self.classes,
        }
    }

    /// Returns the types of authorization details that are open to a client.
    pub const fn details_types_of(&self, client: &StoredClient) -> &AuthorizationDetailsTypes {
        if client.origin.is_operator() { &self.details_types } else { &self.open_details_types }
    }

    /// Returns the words for users of a scope, if a resource or a claim describes it.
    pub fn scope_description(&self, scope: &str) -> Option<&str> {
        let of_resource = self.resources.iter().find_map(|resource| resource.scope_descriptions.get(scope));
        of_resource.map(String::as_str).or_else(|| self.claims.description(scope))
    }

    /// True if there is a rule for the workload with this `client_id`.
    pub fn has_workload(&self, client_id: &ClientId) -> bool {
        self.issuers.have_workload(client_id)
    }

    /// True if the deployment accepts ID-JAGs.
    pub fn accepts_id_jags(&self) -> bool {
        self.issuers.have_id_jags()
    }

    /// Returns the grants that this deployment offers. SAML assertions need a trusted issuer; a client with keys may assert for
    /// itself.
    pub fn grant_types(&self) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.iter().copied().filter(|grant| match grant {
            GrantType::Saml2Bearer => self.issuers.have_saml(),
            _ => true,
        })
    }

    /// Returns what is probably not meant: for the log, and for the operator who applies the configuration.
    pub fn warnings(&self, config: &Config) -> Vec<&'static str> {
        let has_open_clients = config.registration.open || config.client_documents != DocumentPolicy::Off;
        let listed = |resources: &[Resource]| resources.iter().any(|resource| !resource.scopes.is_empty());
        let mut warnings = Vec::new();
        if has_open_clients && listed(&self.resources) && !listed(&self.open_resources) {
            warnings.push("no client that registers itself or has a metadata document can get a scope of a resource: set registered_clients of a resource, or close registration and set LATCHKEY_CLIENT_DOCUMENTS=off");
        }
        if self.resources.iter().any(|resource| resource.signature_problem(config.signing.offered()).is_some()) {
            warnings.push("a resource wants its access tokens signed by a key type of LATCHKEY_OMITTED_KEY_TYPES: they are signed by RS256");
        }
        let is_known = |uri: &str| self.resources.iter().any(|resource| resource.resource == uri);
        if self.details_types.resources().any(|uri| !is_known(uri)) {
            warnings.push("a type of authorization details is for a resource that the configuration lacks: requests with it are refused");
        }
        warnings
    }
}

/// Returns a problem for each section that the environment sets, too.
pub fn conflicts<'a>(config: &Config, sections: impl Iterator<Item = &'a str>) -> Vec<Problem> {
    let in_environment = |section: &str| match section {
        "resources" => config.sections.resources.is_some().then_some("LATCHKEY_RESOURCES"),
        "issuers" => config.sections.issuers.is_some().then_some(
            "LATCHKEY_TRUSTED_ISSUERS, LATCHKEY_TRUSTED_SAML_ISSUERS or LATCHKEY_SOFTWARE_STATEMENT_ISSUERS",
        ),
        _ => None,
    };
    let conflict = |section: &str| {
        let rule = format!(
            "is set by the environment, too ({}): remove it there, or remove the section with `latchkey config apply`",
            in_environment(section)?
        );
        Some(Problem::new(section.to_owned(), rule))
    };
    sections.filter_map(conflict).collect()
}

/// True if the requests of a function are answered under the configuration. The functions of the administration, which read the admin
/// keys, need the current version and read the record themselves.
fn is_reader(function: &manifest::Function) -> bool {
    let may = |kind| function.may(Verb::Get, kind);
    may(RecordKind::Configuration) && !may(RecordKind::AdminKey)
}

/// The configuration that an instance read last.
#[derive(Default)]
pub(crate) struct ConfigurationCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// The version that was read last.
    version: u64,
    /// The time of the read, and what was read.
    read: Option<(Timestamp, Arc<Configuration>)>,
}

impl ConfigurationCache {
    /// Returns the configuration and its age. One that was read after `now` does not count.
    fn get(&self, now: Timestamp) -> Option<(Duration, Arc<Configuration>)> {
        let cached = self.lock();
        let (read_at, configuration) = cached.read.as_ref()?;
        (*read_at <= now).then(|| (now.since(*read_at), Arc::clone(configuration)))
    }

    /// Stores what was read. Returns the version before; 0 if there was none.
    fn put(&self, configuration: &Arc<Configuration>, now: Timestamp) -> u64 {
        let mut cached = self.lock();
        let before = cached.version;
        *cached = Cached { version: configuration.version, read: Some((now, Arc::clone(configuration))) };
        before
    }

    fn forget(&self) {
        self.lock().read = None;
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Returns this context with the configuration for one request of the function. It is at most [`CACHED_FOR`] old. Round
    /// trips: 1 if none is cached; 0 for a function that reads no configuration.
    pub async fn with_configuration(
        &self,
        function: &manifest::Function,
        now: Timestamp,
    ) -> Result<Cow<'_, Self>, HandlerError> {
        if !is_reader(function) {
            return Ok(Cow::Borrowed(self));
        }
        let configuration = match self.configurations.get(now) {
            Some((age, cached)) if age < CACHED_FOR => cached,
            _ => self.current_configuration(now).await?,
        };
        if Arc::ptr_eq(&configuration, &self.configuration) {
            return Ok(Cow::Borrowed(self));
        }
        Ok(Cow::Owned(self.under(configuration)))
    }

    /// Reads the configuration again if the cached one ends soon: a request calls this beside its own work. Round trips: 0; 1 in
    /// the last quarter of a minute.
    pub(crate) async fn renew_configuration(&self, function: &manifest::Function, now: Timestamp) {
        if is_reader(function)
            && self.configurations.get(now).is_some_and(|(age, _)| (RENEWED_AFTER..CACHED_FOR).contains(&age))
        {
            // The request that needs a new one reports a fault.
            drop(self.current_configuration(now).await);
        }
    }

    /// Drops the cached configuration: the next request reads it again.
    pub fn forget_configuration(&self) {
        self.configurations.forget();
    }

    /// Returns the configuration that is stored now. A new version empties the cache of clients, whose scopes depend on it. Round
    /// trips: 1. Errors: `temporarily_unavailable` if a section is in the environment, too.
    pub async fn current_configuration(&self, now: Timestamp) -> Result<Arc<Configuration>, HandlerError> {
        let configuration = match configuration::find(self.records.as_ref()).await? {
            None => Arc::clone(&self.of_environment),
            Some(stored) => {
                let read = Configuration::of_store(&self.config, &stored);
                Arc::new(read.map_err(|problem| HandlerError::unavailable(format!("configuration: {problem}")))?)
            }
        };
        let before = self.configurations.put(&configuration, now);
        if before != configuration.version {
            self.clients.clear();
            for warning in configuration.warnings(&self.config) {
                (self.log)(&json!({ "warning": warning, "configuration": configuration.version }).to_string());
            }
        }
        Ok(configuration)
    }

    /// Returns the configuration that these sections make.
    pub fn configured(&self, version: u64, sections: Sections) -> Configuration {
        Configuration::new(&self.config, version, sections)
    }

    /// Returns the limits of the metadata of clients that the operator did not register.
    pub fn registration_limits(&self) -> Limits<'_> {
        let (scopes, signing) = (&self.configuration.registration_scopes, self.config.signing.offered());
        let (details_types, config) = (&self.configuration.open_details_types, &*self.config);
        let Config { registration, profile, mutual_tls, .. } = config;
        registration.limits(scopes, details_types, *profile, signing, mutual_tls.as_ref(), self.fetch.reach())
    }

    /// True if a grant of this client for these resources outlives the session of the sign-in without `offline_access`.
    pub fn grant_outlives_session(&self, stored: &StoredClient, resources: &[String]) -> bool {
        let has_tokens = stored.client.may_use(GrantType::RefreshToken);
        let of_resource =
            |resource: &Resource| resource.grants_outlive_session && resources.contains(&resource.resource);
        let is_set = stored.client.grants_outlive_session
            || (stored.is_document() && self.config.document_grants_outlive_session)
            || self.configuration.resources.iter().any(of_resource);
        has_tokens && is_set
    }
}
