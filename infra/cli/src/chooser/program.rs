//! Libraries and programs that `latchkey client create --for` accepts by name, with the switches that each needs.

use super::Application;
use Application::{Api, Native, Spa, Web};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::str::FromStr;

/// A library or program.
#[derive(Debug)]
pub(crate) struct Program {
    /// Name on the command line, and the `software_id` of the client.
    pub(crate) name: &'static str,
    /// Name in prose.
    pub(crate) title: &'static str,
    /// Kind of application.
    pub(crate) application: Application,
    /// Path of its redirect URI, as its documentation has it.
    callback: &'static str,
    /// Settings of the client, beside those of its kind: name, and value as JSON.
    settings: &'static [(&'static str, &'static str)],
    /// Members of its resource in the configuration, beside identifier and scopes.
    resource: &'static [(&'static str, &'static str)],
    /// Switches of its own configuration.
    pub(crate) switches: &'static [&'static str],
}

const fn program(name: &'static str, title: &'static str, application: Application, callback: &'static str) -> Program {
    Program { name, title, application, callback, settings: &[], resource: &[], switches: &[] }
}

impl Program {
    const fn with(self, switches: &'static [&'static str]) -> Self {
        Self { switches, ..self }
    }

    const fn settings(self, settings: &'static [(&'static str, &'static str)]) -> Self {
        Self { settings, ..self }
    }

    const fn resource(self, resource: &'static [(&'static str, &'static str)]) -> Self {
        Self { resource, ..self }
    }

    /// Returns an example of its redirect URI; `None` if it has none.
    pub(crate) fn redirect_hint(&self) -> Option<String> {
        let host = if self.application == Native { "" } else { "https://app.example.com" };
        (!self.callback.is_empty()).then(|| format!("{host}{}", self.callback))
    }

    /// Returns the settings of the client, beside those of its kind.
    pub(crate) fn client_settings(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let settings = self.settings.iter().map(|(name, value)| (*name, parsed(value)));
        settings.chain([("software_id", json!(self.name))])
    }

    /// Returns the members of its resource, beside identifier and scopes.
    pub(crate) fn resource_members(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.resource.iter().map(|(name, value)| (*name, parsed(value)))
    }

    /// Returns all switches: its own, those of the client, and those of the resource.
    pub(crate) fn all_switches(&self) -> Vec<String> {
        let own = self.switches.iter().map(|switch| (*switch).to_owned());
        let of_client = self.settings.iter().map(|(name, value)| format!("client: {name}={value}"));
        let of_resource = self.resource.iter().map(|(name, value)| format!("resource: {name}={value}"));
        own.chain(of_client).chain(of_resource).collect()
    }
}

/// Returns a value that is JSON, or else a text.
fn parsed(value: &str) -> Value {
    serde_json::from_str(value).unwrap_or_else(|_| json!(value))
}

/// Refreshed ID tokens need the claims, too.
const ALWAYS: &[(&str, &str)] = &[("scope_claims_in_id_token", "always")];
/// The algorithm of access tokens by default.
const ES256: &[&str] = &["algorithms: ES256", "typ: at+jwt, which it does not compare by itself"];

