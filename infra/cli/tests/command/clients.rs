//! `latchkey client`, against a running provider.

use super::{answer, in_memory};
use serde_json::json;

#[test]
fn a_change_of_a_client_leaves_what_it_does_not_name() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    let add = |more: &[&str]| answer(&[&["client", "add", "--id", "shop"], more].concat(), url, "");
    let first = add(&[
        "https://shop.example/cb",
        "--confidential",
        "--name",
        "Shop",
        "--scope",
        "openid",
        "--set",
        "logo_uri=https://shop.example/logo.png",
        "--set",
        "token_endpoint_auth_method=client_secret_post",
    ]);
    assert!(first["client_secret"].is_string());

    let mut expected = first;
    expected.as_object_mut().unwrap().remove("client_secret");
    for (more, name, value) in [
        (&["--name", "Shop 2"][..], "client_name", json!("Shop 2")),
        (&["https://shop.example/cb2"], "redirect_uris", json!(["https://shop.example/cb2"])),
        (&["--confidential", "--scope", "openid email"], "scope", json!("openid email")),
        (&["--service"], "grant_types", json!(["authorization_code", "refresh_token", "client_credentials"])),
        (&["--set", "access_token_lifetime=60"], "access_token_lifetime", json!(60)),
    ] {
        expected[name] = value;
        assert_eq!(add(more), expected, "{more:?}");
        assert_eq!(answer(&["client", "show", "shop"], url, ""), expected);
    }
}

#[test]
fn a_file_is_the_whole_client() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    answer(&["client", "add", "--id", "app", "https://app.example/cb", "--name", "App"], url, "");
    let file =
        json!({ "client_id": "app", "redirect_uris": ["https://app.example/2"], "token_endpoint_auth_method": "none" });
    let written = answer(&["client", "add", "--file", "-", "--scope", "openid"], url, &file.to_string());
    assert_eq!((written.get("client_name"), &written["scope"]), (None, &json!("openid")));
    assert_eq!(written["redirect_uris"], json!(["https://app.example/2"]));
}
