//! `wrangler.toml`, from the manifest and the file of a deployment.

use anyhow::{Context, Result, bail};
use manifest::{Function, Role, Route};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// One deployment on Cloudflare. `infra/cloudflare/deployment.toml` documents the fields.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    name: String,
    host: String,
    zone: String,
    mtls_host: Option<String>,
    kv_namespace: Option<String>,
    #[serde(default = "default_shards")]
    shards: u16,
    jurisdiction: Option<String>,
    location_hint: Option<String>,
    #[serde(default = "default_requests_per_minute")]
    requests_per_minute: u32,
    placement: Option<String>,
    admin_key: Option<String>,
    api: Api,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

const fn default_shards() -> u16 {
    256
}

const fn default_requests_per_minute() -> u32 {
    3000
}

/// The API that the guard stands before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    host: String,
    zone: String,
    worker: Option<String>,
}

impl Deployment {
    /// Reads the file of a deployment.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let deployment: Self = toml::from_str(text)?;
        let is_word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if !is_word(&deployment.name) {
            bail!("name: use lower-case letters, digits and hyphens");
        }
        let mtls_host = deployment.mtls_host.as_ref().map(|host| ("mtls_host", host, &deployment.zone));
        let hosts =
            [("host", &deployment.host, &deployment.zone), ("api.host", &deployment.api.host, &deployment.api.zone)];
        for (field, host, zone) in hosts.into_iter().chain(mtls_host) {
            if !host.split('.').all(is_word) {
                bail!("{field}: name a host alone, such as auth.example.com");
            }
            if host != zone && !host.strip_suffix(zone.as_str()).is_some_and(|below| below.ends_with('.')) {
                bail!("{field}: {host} is not in the zone {zone}");
            }
        }
        match (&deployment.jurisdiction, &deployment.kv_namespace) {
            (None, None) => bail!("kv_namespace: name the KV namespace in which clients are cached"),
            (Some(_), Some(_)) => bail!(
                "kv_namespace: remove it: Workers KV stores everywhere, so nothing is cached there with a jurisdiction"
            ),
            _ => {}
        }
        if !(1..=4096).contains(&deployment.shards) {
            bail!("shards: a number from 1 to 4096");
        }
        if deployment.mtls_host.as_ref() == Some(&deployment.host) {
            bail!("mtls_host: name another host than host: browsers would ask users for a certificate");
        }
        if deployment.settings.contains_key("LATCHKEY_MTLS_ORIGIN") {
            bail!("settings: LATCHKEY_MTLS_ORIGIN is set by mtls_host");
        }
        if deployment.settings.contains_key("LATCHKEY_ADMIN_KEY") {
            bail!("settings: LATCHKEY_ADMIN_KEY is set by admin_key");
        }
        let secrets = ["LATCHKEY_SECRET", "LATCHKEY_SECRET_PREVIOUS", "LATCHKEY_PAIRWISE_SECRET", "LATCHKEY_KEYS"];
        if deployment.settings.contains_key("LATCHKEY_MAIL_WEBHOOK_SECRET") {
            bail!(
                "settings: LATCHKEY_MAIL_WEBHOOK_SECRET is a secret; upload it with `wrangler secret put LATCHKEY_MAIL_WEBHOOK_SECRET --env mail`"
            );
        }
        if let Some(name) = secrets.into_iter().find(|name| deployment.settings.contains_key(*name)) {
            bail!(
                "settings: {name} is a secret; infra/cloudflare/deploy.sh uploads to each Worker the keys that it needs"
            );
        }
        Ok(deployment)
    }

    fn issuer(&self) -> String {
        format!("https://{}", self.host)
    }

    /// The variables of a function of the authorization server.
    fn variables(&self, function: &Function) -> BTreeMap<String, String> {
        let of_another = |name: &str| {
            !function.settings.contains(&name) && manifest::FUNCTIONS.iter().any(|it| it.settings.contains(&name))
        };
        let mut variables = self.settings.clone();
        if let Some(key) = &self.admin_key {
            variables.insert("LATCHKEY_ADMIN_KEY".to_owned(), key.clone());
        }
        variables.retain(|name, _| !of_another(name));
        variables.insert("LATCHKEY_ISSUER".to_owned(), self.issuer());
        if let Some(host) = &self.mtls_host {
            variables.insert("LATCHKEY_MTLS_ORIGIN".to_owned(), format!("https://{host}"));
        }
        variables.insert("LATCHKEY_SHARDS".to_owned(), self.shards.to_string());
        if let Some(jurisdiction) = &self.jurisdiction {
            variables.insert("LATCHKEY_JURISDICTION".to_owned(), jurisdiction.clone());
        }
        if let Some(hint) = &self.location_hint {
            variables.insert("LATCHKEY_LOCATION_HINT".to_owned(), hint.clone());
        }
        variables
    }

    /// The place at which the Workers of the authorization server run. Objects with a location hint or a jurisdiction are
    /// in one region: Cloudflare runs the Workers there, too, if that makes a request shorter.
    fn placement(&self) -> Option<String> {
        let are_objects_together = self.location_hint.is_some() || self.jurisdiction.is_some();
        match self.placement.as_deref() {
            Some("smart") => Some("{ mode = \"smart\" }".to_owned()),
            Some(region) => Some(format!("{{ region = {} }}", quoted(region))),
            None => are_objects_together.then(|| "{ mode = \"smart\" }".to_owned()),
        }
    }
}

