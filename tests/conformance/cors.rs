//! The endpoints that pages of other origins may call (Fetch Standard §3.2; RFC 9700 §2.6).

use suite::{AuthorizationRequest, Browser, Call, Reply, TokenRequest, grant, service, spa};

const ORIGIN: &str = "https://app.example";

#[track_caller]
fn is_open(reply: &Reply) {
    let origin = reply.header("access-control-allow-origin");
    assert!(matches!(origin, Some("*" | ORIGIN)), "{reply:?}");
    // With credentials, each page could use the cookies of the user.
    assert_ne!(reply.header("access-control-allow-credentials"), Some("true"), "{reply:?}");
}

#[track_caller]
fn is_closed(reply: &Reply) {
    assert!(reply.header("access-control-allow-origin").is_none(), "{reply:?}");
}

/// Documents that every client reads.
#[test]
fn metadata_and_keys_are_open() {
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        is_open(&Call::get(path).header("origin", ORIGIN).send().expect(200));
    }
}

/// A single-page application reads successes and errors of the token endpoint.
#[test]
fn the_token_endpoint_is_open() {
    let ok = TokenRequest::client_credentials(&service()).call().header("origin", ORIGIN).send().expect(200);
    is_open(&ok);
    is_open(&TokenRequest::refresh(&spa(), "x").call().header("origin", ORIGIN).send().expect(400));
    is_open(
        &Call::post("/token").form(&[("grant_type", "client_credentials")]).header("origin", ORIGIN).send().expect(401),
    );
}

/// A device that is a browser (a TV) asks for its code.
#[test]
fn device_authorization_is_open() {
    let call = Call::post("/device_authorization").form(&[("client_id", "demo-device")]);
    is_open(&call.header("origin", ORIGIN).send().expect(200));
}

/// And of revocation.
#[test]
fn revocation_is_open() {
    is_open(
        &Call::post("/revoke")
            .form(&[("client_id", "demo-spa"), ("token", "x")])
            .header("origin", ORIGIN)
            .send()
            .expect(200),
    );
}

/// And of userinfo; it can read the challenge.
#[test]
fn userinfo_is_open() {
    is_open(&Call::get("/userinfo").bearer(grant(&spa()).access()).header("origin", ORIGIN).send().expect(200));
    let reply = Call::get("/userinfo").header("origin", ORIGIN).send().expect(401);
    is_open(&reply);
    let exposed = reply.header("access-control-expose-headers").unwrap_or_default().to_ascii_lowercase();
    assert!(exposed.contains("www-authenticate"), "{reply:?}");
}

/// Preflights are answered, with the methods and the headers that clients need.
#[test]
fn preflights_are_answered() {
    for (path, method) in
        [("/token", "POST"), ("/revoke", "POST"), ("/userinfo", "GET"), ("/userinfo", "POST"), ("/jwks", "GET")]
    {
        let reply = Call::new("OPTIONS", path)
            .header("origin", ORIGIN)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "authorization,content-type")
            .send();
        assert!(matches!(reply.status, 200 | 204), "{reply:?}");
        is_open(&reply);
        assert!(
            reply.header("access-control-allow-methods").is_some_and(|methods| methods.contains(method)),
            "{reply:?}"
        );
        let headers = reply.header("access-control-allow-headers").unwrap_or_default().to_ascii_lowercase();
        // Further header fields of a library (`mcp-protocol-version`, `x-requested-with`) are accepted.
        let names = ["authorization", "content-type", "*"];
        assert!(names.iter().all(|name| headers.split(", ").any(|allowed| allowed == *name)), "{reply:?}");
    }
}

/// RFC 9700 §2.6: "CORS MUST NOT be supported at the authorization endpoint"; nor on the pages.
#[test]
fn authorize_and_the_pages_are_closed() {
    let mut browser = Browser::signed_in();
    is_closed(&browser.send(Call::get(&AuthorizationRequest::new(&spa()).url()).header("origin", ORIGIN)));
    is_closed(&browser.send(Call::get("/authorize").header("origin", ORIGIN)));
    for path in ["/login", "/consent", "/logout", "/admin/clients"] {
        is_closed(&browser.send(Call::get(path).header("origin", ORIGIN)));
    }
    for path in ["/authorize", "/login", "/consent", "/logout", "/admin/clients"] {
        let reply =
            Call::new("OPTIONS", path).header("origin", ORIGIN).header("access-control-request-method", "POST").send();
        is_closed(&reply);
    }
}
