//! `latchkey init` and `latchkey admin-key`, and the key that signs the requests of the commands.

use super::{Provider, SECRET, answer, complaint, get, in_memory, latchkey, run, scratch};
use serde_json::{Value, json};
use std::path::Path;

fn json_of(command: std::process::Command) -> Value {
    let output = run(command, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn complaint_of(command: std::process::Command) -> String {
    let output = run(command, "");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn init(home: &Path, more: &[&str]) -> std::process::Command {
    let mut command = latchkey(&["init", "--json"]);
    command.args(more).env("XDG_CONFIG_HOME", home);
    command
}

/// The first key: its private half is in the configuration directory, its public half a setting of the deployment.
#[test]
fn the_first_key_is_generated_and_found() {
    let home = scratch("init");
    let made = json_of(init(&home, &[]));
    let file = home.join("latchkey/admin.key");
    assert_eq!(made["admin_key_file"], json!(file));
    assert_eq!(made["admin_key"].as_str().unwrap().len(), 43);
    let refused = complaint_of(init(&home, &[]));
    assert!(refused.contains("not overwritten"), "{refused}");
    let own = json_of(init(&home, &["--host", "id.example.com"]));
    assert_eq!(own["admin_key_file"], json!(home.join("latchkey/id.example.com.key")));

    let mut dev = latchkey(&["--memory", "--port", "0", "--json", "--quiet"]);
    dev.env("LATCHKEY_SECRET", SECRET).env("LATCHKEY_ADMIN_KEY", made["admin_key"].as_str().unwrap());
    let provider = Provider::start(dev);
    let list = |more: &[&str], secret: Option<&str>| {
        let mut command = latchkey(&["client", "list", "--json", "--url", provider.issuer(), "--data", "/none"]);
        command.args(more).env("XDG_CONFIG_HOME", &home).envs(secret.map(|secret| ("LATCHKEY_SECRET", secret)));
        command
    };
    assert!(json_of(list(&[], None)).as_array().unwrap().len() > 3);
    let named = file.to_str().unwrap();
    json_of(list(&["--key", named], Some(SECRET)));
    let mut by_variable = list(&[], Some(SECRET));
    by_variable.env("LATCHKEY_ADMIN_KEY_FILE", named);
    json_of(by_variable);
    let other = home.join("latchkey/id.example.com.key");
    let rejected = complaint_of(list(&["--key", other.to_str().unwrap()], None));
    assert!(rejected.contains("rejects the admin key") && rejected.contains("--key"), "{rejected}");
    // The secret administers nothing where the operator set a key.
    let rejected = complaint_of(list(&[], Some(SECRET)));
    assert!(rejected.contains("rejects the admin key"), "{rejected}");
    let missing = complaint_of(list(&["--key", "/none/admin.key"], None));
    assert!(missing.contains("/none/admin.key does not exist"), "{missing}");
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn without_a_key_the_command_says_where_it_looked() {
    let mut command = latchkey(&["client", "list", "--url", "https://id.example.com"]);
    command.env("XDG_CONFIG_HOME", "/none");
    let said = complaint_of(command);
    for part in ["/none/latchkey/id.example.com.key", "/none/latchkey/admin.key", "latchkey init", "--key"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn keys_are_created_used_listed_and_revoked() {
    let provider = in_memory(&["--quiet"]);
    let (url, home) = (provider.issuer(), scratch("admin-keys"));
    let file = home.join("ci.key");
    let path = file.to_str().unwrap();
    let created =
        answer(&["admin-key", "create", "ci", "--scope", "clients:read", "--days", "7", "--out", path], url, "");
    assert_eq!((&created["name"], &created["scopes"]), (&json!("ci"), &json!(["clients:read"])));
    answer(&["client", "list", "--key", path], url, "");
    let refused = complaint(&["user", "list", "--key", path], url, SECRET);
    assert!(refused.contains("users:read") && refused.contains("admin-key list"), "{refused}");
    let again = complaint(&["admin-key", "create", "x", "--scope", "all", "--out", path], url, SECRET);
    assert!(again.contains("not overwritten"), "{again}");

    let generated = home.join("ada.key");
    let ada = json_of(latchkey(&["admin-key", "generate", "--json", "--out", generated.to_str().unwrap()]));
    let public = ada["public_key"].as_str().unwrap();
    let of_ada = ["admin-key", "create", "ada", "--scope", "admin-keys:write", "--public-key", public];
    assert_eq!(answer(&of_ada, url, "")["kid"], ada["kid"]);
    assert!(complaint(&of_ada, url, SECRET).contains("already"));
    let beyond = home.join("beyond.key");
    let key = generated.to_str().unwrap();
    let mut command = latchkey(&["admin-key", "create", "x", "--scope", "all", "--url", url, "--key", key, "--out"]);
    command.arg(&beyond);
    assert!(complaint_of(command).contains("lacks: all"));
    assert!(!beyond.exists(), "a key that was not registered leaves no file");

    let listed = answer(&["admin-key", "list"], url, "");
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["LATCHKEY_ADMIN_KEY", "ada", "ci"]);
    answer(&["admin-key", "revoke", "ci"], url, "");
    let rejected = complaint(&["client", "list", "--key", path], url, SECRET);
    assert!(rejected.contains("the admin key is revoked"), "{rejected}");
    assert!(complaint(&["admin-key", "revoke", "nobody"], url, SECRET).contains("no admin key nobody"));
    let own = listed[0]["kid"].as_str().unwrap();
    assert!(complaint(&["admin-key", "revoke", own], url, SECRET).contains("LATCHKEY_ADMIN_KEY"));
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn the_administration_can_be_switched_off() {
    let mut dev = latchkey(&["--memory", "--port", "0", "--json", "--quiet"]);
    let provider = Provider::start({
        dev.env("LATCHKEY_SECRET", SECRET).env("LATCHKEY_ADMIN", "off");
        dev
    });
    let url = provider.issuer();
    for path in ["/admin/clients", "/admin/users/demo", "/admin/none"] {
        assert_eq!(get(&format!("{url}{path}")).0, 404, "{path}");
    }
    assert_eq!(get(&format!("{url}/health/admin")).0, 200);
    let said = complaint(&["client", "list"], url, SECRET);
    assert!(said.contains("no administration endpoint"), "{said}");
}

#[test]
fn wrong_settings_of_the_administration_are_reported() {
    let mut dev = latchkey(&["--memory", "--port", "0"]);
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    dev.env("LATCHKEY_SECRET", SECRET)
        .env("LATCHKEY_ADMIN", "no")
        .env("LATCHKEY_ADMIN_KEY", format!("{key} {}", "A".repeat(43)));
    let said = complaint_of(dev);
    assert!(said.contains("LATCHKEY_ADMIN: 'no' is neither on nor off"), "{said}");
    assert!(said.contains("LATCHKEY_ADMIN_KEY: [1] must be an Ed25519 public key"), "{said}");
    assert!(said.contains("latchkey init"), "{said}");
}

/// A token is for the issuer, not for the address at which the server is reached.
#[test]
fn the_issuer_may_differ_from_the_url() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut dev = latchkey(&["--memory", "--json", "--quiet", "--port"]);
    dev.arg(port.to_string()).env("LATCHKEY_SECRET", SECRET).env("LATCHKEY_ISSUER", "https://id.example.test");
    let _provider = Provider::start(dev);
    let url = format!("http://localhost:{port}");
    let rejected = complaint(&["client", "list"], &url, SECRET);
    assert!(rejected.contains("aud must be the issuer identifier"), "{rejected}");
    answer(&["client", "list", "--issuer", "https://id.example.test"], &url, "");
    let mut command = latchkey(&["client", "list", "--json", "--url", &url]);
    command.env("LATCHKEY_SECRET", SECRET).env("LATCHKEY_ISSUER", "https://id.example.test");
    json_of(command);
}
