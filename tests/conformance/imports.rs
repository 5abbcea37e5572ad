//! Users of other systems, imported with the hashes of their passwords (`latchkey user import`).

use super::passwords::signs_in;
use serde_json::{Value, json};
use suite::{admin, random};

const SALT: &str = "AAECAwQFBgcICQoLDA0ODw";
const FIREBASE_KEY: &str = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
const FIREBASE_HASH: &str = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

fn import(lines: &[Value]) -> Value {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    admin::command_with(&["user", "import", "-", "--json"], &lines.join("\n"))
}

/// Returns a name that no earlier run has used.
fn name(kind: &str) -> String {
    format!("import-{kind}-{}", random().to_lowercase().replace(['-', '_'], "x"))
}

/// Each form of a hash lets its user in, before and after the first sign-in replaced it, and no other password does.
#[test]
fn imported_users_sign_in_with_their_passwords() {
    let firebase = format!("$firebase-scrypt$ln=14,r=8,sep=Bw==,key={FIREBASE_KEY}$42xEC+ixf3L2lw==${FIREBASE_HASH}");
    let hashes = [
        ("bcrypt", "correct horse", "$2b$08$RCpbXrRWq2ZDFM/ulDEoTOSdqgjFw7oSMNWCsYE3IfpPoCU19fpVC".to_owned()),
        ("sha1", "correct horse", format!("$pbkdf2-sha1$i=10000${SALT}$/AtELtgmsPDI8LWGK9x0DWVUnSI")),
        (
            "sha256",
            "correct horse",
            format!("$pbkdf2-sha256$i=10000${SALT}$5RUHDgNTp9sBOWGYS4e6u57cz/Sq3/TQgaDP/8MW6L8"),
        ),
        (
            "sha512",
            "correct horse",
            format!(
                "$pbkdf2-sha512$i=10000${SALT}$ECEiF3rHxiQNn3eIhD3/rQu7JgNUuHNkEwXr67HsHXDuCHXNSrvzIej3ijbWJ6UeJwPOircNgc2J7kJoHTU9dA"
            ),
        ),
        (
            "scrypt",
            "correct horse",
            format!("$scrypt$ln=12,r=8,p=2${SALT}$yt+EkZRXTfH+R04o4kTfzi+vVfvhLp1EQUjLtTusQlA"),
        ),
        ("firebase", "user1password", firebase),
    ];
    let users: Vec<(String, &str, Value)> = hashes
        .into_iter()
        .map(|(kind, password, hash)| {
            let username = name(kind);
            let line = json!({ "username": username, "sub": format!("{username}-sub"), "password_hash": hash, "claims": { "name": "Ada" } });
            (username, password, line)
        })
        .collect();
    let lines: Vec<Value> = users.iter().map(|(_, _, line)| line.clone()).collect();
    let report = import(&lines);
    assert_eq!((&report["imported"], &report["existed"]), (&json!(6), &json!(0)), "{report}");
    for (username, password, _) in &users {
        assert!(!signs_in(username, "another horse"), "{username}");
        assert!(signs_in(username, password) && signs_in(username, password), "{username}");
        let shown = admin::command(&["user", "show", "--json", username]);
        assert_eq!((&shown["sub"], &shown["claims"]["name"]), (&json!(format!("{username}-sub")), &json!("Ada")));
    }
    // An import that is repeated changes nothing.
    let report = import(&lines);
    assert_eq!((&report["imported"], &report["existed"]), (&json!(0), &json!(6)), "{report}");
    assert!(signs_in(&users[0].0, users[0].1));
}

/// A user who set a new password since keeps it, and a disabled one stays out.
#[test]
fn a_repeated_import_keeps_what_is_there() {
    let (changed, disabled) = (name("changed"), name("disabled"));
    let line = |username: &str, disabled: bool| {
        let hash = "$2a$08$X9il49mt3zmst/blAFtUgedw7eQdx4GIdCiM4R/Dun2i.CxY.h1nq";
        json!({ "username": username, "password_hash": hash, "disabled": disabled })
    };
    let lines = [line(&changed, false), line(&disabled, true)];
    assert_eq!(import(&lines)["imported"], 2);
    assert!(signs_in(&changed, "correct horse") && !signs_in(&disabled, "correct horse"));
    admin::command_with(&["user", "set-password", "--json", &changed], &format!("{}\n", admin::PASSWORD));
    assert_eq!(import(&lines)["existed"], 2);
    assert!(signs_in(&changed, admin::PASSWORD) && !signs_in(&changed, "correct horse"));
    assert!(!signs_in(&disabled, "correct horse"));
}

/// A line that cannot be imported is named, with what is wrong; the others are imported. A dry run sends nothing.
#[test]
fn lines_that_cannot_be_imported_are_named() {
    let (good, dear) = (name("good"), name("dear"));
    let hash = "$2b$08$RCpbXrRWq2ZDFM/ulDEoTOSdqgjFw7oSMNWCsYE3IfpPoCU19fpVC";
    let lines = [
        json!({ "username": good, "password_hash": hash }).to_string(),
        json!({ "username": "import-weak", "password_hash": hash.replace("$08$", "$04$") }).to_string(),
        // More than this deployment allows; only it knows.
        json!({ "username": dear, "password_hash": hash.replace("$08$", "$12$") }).to_string(),
        json!({ "username": "import-none" }).to_string(),
        json!({ "username": "import-unknown", "password_hash": hash, "role": "x" }).to_string(),
        json!({ "username": "import-\u{200d}", "password_hash": hash }).to_string(),
        "{".to_owned(),
    ]
    .join("\n");
    let dry = admin::refused(&["user", "import", "-", "--dry-run"], &lines);
    assert!(dry.contains("4 of 7"), "{dry}");
    let shown = ["user", "show", "--json", good.as_str()];
    assert!(admin::refused(&shown, "").contains("no user"));
    let told = admin::refused(&["user", "import", "-"], &lines);
    assert!(told.contains("6 of 7"), "{told}");
    assert_eq!(admin::command(&shown)["username"], json!(good));
    assert!(signs_in(&good, "correct horse"));
    assert!(admin::refused(&["user", "show", &dear], "").contains("no user"));
}