const HEAD: &str = "\
# The Workers: one environment for each function. `cargo xtask generate` writes this file from shared/manifest and from
# infra/cloudflare/deployment.toml: edit those. infra/cloudflare/deploy.sh deploys the environments of the authorization
# server in the order of this file: a binding needs the Worker that it leads to.
#
# An environment inherits neither variables nor bindings. A pattern ends in `*` because Cloudflare compares it with the
# query too; each function refuses the paths that are not its own.
";

/// Returns the text of `wrangler.toml` of a deployment.
pub(crate) fn write(deployment: &Deployment) -> String {
    let mut text = format!(
        "{HEAD}
name = {}
compatibility_date = \"2026-11-01\"
# A request to a URL that a client registered goes over the Internet, never past the Workers before our own zone.
compatibility_flags = [\"global_fetch_strictly_public\"]
workers_dev = false
preview_urls = false

# Cloudflare bills logs by the gigabyte. The line of each request says all that Cloudflare's own line would say.
[observability]
enabled = true
logs = {{ invocation_logs = false }}
",
        quoted(&deployment.name)
    );
    let mut functions: Vec<&Function> = manifest::FUNCTIONS.iter().collect();
    functions.sort_by_key(|function| rank(function));
    functions.into_iter().for_each(|function| text.push_str(&environment(function, deployment)));
    text
}

/// Returns the rank in the order of deployment: a binding needs the Worker that it leads to.
fn rank(function: &Function) -> u8 {
    match function.role {
        // A restore begins when this function has the new epoch. Then every other function has it, too.
        Role::Endpoint(_) if function.maintains_records => 4,
        Role::Service => 0,
        Role::RecordStore => 1,
        // Endpoints call the function that sends mails.
        Role::Scheduled(_) => 2,
        Role::Endpoint(_) => 3,
        Role::Guard | Role::SampleApi => 5,
    }
}

/// Returns `infra/cloudflare/deploy.sh` with the names of the Workers that it deploys.
pub(super) fn write_script(text: &str) -> Result<String> {
    let names = |role| super::names(|function| function.role == role);
    let keyless = names(Role::Service).join(" ");
    let mut keyed: Vec<&Function> = manifest::FUNCTIONS.iter().filter(|function| function.has_keys()).collect();
    keyed.sort_by_key(|function| rank(function));
    let keyed = keyed.into_iter().map(|function| function.name).collect::<Vec<_>>().join(" ");
    super::replace_part(text, "Workers", &format!("keyless=\"{keyless}\"\nkeyed=\"{keyed}\"\n"))
}

/// Returns the number of the counters of a Worker, which no other Worker of the account should share: the hash of its name
/// (FNV-1a), as a positive number of 31 bits.
fn limit_namespace(deployment: &str, function: &str) -> u32 {
    let name = format!("{deployment}-{function}");
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 1).max(1)
}

