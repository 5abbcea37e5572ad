//! Compression (RFC 9110 §8.4). A compressed body that repeats what an attacker sent tells the attacker, by its length, what else it
//! holds (BREACH). So only a body without any secret is compressed.

use flate2::read::GzDecoder;
use std::io::Read;
use suite::{AuthorizationRequest, Browser, Call, Reply, platform, spa};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn encoding(reply: &Reply) -> Option<&str> {
    reply.header("content-encoding")
}

fn varies_by_coding(reply: &Reply) -> bool {
    let fields = reply.headers.get_all("vary").iter();
    fields.filter_map(|field| field.to_str().ok()).any(|field| field.to_lowercase().contains("accept-encoding"))
}

fn unpacked(reply: &Reply) -> String {
    let mut text = String::new();
    GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap_or_else(|error| panic!("{error}: {reply:?}"));
    text
}

/// RFC 9110 §12.5.3: metadata, keys, and the pages that are alike for everybody are compressed for a client that reads gzip, and for no
/// other one. Caches keep the two apart (§12.5.5).
#[test]
fn open_answers_are_compressed() {
    let open = [
        ("/.well-known/openid-configuration", "*/*", 200),
        ("/.well-known/oauth-authorization-server", "*/*", 200),
        ("/jwks", "*/*", 200),
        ("/", BROWSER, 200),
        ("/no-such-page", BROWSER, 404),
        ("/authorize?client_id=suite-unknown", BROWSER, 400),
    ];
    for (path, accept, status) in open {
        let call = |coding: &str| Call::get(path).header("accept", accept).header("accept-encoding", coding).send();
        let plain = call("identity").expect(status);
        assert_eq!(encoding(&plain), None, "{plain:?}");
        assert!(varies_by_coding(&plain), "{plain:?}");
        assert_eq!(encoding(&call("gzip;q=0")), None);
        // The edge of Cloudflare, which compresses there, does not know the type of a JWK Set.
        if platform() == "workers" && path == "/jwks" {
            continue;
        }
        let packed = call("gzip, deflate").expect(status);
        assert_eq!(encoding(&packed), Some("gzip"), "{packed:?}");
        assert!(varies_by_coding(&packed), "{packed:?}");
        assert_eq!(packed.header("cache-control"), plain.header("cache-control"));
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        assert!(packed.body.len() < plain.body.len(), "{} bytes, {packed:?}", packed.body.len());
        match status {
            200 if path != "/" => assert_eq!(unpacked(&packed), plain.text()),
            // A page has a nonce of its own.
            _ => assert!(unpacked(&packed).ends_with("</html>\n") || unpacked(&packed).ends_with("</html>"), "{path}"),
        }
    }
}

/// RFC 9110 §9.3.2: HEAD has the header fields of GET, and no body.
#[test]
fn head_has_no_body_for_any_coding() {
    for path in ["/.well-known/openid-configuration", "/jwks", "/"] {
        let reply = Call::new("HEAD", path).header("accept-encoding", "gzip").send().expect(200);
        assert!(reply.body.is_empty() && varies_by_coding(&reply), "{reply:?}");
    }
}

/// An answer with a form token, a code, a token or data of a user is sent as it is. `no-transform` (RFC 9111 §5.2.2.6) keeps the edge of
/// Cloudflare and other proxies from compressing it.
#[test]
fn answers_with_secrets_are_not_compressed() {
    let ask = |call: Call| call.header("accept-encoding", "gzip, br");
    let request = AuthorizationRequest::new(&spa());
    let mut browser = Browser::new_signed_in();
    let mut other = Browser::new();
    let sign_in = other.authorize(&request).login_page();
    let mut replies = vec![
        other.send(ask(Call::get(sign_in.url.as_str()).header("accept", BROWSER))).expect(200),
        browser.send(ask(Call::get("/device").header("accept", BROWSER))),
        browser.send(ask(Call::get("/logout").header("accept", BROWSER))),
    ];
    let form_post = request.clone().set("response_mode", "form_post").set("prompt", "none");
    replies.push(browser.send(ask(Call::get(&form_post.url()))));
    let token = || {
        let call = Call::post("/token").basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4");
        call.form(&[("grant_type", "client_credentials")])
    };
    let access = token().send().expect(200).json()["access_token"].as_str().expect("a token").to_owned();
    let introspect =
        Call::post("/introspect").basic("demo-web", "demo-web-secret-7Kq2Xv9Tb4").form(&[("token", &access)]);
    replies.extend([ask(token()).send().expect(200), ask(introspect).send().expect(200)]);
    for reply in replies {
        let control = reply.header("cache-control").unwrap_or_default().to_owned();
        for directive in ["no-store", "no-transform"] {
            assert!(control.split(',').any(|part| part.trim() == directive), "{reply:?}");
        }
        // The emulated edge compresses whatever the type; the edge itself obeys `no-transform`.
        assert!(encoding(&reply).is_none() || platform() == "workers", "{reply:?}");
    }
}
