//! `latchkey config`, and `latchkey dev --config`.

use super::{Provider, SECRET, answer, complaint, get, in_memory, latchkey, run, scratch};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Writes a file of sections in a directory of its own.
fn file(name: &str, sections: &Value) -> PathBuf {
    let directory = scratch(name);
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("latchkey.json");
    std::fs::write(&file, sections.to_string()).unwrap();
    file
}

fn scopes(provider: &Provider) -> Vec<String> {
    let (_, document) = get(&format!("{}/.well-known/openid-configuration", provider.issuer()));
    let document: Value = serde_json::from_str(&document).unwrap();
    serde_json::from_value(document["scopes_supported"].clone()).unwrap()
}

/// A file is checked, shown and applied; the next file replaces the sections that it names.
#[test]
fn a_file_is_applied_in_versions() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    let sections = json!({ "resources": [{ "resource": "https://api.example", "scopes": "notes" }] });
    let path = file("config-apply", &sections);
    let path = path.to_str().unwrap();
    let tried = answer(&["config", "apply", path, "--dry-run"], url, "");
    assert_eq!((&tried["version"], &tried["applied"]), (&json!(0), &json!(false)));
    assert_eq!(tried["changes"][0]["item"], "https://api.example");
    assert_eq!(answer(&["config", "show"], url, "")["version"], 0);

    let applied = answer(&["config", "apply", path], url, "");
    assert_eq!((&applied["version"], &applied["applied"]), (&json!(1), &json!(true)));
    assert!(scopes(&provider).contains(&"notes".to_owned()));
    let again = answer(&["config", "apply", path], url, "");
    assert_eq!((&again["version"], &again["changes"]), (&json!(1), &json!([])), "nothing changes");
    assert_eq!(answer(&["config", "show"], url, "")["sections"], sections);

    let wrong = file("config-wrong", &json!({ "resources": [{ "resource": "x" }], "resource": [], "issuers": [] }));
    let problems = complaint(&["config", "apply", wrong.to_str().unwrap()], url, SECRET);
    for part in ["resources: [0] resource: 'x' must be", "resource: is no section", "issuers: must be an object"] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    let removal = file("config-removal", &json!({ "resources": null }));
    assert_eq!(answer(&["config", "apply", removal.to_str().unwrap()], url, "")["version"], 2);
    assert!(!scopes(&provider).contains(&"notes".to_owned()));
}

/// `latchkey dev --config` reads the same file; the demo API is served beside its resources. A section that the environment has, too,
/// is an error at start.
#[test]
fn a_local_provider_starts_with_a_file() {
    let sections = json!({ "resources": [{ "resource": "https://api.example", "scopes": "notes" }] });
    let path = file("config-dev", &sections);
    let dev = || {
        let mut command = latchkey(&["--memory", "--port", "0", "--json", "--quiet", "--config"]);
        command.arg(&path).env("LATCHKEY_SECRET", SECRET);
        command
    };
    let provider = Provider::start(dev());
    let scopes = scopes(&provider);
    assert!(["notes", "demo:read"].iter().all(|scope| scopes.contains(&(*scope).to_owned())), "{scopes:?}");

    let mut both = dev();
    both.env("LATCHKEY_RESOURCES", r#"[{"resource": "https://other.example"}]"#);
    let refused = run(both, "");
    let reason = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && reason.contains("LATCHKEY_RESOURCES") && reason.contains("remove it"),
        "{reason}"
    );
}
