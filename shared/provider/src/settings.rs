//! The table of settings: names, defaults, ranges and meanings. Configuration and documentation read the same rows.

use protocol::MAX_TOKEN_LIFETIME;
use protocol::limits::{MAX_GRANTS, MAX_REFRESH_LIFETIME, MIN_PASSWORD, PASSWORD_HASH_WORK};
use std::ops::RangeInclusive;

/// A setting: an environment variable, or a variable or secret of a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name.
    pub name: &'static str,
    /// Default, in words or as a value; `None` if the setting is required.
    pub default: Option<&'static str>,
    /// Range of a setting that is a number of seconds.
    pub seconds: Option<Seconds>,
    /// Range of a setting that is another number.
    pub range: Option<(u32, u32)>,
    meaning: &'static str,
}

/// A range of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds {
    /// Least value.
    pub least: u64,
    /// Greatest value.
    pub most: u64,
}

impl Setting {
    /// Returns the meaning, with unit and range.
    pub fn meaning(&self) -> String {
        match (self.seconds, self.range) {
            (Some(Seconds { least, most }), _) => format!("{} (seconds, {least} to {most})", self.meaning),
            (None, Some((least, most))) => format!("{} ({least} to {most})", self.meaning),
            (None, None) => self.meaning.to_owned(),
        }
    }
}

const fn setting(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, default, seconds: None, range: None, meaning }
}

const fn seconds(name: &'static str, default: &'static str, range: (u64, u64), meaning: &'static str) -> Setting {
    let (least, most) = range;
    Setting { name, default: Some(default), seconds: Some(Seconds { least, most }), range: None, meaning }
}

const fn number(
    name: &'static str,
    default: &'static str,
    range: &RangeInclusive<u32>,
    meaning: &'static str,
) -> Setting {
    let range = Some((*range.start(), *range.end()));
    Setting { name, default: Some(default), seconds: None, range, meaning }
}

