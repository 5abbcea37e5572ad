//! Mutual TLS (RFC 8705): round trips, and deployments that do not offer it.

use crate::common::deployment;
use http::Method;
use latchkey_http::{CertificateChain, ClientCertificate, Response};
use protocol::ClientAuthenticationMethod;
use simulation::{Instance, json_of};
use std::sync::Arc;
use storage::clients;
use storage::memory::Memory;
use types::ClientId;

/// A certificate from 2026 to 2036 with the name `client.example`.
const PEM: &str = include_str!("../../shared/types/tests/client.pem");
const FORM: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("client_id", "service")];
const OFFERED: [(&str, &str); 2] =
    [("LATCHKEY_MTLS_ORIGIN", "https://mtls.as.example"), ("LATCHKEY_MTLS_METHODS", "tls_client_auth")];

/// Returns an instance whose client `service` authenticates by a certificate with this name.
async fn start(memory: &Arc<Memory>, name: &str, settings: &[(&str, &str)]) -> Instance {
    deployment(memory.clone()).await;
    let mut stored = clients::find(memory.as_ref(), &ClientId::parse("service").unwrap()).await.unwrap().unwrap();
    stored.client.token_endpoint_auth_method = ClientAuthenticationMethod::TlsClientAuth;
    stored.client.tls_client_auth_san_dns = Some(name.to_owned());
    stored.client.tls_client_certificate_bound_access_tokens = true;
    stored.secrets.clear();
    clients::save(memory.as_ref(), &stored).await.unwrap();
    let mut instance = Instance::start(memory.clone(), settings);
    instance.certificate = ClientCertificate::from_pem(PEM, CertificateChain::Verified);
    instance
}

fn outcome(answer: &Response) -> (u16, String) {
    (answer.status.as_u16(), json_of(answer)["error"].as_str().unwrap_or_default().to_owned())
}

async fn metadata(instance: &Instance) -> Response {
    instance.send(Method::GET, "/.well-known/oauth-authorization-server", &[], String::new()).await
}

/// The certificate is verified without a call. A wrong one costs one look at the client in a second, as a wrong secret does.
#[tokio::test]
async fn a_certificate_costs_no_call() {
    let memory = Arc::new(Memory::new());
    let instance = start(&memory, "client.example", &OFFERED).await;
    let total = || memory.counts().total();
    instance.post("/token", &FORM).await;
    let before = total();
    assert_eq!(outcome(&instance.post("/token", &FORM).await), (200, String::new()));
    assert_eq!(total() - before, 0, "client credentials");

    let memory = Arc::new(Memory::new());
    let instance = start(&memory, "other.example", &OFFERED).await;
    for _ in 0..3 {
        assert_eq!(outcome(&instance.post("/token", &FORM).await), (401, "invalid_client".to_owned()));
    }
    let before = memory.counts().total();
    for _ in 0..9 {
        instance.post("/token", &FORM).await;
    }
    assert_eq!(memory.counts().total() - before, 0, "wrong certificates");
    assert_eq!(memory.counts().count, 0, "a certificate is no guess");
}

/// Without the setting no certificate reaches a function. A method that is not set is not offered, even to clients that registered it.
#[tokio::test]
async fn a_certificate_counts_where_the_deployment_offers_that() {
    for (settings, method) in [
        (vec![], "not offer"),
        (vec![("LATCHKEY_MTLS_ORIGIN", "https://mtls.as.example")], "not offer"),
        (
            vec![
                ("LATCHKEY_MTLS_ORIGIN", "https://mtls.as.example"),
                ("LATCHKEY_MTLS_METHODS", "self_signed_tls_client_auth"),
            ],
            "not offer",
        ),
    ] {
        let instance = start(&Arc::new(Memory::new()), "client.example", &settings).await;
        let answer = instance.post("/token", &FORM).await;
        assert_eq!(outcome(&answer), (401, "invalid_client".to_owned()), "{settings:?}");
        let description = json_of(&answer)["error_description"].as_str().unwrap_or_default().to_owned();
        assert!(description.contains(method), "{description}");
        let document = json_of(&metadata(&instance).await);
        let methods = document["token_endpoint_auth_methods_supported"].to_string();
        assert!(!methods.contains("\"tls_client_auth\""), "{methods}");
        assert_eq!(document.get("mtls_endpoint_aliases").is_some(), !settings.is_empty());
        assert_eq!(document.get("tls_client_certificate_bound_access_tokens").is_some(), !settings.is_empty());
    }
}

/// A chain that the platform did not verify is none.
#[tokio::test]
async fn an_unverified_chain_authenticates_no_client() {
    let mut instance = start(&Arc::new(Memory::new()), "client.example", &OFFERED).await;
    instance.certificate = ClientCertificate::from_pem(PEM, CertificateChain::Unverified);
    assert_eq!(outcome(&instance.post("/token", &FORM).await), (401, "invalid_client".to_owned()));
    instance.certificate = Some(ClientCertificate::new(vec![0x30, 0x00], CertificateChain::Verified));
    let answer = instance.post("/token", &FORM).await;
    assert!(json_of(&answer)["error_description"].as_str().unwrap().contains("cannot be read"));
}