/// All programs, by name.
pub(crate) const PROGRAMS: &[Program] = &[
    program("airflow", "Apache Airflow", Web, "/auth/oauth-authorized/latchkey").with(&[
        "client_kwargs: {\"scope\": \"openid profile email\"}",
        "SECURITY_MANAGER_CLASS with get_oauth_user_info",
    ]),
    program("api-gateway", "JWT authorizer of API Gateway", Api, "")
        .resource(&[("access_token_signed_response_alg", "RS256")]),
    program("appauth", "AppAuth for iOS and Android", Native, "com.example.app:/oauth2redirect"),
    program("aspnet", "ASP.NET Core", Web, "/signin-oidc").with(&["options.ResponseType = \"code\""]),
    program("authjs", "Auth.js", Web, "/auth/callback/latchkey").with(&["type: \"oidc\""]),
    program("authlib", "Authlib", Web, "/callback").with(&["client_kwargs: {\"scope\": \"openid profile email\"}"]),
    program("dex", "Dex", Web, "/callback").settings(ALWAYS).with(&["pkceChallenge: S256"]),
    program("django-allauth", "django-allauth", Web, "/accounts/oidc/latchkey/login/callback/")
        .with(&["OAUTH_PKCE_ENABLED: True"]),
    program("express-oauth2-jwt-bearer", "express-oauth2-jwt-bearer", Api, "").with(&["strict: true"]),
    program("express-openid-connect", "express-openid-connect", Web, "/callback")
        .with(&["authorizationParams: { response_type: \"code\" }"]),
    program("flask-appbuilder", "Flask-AppBuilder", Web, "/oauth-authorized/latchkey")
        .with(&["client_kwargs: {\"scope\": \"openid profile email\"}", "a security manager with get_oauth_user_info"]),
    program("flask-oidc", "Flask-OIDC", Web, "/authorize").with(&["OIDC_SCOPES: openid profile email"]),
    program("go-oidc", "go-oidc with golang.org/x/oauth2", Web, "/callback")
        .with(&["oauth2.S256ChallengeOption, oauth2.VerifierOption"]),
    program("golang-jwt", "golang-jwt", Api, "").with(ES256),
    program("goth", "goth", Web, "/auth/openid-connect/callback").settings(&[("require_nonce", "false")]),
    program("grafana", "Grafana", Web, "/login/generic_oauth")
        .with(&["use_pkce = true", "scopes = openid profile email offline_access"]),
    program("jose", "jose", Api, "").with(&["typ: \"at+jwt\""]),
    program("jsonwebtoken", "jsonwebtoken", Api, "").with(ES256),
    program("jupyterhub", "JupyterHub", Web, "/hub/oauth_callback").with(&[
        "c.GenericOAuthenticator.scope = [\"openid\", \"profile\", \"email\"]",
        "c.GenericOAuthenticator.enable_pkce = True",
        "c.GenericOAuthenticator.userdata_from_id_token = True",
        "c.GenericOAuthenticator.username_claim = \"preferred_username\"",
        "c.GenericOAuthenticator.allow_all = True, or allowed_users",
    ]),
    program("kubelogin", "kubelogin and kubectl", Native, "http://localhost:8000")
        .settings(ALWAYS)
        .with(&["--oidc-extra-scope=email"]),
    program("mod-auth-openidc", "mod_auth_openidc", Web, "/redirect_uri")
        .settings(&[("omit_iss_in_errors", "true")])
        .with(&["OIDCPKCEMethod S256"]),
    program("mozilla-django-oidc", "mozilla-django-oidc", Web, "/oidc/callback/")
        .with(&["OIDC_RP_SIGN_ALGO = \"RS256\""]),
    program("nimbus", "OAuth 2.0 SDK of Nimbus", Web, "/callback"),
    program("oauth2-proxy", "oauth2-proxy", Web, "/oauth2/callback")
        .settings(ALWAYS)
        .with(&["--code-challenge-method=S256"]),
    program("oauth2-rs", "oauth2 for Rust", Web, "/callback").with(&["set_pkce_challenge, set_pkce_verifier"]),
    program("oauth4webapi", "oauth4webapi", Web, "/callback").with(&["code_challenge, code_challenge_method=S256"]),
    program("oidc-client-ts", "oidc-client-ts", Spa, "/callback"),
    program("openidconnect-rs", "openidconnect for Rust", Web, "/callback"),
    program("pac4j", "pac4j", Web, "/callback?client_name=OidcClient"),
    program("passport", "passport-openidconnect", Web, "/callback").with(&["nonce: true"]),
    program("pyjwt", "PyJWT", Api, "").with(ES256),
    program("quarkus", "Quarkus", Web, "/").with(&["quarkus.oidc.authentication.pkce-required=true"]),
    program("requests-oauthlib", "requests-oauthlib", Web, "/callback").with(&["pkce=\"S256\""]),
    program("social-auth", "social-auth-core", Web, "/complete/oidc/"),
    program("spring", "Spring Security, client", Web, "/login/oauth2/code/latchkey")
        .with(&["scope: openid, profile, email"]),
    program("spring-api", "Spring Security, resource server", Api, "")
        .with(&["NimbusJwtDecoder: validateType(false)", "JwtValidators.createAtJwtValidator()"]),
    program("step", "step and step-ca", Native, "http://127.0.0.1:10000"),
    program("superset", "Apache Superset", Web, "/oauth-authorized/latchkey").with(&[
        "client_kwargs: {\"scope\": \"openid profile email\"}",
        "CUSTOM_SECURITY_MANAGER with get_oauth_user_info",
    ]),
    program("zitadel-oidc", "zitadel/oidc", Web, "/auth/callback").with(&["rp.WithPKCE"]),
];

/// The purpose of a new client: a kind of application, or a program of that kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Kind of application.
    pub(crate) application: Application,
    /// Program, if `--for` names one.
    pub(crate) program: Option<&'static Program>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if let Ok(application) = Application::from_str(name, true) {
            return Ok(Self { application, program: None });
        }
        let program = PROGRAMS.iter().find(|program| program.name == name).ok_or(
            "choose spa, native, web, service, device, mcp, api or mcp-client, or a name that `latchkey client libraries` lists",
        )?;
        Ok(Self { application: program.application, program: Some(program) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_sorted_and_no_name_is_that_of_a_kind() {
        assert!(PROGRAMS.is_sorted_by(|one, next| one.name < next.name));
        for program in PROGRAMS {
            assert!(Application::from_str(program.name, true).is_err(), "{}", program.name);
            assert_eq!(program.name.parse::<Target>().unwrap().program.unwrap().name, program.name);
            assert_eq!(program.callback.is_empty(), program.application == Api, "{}", program.name);
        }
    }

    #[test]
    fn every_program_has_a_valid_client() {
        for program in PROGRAMS {
            let redirects: Vec<String> = program.redirect_hint().into_iter().collect();
            let resource = program.application.is_resource().then_some("https://api.example.com");
            let mut client = program.application.client(program.application.scope(), &redirects, resource);
            client.insert("client_id".to_owned(), json!("client"));
            client.extend(program.client_settings().map(|(name, value)| (name.to_owned(), value)));
            let client = serde_json::from_value::<protocol::Client>(Value::Object(client)).expect(program.name);
            assert_eq!(client.validate(), [], "{}", program.name);
        }
    }

    #[test]
    fn the_server_names_switches_that_the_command_prints() {
        for (name, switch) in protocol::SOFTWARE_SWITCHES {
            let program = PROGRAMS.iter().find(|program| program.name == *name).expect(name);
            assert!(program.all_switches().iter().any(|all| all == switch), "{name}: {switch}");
        }
    }
}
