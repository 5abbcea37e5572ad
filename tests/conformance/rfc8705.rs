//! Mutual TLS client authentication and certificate-bound access tokens: RFC 8705.

use serde_json::{Value, json};
use suite::dpop::Holder;
use suite::registration::Registered;
use suite::{
    Answer, AuthorizationRequest, Browser, Call, Certificate, Client, Host, Name, Reply, Signer, TokenRequest, Tokens,
    admin, authenticated, exchanger, introspection, issuer, jwt, mtls_origin, now, platform, random, service, spa, url,
    wait,
};

const SCOPE: &str = "openid email offline_access";
const BOUND: &str = "tls_client_certificate_bound_access_tokens=true";

/// The names of the certificate of most tests.
const NAMES: [Name<'_>; 5] = [
    Name::Dns("client.suite.example"),
    Name::Uri("https://client.suite.example/id"),
    Name::Ip("192.0.2.7"),
    Name::Ip("2001:db8::7"),
    Name::Email("ops@client.suite.example"),
];

/// Returns a service that authenticates by a certificate with this subject.
fn pki_client(id: &str, subject: &str, more: &[&str]) -> Client {
    let grants = r#"grant_types=["client_credentials"]"#;
    let settings = ["token_endpoint_auth_method=tls_client_auth", grants, subject];
    let settings = settings.iter().chain(more).flat_map(|setting| ["--set", setting]);
    admin::client(id, &["--scope", "read"].into_iter().chain(settings).collect::<Vec<_>>())
}

/// Returns a service that authenticates by a certificate of its own.
fn self_signed_client(id: &str, keys: &str) -> Client {
    let method = "token_endpoint_auth_method=self_signed_tls_client_auth";
    let grants = r#"grant_types=["client_credentials"]"#;
    admin::client(id, &["--scope", "read", "--set", method, "--set", grants, "--set", keys])
}

fn send(request: &TokenRequest, certificate: &Certificate) -> Reply {
    request.call().certificate(certificate).send()
}

#[track_caller]
fn tokens(request: &TokenRequest, certificate: &Certificate) -> Tokens {
    Tokens::read(&request.client, send(request, certificate))
}

fn own(client: &Client) -> TokenRequest {
    TokenRequest::client_credentials(client)
}

fn request(client: &Client) -> AuthorizationRequest {
    AuthorizationRequest::new(client).scope(SCOPE).set("prompt", "consent")
}

fn redemption(client: &Client) -> TokenRequest {
    let request = request(client);
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code())
}

/// A public client whose tokens are bound to certificates.
fn bound_public() -> Client {
    admin::client("suite-mtls-public", &["--set", BOUND])
}

/// A client with a secret whose tokens are bound to certificates.
fn bound_confidential() -> Client {
    admin::client("suite-mtls-web", &["--confidential", "--set", BOUND])
}

fn cnf(tokens: &Tokens) -> Value {
    jwt::verify(tokens.access()).claims["cnf"].clone()
}

