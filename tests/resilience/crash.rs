//! Crashes: the local server is killed during requests, again and again, and started on its data.
//!
//! The test starts the server itself, at `LATCHKEY_TEST_URL`, with its data in `LATCHKEY_TEST_DATA`.

#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::process::{Child, Command, Stdio};
use std::thread::{scope, sleep};
use std::time::Duration;
use suite::{Browser, Call, Tokens, base, grant, spa};

const CLIENTS: usize = 4;
const CRASHES: u32 = 12;

/// The server; killed when dropped.
struct Server(Child);

impl Server {
    fn start() -> Self {
        let setting = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        let port = base().rsplit(':').next().unwrap();
        let process = Command::new(setting("LATCHKEY_TEST_CLI"))
            .args(["dev", "--quiet", "--port", port, "--data", &setting("LATCHKEY_TEST_DATA")])
            .env("LATCHKEY_SECRET", setting("LATCHKEY_TEST_SECRET"))
            .stdout(Stdio::null())
            .spawn()
            .expect("LATCHKEY_TEST_CLI is the latchkey command");
        let server = Self(process);
        for _ in 0..1000 {
            if Call::get("/jwks").try_send().is_ok() {
                return server;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the server does not start")
    }
}

impl Drop for Server {
    /// Sends SIGKILL, which the server cannot handle.
    fn drop(&mut self) {
        self.0.kill().expect("the server runs");
        self.0.wait().expect("the server ends");
    }
}

/// Refreshes until the server is gone. Returns the last tokens that the client received.
fn refresh_until_the_end(mut tokens: Tokens) -> Tokens {
    while let Ok(reply) = tokens.refresh_request().call().try_send() {
        tokens = Tokens::read(&spa(), reply);
    }
    tokens
}

/// Tokens that a client received stay valid; a lost response is sent again on retry; the user stays signed in.
#[test]
fn a_killed_server_loses_nothing() {
    let mut server = Server::start();
    let mut families: Vec<Tokens> = (0..CLIENTS).map(|_| grant(&spa())).collect();
    for crash in 0..CRASHES {
        families = scope(|scope| {
            let refresh = |tokens| scope.spawn(|| refresh_until_the_end(tokens));
            let clients: Vec<_> = families.drain(..).map(refresh).collect();
            sleep(Duration::from_millis(20).saturating_mul(crash));
            drop(server);
            clients.into_iter().map(|client| client.join().expect("the last tokens")).collect()
        });
        server = Server::start();
        for tokens in &mut families {
            *tokens = tokens.refresh_request().tokens();
            assert!(tokens.is_live());
        }
    }
    let request = suite::AuthorizationRequest::new(&spa()).set("prompt", "none");
    Browser::signed_in().authorize(&request).callback().code();
}