const DAY: u64 = 86_400;
const YEAR: u64 = 366 * DAY;

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
        "LATCHKEY_KEYS",
        Some("derived from the secret"),
        "the keys of one function, in place of the deployment secret: `latchkey secret derive` prints them, and the deployment delivers to each function its own",
    ),
    setting("LATCHKEY_KEYS_PREVIOUS", Some("none"), "the same keys of the previous deployment secret"),
    setting(
        "LATCHKEY_EPOCH",
        Some("0"),
        "the epoch of the deployment (0 to 65535): raise it by one after the store was restored from a backup, and never lower it. Codes, refresh tokens and sessions of earlier epochs are rejected",
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
        "the section `resources` of the configuration, as JSON: in the environment or in the store, not in both",
    ),
    setting(
        "LATCHKEY_ADVERTISE_PERSONAL_SCOPES",
        Some("false"),
        "`true`: the metadata document also lists the scopes `profile`, `email`, `address` and `phone`. Some MCP clients request every scope of the list",
    ),
    setting(
        "LATCHKEY_PROFILE",
        Some("none"),
        "the security profile of every client: `none`, `fapi-ciba`, `fapi2-security` or `fapi2-message-signing`; see [security profiles](flows.md#security-profiles)",
    ),
    setting(
        "LATCHKEY_REQUIRE_PUSHED_REQUESTS",
        Some("false"),
        "`true`: every authorization request must be pushed (RFC 9126)",
    ),
    setting(
        "LATCHKEY_TRUSTED_ISSUERS",
        Some("none"),
        "the list `jwt` of the section `issuers`, as JSON: in the environment or in the store, not in both",
    ),
    setting(
        "LATCHKEY_TRUSTED_SAML_ISSUERS",
        Some("none"),
        "the list `saml` of the section `issuers`, as JSON: in the environment or in the store, not in both",
    ),
    seconds("LATCHKEY_PUSHED_REQUEST_LIFETIME", "90", (5, 599), "lifetime of the `request_uri` of a pushed request"),
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
        "LATCHKEY_REGISTRATION_SCHEMES",
        Some("none"),
        "private-use schemes without a dot that redirect URIs of dynamically registered clients may have, separated by spaces, such as `cursor vscode`",
    ),
    setting(
        "LATCHKEY_CLIENT_DOCUMENTS",
        Some("known"),
        "clients with a metadata document, whose `client_id` is its URL: `off`, `any`, or a list of URLs, of `https://host/*`, and of `known`, for the documents of well-known MCP clients; separated by spaces",
    ),
    setting(
        "LATCHKEY_CLIENT_DOCUMENT_OFFLINE",
        Some("on"),
        "`off`: a grant of a client with a metadata document ends when the user signs out of the browser, unless the client requested `offline_access`. Hosted MCP clients do not reliably request it",
    ),
    setting(
        "LATCHKEY_CLIENT_DOCUMENT_COPIES",
        Some("on"),
        "`off`: a document of a well-known client that was never read and cannot be read now is not replaced by the copy that comes with this server",
    ),
    setting(
        "LATCHKEY_REGISTRATION_GRANTS",
        Some("authorization_code and refresh_token"),
        "the grant types that clients may use which register themselves or have a metadata document, separated by spaces. With the device code, such a client can send links that ask users to approve a device of an attacker",
    ),
    setting(
        "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS",
        Some("none"),
        "the list `software_statements` of the section `issuers`, as JSON: in the environment or in the store, not in both",
    ),
    setting(
        "LATCHKEY_REGISTRATION_REQUEST_URIS",
        Some("false"),
        "`true`: clients that registered without initial access token and software statement may have `request_uris` and pass a request by `request_uri`. The server then fetches URLs that anyone can register, at a limited pace",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_PER_ADDRESS",
        Some("60"),
        "registrations per hour and address (a /64 of IPv6; four times as many per /48), without initial access token and software statement",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_IN_TOTAL",
        Some("500"),
        "registrations of all addresses per hour, a quarter of them in each quarter of an hour, without initial access token and software statement",
    ),
    setting(
        "LATCHKEY_REGISTRATIONS_PER_SOFTWARE",
        Some("500"),
        "registrations per hour of one software, a quarter of them in each quarter of an hour: a host of `LATCHKEY_REGISTRATION_HOSTS`, or the software of a software statement",
    ),
    setting(
        "LATCHKEY_REGISTRATION_HOSTS",
        Some("known"),
        "redirect hosts of hosted clients, whose servers register the clients of all their users from few addresses, separated by spaces. `known` names those of well-known MCP clients. A client with redirect URIs at one of these hosts alone has a limit by host beside the one by address. `none`: no host has one",
    ),
    setting(
        "LATCHKEY_REGISTRATION_PUBLIC",
        Some("false"),
        "`true`: a client that registers itself without keys becomes a public client (`token_endpoint_auth_method` is `none`), whatever it asks for. Identical public clients are shared",
    ),
    seconds(
        "LATCHKEY_REGISTRATION_UNUSED_LIFETIME",
        "604800",
        (60, YEAR),
        "time after which such a client is deleted, unless it gets a token before",
    ),
    setting(
        "LATCHKEY_PROXY_ADDRESS_HEADER",
        Some("none"),
        "the header field in which a trusted proxy sends the client's address, such as `CloudFront-Viewer-Address`; of a list the last address counts. Without a proxy the platform's address counts",
    ),
    setting(
        "LATCHKEY_PROXY_SECRET",
        Some("none"),
        "the secret that this proxy sends in the header field `Latchkey-Proxy-Secret`: at least 32 visible characters, such as `openssl rand -base64 32` makes; two separated by a space while it changes. Without it the address in the header field is ignored",
    ),
    setting(
        "LATCHKEY_PROXY_ONLY",
        Some("false"),
        "`true`: requests without the secret of the proxy are answered with 403",
    ),
    setting(
        "LATCHKEY_PROXY_CERTIFICATE_HEADER",
        Some("none"),
        "the header field in which this proxy sends the certificate of the client's TLS connection: percent-encoded PEM, such as in `CloudFront-Viewer-Cert-Pem`, or a Byte Sequence (RFC 9440)",
    ),
    setting(
        "LATCHKEY_PROXY_CERTIFICATE_SECRET",
        Some("none"),
        "the secret that this proxy sends in `Latchkey-Proxy-Secret` in place of the other one, from hosts that ask clients for certificates alone. With the other secret that header field is ignored, because a proxy may pass it on as a client sent it",
    ),
    setting(
        "LATCHKEY_PROXY_CERTIFICATE_CHAIN",
        Some("unverified"),
        "`verified`: the proxy refuses certificates that lead to no CA of yours, as CloudFront does in the modes `required` and `optional`. Otherwise they do not serve `tls_client_auth`",
    ),
    setting(
        "LATCHKEY_MTLS_ORIGIN",
        Some("none"),
        "the origin at which the platform asks clients for certificates (RFC 8705), such as `https://mtls.id.example.com`: that of `mtls_endpoint_aliases` in the metadata. Without it certificates of clients are ignored",
    ),
    setting(
        "LATCHKEY_MTLS_METHODS",
        Some("none"),
        "the methods by which clients may authenticate there, separated by spaces: `tls_client_auth`, `self_signed_tls_client_auth`. Set those for which the platform is configured",
    ),
    seconds("LATCHKEY_CODE_LIFETIME", "60", (1, 600), "lifetime of an authorization code"),
    seconds("LATCHKEY_DEVICE_CODE_LIFETIME", "600", (60, 3600), "lifetime of a device code and its user code"),
    seconds(
        "LATCHKEY_ACCESS_TOKEN_LIFETIME",
        "600",
        (1, MAX_TOKEN_LIFETIME.as_secs()),
        "lifetime of an access token; a client may have its own",
    ),
    seconds(
        "LATCHKEY_ID_TOKEN_LIFETIME",
        "3600",
        (1, MAX_TOKEN_LIFETIME.as_secs()),
        "lifetime of an ID token; a client may have its own",
    ),
    seconds(
        "LATCHKEY_REFRESH_TOKEN_LIFETIME",
        "7776000",
        (1, MAX_REFRESH_LIFETIME.as_secs()),
        "time from a grant to the expiry of its last refresh token; a client may have its own",
    ),
    seconds(
        "LATCHKEY_REFRESH_TOKEN_IDLE_LIFETIME",
        "2592000",
        (1, MAX_REFRESH_LIFETIME.as_secs()),
        "time for which a refresh token may remain unused; a client may have its own",
    ),
    seconds(
        "LATCHKEY_REFRESH_GRACE",
        "30",
        (0, 300),
        "grace window: a rotated refresh token yields the same successor again",
    ),
    seconds(
        "LATCHKEY_REFRESH_LOST_ANSWER",
        "604800",
        (0, 90 * DAY),
        "time in which a rotated refresh token yields another successor if the first one was never used: the client lost the answer",
    ),
    setting(
        "LATCHKEY_BACKCHANNEL_WEBHOOK",
        Some("none"),
        "the URL of your push service, which learns of [backchannel requests](flows.md#backchannel-authentication) by a signed JWT",
    ),
    setting(
        "LATCHKEY_DPOP_NONCE",
        Some("when-skewed"),
        "DPoP proofs that need a nonce of this server (RFC 9449 section 8): `off`, none; `when-skewed`, those of senders whose clock is wrong; `always`, all",
    ),
    setting(
        "LATCHKEY_DPOP_REPLAY",
        Some("token"),
        "DPoP proofs that are accepted once: `off`, none; `token`, those of token requests that nothing else makes single-use; `all`, those of UserInfo too, which costs one storage call for each request",
    ),
    number(
        "LATCHKEY_MAX_GRANTS",
        "100",
        &MAX_GRANTS,
        "the most live grants of a user for one client. The scheduled function ends those unused longest, some time after there are more",
    ),
    seconds("LATCHKEY_SESSION_LIFETIME", "1209600", (60, YEAR), "lifetime of a session"),
    seconds("LATCHKEY_INTERACTION_LIFETIME", "1800", (60, DAY), "time that a user has for sign-in and consent"),
    setting("LATCHKEY_PASSKEYS", Some("on"), "`off`: users sign in with passwords alone, and register no passkeys"),
    setting(
        "LATCHKEY_PASSKEY_DOMAIN",
        Some("the host of the issuer"),
        "the domain to which passkeys are bound (RP ID): the host of the issuer, or a parent domain of it. A change makes every passkey unusable",
    ),
    setting(
        "LATCHKEY_MAIL",
        Some("none"),
        "the sender of [mails](operations.md#mail): `none`; `ses`, on Lambda; `cloudflare`, on Workers; `webhook`, on each platform; `smtp` and `mailbox`, the page `/dev/mail`, on the local server. Without a sender there is no password reset by mail and no security notice",
    ),
    setting(
        "LATCHKEY_MAIL_FROM",
        Some("none"),
        "the address that mails come from, such as `no-reply@id.example.com`; required with `LATCHKEY_MAIL`",
    ),
    setting(
        "LATCHKEY_MAIL_NAME",
        Some("the host of the issuer"),
        "the name of the product in the subject and as the sender of mails: 1 to 80 characters, none of `< > \" : / @`",
    ),
    setting(
        "LATCHKEY_MAIL_WEBHOOK",
        Some("none"),
        "function `mail` only: the URL of the service to which each mail is posted as JSON, with `LATCHKEY_MAIL=webhook`",
    ),
    setting(
        "LATCHKEY_MAIL_WEBHOOK_SECRET",
        Some("none"),
        "function `mail` only: the key of the [signatures](operations.md#mail) of these requests: at least 32 characters, such as `openssl rand -base64 32` makes",
    ),
    setting(
        "LATCHKEY_MAIL_SMTP",
        Some("none"),
        "local server only: the SMTP server, with `LATCHKEY_MAIL=smtp`, such as `smtps://user:password@smtp.example.com:465`, or `smtp://localhost:2525` for one on this machine",
    ),
    setting("LATCHKEY_ACCOUNT_DELETION", Some("false"), "`true`: users may delete their accounts"),
    setting(
        "LATCHKEY_ACCOUNT_EMAIL",
        Some("on"),
        "`off`: users cannot prove or change their e-mail addresses. They never can without a sender of mails, nor if they have an external id",
    ),
    number(
        "LATCHKEY_MIN_PASSWORD",
        "15",
        &MIN_PASSWORD,
        "the fewest characters of a new password. NIST SP 800-63B-4 demands 15 where the password is the only factor, and 8 where a second factor is required",
    ),
    number(
        "LATCHKEY_PASSWORD_HASH_WORK",
        "38912",
        &PASSWORD_HASH_WORK,
        "the greatest work of an imported password hash: memory in KiB times passes. An import beyond it is refused, and each failed sign-in takes as long as such a hash",
    ),
    setting(
        "LATCHKEY_BREACHED_PASSWORDS",
        Some("none"),
        "URL of a range API of breached passwords, such as `https://api.pwnedpasswords.com/range/`. A new password that it lists is refused; five hexadecimal digits of its SHA-1 are sent. Without an answer the password is accepted",
    ),
    setting(
        "LATCHKEY_OMITTED_KEY_TYPES",
        Some("none"),
        "key types that clients cannot parse, separated by spaces: `OKP` (EdDSA), `EC` (ES256). The JWK Set and the metadata document have no such key and no algorithm of it, and nothing is signed by it. Without `EC`, access tokens are signed by RS256. A client or resource that demands an omitted algorithm is refused",
    ),
    seconds("LATCHKEY_KEY_ROTATION", "7776000", (DAY, 10 * YEAR), "time for which a signing key signs"),
    setting(
        "LATCHKEY_ADMIN",
        Some("on"),
        "functions below `/admin/` only: `off` switches the administration off, and `/admin/` answers 404",
    ),
    setting(
        "LATCHKEY_ADMIN_KEY",
        Some("none"),
        "functions below `/admin/` only: the public halves of the first admin keys, which may do everything: Ed25519 keys of 32 bytes as base64url, separated by spaces. `latchkey init` makes one",
    ),
    setting(
        "LATCHKEY_SHARDS",
        Some("256"),
        "Workers only: the number of Durable Objects that store the records (1 to 4096). The deployment stores it at its first use and refuses another number",
    ),
    setting(
        "LATCHKEY_JURISDICTION",
        Some("none"),
        "Workers only: the jurisdiction in which the Durable Objects run and store, such as `eu`. Clients are then not cached in Workers KV. The deployment stores it at its first use and refuses another one",
    ),
    setting(
        "LATCHKEY_LOCATION_HINT",
        Some("none"),
        "Workers only: the location hint of the Durable Objects, such as `weur` or `enam`",
    ),
];