/// §2.1.2: each form of the subject; a name of one form is none of another. The subject begins with CN; RFC 4514 writes the last RDN first.
#[test]
fn a_certificate_of_a_trusted_ca_authenticates() {
    let right = Certificate::issued("client", &NAMES);
    let other = Certificate::issued("other", &[Name::Dns("other.suite.example")]);
    for (form, subject, values) in [
        (
            "dn",
            "tls_client_auth_subject_dn",
            &["O=Suite & Co.\\, Ltd,CN=client", "CN=client,O=Suite & Co.\\, Ltd", "CN=client"][..],
        ),
        ("dn-tool", "tls_client_auth_subject_dn", &["2.5.4.10=#0c105375697465202620436f2e2c204c7464, cn=Client"]),
        ("dns", "tls_client_auth_san_dns", &["CLIENT.suite.example", "suite.example"]),
        ("uri", "tls_client_auth_san_uri", &["https://client.suite.example/id", "https://client.suite.example/"]),
        ("ipv4", "tls_client_auth_san_ip", &["192.0.2.7", "192.0.2.8"]),
        ("ipv6", "tls_client_auth_san_ip", &["2001:DB8:0::7", "2001:db8::8"]),
        ("email", "tls_client_auth_san_email", &["ops@CLIENT.suite.example", "x@client.suite.example"]),
    ] {
        let client = pki_client(&format!("suite-mtls-{form}"), &format!("{subject}={}", values[0]), &[]);
        let document = tokens(&own(&client), &right).document;
        assert_eq!(document["token_type"], "Bearer", "{form}");
        send(&own(&client), &other).expect_error(401, "invalid_client");
        for (number, wrong) in values[1..].iter().enumerate() {
            let client = pki_client(&format!("suite-mtls-{form}-{number}"), &format!("{subject}={wrong}"), &[]);
            send(&own(&client), &right).expect_error(401, "invalid_client");
        }
    }
    // The same text in a name of another form, and in the common name.
    let text = "client.suite.example";
    let client = pki_client("suite-mtls-form", &format!("tls_client_auth_san_dns={text}"), &[]);
    for wrong in [Certificate::issued(text, &[]), Certificate::issued("x", &[Name::Uri("client.suite.example")])] {
        send(&own(&client), &wrong).expect_error(401, "invalid_client");
    }
}

/// §2.1, §7.3: the chain and the dates count.
#[test]
fn a_certificate_that_is_not_valid_authenticates_nobody() {
    let client = pki_client("suite-mtls-valid", "tls_client_auth_san_dns=client.suite.example", &[]);
    send(&own(&client), &Certificate::between("client", &NAMES, 2020, 2100)).expect(200);
    for (wrong, reason) in [
        (Certificate::between("client", &NAMES, 2020, 2021), "expired"),
        (Certificate::between("client", &NAMES, 2100, 2101), "not yet valid"),
        (Certificate::self_signed("client", &NAMES), "leads to no CA"),
    ] {
        let reply = send(&own(&client), &wrong).expect_error(401, "invalid_client");
        assert!(reply.json()["error_description"].as_str().unwrap().contains(reason), "{reply:?}");
    }
    if platform() == "workers" {
        send(&own(&client), &Certificate::issued("client", &NAMES).revoked()).expect_error(401, "invalid_client");
    }
}

/// §2: without a certificate, the error says where to send it. The request names the client.
#[test]
fn a_request_without_certificate_or_client_id_is_refused() {
    let client = pki_client("suite-mtls-valid", "tls_client_auth_san_dns=client.suite.example", &[]);
    for call in [own(&client).call(), own(&client).call().without_certificate()] {
        let reply = call.send().expect_error(401, "invalid_client");
        assert!(reply.json()["error_description"].as_str().unwrap().contains("mtls_endpoint_aliases"), "{reply:?}");
    }
    let certificate = Certificate::issued("client", &NAMES);
    let nameless = Call::post("/token").form(&[("grant_type", "client_credentials")]).certificate(&certificate);
    nameless.send().expect_error(401, "invalid_client");
}

