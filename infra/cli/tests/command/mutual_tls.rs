//! `latchkey dev --mtls`: the command lines that it prints.

use super::{Provider, SECRET, latchkey, scratch};
use serde_json::Value;
use std::process::Command;

/// Runs a command line in a shell; `None` if the machine has no curl.
fn run(line: &str) -> Option<String> {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    if output.status.code() == Some(127) {
        return None;
    }
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The commands work as they are printed; without its certificate the client gets no token, and a token of it is refused.
#[test]
fn the_printed_commands_work() {
    let data = scratch("mtls");
    let arguments = ["dev", "--json", "--quiet", "--port", "0", "--mtls=0", "--data", data.to_str().unwrap()];
    let mut command = latchkey(&arguments);
    command.env("LATCHKEY_SECRET", SECRET);
    let provider = Provider::start(command);
    let lines: Vec<&str> =
        provider.banner["commands"].as_array().unwrap().iter().filter_map(|it| it["line"].as_str()).collect();
    let [.., token, api] = lines.as_slice() else { panic!("{lines:?}") };
    let Some(answer) = run(token) else { return };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let access_token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let call = api.replace("ACCESS_TOKEN", access_token);
    assert!(run(&call).unwrap().starts_with("HTTP/1.1 200"), "{call}");

    let without = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let at = words.iter().position(|word| *word == "--cert").unwrap();
        [&words[..at], &words[at + 4..]].concat().join(" ")
    };
    let refused: Value = serde_json::from_str(&run(&without(token)).unwrap()).unwrap();
    assert_eq!(refused["error"], "invalid_client");
    assert!(run(&without(&call)).unwrap().starts_with("HTTP/1.1 401"));
    provider.stop();
}

/// A profile of the deployment refuses the demo clients. The server starts without them; a client with a certificate works.
#[test]
fn a_server_with_a_profile_starts_without_the_demo_clients() {
    for profile in ["fapi-ciba", "fapi2-security", "fapi2-message-signing"] {
        let data = scratch(&format!("mtls-{profile}"));
        let arguments = ["dev", "--json", "--quiet", "--port", "0", "--mtls=0", "--data", data.to_str().unwrap()];
        let mut command = latchkey(&arguments);
        command.env("LATCHKEY_SECRET", SECRET).env("LATCHKEY_PROFILE", profile);
        let provider = Provider::start(command);
        assert_eq!(provider.banner["clients"], serde_json::json!([]));
        let lines: Vec<&str> =
            provider.banner["commands"].as_array().unwrap().iter().filter_map(|it| it["line"].as_str()).collect();
        let [token, api] = lines.as_slice() else { panic!("{lines:?}") };
        if let Some(answer) = run(token) {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let access_token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
            let called = run(&api.replace("ACCESS_TOKEN", access_token)).unwrap();
            assert!(called.starts_with("HTTP/1.1 200"), "{called}");
        }
        provider.stop();
    }
}
