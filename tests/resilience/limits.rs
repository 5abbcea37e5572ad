//! Limits of requests per network, and the trusted proxy that names the client's address.

use std::time::Duration;
use suite::{CALLERS, Call, address, admin, at_once, now, random, wait};

/// The failed authentications of a client that a network has in a minute.
const FAILURES: usize = 30;
/// The window in which requests are counted, in seconds; and the time that a test needs at most.
const WINDOW: u64 = 60;
const TEST: u64 = 20;

/// Waits for the next window, if this one is about to end.
fn begin_in_one_window() {
    let left = WINDOW - u64::try_from(now()).expect("after 1970") % WINDOW;
    if left < TEST {
        wait(Duration::from_secs(left));
    }
}

fn confidential_client() -> String {
    let letters: String = random().chars().filter(char::is_ascii_alphanumeric).take(10).collect();
    admin::client(&format!("suite-limited-{}", letters.to_lowercase()), &["--service", "--scope", "read"]).id.clone()
}

/// Authenticates the client at an endpoint, from an address.
fn authenticate(client_id: &str, path: &str, secret: &str, address: &str) -> suite::Reply {
    let form = [("grant_type", "client_credentials"), ("token", "x")];
    Call::post(path).basic(client_id, secret).form(&form).through_proxy(address).send()
}

/// Uses up the failures of the network. Returns the statuses.
fn fail(client_id: &str, address: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    while statuses.len() <= FAILURES {
        statuses.push(authenticate(client_id, "/token", "wrong", address).status);
    }
    statuses
}

/// RFC 6749 §2.3.1: the server protects the endpoints at which a client authenticates against guesses of its secret.
#[test]
fn wrong_client_secrets_are_limited() {
    let (client_id, attacker, elsewhere) = (confidential_client(), address(), address());
    begin_in_one_window();
    let statuses = fail(&client_id, &attacker);
    let (refused, judged) = statuses.split_last().expect("a status");
    assert_eq!(*refused, 429, "{statuses:?}");
    assert!(judged.iter().all(|status| *status == 401), "{statuses:?}");
    let reply = authenticate(&client_id, "/token", "wrong", &attacker).expect_error(429, "temporarily_unavailable");
    let wait: u64 = reply.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=76).contains(&wait), "{reply:?}");
    // A right secret from elsewhere is accepted.
    for _ in 0..5 {
        authenticate(&client_id, "/token", admin::SECRET, &elsewhere).expect(200);
    }
}

/// The address in the header field counts if the proxy proves itself, and only then.
#[test]
fn a_client_cannot_choose_its_address() {
    let (client_id, named) = (confidential_client(), address());
    begin_in_one_window();
    assert_eq!(fail(&client_id, &named).last(), Some(&429));
    let form = [("grant_type", "client_credentials")];
    let call = || Call::post("/token").basic(&client_id, "wrong").form(&form).header("x-client-address", &named);
    for secret in [None, Some("wrong"), Some("")] {
        let call = secret.map_or_else(call, |secret| call().header("latchkey-proxy-secret", secret));
        assert_eq!(call.send().status, 401, "{secret:?}: the address of another network was used");
    }
    // Of a list, the last address is the one that the proxy appended; a port may follow it.
    let listed = format!("192.0.2.7, [{named}]:4711");
    assert_eq!(authenticate(&client_id, "/token", "wrong", &listed).status, 429);
    assert_eq!(authenticate(&client_id, "/token", "wrong", &format!("{named}, 192.0.2.7")).status, 401);
}

#[test]
fn wrong_tokens_of_administrators_are_limited() {
    let (attacker, elsewhere) = (address(), address());
    let call = |address: &str| Call::get("/admin/keys").bearer("wrong").through_proxy(address).send();
    begin_in_one_window();
    let statuses: Vec<u16> = (0..=FAILURES).map(|_| call(&attacker).status).collect();
    let (refused, judged) = statuses.split_last().expect("a status");
    assert_eq!(*refused, 429, "{statuses:?}");
    assert!(judged.iter().all(|status| *status == 401), "{statuses:?}");
    call(&elsewhere).expect(401);
}

/// A flood of requests of a public client ends in 429, and other networks are served.
#[test]
fn a_flood_of_device_requests_is_limited() {
    const MOST: usize = 300;
    let (attacker, elsewhere) = (address(), address());
    let ask = |address: &str| {
        let form = [("client_id", "demo-device"), ("scope", "openid")];
        Call::post("/device_authorization").form(&form).through_proxy(address).send()
    };
    begin_in_one_window();
    let statuses: Vec<u16> = (0..=MOST).map(|_| ask(&attacker).status).collect();
    let (refused, accepted) = statuses.split_last().expect("a status");
    assert!(accepted.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(*refused, 429);
    ask(&attacker).expect_error(429, "temporarily_unavailable");
    ask(&elsewhere).expect(200);
}

/// On Workers a rate-limit binding refuses the requests of a network before the function runs. Other platforms have such a
/// limit in front of the functions, outside of this server.
#[test]
fn a_flood_of_pages_from_one_network_is_limited() {
    const MOST: usize = 3000;
    if suite::platform() != "workers" {
        return;
    }
    let (attacker, elsewhere) = (address(), address());
    let ask = |address: &str| Call::get("/device").through_proxy(address).send();
    begin_in_one_window();
    let statuses = at_once(|_| (0..MOST.div_ceil(CALLERS)).map(|_| ask(&attacker).status).collect::<Vec<_>>());
    let statuses: Vec<u16> = statuses.into_iter().flatten().collect();
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    let refused = ask(&attacker).expect(429);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(refused.text().contains("<html"), "a page for a user: {refused:?}");
    ask(&elsewhere).expect(200);
}