/// Returns the rate-limiting rules of the zone, as the rulesets API of Cloudflare takes them.
pub(super) fn rate_limits(deployment: &Deployment) -> String {
    let rule = |description: &str, expression: &str, requests: u32| {
        json!({
            "description": description,
            "expression": format!("(http.host eq \"{}\"{expression})", deployment.host),
            "action": "block",
            "action_parameters": { "response": {
                "status_code": 429,
                "content_type": "application/json",
                "content": "{\"error\":\"temporarily_unavailable\",\"error_description\":\"too many requests came from this address; try again later\"}",
            } },
            "ratelimit": {
                "characteristics": ["cf.colo.id", "ip.src"],
                "period": 60,
                "requests_per_period": requests,
                "mitigation_timeout": 60,
            },
        })
    };
    let sign_in = " and http.request.uri.path eq \"/login\" and http.request.method eq \"POST\"";
    // The servers of a client send the requests of all its users from one address.
    let pages = " and not http.request.uri.path in {\"/token\" \"/par\" \"/introspect\" \"/revoke\" \"/userinfo\"}";
    let rules = json!({
        "description": "Written by `cargo xtask generate`. infra/docs/operations.md says how to apply it.",
        "rules": [
            rule("Latchkey: passwords of one address", sign_in, deployment.requests_per_minute.div_euclid(10).max(1)),
            rule("Latchkey: requests of one address, those of servers not counted", pages, deployment.requests_per_minute.saturating_mul(2)),
        ],
    });
    format!("{rules:#}\n")
}

fn environment(function: &Function, deployment: &Deployment) -> String {
    let name = function.name;
    let mut text = format!("\n[env.{name}]\nmain = \"functions/{name}/build/index.js\"\n");
    text.push_str(&routes(function, deployment));
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key} = {value}");
    };
    if let Some(schedule) = function.schedule() {
        line("triggers", &format!("{{ crons = [{}] }}", quoted(schedule.cron)));
    }
    line("build", &format!("{{ command = \"infra/cloudflare/build.sh {name}\" }}"));
    match function.role {
        Role::Endpoint(_) | Role::Scheduled(_) => {
            line("vars", &table(&deployment.variables(function)));
            let owner = quoted(&format!("{}-records", deployment.name));
            let binding = format!("{{ name = \"RECORDS\", class_name = \"Records\", script_name = {owner} }}");
            line("durable_objects", &format!("{{ bindings = [{binding}] }}"));
            if let Some(namespace) = &deployment.kv_namespace {
                line("kv_namespaces", &format!("[{{ binding = \"CACHE\", id = {} }}]", quoted(namespace)));
            }
            if function.limits_networks {
                let limit = deployment.requests_per_minute;
                let namespace = quoted(&limit_namespace(&deployment.name, name).to_string());
                line(
                    "ratelimits",
                    &format!(
                        "[{{ name = \"REQUESTS\", namespace_id = {namespace}, simple = {{ limit = {limit}, period = 60 }} }}]"
                    ),
                );
            }
            if let Some(placement) = deployment.placement() {
                line("placement", &placement);
            }
            let mail = function.writes_mail.then_some(manifest::MAIL);
            let bound: Vec<&str> = function.services.iter().copied().chain(mail).collect();
            let services = bound.iter().map(|service| {
                let worker = quoted(&format!("{}-{service}", deployment.name));
                format!("{{ binding = {}, service = {worker} }}", quoted(&service.to_ascii_uppercase()))
            });
            if function.name == manifest::MAIL
                && deployment.settings.get("LATCHKEY_MAIL").is_some_and(|sender| sender == "cloudflare")
            {
                let from = deployment.settings.get("LATCHKEY_MAIL_FROM").map(String::as_str).unwrap_or_default();
                let binding = format!("{{ name = \"EMAIL\", allowed_sender_addresses = [{}] }}", quoted(from));
                line("send_email", &format!("[{binding}]"));
            }
            if !bound.is_empty() {
                line("services", &format!("[{}]", services.collect::<Vec<_>>().join(", ")));
            }
        }
        Role::Guard => {
            let resource = format!("https://{}", deployment.api.host);
            let variables = [("LATCHKEY_ISSUER", deployment.issuer()), ("LATCHKEY_RESOURCE", resource)];
            line("vars", &table(&variables.map(|(name, value)| (name.to_owned(), value)).into()));
            let sample = || format!("{}-demo-api", deployment.name);
            let worker = quoted(&deployment.api.worker.clone().unwrap_or_else(sample));
            line("services", &format!("[{{ binding = \"API\", service = {worker} }}]"));
        }
        Role::SampleApi | Role::Service => {}
        Role::RecordStore => {
            line("durable_objects", "{ bindings = [{ name = \"RECORDS\", class_name = \"Records\" }] }");
            // Each request makes several calls of objects. What fails there is in the log of the caller, too.
            line("observability", "{ enabled = true, head_sampling_rate = 0.05, logs = { invocation_logs = false } }");
            line("migrations", "[{ tag = \"v1\", new_sqlite_classes = [\"Records\"] }]");
        }
    }
    text
}

