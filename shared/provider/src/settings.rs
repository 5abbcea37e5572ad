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
        "the issuer: the https origin that clients know the server by, without a path or a slash at the end; http for localhost alone",
    ),
    setting("LATCHKEY_SECRET", None, "the one secret: 32 random bytes, as base64url or hex"),
    setting(
        "LATCHKEY_SECRET_PREVIOUS",
        Some("none"),
        "the secret before this one, while tokens made under it are alive",
    ),
    setting(
        "LATCHKEY_PAIRWISE_SECRET",
        Some("the secret"),
        "the secret that pairwise subjects are made under: set it to the first secret before that is changed, or all of them change",
    ),
    setting("LATCHKEY_AUDIENCE", Some("the issuer"), "the audience of access tokens: the identifier of your API"),
    setting("LATCHKEY_SCOPES", Some("none"), "the scopes of your APIs, separated by spaces, for the metadata document"),
    setting(
        "LATCHKEY_RESOURCES",
        Some("none"),
        "the APIs that tokens can be asked for by name (RFC 8707): a JSON array of objects with resource (an absolute URI), scopes (separated by spaces) and access_token_format (jwt or opaque)",
    ),
    setting(
        "LATCHKEY_REQUIRE_PUSHED_REQUESTS",
        Some("false"),
        "true: every authorization request must be pushed (RFC 9126)",
    ),
    setting(
        "LATCHKEY_TRUSTED_ISSUERS",
        Some("none"),
        "the issuers whose JWTs are accepted as grants (RFC 7523): a JSON array, see \"Assertions of others\"",
    ),
    setting(
        "LATCHKEY_TRUSTED_SAML_ISSUERS",
        Some("none"),
        "the issuers whose SAML assertions are accepted as grants (RFC 7522): a JSON array, see \"Assertions of others\"",
    ),
    setting(
        "LATCHKEY_PUSHED_REQUEST_LIFETIME",
        Some("90"),
        "seconds in which the reference of a pushed request must be used, 5 to 600",
    ),
    setting(
        "LATCHKEY_REGISTRATION",
        Some("closed"),
        "who may register a client (RFC 7591): closed, or one or more of open (anybody), token (who has an initial access token) and statement (whose software statement is by a trusted issuer), separated by spaces",
    ),
    setting(
        "LATCHKEY_REGISTRATION_SCOPES",
        Some("the standard scopes"),
        "the scopes that clients which register themselves may have, separated by spaces",
    ),
    setting(
        "LATCHKEY_REGISTRATION_GRANTS",
        Some("authorization_code, refresh_token and the device code"),
        "the grants that clients which register themselves may use, by their names in the protocol, separated by spaces",
    ),
    setting(
        "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS",
        Some("none"),
        "who may vouch for software (RFC 7591 section 2.3): a JSON array of objects with issuer, and jwks or jwks_uri",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_PER_ADDRESS",
        Some("30"),
        "how many clients one address may register in an hour, with neither initial access token nor software statement",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_IN_TOTAL",
        Some("500"),
        "how many clients all addresses may register in an hour, likewise",
    ),
    setting(
        "LATCHKEY_REGISTRATION_UNUSED_LIFETIME",
        Some("604800"),
        "seconds until a client that was registered likewise is forgotten, unless it gets a token before",
    ),
    setting("LATCHKEY_CODE_LIFETIME", Some("60"), "seconds from an authorization code's issue to its expiry, 1 to 600"),
    setting(
        "LATCHKEY_DEVICE_CODE_LIFETIME",
        Some("600"),
        "seconds a person has to enter a device's code and approve, 60 to 3600",
    ),
    setting(
        "LATCHKEY_ACCESS_TOKEN_LIFETIME",
        Some("600"),
        "seconds an access token lives, unless its client says otherwise, 1 to 86400",
    ),
    setting(
        "LATCHKEY_ID_TOKEN_LIFETIME",
        Some("3600"),
        "seconds an ID token lives, unless its client says otherwise, 1 to 86400",
    ),
    setting(
        "LATCHKEY_REFRESH_TOKEN_LIFETIME",
        Some("7776000"),
        "seconds from a grant to the end of its refresh tokens, unless its client says otherwise",
    ),
    setting(
        "LATCHKEY_REFRESH_TOKEN_IDLE_LIFETIME",
        Some("1209600"),
        "seconds a refresh token may go unused, unless its client says otherwise",
    ),
    setting(
        "LATCHKEY_REFRESH_GRACE",
        Some("30"),
        "seconds in which a refresh token that was just rotated gets the same successor again, 0 to 300",
    ),
    setting("LATCHKEY_SESSION_LIFETIME", Some("1209600"), "seconds a person stays signed in"),
    setting("LATCHKEY_INTERACTION_LIFETIME", Some("1800"), "seconds a person has to sign in and consent, 60 to 86400"),
    setting("LATCHKEY_KEY_ROTATION", Some("7776000"), "seconds a signing key signs, at least 86400"),
    setting(
        "LATCHKEY_SHARDS",
        Some("16"),
        "Workers only: how many Durable Objects hold the records; never change it once there are records",
    ),
    setting(
        "LATCHKEY_LOCATION_HINT",
        Some("none"),
        "Workers only: where Cloudflare shall keep the Durable Objects, such as weur or enam",
    ),
];
