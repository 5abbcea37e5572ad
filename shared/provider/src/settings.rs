//! The settings: their names, defaults and meanings. The README's reference is checked against this table.

/// One setting: an environment variable, or a variable or secret of a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set; `None` when it must be set.
    pub default: Option<&'static str>,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, default, meaning }
}

/// Every setting that the functions read.
pub const SETTINGS: &[Setting] = &[
    setting(
        "LATCHKEY_ISSUER",
        None,
        "the issuer identifier: an https origin without a path or a slash at the end; http for localhost only",
    ),
    setting("LATCHKEY_SECRET", None, "the deployment secret: 32 random bytes as base64url or hex"),
    setting(
        "LATCHKEY_SECRET_PREVIOUS",
        Some("none"),
        "the previous deployment secret, while tokens issued under it are valid",
    ),
    setting(
        "LATCHKEY_PAIRWISE_SECRET",
        Some("the secret"),
        "the secret from which pairwise subjects are derived: set it to the first deployment secret before that one changes, else all of them change",
    ),
    setting(
        "LATCHKEY_AUDIENCE",
        Some("the issuer"),
        "the audience of access tokens that were requested for no resource: the identifier of your API",
    ),
    setting("LATCHKEY_SCOPES", Some("none"), "the scopes of your APIs in the metadata document, separated by spaces"),
    setting(
        "LATCHKEY_RESOURCES",
        Some("none"),
        "the APIs that clients can request by `resource` (RFC 8707): a JSON array of objects with `resource` (an absolute URI), `scopes` (separated by spaces) and `access_token_format` (`jwt` or `opaque`)",
    ),
    setting(
        "LATCHKEY_REQUIRE_PUSHED_REQUESTS",
        Some("false"),
        "`true`: every authorization request must be pushed (RFC 9126)",
    ),
    setting(
        "LATCHKEY_TRUSTED_ISSUERS",
        Some("none"),
        "the issuers whose JWTs are accepted as grants (RFC 7523): a JSON array, see \"Trusted issuers\"",
    ),
    setting(
        "LATCHKEY_TRUSTED_SAML_ISSUERS",
        Some("none"),
        "the issuers whose SAML assertions are accepted as grants (RFC 7522): a JSON array, see \"Trusted issuers\"",
    ),
    setting(
        "LATCHKEY_PUSHED_REQUEST_LIFETIME",
        Some("90"),
        "lifetime of the `request_uri` of a pushed request in seconds, 5 to 600",
    ),
    setting(
        "LATCHKEY_REGISTRATION",
        Some("closed"),
        "dynamic registration (RFC 7591): `closed`, or one or more of `open` (every client), `token` (clients with an initial access token) and `statement` (clients with a software statement of a trusted issuer), separated by spaces",
    ),
    setting(
        "LATCHKEY_REGISTRATION_SCOPES",
        Some("the standard scopes"),
        "the scopes that dynamically registered clients may have, separated by spaces",
    ),
    setting(
        "LATCHKEY_REGISTRATION_GRANTS",
        Some("authorization_code, refresh_token and the device code"),
        "the grant types that dynamically registered clients may use, separated by spaces",
    ),
    setting(
        "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS",
        Some("none"),
        "the issuers of software statements (RFC 7591 section 2.3): a JSON array of objects with `issuer`, and `jwks` or `jwks_uri`",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_PER_ADDRESS",
        Some("30"),
        "registrations per address and hour, without initial access token and software statement",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_IN_TOTAL",
        Some("500"),
        "registrations of all addresses per hour, without initial access token and software statement",
    ),
    setting(
        "LATCHKEY_REGISTRATION_UNUSED_LIFETIME",
        Some("604800"),
        "seconds after which such a client is deleted, unless it gets a token before",
    ),
    setting("LATCHKEY_CODE_LIFETIME", Some("60"), "lifetime of an authorization code in seconds, 1 to 600"),
    setting(
        "LATCHKEY_DEVICE_CODE_LIFETIME",
        Some("600"),
        "lifetime of a device code and its user code in seconds, 60 to 3600",
    ),
    setting(
        "LATCHKEY_ACCESS_TOKEN_LIFETIME",
        Some("600"),
        "lifetime of an access token in seconds, 1 to 86400; a client may have its own",
    ),
    setting(
        "LATCHKEY_ID_TOKEN_LIFETIME",
        Some("3600"),
        "lifetime of an ID token in seconds, 1 to 86400; a client may have its own",
    ),
    setting(
        "LATCHKEY_REFRESH_TOKEN_LIFETIME",
        Some("7776000"),
        "seconds from a grant to the expiry of its last refresh token; a client may have its own",
    ),
    setting(
        "LATCHKEY_REFRESH_TOKEN_IDLE_LIFETIME",
        Some("1209600"),
        "seconds for which a refresh token may remain unused; a client may have its own",
    ),
    setting(
        "LATCHKEY_REFRESH_GRACE",
        Some("30"),
        "grace window in seconds, 0 to 300: a rotated refresh token yields the same successor again",
    ),
    setting("LATCHKEY_SESSION_LIFETIME", Some("1209600"), "lifetime of a session in seconds"),
    setting(
        "LATCHKEY_INTERACTION_LIFETIME",
        Some("1800"),
        "seconds that a user has for sign-in and consent, 60 to 86400",
    ),
    setting("LATCHKEY_KEY_ROTATION", Some("7776000"), "seconds for which a signing key signs, at least 86400"),
    setting(
        "LATCHKEY_SHARDS",
        Some("16"),
        "Workers only: the number of Durable Objects that store the records; never change it once records exist",
    ),
    setting(
        "LATCHKEY_LOCATION_HINT",
        Some("none"),
        "Workers only: the location hint of the Durable Objects, such as `weur` or `enam`",
    ),
];