/// Returns the pattern of a route; `None` for the page at the root. A pattern cannot have a query: the pattern of the fallback
/// covers that page with any query.
fn pattern(route: &Route) -> Option<String> {
    (route.path != "/").then(|| format!("{}*", route.path))
}

/// The paths with an alias at the host that asks clients for certificates: those of `mtls_endpoint_aliases` in the metadata.
const WITH_CERTIFICATES: [&str; 6] = ["/token", "/revoke", "/introspect", "/par", "/device_authorization", "/userinfo"];

fn routes(function: &Function, deployment: &Deployment) -> String {
    let (host, zone, paths) = match function.role {
        Role::Guard => (&deployment.api.host, &deployment.api.zone, vec!["/*".to_owned()]),
        _ => {
            let mut paths: Vec<String> = function.routes().iter().filter_map(pattern).collect();
            // Cloudflare picks the most specific pattern: this one takes what no other does.
            paths.extend((function.name == manifest::FALLBACK).then(|| "/*".to_owned()));
            (&deployment.host, &deployment.zone, paths)
        }
    };
    if paths.is_empty() {
        return String::new();
    }
    let aliases = deployment.mtls_host.iter().filter(|_| function.role != Role::Guard).flat_map(|host| {
        let has_alias = |route: &&Route| WITH_CERTIFICATES.contains(&route.path);
        function.routes().iter().filter(has_alias).filter_map(pattern).map(move |path| format!("{host}{path}"))
    });
    let patterns = paths.into_iter().map(|path| format!("{host}{path}")).chain(aliases);
    let route = |pattern: String| format!("  {{ pattern = {}, zone_name = {} }},\n", quoted(&pattern), quoted(zone));
    format!("routes = [\n{}]\n", patterns.map(route).collect::<String>())
}

