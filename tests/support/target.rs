//! The server under test.

use std::env;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

static BASE: OnceLock<String> = OnceLock::new();

/// Names the server under test where it is not a process with a URL, but in this process.
pub fn serve_at(issuer: &'static str) {
    assert_eq!(BASE.get_or_init(|| issuer.to_owned()), issuer, "one server for each test binary");
}

/// The base URL of the server, without a slash at its end. Fails the test when no server is named.
pub fn base() -> &'static str {
    BASE.get_or_init(|| match env::var("LATCHKEY_TEST_URL") {
        Ok(url) if !url.is_empty() => url.trim_end_matches('/').to_owned(),
        _ => {
            panic!("LATCHKEY_TEST_URL is not set: start a server and give its base URL, such as http://localhost:8787")
        }
    })
}

/// The issuer: the base URL, whatever name or address a request is sent to.
pub fn issuer() -> &'static str {
    base()
}

/// The absolute URL of a path on the server; a URL stays as it is.
pub fn url(path: &str) -> String {
    if path.starts_with('/') { format!("{}{path}", base()) } else { path.to_owned() }
}

/// The platform's name, for messages.
pub fn platform() -> String {
    env::var("LATCHKEY_TEST_PLATFORM").unwrap_or_else(|_| "local".to_owned())
}

/// The grace window of refresh tokens, which tests wait out.
pub fn grace() -> Duration {
    base();
    let seconds = env::var("LATCHKEY_TEST_GRACE").expect("LATCHKEY_TEST_GRACE is set: this test waits for as long");
    Duration::from_secs(seconds.parse().expect("LATCHKEY_TEST_GRACE is a number of seconds"))
}

/// The time now, in seconds since 1970.
pub fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(elapsed.as_secs()).expect("the clock is before the year 292 billion")
}