/// A client, and anyone in front of it, can send header fields.
#[test]
fn a_header_field_is_no_certificate() {
    let client = pki_client("suite-mtls-valid", "tls_client_auth_san_dns=client.suite.example", &[]);
    let certificate = Certificate::issued("client", &NAMES);
    let (pem, sequence) = (certificate.encoded_pem(), certificate.byte_sequence());
    let cf = json!({ "tlsClientAuth": {
        "certPresented": "1", "certVerified": "SUCCESS", "certRevoked": "0", "certRFC9440": sequence,
    } });
    let fields = [
        ("cloudfront-viewer-cert-pem", &pem),
        ("client-cert", &sequence),
        ("x-amzn-mtls-clientcert", &pem),
        ("x-amzn-mtls-clientcert-leaf", &pem),
        ("cf-client-cert-der-base64", &sequence),
        ("x-ssl-cert", &pem),
        ("x-forwarded-client-cert", &pem),
    ];
    let mut all = own(&client).call();
    for (name, value) in fields {
        own(&client).call().header(name, value).send().expect_error(401, "invalid_client");
        all = all.header(name, value);
    }
    all = all.header("cf", cf.to_string());
    all.clone().send().expect_error(401, "invalid_client");
    all.without_certificate().send().expect_error(401, "invalid_client");
    // The wrong secret of a proxy proves nothing.
    let wrong = own(&client).call().header("latchkey-proxy-secret", "suite-proxy-secret-fedcba9876543210");
    wrong.header("cloudfront-viewer-cert-pem", &pem).send().expect_error(401, "invalid_client");
    // Nor does a field replace the certificate of the connection.
    let other = Certificate::issued("other", &[]);
    let call = own(&client).call().certificate(&other).header("cloudfront-viewer-cert-pem", &pem);
    call.send().expect_error(401, "invalid_client");
}

/// A trusted proxy names the certificate of the connection that it terminates. This one does not verify chains.
#[test]
fn a_proxy_names_the_certificate() {
    let certificate = Certificate::issued("client", &NAMES);
    let keys = format!("jwks={}", json!({ "keys": [certificate.jwk()] }));
    let client = self_signed_client("suite-mtls-proxy", &keys);
    let through = |client: &Client, certificate: &str| own(client).call().through_proxy_with(certificate).send();
    through(&client, &certificate.encoded_pem()).expect(200);
    through(&client, &certificate.byte_sequence()).expect(200);
    let other = Certificate::issued("client", &NAMES).encoded_pem();
    for wrong in [other.as_str(), "no certificate", ""] {
        through(&client, wrong).expect_error(401, "invalid_client");
    }
    // A host that asks for no certificates may pass on what a client sent.
    let plain = own(&client).call().through_proxy(&suite::address());
    plain.header("cloudfront-viewer-cert-pem", certificate.encoded_pem()).send().expect_error(401, "invalid_client");
    // The connection to the server is that of the proxy.
    let call = own(&client).call().through_proxy(&suite::address()).certificate(&certificate);
    call.send().expect_error(401, "invalid_client");
    let pki = pki_client("suite-mtls-valid", "tls_client_auth_san_dns=client.suite.example", &[]);
    let reply = through(&pki, &certificate.encoded_pem()).expect_error(401, "invalid_client");
    assert!(reply.json()["error_description"].as_str().unwrap().contains("leads to no CA"), "{reply:?}");
}

/// §2.2: the certificate is one of those that the client registered, whatever its chain and dates.
#[test]
fn a_registered_certificate_authenticates() {
    let certificate = Certificate::self_signed("client", &[]);
    let second = Certificate::between("client", &[], 2020, 2021);
    let keys = json!({ "keys": [Signer::new("ES256", "other").jwk(), certificate.jwk(), second.jwk()] });
    let client = self_signed_client("suite-mtls-self", &format!("jwks={keys}"));
    tokens(&own(&client), &certificate);
    tokens(&own(&client), &second);
    for wrong in [Certificate::self_signed("client", &[]), Certificate::issued("client", &[])] {
        let reply = send(&own(&client), &wrong).expect_error(401, "invalid_client");
        assert!(reply.json()["error_description"].as_str().unwrap().contains("x5c"), "{reply:?}");
    }
    own(&client).send().expect_error(401, "invalid_client");
}

