//! Clients and users that a test needs besides those of the demo, created with the `latchkey` command.

use crate::authorization::random;
use crate::client::{CALLBACK, Client};
use crate::clock::now;
use crate::signer::Signer;
use crate::target::{base, issuer};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

/// The password of every user that `user` creates.
pub const PASSWORD: &str = "seven brass kettles 7";
/// The secret of every confidential client that `client` creates. It has the characters that encodings change.
pub const SECRET: &str = "s+%20&=:;/?#@~\"'\\{}Kx4";

/// Returns the client of this name; the first call creates it. `arguments` are those of `latchkey client add`, such as
/// `--confidential` or `--set require_pkce=false`. The redirect URI is
/// `https://suite.example/callback` unless they give others.
#[track_caller]
pub fn client(id: &str, arguments: &[&str]) -> Client {
    static KNOWN: Mutex<BTreeMap<String, Client>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(client) = known.get(id) {
        return client.clone();
    }
    let mut command = vec!["client", "add", "--json", "--id", id];
    let is_given = |pair: &[&str]| pair[1].starts_with("http") && pair[0] != "--post-logout-redirect-uri";
    if !arguments.first().is_some_and(|first| first.starts_with("http")) && !arguments.windows(2).any(is_given) {
        command.push(CALLBACK);
    }
    command.extend_from_slice(arguments);
    let is_confidential = arguments.iter().any(|argument| matches!(*argument, "--confidential" | "--service"));
    let secret = format!("client_secret={SECRET}");
    if is_confidential {
        command.extend(["--set", &secret]);
    }
    run(&command, "");
    let client = if is_confidential { Client::confidential(id, SECRET) } else { Client::public(id) };
    known.insert(id.to_owned(), client.clone());
    client
}

/// Creates a user of this name with `PASSWORD` at the first call, and returns the name.
#[track_caller]
pub fn user(username: &str) -> String {
    static KNOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !known.iter().any(|name| name == username) {
        let name = format!("name={username}");
        run(&["user", "add", "--json", username, "--claim", &name], &format!("{PASSWORD}\n"));
        known.push(username.to_owned());
    }
    username.to_owned()
}

/// Removes a client that registered itself, and creates another client with the same name.
#[track_caller]
pub fn take_over(id: &str) -> Client {
    run(&["client", "remove", "--json", id], "");
    client(id, &["--confidential"])
}

/// Ends all sessions and grants of a user. Returns the output of the command.
#[track_caller]
pub fn sign_out(username: &str) -> serde_json::Value {
    serde_json::from_str(&run(&["user", "sign-out", "--json", username], "")).expect("JSON")
}

/// Sets the password of a user. Returns the output of the command.
#[track_caller]
pub fn set_password(username: &str, password: &str, keep_sessions: bool) -> serde_json::Value {
    let mut command = vec!["user", "set-password", "--json", username];
    if keep_sessions {
        command.push("--keep-sessions");
    }
    serde_json::from_str(&run(&command, &format!("{password}\n"))).expect("JSON")
}

/// Does the same as [`command`] with a line on standard input.
#[track_caller]
pub fn command_with(arguments: &[&str], input: &str) -> serde_json::Value {
    serde_json::from_str(&run(arguments, input)).expect("JSON")
}

