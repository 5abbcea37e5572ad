//! Passwords and sign-in names: NIST SP 800-63B-4 §3.1.1.2, RFC 8265.

use suite::{AuthorizationRequest, Browser, admin, spa};

/// True if the user can sign in with the password.
pub(super) fn signs_in(username: &str, password: &str) -> bool {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    let form = page.login().expect("the form").clone();
    browser.submit(&form, &[("username", username), ("password", password)]);
    browser.cookies().keys().any(|name| name.contains("session"))
}

fn add(username: &str, password: &str) {
    admin::command_with(&["user", "add", "--json", username], &format!("{password}\n"));
}

/// RFC 8265 §3.3, §4.2: a name and a password are the same however a keyboard composes their characters.
#[test]
fn a_name_and_a_password_have_one_form() {
    add("suite-Zo\u{eb}", "quatre petits caf\u{e9}s noirs");
    for (username, password) in [
        ("suite-zo\u{eb}", "quatre petits caf\u{e9}s noirs"),
        ("Suite-Zoe\u{308}", "quatre petits cafe\u{301}s noirs"),
        ("\u{ff33}uite-ZO\u{cb}", "quatre\u{a0}petits\u{2003}cafe\u{301}s\u{a0}noirs"),
    ] {
        assert!(signs_in(username, password), "{username} {password}");
    }
    for (username, password) in [
        ("suite-zoe", "quatre petits caf\u{e9}s noirs"),
        ("suite-zo\u{eb}", "quatre petits cafes noirs"),
        ("suite-zo\u{eb}", "Quatre petits caf\u{e9}s noirs"),
    ] {
        assert!(!signs_in(username, password), "{username} {password}");
    }
    let again = admin::command_with(&["user", "add", "--json", "SUITE-ZOE\u{308}"], "");
    assert_eq!(again["created"], false, "the same user");
}

/// RFC 8265 §3.3: names that users could take for others.
#[test]
fn names_that_could_be_mistaken_are_refused() {
    for username in ["suite-a\u{200d}b", "suite-\u{2163}", "suite-\u{1f511}", "suite  two spaces", "suite-\u{5d0}"] {
        let told = admin::refused(&["user", "add", username], &format!("{}\n", admin::PASSWORD));
        assert!(told.contains("username") && told.contains("RFC 8265"), "{told}");
    }
}

/// NIST SP 800-63B-4 §3.1.1.2: 15 characters, and none that attackers try first. The message says what to do.
#[test]
fn weak_passwords_are_refused() {
    let user = admin::user("suite-weak");
    let adds = ["user", "add", "suite-weaker", "--claim", "email=rosalind@films.example"];
    let sets = ["user", "set-password", user.as_str()];
    for (password, told) in [
        ("correct horse!", "has 14 characters and needs 15"),
        ("\u{e4}\u{f6}\u{fc}\u{df}\u{e4}\u{f6}\u{fc}\u{df}", "has 8 characters and needs 15"),
        ("ManchesterUnited", "attackers try first"),
        ("abcdefghijklmnopq", "follows the keyboard"),
        ("suite-SUITE-suite-2026", "the name of the service"),
    ] {
        for command in [&adds[..], &sets[..]] {
            let answer = admin::refused(command, &format!("{password}\n"));
            assert!(answer.contains("password") && answer.contains(told), "{password}: {answer}");
        }
    }
    let answer = admin::refused(&adds, "rosalind@films.example\n");
    assert!(answer.contains("the name of the service"), "{answer}");
    assert!(admin::refused(&sets, &format!("{}\n", "long words ".repeat(100))).contains("1024 bytes"));
    assert!(signs_in(&user, admin::PASSWORD), "the password stays");
}

/// NIST SP 800-63B-4 §3.1.1.2: long passwords of any characters.
#[test]
fn long_passwords_of_any_characters_sign_in() {
    let long = "\u{1f511} und lange W\u{f6}rter ".repeat(40);
    let long = long.trim();
    assert!(long.len() > 900);
    for (username, password) in [("suite-long", long), ("suite-digits", "83749261037465928")] {
        add(username, password);
        assert!(signs_in(username, password), "{username}");
    }
}

/// An import brings the hash of another system. No rule applies to its password.
#[test]
fn an_imported_hash_signs_in() {
    // Argon2id of `short`.
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$ExUS4Iv7Pt8kvP9OIk8PpA$vcsCZ1oYoHpOPcpFWuqyJ+qGDuKvMdLF6jgpYcLzzhA";
    admin::command_with(&["user", "add", "--json", "--import-hash", "suite-imported"], &format!("{hash}\n"));
    assert!(signs_in("suite-imported", "short"));
    assert!(!signs_in("suite-imported", hash));
    let told = admin::refused(&["user", "add", "--import-hash", "suite-not-imported"], "seven brass kettles 7\n");
    assert!(told.contains("must be a hash as text"), "{told}");
}

/// RFC 6749 §10.10: a client secret that an operator chooses cannot be guessed.
#[test]
fn weak_client_secrets_are_refused() {
    for secret in ["demo-service-secret", "0123456789abcdef0123456789abcde", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        let set = format!("client_secret={secret}");
        let told = admin::refused(&["client", "add", "--id", "suite-weak-secret", "--service", "--set", &set], "");
        assert!(told.contains("client_secret") && told.contains("128 random bits"), "{told}");
    }
}