/// §2.2.2: the certificates at `jwks_uri` are read again when an unknown one arrives.
#[test]
fn a_client_changes_its_certificates_at_its_url() {
    let host = Host::start();
    let (first, second) = (Certificate::self_signed("client", &[]), Certificate::self_signed("client", &[]));
    let set = |certificates: &[&Certificate]| {
        let keys: Vec<Value> = certificates.iter().map(|certificate| certificate.jwk()).collect();
        host.serve_json("/jwks", &json!({ "keys": keys }))
    };
    let client = self_signed_client("suite-mtls-url", &format!("jwks_uri={}", set(&[&first])));
    tokens(&own(&client), &first);
    send(&own(&client), &second).expect_error(401, "invalid_client");
    wait(std::time::Duration::from_secs(2));
    set(&[&second]);
    tokens(&own(&client), &second);
    let elsewhere = self_signed_client("suite-mtls-no-url", &format!("jwks_uri={}", host.url("/nowhere")));
    send(&own(&elsewhere), &first).expect_error(401, "invalid_client");
    host.serve("/nowhere", Answer::status(200));
}

/// RFC 6749 §2.3: a certificate is no second authentication, and none in place of another.
#[test]
fn a_certificate_authenticates_no_client_of_another_method() {
    let certificate = Certificate::issued("client", &NAMES);
    send(&own(&Client::public(&service().id)), &certificate).expect_error(401, "invalid_client");
    tokens(&own(&service()), &certificate);
    let client = pki_client("suite-mtls-valid", "tls_client_auth_san_dns=client.suite.example", &[]);
    let with_secret = Client::confidential(&client.id, "any secret that it does not have");
    for authentication in [suite::Authentication::Basic, suite::Authentication::Post] {
        let request = own(&with_secret.clone().with(authentication));
        send(&request, &certificate).expect_error(401, "invalid_client");
    }
    let signer = Signer::new("ES256", "key-1");
    let claims = json!({ "iss": client.id, "sub": client.id, "aud": issuer(), "jti": random(), "exp": now() + 60 });
    let asserted = own(&client)
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", &signer.sign(&claims));
    send(&asserted, &certificate).expect_error(401, "invalid_client");
}

/// §2: the method is the same at every endpoint that a client calls.
#[test]
fn a_certificate_authenticates_at_every_endpoint() {
    let grants = r#"grant_types=["authorization_code","refresh_token"]"#;
    let method = ["--set", "token_endpoint_auth_method=tls_client_auth", "--set", grants];
    let subject = ["--set", "tls_client_auth_san_uri=https://client.suite.example/id"];
    let client = admin::client("suite-mtls-endpoints", &[&method[..], &subject[..]].concat());
    let certificate = Certificate::issued("client", &NAMES);
    let request = request(&client);
    let call = || Call::post("/par").form(&request.parameters);
    call().send().expect_error(401, "invalid_client");
    call().certificate(&certificate).send().expect(201);
    let grant = tokens(&redemption(&client), &certificate);
    let token = [("token".to_owned(), grant.refresh().to_owned())];
    let call = |path: &str| authenticated(Call::post(path), &client, &token);
    for path in ["/introspect", "/revoke"] {
        call(path).send().expect_error(401, "invalid_client");
        call(path).certificate(&Certificate::issued("other", &[])).send().expect_error(401, "invalid_client");
    }
    assert_eq!(call("/introspect").certificate(&certificate).send().expect(200).json()["active"], true);
    call("/revoke").certificate(&certificate).send().expect(200);
    assert_eq!(call("/introspect").certificate(&certificate).send().expect(200).json()["active"], false);
}

/// §3: the token is bound to the certificate if the client registered that, and is a bearer token.
#[test]
fn tokens_are_bound_as_the_client_registered() {
    let certificate = Certificate::issued("client", &NAMES);
    let subject = "tls_client_auth_san_dns=client.suite.example";
    let free = pki_client("suite-mtls-valid", subject, &[]);
    assert_eq!(cnf(&tokens(&own(&free), &certificate)), Value::Null);
    let bound = pki_client("suite-mtls-bound", subject, &[BOUND]);
    assert_eq!(cnf(&tokens(&own(&bound), &certificate)), certificate.cnf());
    // Any certificate binds the tokens of a client that authenticates in another way.
    let secret = admin::client("suite-mtls-secret", &["--service", "--scope", "read", "--set", BOUND]);
    let own_one = Certificate::self_signed("any", &[]);
    assert_eq!(cnf(&tokens(&own(&secret), &own_one)), own_one.cnf());
    let reply = own(&secret).send().expect_error(400, "invalid_request");
    assert!(reply.json()["error_description"].as_str().unwrap().contains("client certificate"), "{reply:?}");
    own(&secret).call().without_certificate().send().expect_error(400, "invalid_request");
}

