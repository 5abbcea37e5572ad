//! The demo data, for trials and tests: clients and a user with public passwords.

use crate::args::SeedArgs;
use crate::config;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::output::Output;
use protocol::Profile;
use serde_json::{Value, json};

/// The demo user.
pub(crate) const USERNAME: &str = "demo";
/// The password of the demo user.
pub(crate) const PASSWORD: &str = "four-quiet-lanterns";
/// The public client of the playground.
pub(crate) const SPA: &str = "demo-spa";
/// The public client without a browser. It uses device authorization.
pub(crate) const DEVICE: &str = "demo-device";
/// Scopes that the playground requests by default.
pub(crate) const SPA_SCOPE: &str = "openid profile email offline_access";

/// A demo client.
pub(crate) struct DemoClient {
    pub(crate) client_id: &'static str,
    pub(crate) client_secret: Option<&'static str>,
    pub(crate) purpose: &'static str,
}

/// The demo clients.
pub(crate) const CLIENTS: &[DemoClient] = &[
    DemoClient {
        client_id: SPA,
        client_secret: None,
        purpose: "a public client: authorization_code with PKCE, refresh_token",
    },
    DemoClient {
        client_id: "demo-web",
        client_secret: Some("demo-web-secret-7Kq2Xv9Tb4"),
        purpose: "a confidential client: authorization_code, PKCE not required, refresh_token",
    },
    DemoClient {
        client_id: "demo-service",
        client_secret: Some("demo-service-secret-7Kq2Xv9Tb4"),
        purpose: "a service: client_credentials, scopes read and write; demo:read and demo:write at the demo API",
    },
    DemoClient {
        client_id: "demo-api",
        client_secret: Some("demo-api-secret-7Kq2Xv9Tb4"),
        purpose: "a resource server: the API at /demo-api, which may introspect its tokens",
    },
    DemoClient {
        client_id: DEVICE,
        client_secret: None,
        purpose: "a public client on a device: device_code, refresh_token",
    },
    DemoClient {
        client_id: "demo-exchange",
        client_secret: Some("demo-exchange-secret-7Kq2Xv9Tb4"),
        purpose: "a gateway: exchanges tokens of demo-spa and demo-web for demo-api (token exchange)",
    },
];

/// Returns the demo clients that a profile of the deployment admits: none, because all have a secret, or nothing.
pub(crate) fn admitted(profile: Option<Profile>) -> &'static [DemoClient] {
    if profile.is_some() { &[] } else { CLIENTS }
}

/// Returns the demo clients of a deployment at `origin`: the path below `/admin/` and the document of each.
pub(crate) fn clients(origin: &str) -> Vec<(String, Value)> {
    let scope = "openid profile email address phone offline_access demo:read demo:write";
    CLIENTS
        .iter()
        .map(|demo| {
            let mut client = match demo.client_id {
                "demo-service" => json!({
                    "client_name": "Demo service",
                    "grant_types": ["client_credentials"],
                    "scope": "read write demo:read demo:write",
                }),
                "demo-api" => json!({
                    "client_name": "Demo API",
                    "grant_types": [],
                    "introspects": [format!("{origin}{}", demo_api::PATH)],
                }),
                DEVICE => json!({
                    "client_name": "Demo TV app",
                    "application_type": "native",
                    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
                    "post_logout_redirect_uris": [format!("{origin}/playground"), format!("{origin}/")],
                    "scope": scope,
                }),
                "demo-exchange" => json!({
                    "client_name": "Demo gateway",
                    "grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange", "client_credentials"],
                    "scope": format!("{scope} read write"),
                    "token_exchange": {
                        "subject_clients": [SPA, "demo-web"],
                        "subject_token_types": [
                            "urn:ietf:params:oauth:token-type:access_token",
                            "urn:ietf:params:oauth:token-type:refresh_token",
                            "urn:ietf:params:oauth:token-type:id_token",
                        ],
                        "subject_audiences": [origin],
                        "audiences": [format!("{origin}/demo-api")],
                        "impersonation": true,
                    },
                }),
                id => json!({
                    "client_name": if id == SPA { "Demo single-page app" } else { "Demo web app" },
                    "redirect_uris": [format!("{origin}/playground/callback"), "http://127.0.0.1/callback"],
                    "post_logout_redirect_uris": [format!("{origin}/playground"), format!("{origin}/")],
                    "grant_types": ["authorization_code", "refresh_token"],
                    "scope": scope,
                    "require_pkce": id == SPA,
                    "initiate_login_uri": if id == SPA { json!(format!("{origin}/playground")) } else { Value::Null },
                    "response_types": if id == SPA { vec!["code"] } else { vec!["code", "code id_token"] },
                }),
            };
            let method = if demo.client_secret.is_some() { "client_secret_basic" } else { "none" };
            if let Value::Object(members) = &mut client {
                members.insert("token_endpoint_auth_method".to_owned(), json!(method));
                members.extend(demo.client_secret.map(|secret| ("client_secret".to_owned(), json!(secret))));
            }
            (format!("clients/{}", demo.client_id), client)
        })
        .collect()
}

/// Returns the demo user: the path below `/admin/` and the document.
pub(crate) fn user() -> (String, Value) {
    let user = json!({
        "password": PASSWORD,
        "claims": {
            "name": "Demo User",
            "given_name": "Demo",
            "family_name": "User",
            "middle_name": "Q.",
            "nickname": "Demi",
            "preferred_username": USERNAME,
            "profile": "https://example.com/demo",
            "picture": "https://example.com/demo.png",
            "website": "https://example.com/",
            "gender": "unspecified",
            "birthdate": "1990-01-31",
            "zoneinfo": "Europe/Berlin",
            "locale": "en-US",
            "email": "demo@example.com",
            "email_verified": true,
            "phone_number": "+1 555 0100",
            "phone_number_verified": false,
            "address": {
                "formatted": "1 Example Street\nSpringfield 12345\nUSA",
                "street_address": "1 Example Street",
                "locality": "Springfield",
                "postal_code": "12345",
                "country": "USA",
            },
        },
    });
    (format!("users/{USERNAME}"), user)
}

/// `latchkey seed --demo`.
pub(crate) fn seed(args: &SeedArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    if !deployment.is_local() && !args.public_passwords {
        let what = format!("{} is not on this machine, and the demo passwords are public.", deployment.origin());
        return Err(Failure::new(what).remedy("Add --public-passwords to write them anyway."));
    }
    add_resource(&deployment)?;
    let mut writes = clients(deployment.origin());
    writes.push(user());
    let count = writes.len();
    let mut written = Vec::new();
    for (path, document) in writes {
        output.progress(&format!("Writing {path} ({} of {count})", written.len().saturating_add(1)));
        deployment.put(&path, &document)?;
        written.push(path);
    }
    output.end_progress();
    output.print(&json!({ "written": written }), || {
        format!("{} has the demo clients and the user {USERNAME} with the password {PASSWORD}.", deployment.origin())
    });
    Ok(())
}

/// Adds the demo API to the configured resources, if it is not among them.
fn add_resource(deployment: &Deployment) -> Result<(), Failure> {
    let stored = config::read(deployment)?;
    let resource = demo_api::resource(deployment.origin());
    let configured = stored.pointer("/sections/resources").and_then(Value::as_array);
    let mut resources = configured.cloned().unwrap_or_default();
    if resources.iter().any(|other| other.get("resource") == Some(&json!(resource.resource))) {
        return Ok(());
    }
    resources.push(json!(resource));
    let new = json!({ "version": stored.get("version"), "sections": { "resources": resources } });
    deployment.put(config::PATH, &new).map(|_| ())
}
