//! The table.

use crate::{Access, Function, Keys, Owner, Purpose, RecordKind, Role, Route, Schedule, Verb};
use RecordKind::{
    AdminKey, Client, Configuration, Consent, Counter, Credential, Device, Grant, GrantCheck, Logo, Logout, Mail,
    Marker, Passkey, Pushed, Registration, SecondFactor, Session, SignOut, User, UserIndex,
};
use Verb::{Advance, Count, Create, Delete, Get};
use http::Method;
use std::time::Duration;

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const GET_POST: &[Method] = &[Method::GET, Method::POST];
const GET_PUT_DELETE: &[Method] = &[Method::GET, Method::PUT, Method::DELETE];
const GET_PUT: &[Method] = &[Method::GET, Method::PUT];
const GET_POST_PUT_DELETE: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::DELETE];

const fn route(path: &'static str, methods: &'static [Method]) -> Route {
    Route { path, methods, cors: false, is_page: false }
}

const fn page(path: &'static str, methods: &'static [Method]) -> Route {
    Route { path, methods, cors: false, is_page: true }
}

const fn cors(path: &'static str, methods: &'static [Method]) -> Route {
    Route { path, methods, cors: true, is_page: false }
}

const fn health(path: &'static str) -> Route {
    Route { path, methods: GET, cors: false, is_page: false }
}

const fn access(kind: RecordKind, verbs: &'static [Verb]) -> Access {
    Access { kind, verbs }
}

/// The access that the first use of the signing keys needs: it creates them if there are none.
const KEYS: Access = access(RecordKind::Keys, &[Get, Create]);
/// The access of a function that only verifies or publishes.
const PUBLISHED_KEYS: Access = access(RecordKind::Keys, &[Get]);
/// The access of a function that needs the configured resources, claims or issuers.
const CONFIGURATION: Access = access(Configuration, &[Get]);

/// The settings of functions that administrators call.
const ADMINISTRATION: &[&str] = &["LATCHKEY_ADMIN", "LATCHKEY_ADMIN_KEY"];

/// The settings of the function that sends mails.
const MAIL_SECRETS: &[&str] = &["LATCHKEY_MAIL_WEBHOOK", "LATCHKEY_MAIL_WEBHOOK_SECRET"];