/// FAPI 2.0 Security Profile §5.3.2.1: a key authenticates, and a certificate binds. The audience may be the alias (§5).
#[test]
fn a_certificate_binds_beside_a_client_assertion() {
    let signer = Signer::new("ES256", "key-1");
    let jwks = format!("jwks={}", signer.jwks());
    let set = ["--set", "token_endpoint_auth_method=private_key_jwt", "--set", r#"grant_types=["client_credentials"]"#];
    let arguments = [&["--scope", "read"], &set[..], &["--set", &jwks, "--set", BOUND]].concat();
    let client = admin::client("suite-mtls-jwt", &arguments);
    let asserted = |aud: &str| {
        let claims = json!({ "iss": client.id, "sub": client.id, "aud": aud, "jti": random(), "exp": now() + 60 });
        own(&Client::public(&client.id))
            .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            .set("client_assertion", &signer.sign(&claims))
    };
    let certificate = Certificate::self_signed("any", &[]);
    for aud in [issuer().to_owned(), url("/token"), format!("{}/token", mtls_origin())] {
        assert_eq!(cnf(&tokens(&asserted(&aud), &certificate)), certificate.cnf(), "{aud}");
    }
    send(&asserted(&format!("{}/par", mtls_origin())), &certificate).expect_error(401, "invalid_client");
    send(&asserted("https://mtls.other.example/token"), &certificate).expect_error(401, "invalid_client");
    asserted(issuer()).send().expect_error(400, "invalid_request");
}

/// RFC 9449 §4.3: `htu` may be the alias.
#[test]
fn a_proof_may_name_the_alias() {
    let holder = Holder::new();
    let request = redemption(&spa());
    holder
        .send_with(&request, &json!({ "htu": "https://mtls.other.example/token" }))
        .expect_error(400, "invalid_dpop_proof");
    holder.send_with(&request, &json!({ "htu": format!("{}/token", mtls_origin()) })).expect(200);
}

/// §3: UserInfo accepts the token on a connection with its certificate alone. §3.1, §3.2: `cnf` in the JWT and in introspection.
#[test]
fn userinfo_demands_the_certificate() {
    let (certificate, other) = (Certificate::issued("client", &NAMES), Certificate::self_signed("other", &[]));
    let opaque = admin::client("suite-mtls-opaque", &["--set", BOUND, "--set", "access_token_format=opaque"]);
    for client in [bound_public(), opaque, bound_confidential()] {
        let tokens = tokens(&redemption(&client), &certificate);
        let userinfo = || Call::get("/userinfo").bearer(tokens.access());
        assert_eq!(userinfo().certificate(&certificate).send().expect(200).json()["email"], "demo@example.com");
        let in_body = Call::post("/userinfo").form(&[("access_token", tokens.access())]);
        in_body.certificate(&certificate).send().expect(200);
        for call in [
            userinfo(),
            userinfo().without_certificate(),
            userinfo().certificate(&other),
            userinfo().header("cloudfront-viewer-cert-pem", certificate.encoded_pem()),
        ] {
            let reply = call.send().expect_error(401, "invalid_token");
            assert!(reply.header("www-authenticate").unwrap_or_default().starts_with("Bearer "), "{reply:?}");
        }
        let dpop = Call::get("/userinfo").header("authorization", format!("DPoP {}", tokens.access()));
        dpop.certificate(&certificate).send().expect_error(401, "invalid_token");
        if client.secret.is_some() {
            let document = introspection(&client, tokens.access());
            assert_eq!((&document["cnf"], &document["token_type"]), (&certificate.cnf(), &json!("Bearer")));
        }
        assert!(jwt::verify(tokens.id()).claims.get("cnf").is_none(), "an ID token is bound to nothing");
    }
}

/// §3: so does the guard of an API: the crate, the gateway and the authorizer.
#[test]
fn a_guard_demands_the_certificate() {
    let certificate = Certificate::issued("client", &NAMES);
    let scope = ["--scope", "demo:read"];
    let service = admin::client("suite-mtls-api", &[&["--service"], &scope[..], &["--set", BOUND]].concat());
    let request = own(&service).set("resource", &url("/demo-api")).set("scope", "demo:read");
    let tokens = tokens(&request, &certificate);
    let call = || Call::get("/demo-api").bearer(tokens.access());
    call().certificate(&certificate).send().expect(200);
    for wrong in [
        call(),
        call().without_certificate(),
        call().certificate(&Certificate::issued("other", &[])),
        call().header("client-cert", certificate.byte_sequence()),
        call().header("cloudfront-viewer-cert-pem", certificate.encoded_pem()),
    ] {
        // API Gateway answers for its authorizer.
        let status = if platform() == "lambda" { 403 } else { 401 };
        wrong.send().expect(status);
    }
}

/// §4: the refresh token of a public client is bound to its certificate, and an error does not cost the client its token.
#[test]
fn a_public_client_refreshes_with_its_certificate() {
    let (certificate, other) = (Certificate::self_signed("a", &[]), Certificate::self_signed("b", &[]));
    let first = tokens(&redemption(&bound_public()), &certificate);
    first.refresh_request().send().expect_error(400, "invalid_request");
    send(&first.refresh_request(), &other).expect_error(400, "invalid_grant");
    Holder::new().send(&first.refresh_request()).expect_error(400, "invalid_request");
    let second = tokens(&first.refresh_request(), &certificate);
    assert_eq!(cnf(&second), certificate.cnf());
    second.refresh_request().send().expect_error(400, "invalid_request");
}

/// §4, §7.1: a confidential client may change its certificate, because it authenticates.
#[test]
fn a_confidential_client_refreshes_with_any_certificate() {
    let (first, second) = (Certificate::self_signed("a", &[]), Certificate::self_signed("b", &[]));
    let grant = tokens(&redemption(&bound_confidential()), &first);
    grant.refresh_request().send().expect_error(400, "invalid_request");
    assert_eq!(cnf(&tokens(&grant.refresh_request(), &second)), second.cnf());
}

/// The registration decides; a grant never loses its constraint.
#[test]
fn a_grant_keeps_its_certificate_after_a_change_of_the_client() {
    if platform() != "local" {
        // There the wait for the cache of clients takes a minute.
        return;
    }
    let id = format!("suite-mtls-{}", random());
    let change = |more: &[&str]| {
        admin::command(&[&["client", "add", "--json", "--id", &id, "https://suite.example/callback"], more].concat())
    };
    change(&["--set", BOUND]);
    let certificate = Certificate::self_signed("a", &[]);
    let first = tokens(&redemption(&Client::public(&id)), &certificate);
    change(&[]);
    // A client is cached for a minute.
    wait(std::time::Duration::from_secs(61));
    first.refresh_request().send().expect_error(400, "invalid_request");
    send(&first.refresh_request(), &Certificate::self_signed("b", &[])).expect_error(400, "invalid_grant");
    let second = tokens(&first.refresh_request(), &certificate);
    assert_eq!(cnf(&second), certificate.cnf());
}

/// A proof and a certificate: the registration decides which one binds.
#[test]
fn a_token_is_bound_to_one_key() {
    let (holder, certificate) = (Holder::new(), Certificate::self_signed("a", &[]));
    let both = |client: &Client| {
        let call = redemption(client).call().certificate(&certificate);
        let htu = json!({ "htu": format!("{}/token", mtls_origin()) });
        call.header("dpop", holder.proof("POST", "/token", &htu)).send().expect(200).json()
    };
    let document = both(&spa());
    assert_eq!(document["token_type"], "DPoP");
    assert_eq!(jwt::verify(document["access_token"].as_str().unwrap()).claims["cnf"], json!({ "jkt": holder.jkt() }));
    let document = both(&bound_public());
    assert_eq!(document["token_type"], "Bearer");
    assert_eq!(jwt::verify(document["access_token"].as_str().unwrap()).claims["cnf"], certificate.cnf());
}

/// RFC 8693: an exchanged token is bound to the certificate of the client that exchanges.
#[test]
fn an_exchanged_token_keeps_the_constraint() {
    let (first, gateway) = (Certificate::issued("a", &[]), Certificate::issued("b", &[]));
    let user = AuthorizationRequest::new(&spa()).scope("openid demo:read offline_access").set("prompt", "consent");
    let code = Browser::signed_in().complete(&user).code();
    // demo-spa has a bound token by a proof alone: its gateway may bind the new one to a certificate.
    let tokens_of_user = Holder::new().tokens(&TokenRequest::code(&user, &code));
    let exchange = TokenRequest::new(&exchanger(), "urn:ietf:params:oauth:grant-type:token-exchange")
        .set("subject_token", tokens_of_user.access())
        .set("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
        .set("audience", &url("/demo-api"));
    exchange.send().expect_error(400, "invalid_dpop_proof");
    let exchanged = tokens(&exchange, &gateway);
    assert_eq!(cnf(&exchanged), gateway.cnf());
    let call = || Call::get("/demo-api").bearer(exchanged.access());
    call().certificate(&gateway).send().expect(200);
    assert_ne!(call().certificate(&first).send().status, 200);
}

/// RFC 8628 §3.4: a device may present a certificate, too.
#[test]
fn a_device_binds_its_tokens() {
    let grants = r#"grant_types=["urn:ietf:params:oauth:grant-type:device_code","refresh_token"]"#;
    let device = admin::client("suite-mtls-device", &["--set", grants, "--set", BOUND]);
    let certificate = Certificate::self_signed("tv", &[]);
    let form = [("client_id", device.id.as_str()), ("scope", "openid offline_access")];
    let document = Call::post("/device_authorization").form(&form).send().expect(200).json();
    let mut browser = Browser::signed_in();
    let page = browser.open(document["verification_uri_complete"].as_str().unwrap()).page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    let page = browser.submit(&form, &[("user_code", document["user_code"].as_str().unwrap())]).page();
    browser.decide(&page, "allow").page();
    let poll = TokenRequest::new(&device, "urn:ietf:params:oauth:grant-type:device_code");
    let poll = poll.set("device_code", document["device_code"].as_str().unwrap());
    poll.send().expect_error(400, "invalid_request");
    let granted = tokens(&poll, &certificate);
    assert_eq!(cnf(&granted), certificate.cnf());
    granted.refresh_request().send().expect_error(400, "invalid_request");
}

/// §3.3, §5: the metadata.
#[test]
fn metadata_name_methods_and_aliases() {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let document = Call::get(path).send().expect(200).json();
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
        for endpoint in ["token", "revocation", "introspection"] {
            let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
            for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
                assert!(methods.as_array().unwrap().contains(&json!(method)), "{endpoint}: {methods}");
            }
        }
        let aliases = document["mtls_endpoint_aliases"].as_object().unwrap();
        for name in [
            "token_endpoint",
            "revocation_endpoint",
            "introspection_endpoint",
            "pushed_authorization_request_endpoint",
            "device_authorization_endpoint",
            "backchannel_authentication_endpoint",
            "userinfo_endpoint",
        ] {
            let plain = document[name].as_str().unwrap();
            assert_eq!(aliases[name], plain.replacen(issuer(), mtls_origin(), 1), "{name}");
        }
        assert!(!aliases.contains_key("authorization_endpoint"), "browsers have no certificate");
        assert_eq!(aliases.len(), 7);
    }
}

