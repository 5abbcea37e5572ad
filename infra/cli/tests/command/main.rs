//! The command, as users and programs run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads the clock to wait"
)]

mod admin_keys;
mod clients;
mod configuration;
mod doctor;
mod mutual_tls;
mod tls;
mod users;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn latchkey(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LATCHKEY_")) {
        command.env_remove(name);
    }
    // No test reads or writes the keys of the user who runs it.
    command.env("XDG_CONFIG_HOME", scratch("no-configuration"));
    command
}

/// A running provider. Dropping it ends the process.
struct Provider {
    process: Child,
    banner: Value,
}

impl Provider {
    fn start(mut command: Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let banner = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = process.kill();
            panic!("{line}{}", std::io::read_to_string(process.stderr.take().unwrap()).unwrap_or_default())
        });
        Self { process, banner }
    }

    fn issuer(&self) -> &str {
        self.banner["issuer"].as_str().unwrap()
    }

    /// Ends the process as Ctrl-C does, and waits for it.
    fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let started = Instant::now();
        let status = loop {
            match self.process.try_wait().unwrap() {
                Some(status) => break status,
                None if started.elapsed() > Duration::from_secs(10) => panic!("the process does not end"),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        assert!(status.success(), "{status}");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(url: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(url).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("latchkey-command-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

fn run(mut command: Command, input: &str) -> Output {
    let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

/// Runs a command that must succeed. Returns its JSON.
fn answer(arguments: &[&str], url: &str, input: &str) -> Value {
    let mut command = latchkey(arguments);
    command.args(["--json", "--url", url]).env("LATCHKEY_SECRET", SECRET);
    let output = run(command, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that must fail. Returns its error message.
fn complaint(arguments: &[&str], url: &str, secret: &str) -> String {
    let mut command = latchkey(arguments);
    command.args(["--url", url]).env("LATCHKEY_SECRET", secret);
    let output = run(command, "");
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn in_memory(more: &[&str]) -> Provider {
    let mut command = latchkey(&["--memory", "--port", "0", "--json"]);
    command.args(more).env("LATCHKEY_SECRET", SECRET);
    Provider::start(command)
}

#[test]
fn the_provider_serves_at_the_url_that_it_prints() {
    for threads in ["1", "3"] {
        let provider = in_memory(&["--threads", threads]);
        let issuer = provider.issuer();
        assert!(issuer.starts_with("http://localhost:") && !issuer.ends_with(":0"), "{issuer}");
        assert_eq!(provider.banner["users"], json!([{ "username": "demo", "password": "four-quiet-lanterns" }]));
        let (status, discovery) = get(provider.banner["discovery"].as_str().unwrap());
        assert_eq!((status, &serde_json::from_str::<Value>(&discovery).unwrap()["issuer"]), (200, &json!(issuer)));
        for path in ["/", "/playground", "/playground/callback", "/callback", "/jwks"] {
            assert_eq!(get(&format!("{issuer}{path}")).0, 200, "{path}");
        }
        assert_eq!(get(&format!("{issuer}/nothing")).0, 404);
        provider.stop();
    }
}

#[test]
fn the_printed_command_lines_work() {
    let provider = in_memory(&[]);
    let lines: Vec<&str> = provider.banner["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|command| command["line"].as_str().unwrap())
        .collect();
    let curl = |line: &str| {
        let output = Command::new("sh").args(["-c", line]).stderr(Stdio::null()).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    if Command::new("curl").arg("--version").output().is_ok() {
        assert_eq!(curl(lines[0])["token_type"], "Bearer");
        assert_eq!(curl(lines[2])["error"], "invalid_grant", "a made-up code");
        assert_eq!(curl(lines[3])["error"], "invalid_grant", "a made-up refresh token");
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let response = agent.get(lines[1]).call().unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.contains("/login?"), "{location}");
    let callback = format!("{}/callback?code=a-code", provider.issuer());
    assert!(get(&callback).1.contains("-d code=a-code"));
    let hostile = format!("{}/callback?code=a%3Brm", provider.issuer());
    assert!(!get(&hostile).1.contains("rm"), "no characters with a meaning to a shell");
}

#[test]
fn store_and_secret_are_kept_when_the_process_ends() {
    let data = scratch("data");
    let start = || {
        let mut command = latchkey(&["dev", "--port", "0", "--json", "--quiet", "--data"]);
        command.arg(&data);
        Provider::start(command)
    };
    let keys = |provider: &Provider| get(&format!("{}/jwks", provider.issuer())).1;
    let first = start();
    let published = keys(&first);
    first.stop();
    let second = start();
    assert_eq!(keys(&second), published);
    let mut listing = latchkey(&["client", "list", "--json", "--url", second.issuer(), "--data"]);
    let listed = listing.arg(&data).output().unwrap();
    let clients: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let redirect_uri = format!("{}/playground/callback", second.issuer());
    let spa = clients.as_array().unwrap().iter().find(|client| client["client_id"] == "demo-spa").unwrap();
    assert_eq!(spa["redirect_uris"][0], redirect_uri, "redirect URIs have the new port");

    let refused = |secret: Option<&str>| {
        let mut command = latchkey(&["dev", "--port", "0", "--quiet", "--data"]);
        command.arg(&data).envs(secret.map(|secret| ("LATCHKEY_SECRET", secret)));
        let output = run(command, "");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(None).contains("Another server is using"), "two servers must not share one store");
    second.stop();
    assert!(refused(Some(SECRET)).contains("made with another LATCHKEY_SECRET"));
    assert!(data.join("secret").exists());
    std::fs::remove_dir_all(&data).unwrap();
}

#[test]
fn clients_and_users_are_administered() {
    let provider = in_memory(&[]);
    let url = provider.issuer();
    let added = answer(&["client", "add", "https://app.example/callback", "--id", "app", "--confidential"], url, "");
    let secret = added["client_secret"].as_str().unwrap();
    assert_eq!(secret.len(), 43);
    let changed = answer(
        &["client", "add", "https://app.example/2", "--id", "app", "--confidential", "--set", "require_pkce=false"],
        url,
        "",
    );
    assert_eq!((&changed["require_pkce"], changed.get("client_secret")), (&json!(false), None));
    assert_ne!(answer(&["client", "secret", "app"], url, "")["client_secret"], secret);
    assert_eq!(answer(&["client", "show", "app"], url, "")["redirect_uris"], json!(["https://app.example/2"]));
    let listed = answer(&["client", "list"], url, "");
    let named = |id: &str| listed.as_array().unwrap().iter().filter(|client| client["client_id"] == id).count();
    assert_eq!((named("app"), named("demo-spa")), (1, 1));
    answer(&["client", "remove", "app"], url, "");
    assert!(complaint(&["client", "show", "app"], url, SECRET).contains("no client app"));
    let told = complaint(&["client", "add", "http://app.example/#x", "--set", "colour=red"], url, SECRET);
    assert!(told.contains("colour") && told.contains("redirect_uris"), "{told}");

    let user = answer(
        &["user", "add", "Ada", "--claim", "name=Ada", "--claim", "email_verified=true"],
        url,
        "two green umbrellas\n",
    );
    assert_eq!((&user["username"], &user["claims"]["email_verified"]), (&json!("ada"), &json!(true)));
    let again = answer(&["user", "add", "ada", "--claim", "email=ada@example.com"], url, "");
    assert_eq!((&again["sub"], &again["claims"]["name"]), (&user["sub"], &json!("Ada")));
    let changed = answer(&["user", "set-password", "ada"], url, "another green umbrella\n");
    assert_eq!(changed["ended"], json!({ "sessions": 0, "grants": 0 }), "the command says what ended");
    let kept = answer(&["user", "set-password", "--keep-sessions", "ada"], url, "one more green umbrella\n");
    assert_eq!(kept["ended"], Value::Null);
    assert_eq!(answer(&["user", "set-user-code", "ada"], url, "wombat-7\n")["has_user_code"], true);
    assert_eq!(answer(&["user", "set-user-code", "ada", "--remove"], url, "")["has_user_code"], false);
    assert_eq!(answer(&["user", "consents", "ada"], url, ""), json!([]));
    assert_eq!(answer(&["user", "grants", "ada"], url, ""), json!([]));
    assert_eq!(answer(&["user", "withdraw", "ada", "demo-spa"], url, ""), json!({ "grants": 0 }));
    assert_eq!(answer(&["user", "list"], url, "").as_array().unwrap().len(), 2);
    answer(&["user", "remove", "ada"], url, "");
    assert!(complaint(&["user", "show", "ada"], url, SECRET).contains("no user ada"));
    assert!(complaint(&["user", "add", "eve"], url, SECRET).contains("password is empty"));

    answer(&["seed", "--demo"], url, "");
    let refused = complaint(&["seed", "--demo"], "https://id.example.com", SECRET);
    assert!(refused.contains("not on this machine") && refused.contains("--public-passwords"), "{refused}");
    let other = "1".repeat(64);
    assert!(complaint(&["client", "list"], url, &other).contains("rejects the admin key"));
    assert!(complaint(&["client", "list"], "http://id.example.com", SECRET).contains("not https"));
}

#[test]
fn errors_name_a_remedy() {
    let provider = in_memory(&[]);
    let port = provider.issuer().rsplit(':').next().unwrap();
    let output = latchkey(&["--memory", "--port", port]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("is taken") && told.contains("--port"), "{told}");

    let nowhere = latchkey(&["dev", "--port", "0", "--data"]).arg(Path::new("/proc/nothing")).output().unwrap();
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("--memory"));

    let mut wrong = latchkey(&["--memory", "--port", "0"]);
    let settings = [("LATCHKEY_SECRET", "short"), ("LATCHKEY_REFRESH_GRACE", "soon"), ("LATCHKEY_CODE_LIFETIME", "0")];
    let told = String::from_utf8(wrong.envs(settings).output().unwrap().stderr).unwrap();
    assert!(settings.iter().all(|(name, _)| told.contains(name)), "{told}");
}

#[test]
fn the_banner_names_a_misspelt_setting() {
    let mut command = latchkey(&["--memory", "--port", "0", "--json", "--quiet"]);
    command.env("LATCHKEY_ACESS_TOKEN_LIFETIME", "60").env("LATCHKEY_ID_TOKEN_LIFETIME", "60");
    let provider = Provider::start(command);
    assert_eq!(provider.banner["unknown_settings"], json!(["LATCHKEY_ACESS_TOKEN_LIFETIME"]));
}

#[test]
fn the_demo_api_is_served_beside_resources_of_the_environment() {
    let mut command = latchkey(&["--memory", "--port", "0", "--json", "--quiet"]);
    command.env("LATCHKEY_RESOURCES", r#"[{"resource": "https://api.example.com", "scopes": "read"}]"#);
    let provider = Provider::start(command);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for (resource, scope) in
        [("https://api.example.com".to_owned(), "read"), (format!("{}/demo-api", provider.issuer()), "demo:read")]
    {
        let response = agent
            .post(format!("{}/token", provider.issuer()))
            .header("authorization", "Basic ZGVtby1zZXJ2aWNlOmRlbW8tc2VydmljZS1zZWNyZXQtN0txMlh2OVRiNA==")
            .send_form([("grant_type", "client_credentials"), ("scope", scope), ("resource", &resource)])
            .unwrap();
        assert_eq!(response.status(), 200, "{resource}");
    }
}

#[test]
fn no_proxy_is_used_for_a_local_deployment() {
    let provider = in_memory(&["--quiet"]);
    let mut command = latchkey(&["client", "list", "--url", provider.issuer()]);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env("LATCHKEY_SECRET", SECRET).env_remove("no_proxy").env_remove("NO_PROXY");
    let output = run(command, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Cookies set at a loopback address would not be sent to the issuer's host.
#[test]
fn pages_redirect_from_a_loopback_address_to_the_issuer() {
    let provider = in_memory(&["--quiet"]);
    let by_number = provider.issuer().replace("localhost", "127.0.0.1");
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let response = agent.get(format!("{by_number}/authorize?client_id=x&state=a%26b")).call().unwrap();
    let expected = format!("{}/authorize?client_id=x&state=a%26b", provider.issuer());
    assert_eq!(response.headers()["location"], expected.as_str());
    assert_eq!(get(&format!("{by_number}/jwks")).0, 200);
}

#[test]
fn keys_are_listed_rotated_and_replaced() {
    let provider = in_memory(&["--quiet"]);
    let states = |keys: &Value| -> Vec<(String, bool)> {
        let keys = keys.as_array().unwrap().iter();
        keys.map(|key| (key["alg"].as_str().unwrap().to_owned(), key["signs"] == true)).collect()
    };
    let before = answer(&["keys", "list"], provider.issuer(), "");
    let first = ["ES256", "RS256", "PS256", "EdDSA"].map(|alg| (alg.to_owned(), true));
    assert_eq!(states(&before), first);
    let rotated = answer(&["keys", "rotate", "--alg", "RS256"], provider.issuer(), "");
    assert_eq!(states(&rotated)[4..], [("RS256".to_owned(), false)], "published, not yet signing");
    let replaced = answer(&["keys", "replace"], provider.issuer(), "");
    assert_eq!(replaced.as_array().unwrap().len(), 4);
    assert!(replaced.as_array().unwrap().iter().all(|key| !rotated.to_string().contains(key["kid"].as_str().unwrap())));
    let said = complaint(&["keys", "rotate", "--alg", "HS256"], provider.issuer(), SECRET);
    assert!(said.contains("ES256"), "{said}");
}

#[test]
fn a_secret_is_generated() {
    let file = scratch("generated").with_extension("key");
    let init = |more: &[&str]| {
        let _ = std::fs::remove_file(&file);
        let mut command = latchkey(&["init", "--out"]);
        command.arg(&file).args(more);
        command.output().unwrap()
    };
    let output = init(&["--json"]);
    let secret = serde_json::from_slice::<Value>(&output.stdout).unwrap()["secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    let text = String::from_utf8(init(&[]).stdout).unwrap();
    assert!(text.starts_with("LATCHKEY_SECRET=") && text.contains("wrangler secret put") && text.contains("aws "));
    assert!(text.contains("LATCHKEY_ADMIN_KEY=") && text.contains("AdminKey=") && text.contains("admin_key = "));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn the_chooser_registers_the_client_and_shows_the_settings() {
    let provider = in_memory(&[]);
    let url = provider.issuer();
    for (kind, more, has_secret) in [
        ("spa", &["https://app.example/cb"][..], false),
        ("native", &["com.example.app:/cb"], false),
        ("web", &["https://app.example/cb"], true),
        ("service", &["--scope", "read"], true),
        ("device", &[], false),
        ("mcp", &["--resource", "https://mcp.example"], true),
        ("api", &["--resource", "https://api.example"], true),
        ("mcp-client", &["--resource", "https://mcp.example", "--scope", "read"], false),
    ] {
        let arguments = [&["client", "create", "--for", kind, "--id", kind, "--name", "App"], more].concat();
        let made = answer(&arguments, url, "");
        let settings = &made["settings"];
        assert_eq!((&settings["issuer"], &settings["client_id"]), (&json!(url), &json!(kind)));
        assert_eq!(settings["client_secret"].is_string(), has_secret, "{kind}");
        assert_eq!(made["client"]["client_name"], "App");
        assert!(made["reasons"].as_array().unwrap().len() > 1);
        if kind == "service" && Command::new("curl").arg("--version").output().is_ok() {
            let line = made["commands"][0]["line"].as_str().unwrap();
            let token = Command::new("sh").args(["-c", line]).stderr(Stdio::null()).output().unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&token.stdout).unwrap()["scope"], "read");
        }
        if kind == "web" {
            let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
            let response = agent.get(made["commands"][0]["line"].as_str().unwrap()).call().unwrap();
            let location = response.headers()["location"].to_str().unwrap();
            assert!(location.contains("/login?"), "{location}");
        }
    }
    let again = &["client", "create", "--for", "device", "--id", "device"];
    assert!(complaint(again, url, SECRET).contains("already"), "no client is changed");
    assert!(complaint(&["client", "create"], url, SECRET).contains("--for"), "there is no terminal to ask at");
}

#[test]
fn the_chooser_asks_at_a_terminal() {
    // `script` runs the command at a terminal. Not every system has it.
    if !Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let provider = in_memory(&[]);
    let line = format!("{} client create --id chosen --url {}", env!("CARGO_BIN_EXE_latchkey"), provider.issuer());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("LATCHKEY_SECRET", SECRET);
    let output = run_slowly(script.stdout(Stdio::piped()), &["4", "Nightly job", "read", ""]);
    assert!(output.contains("What are you building?") && output.contains("client credentials"), "{output}");
    assert!(output.contains("client_secret") && output.contains("grant_type=client_credentials"), "{output}");
    let made = answer(&["client", "show", "chosen"], provider.issuer(), "");
    assert_eq!((&made["client_name"], &made["grant_types"]), (&json!("Nightly job"), &json!(["client_credentials"])));
}

/// Runs a command that asks questions, and answers each one once it is shown. Returns all that is shown.
fn run_slowly(command: &mut Command, answers: &[&str]) -> String {
    use std::io::Read;
    let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut typed = process.stdin.take().unwrap();
    let mut shown = process.stdout.take().unwrap();
    let mut text = Vec::new();
    let mut byte = [0];
    let mut left = answers.iter();
    while shown.read(&mut byte).is_ok_and(|length| length == 1) {
        text.push(byte[0]);
        if text.ends_with(b": ")
            && let Some(answer) = left.next()
        {
            typed.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
    }
    process.wait().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn acts_that_cannot_be_undone_are_confirmed_at_a_terminal() {
    if !Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    let at_terminal = |arguments: &str, answers: &[&str]| {
        let line = format!("{} {arguments} --url {url}", env!("CARGO_BIN_EXE_latchkey"));
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("LATCHKEY_SECRET", SECRET);
        run_slowly(script.stdout(Stdio::piped()), answers)
    };
    for (arguments, question) in [
        ("client remove demo-device", "Remove client demo-device"),
        ("client secret demo-web", "Replace the secret of demo-web"),
        ("user remove demo", "Remove user demo"),
        ("user sign-out demo", "End all sessions and grants of demo"),
        ("keys replace", "Replace all signing keys"),
    ] {
        let shown = at_terminal(arguments, &[""]);
        assert!(shown.contains(question) && shown.contains("Nothing was changed"), "{shown}");
    }
    answer(&["client", "show", "demo-device"], url, "");
    let shown = at_terminal("client remove demo-device", &["y"]);
    assert!(shown.contains("demo-device is removed"), "{shown}");
    let shown = at_terminal("user remove demo --yes", &[]);
    assert!(!shown.contains("[y/N]") && shown.contains("demo is removed"), "{shown}");
}
