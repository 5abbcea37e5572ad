//! The server under test.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

static BASE: OnceLock<String> = OnceLock::new();

/// Sets the issuer of a server under test that runs in this process and has no URL.
pub fn serve_at(issuer: &'static str) {
    assert_eq!(BASE.get_or_init(|| issuer.to_owned()), issuer, "one server for each test binary");
}

/// Returns the base URL of the server without a slash at the end. Fails the test if no server is named.
pub fn base() -> &'static str {
    BASE.get_or_init(|| match env::var("LATCHKEY_TEST_URL") {
        Ok(url) if !url.is_empty() => url.trim_end_matches('/').to_owned(),
        _ => {
            panic!("LATCHKEY_TEST_URL is not set: start a server and give its base URL, such as http://localhost:8787")
        }
    })
}

/// Returns the issuer: the base URL, even if a request uses another name or address of the server.
pub fn issuer() -> &'static str {
    base()
}

/// Returns the absolute URL of a path on the server. A URL stays as it is.
pub fn url(path: &str) -> String {
    if path.starts_with('/') { format!("{}{path}", base()) } else { path.to_owned() }
}

/// Returns the name of the platform, for messages.
pub fn platform() -> String {
    env::var("LATCHKEY_TEST_PLATFORM").unwrap_or_else(|_| "local".to_owned())
}

/// Returns the secret of the trusted proxy, which names the client's address in `X-Client-Address`.
pub(crate) fn proxy_secret() -> String {
    let name = "LATCHKEY_TEST_PROXY_SECRET";
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test names addresses of clients"))
}

/// Returns the secret of the trusted proxy from hosts that ask for certificates: it names them in `CloudFront-Viewer-Cert-Pem`.
pub(crate) fn certificate_secret() -> String {
    let name = "LATCHKEY_TEST_PROXY_CERTIFICATE_SECRET";
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test names certificates of clients"))
}

/// Returns the server's `LATCHKEY_MTLS_ORIGIN`: the origin at which it asks clients for certificates. Only `latchkey dev` can be reached
/// there; the other platforms are emulated.
pub fn mtls_origin() -> &'static str {
    static ORIGIN: OnceLock<String> = OnceLock::new();
    let name = "LATCHKEY_TEST_MTLS_ORIGIN";
    ORIGIN.get_or_init(|| env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test uses certificates")))
}

/// The clock difference between instances that the server allows for.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);

/// Returns the time after which a second redemption of a code is a replay and no race.
pub const fn race_window() -> Duration {
    CLOCK_DIFFERENCE.saturating_add(Duration::from_millis(1500))
}

/// Returns the grace window of refresh tokens, with the difference of clocks.
pub fn grace() -> Duration {
    seconds("LATCHKEY_TEST_GRACE").saturating_add(CLOCK_DIFFERENCE)
}

/// Returns the window in which a client that lost the answer to a refresh gets another successor, with the difference of
/// clocks.
pub fn lost_answer() -> Duration {
    seconds("LATCHKEY_TEST_LOST_ANSWER").saturating_add(CLOCK_DIFFERENCE)
}

fn seconds(name: &str) -> Duration {
    base();
    let seconds = env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test waits for as long"));
    Duration::from_secs(seconds.parse().unwrap_or_else(|_| panic!("{name} is no number of seconds")))
}