fn table(entries: &BTreeMap<String, String>) -> String {
    let entries: Vec<String> = entries.iter().map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// Returns the text as a basic string of TOML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the names that two deployments in one account both use: Workers, Durable Objects, routes, KV namespaces.
pub(crate) fn shared_names(one: &str, other: &str) -> Result<Vec<String>> {
    Ok(names(one)?.intersection(&names(other)?).cloned().collect())
}

fn names(wrangler: &str) -> Result<BTreeSet<String>> {
    let config: toml::Table = toml::from_str(wrangler)?;
    let text = |value: &toml::Value, key: &str| value.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let list =
        |value: &toml::Value, key: &str| value.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let prefix = config.get("name").and_then(toml::Value::as_str).context("no name")?;
    let environments = config.get("env").and_then(toml::Value::as_table).context("no environments")?;
    let mut names = BTreeSet::new();
    for (name, environment) in environments {
        let worker = format!("{prefix}-{name}");
        for binding in environment.get("durable_objects").map(|objects| list(objects, "bindings")).unwrap_or_default() {
            let owner = text(&binding, "script_name").unwrap_or_else(|| worker.clone());
            let class = text(&binding, "class_name").context("a binding without a class")?;
            names.insert(format!("Durable Object {owner}/{class}"));
        }
        names.extend(
            list(environment, "routes")
                .iter()
                .filter_map(|route| text(route, "pattern"))
                .map(|it| format!("route {it}")),
        );
        names.extend(
            list(environment, "kv_namespaces")
                .iter()
                .filter_map(|it| text(it, "id"))
                .map(|it| format!("KV namespace {it}")),
        );
        names.insert(format!("Worker {worker}"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(text: &str) -> Deployment {
        Deployment::parse(text).unwrap()
    }

    fn first() -> String {
        super::super::primary().unwrap()
    }

    const STAGING: &str = r#"
        name = "latchkey-staging"
        host = "auth.staging.example.com"
        zone = "example.com"
        kv_namespace = "11111111111111111111111111111111"
        shards = 4
        location_hint = "weur"
        [settings]
        LATCHKEY_REGISTRATION = "token"
        [api]
        host = "api.staging.example.com"
        zone = "example.com"
    "#;

    #[test]
    fn two_deployments_share_no_name() {
        let staging = write(&deployment(STAGING));
        assert_eq!(shared_names(&first(), &staging).unwrap(), Vec::<String>::new());
        let all = names(&staging).unwrap();
        assert!(all.contains("Worker latchkey-staging-token"));
        assert!(all.contains("Durable Object latchkey-staging-records/Records"));
        assert!(all.contains("route auth.staging.example.com/token*"));
        assert!(all.contains("KV namespace 11111111111111111111111111111111"));
    }

    #[test]
    fn a_shared_name_is_found() {
        for (own, of_the_first, shared) in [
            ("latchkey-staging", "latchkey", "Worker latchkey-token"),
            ("auth.staging.", "auth.", "route auth.example.com/token*"),
            ("api.staging.", "api.", "route api.example.com/*"),
            ("1111", "0000", "KV namespace 00000000000000000000000000000000"),
        ] {
            let other = write(&deployment(&STAGING.replace(own, of_the_first)));
            assert!(shared_names(&first(), &other).unwrap().contains(&shared.to_owned()), "{shared}");
        }
    }

    #[test]
    fn workers_that_browsers_call_limit_networks() {
        let (first, staging) = (first(), write(&deployment(STAGING)));
        let mut numbers = BTreeSet::new();
        for text in [&first, &staging] {
            let config: toml::Table = toml::from_str(text).unwrap();
            for function in manifest::FUNCTIONS {
                let limit = config["env"][function.name].get("ratelimits").map(|limits| limits[0].clone());
                assert_eq!(limit.is_some(), function.limits_networks, "{}", function.name);
                let Some(limit) = limit else { continue };
                assert_eq!(limit["simple"]["limit"].as_integer(), Some(3000));
                assert!(numbers.insert(limit["namespace_id"].as_str().unwrap().to_owned()), "{}", function.name);
            }
        }
        assert!(numbers.iter().all(|number| number.parse::<u32>().is_ok_and(|number| number > 0)));
    }

    #[test]
    fn settings_reach_every_function_of_the_server_alone() {
        let config: toml::Table = toml::from_str(&write(&deployment(STAGING))).unwrap();
        for function in manifest::FUNCTIONS {
            let environment = &config["env"][function.name];
            let has = |name: &str| environment.get("vars").and_then(|vars| vars.get(name)).is_some();
            for name in ["LATCHKEY_REGISTRATION", "LATCHKEY_SHARDS", "LATCHKEY_LOCATION_HINT"] {
                assert_eq!(has(name), function.is_server(), "{} {name}", function.name);
            }
            for binding in ["durable_objects", "kv_namespaces"] {
                let is_bound = environment.get(binding).is_some();
                let is_owner = function.role == Role::RecordStore && binding == "durable_objects";
                assert_eq!(is_bound, function.is_server() || is_owner, "{} {binding}", function.name);
            }
        }
    }

    /// RFC 8705 §5: the aliases are at a host of their own, without the pages and without any other path.
    #[test]
    fn the_host_with_certificates_has_the_aliases_alone() {
        let text = STAGING.replace("shards = 4", "mtls_host = \"mtls.staging.example.com\"");
        let written = write(&deployment(&text));
        let patterns: Vec<&str> = written
            .lines()
            .filter_map(|line| line.split("\"mtls.staging.example.com/").nth(1)?.split('"').next())
            .collect();
        let mut aliases = WITH_CERTIFICATES.map(|path| format!("{}*", path.trim_start_matches('/')));
        aliases.sort_unstable();
        let mut found = patterns.clone();
        found.sort_unstable();
        assert_eq!(found, aliases);
        let config: toml::Table = toml::from_str(&written).unwrap();
        let origin = config["env"]["metadata"]["vars"]["LATCHKEY_MTLS_ORIGIN"].as_str();
        assert_eq!(origin, Some("https://mtls.staging.example.com"));
        assert!(!write(&deployment(STAGING)).contains("MTLS"));
    }

    #[test]
    fn settings_of_the_administration_reach_no_other_function() {
        let text = STAGING.replace("shards = 4", "admin_key = \"PUBLIC\"");
        let text = text.replace("[settings]", "[settings]\nLATCHKEY_ADMIN = \"off\"");
        let config: toml::Table = toml::from_str(&write(&deployment(&text))).unwrap();
        for function in manifest::FUNCTIONS {
            let variables = config["env"][function.name].get("vars");
            for (name, value) in [("LATCHKEY_ADMIN_KEY", "PUBLIC"), ("LATCHKEY_ADMIN", "off")] {
                let found = variables.and_then(|variables| variables.get(name)).and_then(toml::Value::as_str);
                let is_administration = function.routes().iter().any(|route| route.path.starts_with("/admin/"));
                let expected = is_administration.then_some(value);
                assert_eq!(found, expected, "{} {name}", function.name);
            }
        }
    }

    /// A service gets messages of its own deployment alone, and holds nothing that a bug in it could reveal.
    #[test]
    fn services_have_no_secret_no_store_and_no_route() {
        let config: toml::Table = toml::from_str(&write(&deployment(STAGING))).unwrap();
        for function in manifest::FUNCTIONS {
            let environment = config["env"][function.name].as_table().unwrap();
            if function.role == Role::Service {
                assert_eq!(environment.keys().collect::<Vec<_>>(), ["build", "main"], "{}", function.name);
            }
            if function.is_server() {
                let bound = environment.get("services").and_then(toml::Value::as_array).cloned().unwrap_or_default();
                let bound: Vec<_> =
                    bound.iter().map(|it| (it["binding"].as_str().unwrap(), it["service"].as_str().unwrap())).collect();
                let service = match function.name {
                    "account" | "admin-users" | "recovery" => Some(("PASSWORDS", "latchkey-staging-passwords")),
                    "token" => Some(("SAML", "latchkey-staging-saml")),
                    _ => None,
                };
                let mail = matches!(function.name, "account" | "admin-users" | "login" | "recovery");
                let mail = mail.then_some(("MAIL", "latchkey-staging-mail"));
                assert_eq!(bound, service.into_iter().chain(mail).collect::<Vec<_>>(), "{}", function.name);
            }
        }
    }

    #[test]
    fn with_a_jurisdiction_no_worker_has_a_cache() {
        let text = STAGING.replace("kv_namespace = \"11111111111111111111111111111111\"", "jurisdiction = \"eu\"");
        let config: toml::Table = toml::from_str(&write(&deployment(&text))).unwrap();
        for function in manifest::FUNCTIONS.iter().filter(|function| function.is_server()) {
            let environment = &config["env"][function.name];
            assert!(environment.get("kv_namespaces").is_none(), "{}", function.name);
            assert_eq!(environment["vars"]["LATCHKEY_JURISDICTION"].as_str(), Some("eu"), "{}", function.name);
            assert_eq!(environment["placement"]["mode"].as_str(), Some("smart"), "{}", function.name);
        }
    }

    #[test]
    fn workers_are_placed_near_objects_of_one_region() {
        let placement = |text: &str| {
            let config: toml::Table = toml::from_str(&write(&deployment(text))).unwrap();
            config["env"]["token"].get("placement").map(|placement| format!("{placement:?}"))
        };
        let without_hint = STAGING.replace("location_hint = \"weur\"", "");
        assert_eq!(placement(&without_hint), None);
        assert!(placement(STAGING).unwrap().contains("smart"));
        let region = without_hint.replace("shards = 4", "placement = \"aws:eu-central-1\"");
        assert!(placement(&region).unwrap().contains("aws:eu-central-1"));
    }

    #[test]
    fn mistakes_are_reported() {
        for (wrong, problem) in [
            ("host = \"https://auth.example.com\"", "host: name a host alone"),
            ("host = \"auth.example.org\"", "is not in the zone"),
            ("name = \"Latchkey\"", "name: use lower-case letters"),
            ("hosts = \"x\"", "unknown field"),
            ("shards = 0", "shards: a number from 1 to 4096"),
            ("jurisdiction = \"eu\"", "kv_namespace: remove it"),
            ("mtls_host = \"auth.staging.example.com\"", "mtls_host: name another host"),
        ] {
            let key = wrong.split(' ').next().unwrap();
            let (server, rest) = STAGING.split_once("[settings]").unwrap();
            let others = server.lines().filter(|line| line.trim().split(' ').next() != Some(key));
            let kept = format!("{}\n[settings]{rest}", others.collect::<Vec<_>>().join("\n"));
            let error = format!("{:#}", Deployment::parse(&format!("{wrong}\n{kept}")).unwrap_err());
            assert!(error.contains(problem), "{error}");
        }
    }
}
