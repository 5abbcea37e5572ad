//! One command line for each grant type, to paste into a terminal.

use protocol::Profile;

/// A command line, or a URL.
pub(crate) struct Line {
    /// Purpose.
    pub(crate) title: &'static str,
    /// The text to paste.
    pub(crate) line: String,
}

/// Returns the redirect URI of the command lines: a page of this server at a loopback address, registered for any port.
fn redirect_uri(port: u16) -> String {
    format!("http://127.0.0.1:{port}/callback")
}

/// Returns the URL of an authorization request. It has a nonce, because it has no code_challenge (RFC 9700 §2.1.1).
pub(crate) fn authorize(issuer: &str, port: u16) -> String {
    let redirect_uri = redirect_uri(port).replace(':', "%3A").replace('/', "%2F");
    format!(
        "{issuer}/authorize?response_type=code&client_id=demo-web&scope=openid+profile+email+offline_access+demo%3Aread&nonce=example&redirect_uri={redirect_uri}"
    )
}

/// Returns the command line that redeems a code.
pub(crate) fn exchange(issuer: &str, port: u16, code: &str) -> String {
    format!(
        "curl {issuer}/token -u demo-web:demo-web-secret-7Kq2Xv9Tb4 -d grant_type=authorization_code -d redirect_uri={} -d code={code}",
        redirect_uri(port)
    )
}

/// Returns the command line that redeems a refresh token.
pub(crate) fn refresh(issuer: &str) -> String {
    format!(
        "curl {issuer}/token -u demo-web:demo-web-secret-7Kq2Xv9Tb4 -d grant_type=refresh_token -d refresh_token=REFRESH_TOKEN"
    )
}

/// Returns the command line of a token exchange (RFC 8693): a user's access token for one for the demo API.
fn token_exchange(issuer: &str) -> String {
    const URN: &str = "urn:ietf:params:oauth";
    format!(
        "curl {issuer}/token -u demo-exchange:demo-exchange-secret-7Kq2Xv9Tb4 -d grant_type={URN}:grant-type:token-exchange -d audience={issuer}/demo-api -d subject_token_type={URN}:token-type:access_token -d subject_token=ACCESS_TOKEN"
    )
}

/// Returns all command lines, in the order in which to try them, for a server on `port`.
pub(crate) fn all(issuer: &str, port: u16, profile: Option<Profile>) -> Vec<Line> {
    if profile.is_some() {
        // They are those of the demo clients, which a profile refuses.
        return Vec::new();
    }
    vec![
        Line {
            title: "Client credentials",
            line: format!(
                "curl {issuer}/token -u demo-service:demo-service-secret-7Kq2Xv9Tb4 -d grant_type=client_credentials -d scope=read"
            ),
        },
        Line { title: "Authorization code: open this URL and sign in", line: authorize(issuer, port) },
        Line { title: "Authorization code: redeem the code", line: exchange(issuer, port, "CODE") },
        Line { title: "Refresh", line: refresh(issuer) },
        Line {
            title: "Device: request a user code, then open the verification_uri",
            line: format!("curl {issuer}/device_authorization -d client_id=demo-device -d scope='openid profile'"),
        },
        Line {
            title: "Device: poll",
            line: format!(
                "curl {issuer}/token -d client_id=demo-device -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d device_code=DEVICE_CODE"
            ),
        },
        Line {
            title: "Demo API: request an access token for it",
            line: format!(
                "curl {issuer}/token -u demo-service:demo-service-secret-7Kq2Xv9Tb4 -d grant_type=client_credentials -d scope=demo:read -d resource={issuer}{}",
                demo_api::PATH
            ),
        },
        Line {
            title: "Demo API: call it (401 without a token, 403 with -X POST)",
            line: format!("curl -i {issuer}{} -H \"Authorization: Bearer ACCESS_TOKEN\"", demo_api::PATH),
        },
        Line {
            title: "Token exchange: the ACCESS_TOKEN of demo-web, from above, for one for the demo API",
            line: token_exchange(issuer),
        },
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_redirect_uri_has_the_port_of_the_server() {
        for issuer in ["http://localhost:9104", "https://id.example.com"] {
            assert!(super::authorize(issuer, 9104).ends_with("redirect_uri=http%3A%2F%2F127.0.0.1%3A9104%2Fcallback"));
            assert!(super::exchange(issuer, 9104, "CODE").contains("redirect_uri=http://127.0.0.1:9104/callback "));
        }
    }
}