/// §2.1.2, §2.2.1, §3.4: what a client registers itself, and changes later.
#[test]
fn a_client_registers_and_changes_its_certificate() {
    let (first, second) = (Certificate::self_signed("a", &[]), Certificate::self_signed("b", &[]));
    let keys = |certificate: &Certificate| json!({ "keys": [certificate.jwk()] });
    let registered = Registered::new(&json!({
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "grant_types": ["client_credentials"],
        "jwks": keys(&first),
        "tls_client_certificate_bound_access_tokens": true,
        "scope": "read",
    }));
    assert_eq!(registered.document["token_endpoint_auth_method"], "self_signed_tls_client_auth");
    assert_eq!(registered.document["tls_client_certificate_bound_access_tokens"], true);
    assert!(registered.document.get("client_secret").is_none());
    let client = Client::public(registered.text("client_id"));
    assert_eq!(cnf(&tokens(&own(&client), &first)), first.cnf());
    send(&own(&client), &second).expect_error(401, "invalid_client");
    let changed = registered.replace(&json!({ "jwks": keys(&second) })).expect(200).json();
    // The new certificate counts at once. A function that knows the client accepts the earlier one for a minute.
    wait(std::time::Duration::from_secs(2));
    assert_eq!(cnf(&tokens(&own(&client), &second)), second.cnf());
    send(&own(&client), &first).expect_error(401, "invalid_client");
    let changed = Registered { document: changed };
    let subject =
        json!({ "token_endpoint_auth_method": "tls_client_auth", "jwks": null, "tls_client_auth_san_ip": "192.0.2.7" });
    let changed = changed.replace(&subject).expect(200).json();
    assert_eq!(changed["tls_client_auth_san_ip"], "192.0.2.7");
    wait(std::time::Duration::from_secs(2));
    tokens(&own(&client), &Certificate::issued("client", &NAMES));
}