/// Every function, by name.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "account",
        about: "Account page: applications with access, sessions, passkeys, the password, download and deletion of the account",
        role: Role::Endpoint(&[
            page("/account", GET),
            page("/account/application", GET_POST),
            page("/account/authenticator", GET_POST),
            page("/account/data", GET),
            page("/account/deletion", GET_POST),
            page("/account/email", GET_POST),
            page("/account/passkey", GET_POST),
            page("/account/passkey/new", GET_POST),
            page("/account/password", GET_POST),
            page("/account/recovery-codes", GET_POST),
            page("/account/session", GET_POST),
            page("/account/sign-in", GET),
            // It redirects, and browsers and password managers ask for it.
            cors("/.well-known/change-password", GET),
            cors("/.well-known/passkey-endpoints", GET),
            health("/health/account"),
        ]),
        records: &[
            access(Client, &[Get]),
            access(User, &[Get, Advance, Delete]),
            access(UserIndex, &[Get, Create, Advance]),
            access(Credential, &[Advance, Delete]),
            access(Passkey, &[Create, Advance, Delete]),
            access(SecondFactor, &[Get, Create, Advance, Delete]),
            access(Marker, &[Create]),
            access(Session, &[Get, Create, Advance]),
            access(Consent, &[Advance]),
            access(Grant, &[Advance]),
            access(Logout, &[Create, Delete]),
            access(SignOut, &[Create]),
            access(Counter, &[Count]),
            access(Mail, &[Create]),
            KEYS,
            CONFIGURATION,
        ],
        lists: &[Owner::User],
        keys: Keys::Sign,
        // It notifies the clients of a session that ends, and looks new passwords up.
        calls_out: true,
        services: &["passwords"],
        writes_mail: true,
        secrets: &[
            Purpose::Token,
            Purpose::Interaction,
            Purpose::Form,
            Purpose::Counter,
            Purpose::Pairwise,
            Purpose::SecondFactor,
            Purpose::Mail,
        ],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "admin",
        about: "Administration of clients, signing keys and admin keys, for the `latchkey` command",
        role: Role::Endpoint(&[route("/admin/", GET_POST_PUT_DELETE), health("/health/admin")]),
        records: &[
            access(Client, &[Get, Create, Advance, Delete]),
            access(Registration, &[Get, Advance]),
            access(Marker, &[Create]),
            access(Counter, &[Count]),
            access(RecordKind::Keys, &[Get, Create, Advance]),
            access(AdminKey, &[Get, Create, Advance, Delete]),
            access(Logo, &[Create, Delete]),
        ],
        lists: &[Owner::Clients, Owner::AdminKeys],
        settings: ADMINISTRATION,
        keys: Keys::Sign,
        reads_current_clients: true,
        // It seals initial access tokens.
        secrets: &[Purpose::Token, Purpose::Counter],
        ..Function::BASE
    },
    Function {
        name: "admin-users",
        about: "Administration of users, for the `latchkey` command",
        role: Role::Endpoint(&[
            route("/admin/users", GET_POST_PUT_DELETE),
            route("/admin/users/", GET_POST_PUT_DELETE),
            health("/health/admin-users"),
        ]),
        records: &[
            access(Client, &[Get]),
            access(User, &[Get, Create, Advance, Delete]),
            access(UserIndex, &[Get, Create, Advance]),
            access(Credential, &[Create, Advance, Delete]),
            access(Passkey, &[Delete]),
            access(SecondFactor, &[Delete]),
            access(Session, &[Advance]),
            access(Consent, &[Advance]),
            access(Grant, &[Advance]),
            access(Logout, &[Create, Delete]),
            access(SignOut, &[Create]),
            access(Marker, &[Create]),
            access(Counter, &[Count]),
            access(Mail, &[Create]),
            KEYS,
            access(AdminKey, &[Get]),
            CONFIGURATION,
        ],
        lists: &[Owner::Users, Owner::User],
        settings: ADMINISTRATION,
        keys: Keys::Sign,
        calls_out: true,
        services: &["passwords"],
        writes_mail: true,
        // It signs logout tokens, which have the `sub` of each client.
        secrets: &[Purpose::Counter, Purpose::Pairwise],
        ..Function::BASE
    },
    Function {
        name: "authorize",
        about: "Authorization endpoint: checks the request, and redirects to the next page or back to the client",
        role: Role::Endpoint(&[page("/authorize", GET_POST), health("/health/authorize")]),
        records: &[
            access(Client, &[Get, Create, Advance]),
            access(Session, &[Get]),
            access(Consent, &[Get]),
            access(User, &[Get]),
            access(Pushed, &[Get, Advance]),
            access(Marker, &[Create]),
            access(Grant, &[Get, Create]),
            access(Counter, &[Count]),
            access(GrantCheck, &[Create]),
            KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Sign,
        calls_out: true,
        secrets: &[
            Purpose::Token,
            Purpose::Interaction,
            Purpose::Form,
            Purpose::Counter,
            Purpose::Pairwise,
            Purpose::RequestObject,
            Purpose::RequestObjectPublic,
        ],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "authorizer",
        about: "Guard of an API: a Lambda authorizer of API Gateway, and a Worker before the API",
        role: Role::Guard,
        calls_out: true,
        ..Function::BASE
    },
    Function {
        name: "backchannel",
        about: "Backchannel authentication endpoint (OpenID Connect CIBA) and the pages of its requests",
        role: Role::Endpoint(&[
            route("/bc-authorize", POST),
            page("/requests", GET_POST),
            health("/health/backchannel"),
        ]),
        records: &[
            access(Client, &[Get]),
            access(Session, &[Get]),
            access(User, &[Get]),
            access(Device, &[Get, Create, Advance]),
            access(Grant, &[Get, Create, Advance]),
            access(GrantCheck, &[Create]),
            access(Marker, &[Create]),
            access(Logout, &[Create, Delete]),
            access(Counter, &[Count]),
            KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Sign,
        calls_out: true,
        secrets: &[
            Purpose::Token,
            Purpose::Interaction,
            Purpose::Form,
            Purpose::Counter,
            Purpose::Pairwise,
            Purpose::Notice,
        ],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "configuration",
        about: "Configuration of resources, claims and trusted issuers, for the `latchkey` command",
        role: Role::Endpoint(&[route("/admin/configuration", GET_PUT), health("/health/configuration")]),
        records: &[
            access(Marker, &[Create]),
            access(Counter, &[Count]),
            access(AdminKey, &[Get]),
            access(Configuration, &[Get, Create, Advance]),
        ],
        settings: ADMINISTRATION,
        secrets: &[Purpose::Counter],
        ..Function::BASE
    },
    Function {
        name: "consent",
        about: "Consent page; answers the request that the user allows",
        role: Role::Endpoint(&[page("/consent", GET_POST), health("/health/consent")]),
        records: &[
            access(Client, &[Get, Advance]),
            access(Session, &[Get]),
            access(Consent, &[Create, Advance]),
            access(User, &[Get]),
            access(Pushed, &[Get, Advance]),
            access(Marker, &[Create]),
            access(Grant, &[Get, Create]),
            access(GrantCheck, &[Create]),
            KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Sign,
        calls_out: true,
        secrets: &[Purpose::Token, Purpose::Interaction, Purpose::Form, Purpose::Pairwise],
        limits_networks: true,
        ..Function::BASE
    },
    Function { name: "demo-api", about: "Sample API behind the guard", role: Role::SampleApi, ..Function::BASE },
    Function {
        name: "device",
        about: "Device authorization endpoint (RFC 8628) and its verification page",
        role: Role::Endpoint(&[
            cors("/device_authorization", POST),
            page("/device", GET_POST),
            health("/health/device"),
        ]),
        records: &[
            access(Client, &[Get, Create, Advance]),
            access(Session, &[Get]),
            access(User, &[Get]),
            access(Device, &[Get, Create, Delete]),
            access(Grant, &[Create, Advance]),
            access(GrantCheck, &[Create]),
            access(Marker, &[Create]),
            access(Counter, &[Count]),
            CONFIGURATION,
        ],
        calls_out: true,
        secrets: &[
            Purpose::Token,
            Purpose::Interaction,
            Purpose::Form,
            Purpose::Counter,
            Purpose::Pairwise,
            Purpose::UserCode,
        ],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "discovery",
        about: "Metadata of the server, signed too (OpenID Connect Discovery, RFC 8414)",
        role: Role::Endpoint(&[
            cors("/.well-known/openid-configuration", GET),
            cors("/.well-known/oauth-authorization-server", GET),
            health("/health/discovery"),
        ]),
        records: &[KEYS, CONFIGURATION],
        keys: Keys::Sign,
        ..Function::BASE
    },
    Function {
        name: "introspect",
        about: "Introspection endpoint (RFC 7662, RFC 9701)",
        role: Role::Endpoint(&[route("/introspect", POST), health("/health/introspect")]),
        records: &[
            access(Client, &[Get]),
            access(User, &[Get]),
            access(Grant, &[Get]),
            access(Marker, &[Get, Create]),
            access(Counter, &[Count]),
            KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Sign,
        calls_out: true,
        secrets: &[Purpose::Token, Purpose::AccessToken, Purpose::Counter, Purpose::Pairwise],
        ..Function::BASE
    },
    Function {
        name: "login",
        about: "Sign-in page",
        role: Role::Endpoint(&[page("/login", GET_POST), health("/health/login")]),
        records: &[
            access(Client, &[Get]),
            access(Credential, &[Get, Advance]),
            access(Passkey, &[Get, Advance]),
            access(SecondFactor, &[Get, Advance]),
            access(Marker, &[Create]),
            access(User, &[Get]),
            access(Session, &[Get, Create, Advance]),
            access(Grant, &[Advance]),
            access(Logout, &[Create]),
            access(SignOut, &[Create]),
            access(Counter, &[Count]),
            access(Mail, &[Create]),
            CONFIGURATION,
        ],
        lists: &[Owner::User],
        writes_mail: true,
        // Argon2 takes as long as the share of a processor that the memory buys.
        memory: 1769,
        secrets: &[
            Purpose::Token,
            Purpose::Interaction,
            Purpose::Form,
            Purpose::Counter,
            Purpose::Pairwise,
            Purpose::SecondFactor,
        ],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "logout",
        about: "RP-initiated logout (OpenID Connect), and logout notifications to clients",
        role: Role::Endpoint(&[page("/logout", GET_POST), health("/health/logout")]),
        records: &[
            access(Client, &[Get]),
            access(User, &[Get, Advance]),
            access(Credential, &[Advance]),
            access(Session, &[Get, Advance]),
            access(Grant, &[Advance]),
            access(Logout, &[Create, Delete]),
            access(SignOut, &[Create]),
            KEYS,
        ],
        lists: &[Owner::User],
        keys: Keys::Sign,
        calls_out: true,
        secrets: &[Purpose::Token, Purpose::Interaction, Purpose::Form, Purpose::Pairwise],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "mail",
        about: "Sends the mails of the outbox, and repeats those that failed",
        role: Role::Scheduled(Schedule { every: Duration::from_mins(1), cron: "* * * * *", retries: 0 }),
        records: &[
            access(User, &[Get]),
            access(UserIndex, &[Get]),
            access(Counter, &[Count]),
            access(Mail, &[Get, Advance, Delete]),
        ],
        lists: &[Owner::Mails],
        settings: MAIL_SECRETS,
        // A webhook of the operator.
        calls_out: true,
        timeout: Duration::from_secs(60),
        secrets: &[Purpose::Counter, Purpose::Mail],
        ..Function::BASE
    },
    Function {
        name: "maintenance",
        about: "Maintenance of the records on Cloudflare, for the `latchkey` command: a restore, another number of objects",
        role: Role::Endpoint(&[route("/admin/records/", POST), health("/health/maintenance")]),
        records: &[access(Counter, &[Count]), access(AdminKey, &[Get])],
        settings: ADMINISTRATION,
        maintains_records: true,
        secrets: &[Purpose::Counter],
        ..Function::BASE
    },
    Function {
        name: "metadata",
        about: "The JWK Set, logos of clients, and the page at the root",
        role: Role::Endpoint(&[
            cors("/jwks", GET),
            route("/logos/", GET),
            page("/", GET),
            health("/health"),
            health("/health/metadata"),
        ]),
        records: &[access(Logo, &[Get]), PUBLISHED_KEYS],
        keys: Keys::Read,
        // It publishes the key for request objects, and cannot decrypt one.
        secrets: &[Purpose::RequestObjectPublic],
        ..Function::BASE
    },
    Function {
        name: "notify",
        about: "Scheduled: finishes sign-outs and repeats logout notifications that clients did not accept",
        role: Role::Scheduled(Schedule { every: Duration::from_mins(1), cron: "* * * * *", retries: 0 }),
        records: &[
            access(Client, &[Get]),
            access(Session, &[Advance]),
            access(Grant, &[Advance]),
            access(Logout, &[Create, Advance, Delete]),
            access(SignOut, &[Advance, Delete]),
            access(GrantCheck, &[Delete]),
            KEYS,
        ],
        lists: &[Owner::User, Owner::Logouts, Owner::SignOuts],
        keys: Keys::Sign,
        calls_out: true,
        timeout: Duration::from_secs(60),
        secrets: &[Purpose::Pairwise, Purpose::Notice],
        ..Function::BASE
    },
    Function {
        name: "par",
        about: "Pushed authorization requests (RFC 9126)",
        role: Role::Endpoint(&[cors("/par", POST), health("/health/par")]),
        records: &[
            access(Client, &[Get, Create, Advance]),
            access(Pushed, &[Create]),
            access(Marker, &[Create]),
            access(Counter, &[Count]),
            PUBLISHED_KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Read,
        calls_out: true,
        secrets: &[Purpose::Token, Purpose::Counter, Purpose::RequestObject, Purpose::RequestObjectPublic],
        ..Function::BASE
    },
    Function {
        name: "passwords",
        about: "Judges and hashes new passwords for `account`, `admin-users` and `recovery`; only on Cloudflare",
        role: Role::Service,
        ..Function::BASE
    },
    Function {
        name: "records",
        about: "Owner of the Durable Objects, which check the record access of each function; only on Cloudflare",
        role: Role::RecordStore,
        secrets: &[Purpose::Records],
        ..Function::BASE
    },
    Function {
        name: "recovery",
        about: "Password reset by mail, and the links of security notices",
        role: Role::Endpoint(&[page("/recovery", GET_POST), health("/health/recovery")]),
        records: &[
            access(Client, &[Get]),
            access(User, &[Get, Advance]),
            access(UserIndex, &[Get, Create, Advance]),
            access(Credential, &[Create, Advance]),
            access(Passkey, &[Delete]),
            access(SecondFactor, &[Get, Delete]),
            access(Session, &[Advance]),
            access(Grant, &[Advance]),
            access(Marker, &[Get, Create]),
            access(Logout, &[Create, Delete]),
            access(SignOut, &[Create]),
            access(Counter, &[Count]),
            access(Mail, &[Create]),
            KEYS,
        ],
        lists: &[Owner::User],
        keys: Keys::Sign,
        // It notifies the clients of sessions that end, and looks new passwords up.
        calls_out: true,
        services: &["passwords"],
        writes_mail: true,
        secrets: &[Purpose::Form, Purpose::Counter, Purpose::Pairwise, Purpose::Mail],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "register",
        about: "Dynamic client registration and its management (RFC 7591, RFC 7592)",
        role: Role::Endpoint(&[
            cors("/register", POST),
            cors("/register/", GET_PUT_DELETE),
            health("/health/register"),
        ]),
        records: &[
            access(Client, &[Get, Create, Advance, Delete]),
            access(Registration, &[Get, Create, Advance, Delete]),
            access(Counter, &[Count]),
            PUBLISHED_KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Read,
        calls_out: true,
        reads_current_clients: true,
        secrets: &[Purpose::Token, Purpose::ClientSecret, Purpose::Counter],
        limits_networks: true,
        ..Function::BASE
    },
    Function {
        name: "revoke",
        about: "Revocation endpoint (RFC 7009)",
        role: Role::Endpoint(&[cors("/revoke", POST), health("/health/revoke")]),
        records: &[
            access(Client, &[Get]),
            access(Grant, &[Get, Advance]),
            access(Marker, &[Create]),
            access(Counter, &[Count]),
            PUBLISHED_KEYS,
        ],
        keys: Keys::Read,
        calls_out: true,
        secrets: &[Purpose::Token, Purpose::AccessToken, Purpose::Counter],
        ..Function::BASE
    },
    Function {
        name: "rotate",
        about: "Scheduled: rotates the signing keys",
        role: Role::Scheduled(Schedule { every: Duration::from_mins(60), cron: "17 * * * *", retries: 3 }),
        records: &[access(RecordKind::Keys, &[Get, Create, Advance])],
        keys: Keys::Rotate,
        timeout: Duration::from_secs(60),
        ..Function::BASE
    },
    Function {
        name: "saml",
        about: "Checks SAML assertions for `token` (RFC 7522); only on Cloudflare",
        role: Role::Service,
        ..Function::BASE
    },
    Function {
        name: "token",
        about: "Token endpoint (RFC 6749 §3.2)",
        role: Role::Endpoint(&[cors("/token", POST), health("/health/token")]),
        records: &[
            access(Client, &[Get, Create, Advance]),
            access(Registration, &[Get, Advance]),
            access(Grant, &[Get, Create, Advance]),
            access(Device, &[Get, Advance]),
            access(User, &[Get]),
            access(Marker, &[Get, Create]),
            access(Counter, &[Count]),
            KEYS,
            CONFIGURATION,
        ],
        keys: Keys::SignAlways,
        calls_out: true,
        services: &["saml"],
        secrets: &[Purpose::Token, Purpose::AccessToken, Purpose::Counter, Purpose::Pairwise],
        ..Function::BASE
    },
    Function {
        name: "userinfo",
        about: "UserInfo endpoint (OpenID Connect Core §5.3)",
        role: Role::Endpoint(&[cors("/userinfo", GET_POST), health("/health/userinfo")]),
        records: &[
            access(Client, &[Get]),
            access(User, &[Get]),
            access(Grant, &[Get]),
            access(Marker, &[Create]),
            KEYS,
            CONFIGURATION,
        ],
        keys: Keys::Sign,
        calls_out: true,
        secrets: &[Purpose::Token, Purpose::AccessToken, Purpose::Pairwise],
        ..Function::BASE
    },
];

/// The name of the function that sends mails.
pub const MAIL: &str = "mail";

/// Returns the row of the function with this name.
///
/// Meant for constants: `const ROW: Function = manifest::function("token");` makes a missing row a compile error, and puts
/// no other row into the program.
#[must_use]
#[expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler"
)]
pub const fn function(name: &str) -> Function {
    let mut index = 0;
    while index < FUNCTIONS.len() {
        if equal(FUNCTIONS[index].name.as_bytes(), name.as_bytes()) {
            return FUNCTIONS[index];
        }
        index += 1;
    }
    panic!("the manifest has no function with this name")
}

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Returns the function and the route that serve the path: the longest of several, as API Gateway and Cloudflare choose.
pub fn find_route(path: &str) -> Option<(&'static Function, &'static Route)> {
    let routes = FUNCTIONS.iter().filter_map(|function| Some((function, function.route(path)?)));
    routes.max_by_key(|(_, route)| route.path.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_sorted() {
        assert!(FUNCTIONS.is_sorted_by(|one, next| one.name < next.name));
        const TOKEN: Function = function("token");
        assert_eq!(TOKEN.name, "token");
    }

    #[test]
    fn each_path_has_one_function() {
        let routes: Vec<_> = FUNCTIONS.iter().flat_map(Function::routes).collect();
        let paths: BTreeSet<_> = routes.iter().map(|route| route.path).collect();
        assert_eq!(paths.len(), routes.len());
        for function in FUNCTIONS {
            for route in function.routes() {
                let path = if route.below().is_some() { &format!("{}x", route.path) } else { route.path };
                assert_eq!(find_route(path).unwrap(), (function, route));
            }
        }
        assert_eq!(find_route("/admin").map(|(function, _)| function.name), None);
        assert_eq!(find_route("/admin/records").map(|(function, _)| function.name), Some("admin"));
        for path in ["/admin/users", "/admin/users/", "/admin/users/a/b"] {
            assert_eq!(find_route(path).map(|(function, _)| function.name), Some("admin-users"), "{path}");
        }
        assert_eq!(find_route("/admin/records/a").map(|(function, _)| function.name), Some("maintenance"));
        assert_eq!(find_route("/register/a/b").map(|(function, _)| function.name), Some("register"));
    }

    #[test]
    fn each_endpoint_tells_its_version() {
        for function in FUNCTIONS.iter().filter(|function| !function.routes().is_empty()) {
            let path = format!("{}/{}", Route::HEALTH, function.name);
            assert!(function.route(&path).is_some_and(Route::is_health), "{}", function.name);
        }
        assert_eq!(find_route(Route::HEALTH).map(|(function, _)| function.name), Some("metadata"));
    }

    #[test]
    fn record_access_has_one_order() {
        for function in FUNCTIONS {
            let kinds: BTreeSet<_> = function.records.iter().map(|access| access.kind).collect();
            assert_eq!(kinds.len(), function.records.len(), "{}", function.name);
            for access in function.records {
                assert!(access.verbs.is_sorted() && !access.verbs.is_empty(), "{} {}", function.name, access.kind);
                assert!(!access.verbs.contains(&Verb::List), "{} {}", function.name, access.kind);
            }
        }
    }

    #[test]
    fn only_the_server_reaches_records_and_keys() {
        for function in FUNCTIONS {
            let keys = function.may(Get, RecordKind::Keys);
            assert_eq!(keys, function.keys != Keys::None, "{}", function.name);
            assert!(function.is_server() || (function.records.is_empty() && function.lists.is_empty()));
        }
    }

    #[test]
    fn each_function_has_the_keys_of_what_it_does() {
        for function in FUNCTIONS {
            let purposes = function.purposes();
            let has = |purpose| purposes.contains(&purpose);
            let named = function.secrets.len() + function.keys.purposes().len();
            assert_eq!(purposes.len(), named, "{}: one twice", function.name);
            assert_eq!(function.may(Count, Counter), has(Purpose::Counter), "{}", function.name);
            let creates_keys = function.may(Create, RecordKind::Keys);
            assert_eq!(creates_keys, has(Purpose::SigningKeys), "{}", function.name);
            assert_eq!(function.may(Get, RecordKind::Keys), has(Purpose::PublishedKeys), "{}", function.name);
            assert!(function.has_keys() || purposes.is_empty(), "{}", function.name);
            assert_eq!(function.role == Role::RecordStore, has(Purpose::Records), "{}", function.name);
            assert!(function.is_server() || purposes.iter().all(|purpose| *purpose == Purpose::Records));
        }
    }

    #[test]
    fn only_functions_that_read_requests_decrypt_request_objects() {
        let have = |purpose| {
            let have = FUNCTIONS.iter().filter(move |function| function.purposes().contains(&purpose));
            have.map(|function| function.name).collect::<Vec<_>>()
        };
        assert_eq!(have(Purpose::RequestObject), ["authorize", "par"]);
        assert_eq!(have(Purpose::RequestObjectPublic), ["authorize", "metadata", "par"]);
    }

    #[test]
    fn only_login_reads_credentials() {
        let readers = FUNCTIONS.iter().filter(|function| function.may(Get, Credential)).map(|function| function.name);
        assert_eq!(readers.collect::<Vec<_>>(), ["login"]);
    }

    #[test]
    fn only_the_administration_reaches_admin_keys_and_their_settings() {
        for function in FUNCTIONS {
            let is_administration = function.routes().iter().any(|route| route.path.starts_with("/admin/"));
            assert_eq!(function.may(Get, AdminKey), is_administration, "{}", function.name);
            let has_settings = function.settings.iter().any(|setting| ADMINISTRATION.contains(setting));
            assert_eq!(has_settings, is_administration, "{}", function.name);
            let is_admin = function.name == "admin";
            let changes = Verb::ALL.into_iter().filter(|verb| *verb != Get && function.may(*verb, AdminKey));
            assert_eq!(changes.count() != 0, is_admin, "{}", function.name);
            assert_eq!(function.may_list("admin-keys/b7"), is_admin, "{}", function.name);
            assert_eq!(function.maintains_records, function.name == "maintenance", "{}", function.name);
        }
    }

    #[test]
    fn only_the_administration_writes_the_configuration() {
        for function in FUNCTIONS {
            let writes = [Create, Advance, Delete].into_iter().any(|verb| function.may(verb, Configuration));
            assert_eq!(writes, function.name == "configuration", "{}", function.name);
        }
    }

    #[test]
    fn services_are_functions_without_routes_and_keys() {
        for function in FUNCTIONS {
            for name in function.services {
                let service = FUNCTIONS.iter().find(|service| service.name == *name).unwrap();
                assert_eq!(service.role, Role::Service, "{name} of {}", function.name);
            }
            if function.role == Role::Service {
                assert!(!function.is_server() && !function.runs_on_lambda(), "{}", function.name);
                assert!(function.routes().is_empty() && function.keys == Keys::None, "{}", function.name);
                assert!(FUNCTIONS.iter().any(|caller| caller.services.contains(&function.name)), "{}", function.name);
            }
        }
    }

    #[test]
    fn only_the_sender_reads_the_outbox_and_has_the_secret_of_the_webhook() {
        for function in FUNCTIONS {
            let is_sender = function.name == MAIL;
            assert_eq!(function.may(Get, RecordKind::Mail), is_sender, "{}", function.name);
            assert_eq!(function.may_list("mails/b7"), is_sender, "{}", function.name);
            assert_eq!(function.settings == MAIL_SECRETS, is_sender, "{}", function.name);
            assert_eq!(function.may(Create, RecordKind::Mail), function.writes_mail, "{}", function.name);
        }
    }

    #[test]
    fn cron_and_interval_agree() {
        for schedule in FUNCTIONS.iter().filter_map(Function::schedule) {
            let minutes = schedule.every.as_secs() / 60;
            let (minute, rest) = schedule.cron.split_once(' ').unwrap();
            assert_eq!(rest, "* * * *");
            assert_eq!(minutes, if minute == "*" { 1 } else { 60 }, "{}", schedule.cron);
        }
    }
}
