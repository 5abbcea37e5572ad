//! Logos of clients: uploaded by the operator, delivered by this server.

use serde_json::json;
use std::path::{Path, PathBuf};
use suite::registration::Registered;
use suite::{AuthorizationRequest, Browser, Call, Reply, admin};

fn picture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/logo.png")
}

fn upload(id: &str, file: &Path) -> String {
    let answer = admin::command(&["client", "logo", "--json", id, file.to_str().expect("a path")]);
    answer["logo"].as_str().expect("a path").to_owned()
}

fn fetch(path: &str) -> Reply {
    Call::get(path).send()
}

/// The sign-in and consent pages show the logo, which comes from this server with a strict type.
#[test]
fn pages_show_the_logo_of_the_operator() {
    let client = admin::client("suite-logo", &["--set", "token_endpoint_auth_method=none"]);
    let path = upload("suite-logo", &picture());
    let request = AuthorizationRequest::new(&client).set("prompt", "consent");
    let sign_in = Browser::new().authorize(&request).login_page();
    let consent = Browser::signed_in().authorize(&request).consent_page();
    for page in [sign_in, consent] {
        assert_eq!(page.attributes("img#logo", "src"), [path.as_str()]);
        assert_eq!(page.attributes("img#logo", "alt"), [""], "the name stands beside it");
        let policy = page.reply.header("content-security-policy").expect("a policy");
        assert!(policy.contains("img-src data: 'self';"), "{policy}");
    }
    let reply = fetch(&path).expect(200);
    assert_eq!(reply.body, std::fs::read(picture()).expect("the picture"));
    assert_eq!(reply.header("content-type"), Some("image/png"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"));
    assert!(reply.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    assert!(reply.headers.get("set-cookie").is_none());
}

/// A picture that is replaced or removed is gone, and a changed client keeps its logo.
#[test]
fn a_logo_is_replaced_and_removed() {
    admin::client("suite-logo-changes", &["--set", "token_endpoint_auth_method=none"]);
    let path = upload("suite-logo-changes", &picture());
    assert_eq!(upload("suite-logo-changes", &picture()), path, "the same picture has the same name");
    admin::command(&["client", "add", "--json", "--id", "suite-logo-changes", "--name", "Changed"]);
    fetch(&path).expect(200);
    let answer = admin::command(&["client", "logo", "--json", "suite-logo-changes", "--remove"]);
    assert_eq!(answer["logo"], json!(null));
    fetch(&path).expect(404);
    let path = upload("suite-logo-changes", &picture());
    admin::command(&["client", "remove", "--json", "suite-logo-changes", "--yes"]);
    fetch(&path).expect(404);
    for name in ["", "x", "..%2Fjwks", "00000000000000000000000000000000"] {
        let reply = fetch(&format!("/logos/{name}"));
        assert!((400..500).contains(&reply.status), "{name}: {reply:?}");
    }
}

/// Only a picture is accepted, and only for a client of the operator: another client could show the logo of a bank.
#[test]
fn other_files_and_other_clients_are_refused() {
    admin::client("suite-logo-refused", &["--set", "token_endpoint_auth_method=none"]);
    let folder = std::env::temp_dir().join(format!("suite-logo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let large = [std::fs::read(picture()).expect("the picture"), vec![0; 20 * 1024]].concat();
    for (name, content, reason) in [
        ("script.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>".to_vec(), "neither PNG nor WebP"),
        ("page.png", b"<!DOCTYPE html>".to_vec(), "neither PNG nor WebP"),
        ("large.png", large, "20 KB"),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, content).expect("a file");
        let refused =
            admin::refused(&["client", "logo", "--json", "suite-logo-refused", file.to_str().expect("a path")], "");
        assert!(refused.contains(reason), "{refused}");
    }
    let own = Registered::new(&json!({
        "client_name": "Your bank", "redirect_uris": ["https://cb.example/cb"], "logo_uri": "https://bank.example/logo.png",
        "token_endpoint_auth_method": "client_secret_basic",
    }));
    let id = own.text("client_id");
    let file = picture();
    let refused = admin::refused(&["client", "logo", "--json", id, file.to_str().expect("a path")], "");
    assert!(refused.contains("only a client that the operator registered"), "{refused}");
    let page = Browser::new().authorize(&AuthorizationRequest::new(&own.client())).login_page();
    assert!(page.select("img").is_empty(), "a logo_uri is not shown");
}