/// Runs a `latchkey` command that must fail. Returns its error messages.
#[track_caller]
pub fn refused(arguments: &[&str], input: &str) -> String {
    let output = output_of(arguments, input);
    assert!(!output.status.success(), "latchkey {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a `latchkey` command without `--json`. Returns what it shows.
#[track_caller]
pub fn shown(arguments: &[&str]) -> String {
    run(arguments, "")
}

/// Returns the consents of a user.
#[track_caller]
pub fn consents(username: &str) -> serde_json::Value {
    serde_json::from_str(&run(&["user", "consents", "--json", username], "")).expect("JSON")
}

/// Withdraws the consent of a user to a client. Returns the output of the command.
#[track_caller]
pub fn withdraw(username: &str, client_id: &str) -> serde_json::Value {
    serde_json::from_str(&run(&["user", "withdraw", "--json", username, client_id], "")).expect("JSON")
}

/// Begins the rotation of the key for an algorithm. Returns the keys afterwards.
#[track_caller]
pub fn rotate_keys(alg: &str) -> serde_json::Value {
    serde_json::from_str(&run(&["keys", "rotate", "--json", "--alg", alg], "")).expect("JSON")
}

/// Removes a user.
#[track_caller]
pub fn remove_user(username: &str) {
    run(&["user", "remove", "--json", username], "");
}

/// Returns an initial access token for this many registrations.
#[track_caller]
pub fn invite(uses: u32) -> String {
    let answer = run(&["client", "invite", "--json", "--uses", &uses.to_string()], "");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    answer["initial_access_token"].as_str().expect("a token").to_owned()
}

/// Runs a `latchkey` command that must succeed. Returns its JSON output.
#[track_caller]
pub fn command(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&run(arguments, "")).expect("JSON")
}

#[track_caller]
fn run(arguments: &[&str], input: &str) -> String {
    let output = output_of(arguments, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "latchkey {}: {errors}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn output_of(arguments: &[&str], input: &str) -> Output {
    let setting =
        |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test adds a client or a user"));
    let mut process = Command::new(setting("LATCHKEY_TEST_CLI"))
        .args(arguments)
        .args(["--url", base()])
        .env("LATCHKEY_SECRET", setting("LATCHKEY_TEST_SECRET"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("LATCHKEY_TEST_CLI is the latchkey command");
    // A command that reads no input may have ended already.
    let _ = process.stdin.take().expect("piped").write_all(input.as_bytes());
    process.wait_with_output().expect("the latchkey command ends")
}

/// The `typ` of a token of an admin key.
pub const TOKEN_TYPE: &str = "admin-request+jwt";

/// An admin key that a test made, which ends after a day.
pub struct AdminKey {
    /// `kid`: the identifier.
    pub kid: String,
    /// The public half in base64url.
    pub public: String,
    /// The private half.
    pub signer: Signer,
}

/// Creates an admin key with these scopes.
#[track_caller]
pub fn key(scopes: &[&str]) -> AdminKey {
    let name = random();
    let file = env::temp_dir().join(format!("latchkey-suite-{name}.key"));
    let file = file.to_str().expect("a path in UTF-8");
    let mut command = vec!["admin-key", "create", "--json", "--days", "1", "--out", file];
    command.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    // A random name may look like an option.
    let name = format!("suite {name}");
    command.push(&name);
    let created = self::command(&command);
    let kid = created["kid"].as_str().expect("a kid").to_owned();
    let pem = std::fs::read_to_string(file).expect("the command wrote the private half");
    std::fs::remove_file(file).expect("the file is there");
    let signer = Signer::from_pem("EdDSA", &kid, &pem);
    AdminKey { public: signer.jwk()["x"].as_str().expect("x").to_owned(), kid, signer }
}

impl AdminKey {
    /// Returns the claims of a token for one request.
    pub fn claims(&self, method: &str, target: &str, body: &str) -> Value {
        json!({
            "aud": issuer(), "iat": now(), "exp": now() + 60, "htm": method, "target": target,
            "body_sha256": URL_SAFE_NO_PAD.encode(Sha256::digest(body)),
        })
    }

    /// Signs a token for one request.
    pub fn token(&self, method: &str, target: &str, body: &str) -> String {
        self.sign(&self.claims(method, target, body))
    }

    /// Signs claims as a token.
    pub fn sign(&self, claims: &Value) -> String {
        self.signer.sign_as(TOKEN_TYPE, claims)
    }
}

/// Returns a JWT with an HMAC whose key is this text.
pub fn hs256(header: &Value, claims: &Value, key: &str) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &URL_SAFE_NO_PAD.decode(key).expect("base64url"));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes())))
}
