//! `latchkey user`, against a running provider.

use super::{SECRET, answer, in_memory, latchkey, run};
use serde_json::json;

#[test]
fn a_registered_user_keeps_the_password_and_a_message_says_so() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    assert_eq!(answer(&["user", "add", "eve"], url, "two green umbrellas\n")["created"], json!(true));
    assert_eq!(answer(&["user", "add", "eve", "--claim", "name=Eve"], url, "another one\n")["created"], json!(false));

    let mut command = latchkey(&["user", "add", "eve", "--claim", "name=Eva", "--url", url]);
    command.env("LATCHKEY_SECRET", SECRET);
    let told = String::from_utf8(run(command, "another one\n").stdout).unwrap();
    assert!(told.contains("claims changed, password unchanged"), "{told}");
    assert!(told.contains("`latchkey user set-password eve`"), "{told}");
}

#[test]
fn a_password_that_the_deployment_refuses_changes_nothing() {
    let provider = in_memory(&["--quiet"]);
    let refused = |arguments: &[&str], password: &str| {
        let mut command = latchkey(arguments);
        command.args(["--url", provider.issuer()]).env("LATCHKEY_SECRET", SECRET);
        let output = run(command, password);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["user", "add", "bob"], "14 characters.\n").contains("has 14 characters and needs 15"));
    assert!(refused(&["user", "add", "bob"], "\n").contains("latchkey user add bob < FILE"));
    assert!(refused(&["user", "set-password", "demo"], "\n").contains("latchkey user set-password demo < FILE"));
    assert!(
        refused(&["user", "add", "--import-hash", "bob"], "two green umbrellas\n").contains("must be a hash as text")
    );
    answer(&["user", "add", "bob"], provider.issuer(), "two green umbrellas\n");
}
