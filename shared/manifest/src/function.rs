//! One row of the table.

use crate::{Access, Owner, Purpose, RecordKind, Route, Verb};
use std::time::Duration;

/// A function: one crate, one Lambda function, one Worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Function {
    /// The name of the directory below `functions/`, of the Lambda function and of the Worker, each after the prefix of the
    /// deployment.
    pub name: &'static str,
    /// One sentence for the documentation, without a full stop.
    pub about: &'static str,
    /// The way in which the function is called.
    pub role: Role,
    /// The record access, one entry for each kind of record.
    pub records: &'static [Access],
    /// The owners whose records the function may list.
    pub lists: &'static [Owner],
    /// The use of the signing keys.
    pub keys: Keys,
    /// The derived keys that the function receives, besides those that its use of the signing keys needs.
    pub secrets: &'static [Purpose],
    /// True if the function sends requests to other servers, at URLs that clients registered or the deployment trusts.
    pub calls_out: bool,
    /// True if the function must see each change of a client at once. Its Worker reads clients from the Durable Object;
    /// the other Workers read them through the cache, which may be a minute old.
    pub reads_current_clients: bool,
    /// True if the Worker limits the requests of one network before the function runs: browsers call it. Other endpoints serve
    /// the servers of clients and resource servers, which send the requests of all their users from one address.
    pub limits_networks: bool,
    /// The functions of [`Role::Service`] that the Worker calls, each through a service binding that has the function's name
    /// in capitals.
    pub services: &'static [&'static str],
    /// True if the function puts mails into the outbox. Its Worker calls the Worker `mail` after the response, which sends them.
    pub writes_mail: bool,
    /// True if the function may begin maintenance of the Durable Objects: a restore, or another number of them.
    pub maintains_records: bool,
    /// The settings that only the functions receive that name them here.
    pub settings: &'static [&'static str],
    /// Memory of the Lambda function, in MB. 1,769 MB are one processor.
    pub memory: u32,
    /// The time after which Lambda ends a run.
    pub timeout: Duration,
}

/// The way in which a function is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Requests to the routes of the authorization server.
    Endpoint(&'static [Route]),
    /// A schedule.
    Scheduled(Schedule),
    /// Requests to an API of the deployment, before they reach the API. Has neither the secret nor the records.
    Guard,
    /// Requests that a guard let through, to a sample API. Has neither the secret nor the records.
    SampleApi,
    /// Messages of other Workers, through their service bindings. Has neither the secret nor the records. On AWS and on the
    /// local server the callers contain its code.
    Service,
    /// Commands of the other Workers. The Worker owns the Durable Objects and checks the record access of each caller; AWS has
    /// DynamoDB and policies in its place.
    RecordStore,
}

/// The times at which a scheduled function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time between two runs: whole minutes.
    pub every: Duration,
    /// The same as a cron expression, for Workers.
    pub cron: &'static str,
    /// The number of times that Lambda repeats a run that failed.
    pub retries: u8,
}

/// The use of the signing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The function has no access to the keys.
    None,
    /// The function publishes the public keys, or verifies signatures with them.
    Read,
    /// The function signs some of its responses or notifications.
    Sign,
    /// The function signs nearly every response. An instance on Lambda reads the keys while its first event is on its way.
    SignAlways,
    /// The function replaces the keys on its schedule.
    Rotate,
}

impl Keys {
    /// Returns the purposes of the derived keys that this use needs.
    pub const fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::None => &[],
            Self::Read => &[Purpose::PublishedKeys],
            Self::Sign | Self::SignAlways | Self::Rotate => &[Purpose::SigningKeys, Purpose::PublishedKeys],
        }
    }

    /// True if the function may create the signing keys where there are none: it holds the key that seals them.
    pub const fn may_create(self) -> bool {
        matches!(self, Self::Sign | Self::SignAlways | Self::Rotate)
    }

    /// One word for the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "reads",
            Self::Sign | Self::SignAlways => "signs",
            Self::Rotate => "rotates",
        }
    }
}

impl Function {
    /// Memory of a Lambda function that needs no more, in MB.
    pub const MEMORY: u32 = 512;
    /// The timeout of a Lambda function that answers requests.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// A row without access to records and keys. [`FUNCTIONS`](crate::FUNCTIONS) lists what a function has beyond that.
    pub(crate) const BASE: Self = Self {
        name: "",
        about: "",
        role: Role::Guard,
        records: &[],
        lists: &[],
        keys: Keys::None,
        secrets: &[],
        calls_out: false,
        reads_current_clients: false,
        limits_networks: false,
        services: &[],
        writes_mail: false,
        maintains_records: false,
        settings: &[],
        memory: Self::MEMORY,
        timeout: Self::TIMEOUT,
    };

    /// Returns the purposes of the derived keys that the function receives, sorted.
    pub fn purposes(&self) -> Vec<Purpose> {
        let has = |purpose: &Purpose| self.secrets.contains(purpose) || self.keys.purposes().contains(purpose);
        Purpose::ALL.into_iter().filter(has).collect()
    }

    /// Returns the routes; none if the function is not an endpoint.
    pub const fn routes(&self) -> &'static [Route] {
        match self.role {
            Role::Endpoint(routes) => routes,
            _ => &[],
        }
    }

    /// Returns the route that serves the path.
    pub fn route(&self, path: &str) -> Option<&'static Route> {
        self.routes().iter().find(|route| route.serves(path))
    }

    /// Returns the schedule; `None` if the function is not scheduled.
    pub const fn schedule(&self) -> Option<Schedule> {
        match self.role {
            Role::Scheduled(schedule) => Some(schedule),
            _ => None,
        }
    }

    /// True if the function is a part of the authorization server: it has the secret and reaches the records.
    pub const fn is_server(&self) -> bool {
        matches!(self.role, Role::Endpoint(_) | Role::Scheduled(_))
    }

    /// True if the function has derived keys: the authorization server, and the owner of the Durable Objects.
    pub const fn has_keys(&self) -> bool {
        self.is_server() || matches!(self.role, Role::RecordStore)
    }

    /// True if the function exists on AWS Lambda.
    pub const fn runs_on_lambda(&self) -> bool {
        !matches!(self.role, Role::RecordStore | Role::Service)
    }

    /// True if the function may use the verb on records of this kind. False for [`Verb::List`]: see
    /// [`may_list`](Self::may_list).
    pub fn may(&self, verb: Verb, kind: RecordKind) -> bool {
        self.records.iter().any(|access| access.kind == kind && access.verbs.contains(&verb))
    }

    /// True if the function may list the records of the owner with this name.
    pub fn may_list(&self, owner: &str) -> bool {
        self.lists.iter().any(|kind| kind.matches(owner))
    }
}