/// §2.1.2: exactly one subject.
#[test]
fn a_registration_names_exactly_one_subject() {
    let register = |more: Value| {
        let mut metadata =
            json!({ "token_endpoint_auth_method": "tls_client_auth", "grant_types": ["client_credentials"] });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        suite::registration::register(&metadata)
    };
    register(json!({ "tls_client_auth_san_dns": "a.example" })).expect(201);
    register(json!({ "tls_client_auth_san_dns": "a.example", "tls_client_auth_san_ip": "" })).expect(201);
    for wrong in [
        json!({}),
        json!({ "tls_client_auth_san_dns": "a.example", "tls_client_auth_subject_dn": "CN=a" }),
        json!({ "tls_client_auth_subject_dn": "client" }),
        json!({ "tls_client_auth_san_dns": "*.example" }),
        json!({ "tls_client_auth_san_ip": "192.0.2" }),
        json!({ "tls_client_auth_san_email": "a.example" }),
        json!({ "tls_client_auth_san_uri": "a" }),
        json!({ "tls_client_auth_san_dns": ["a.example"] }),
        json!({ "tls_client_auth_san_dns": "a.example", "tls_client_certificate_bound_access_tokens": true, "dpop_bound_access_tokens": true }),
        json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth" }),
        json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": Signer::new("ES256", "k").jwks() }),
    ] {
        register(wrong).expect_error(400, "invalid_client_metadata");
    }
    let refused =
        admin::refused(&["client", "add", "--service", "--set", "token_endpoint_auth_method=tls_client_auth"], "");
    assert!(refused.contains("exactly one of tls_client_auth_subject_dn"), "{refused}");
}
