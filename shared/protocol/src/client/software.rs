//! Client software that `latchkey client create --for` accepts by name.

/// Software that sends neither a code challenge nor a `nonce` by default: its `software_id`, and the switch that makes it send one.
pub const SWITCHES: &[(&str, &str)] = &[
    ("dex", "pkceChallenge: S256"),
    ("django-allauth", "OAUTH_PKCE_ENABLED: True"),
    ("go-oidc", "oauth2.S256ChallengeOption, oauth2.VerifierOption"),
    ("goth", "client: require_nonce=false"),
    ("grafana", "use_pkce = true"),
    ("mod-auth-openidc", "OIDCPKCEMethod S256"),
    ("oauth2-proxy", "--code-challenge-method=S256"),
    ("oauth2-rs", "set_pkce_challenge, set_pkce_verifier"),
    ("oauth4webapi", "code_challenge, code_challenge_method=S256"),
    ("passport", "nonce: true"),
    ("quarkus", "quarkus.oidc.authentication.pkce-required=true"),
    ("requests-oauthlib", "pkce=\"S256\""),
    ("zitadel-oidc", "rp.WithPKCE"),
];

/// Returns the switch that makes a known software send a code challenge or a `nonce`.
pub(crate) fn switch(software_id: Option<&str>) -> Option<&'static str> {
    SWITCHES.iter().find(|(known, _)| Some(*known) == software_id).map(|(_, switch)| *switch)
}
