//! Events of API Gateway, and the answers to them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::arithmetic_side_effects, reason = "as above")]

use async_trait::async_trait;
use authorizer::Guard;
use authorizer::lambda::{Form, authorize};
use futures::executor::block_on;
use http::{Request, Response, header};
use platform::lambda::AuthorizerEvent;
use resource_server::{Http, Settings, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const ROUTE: &str = "arn:aws:execute-api:eu-west-1:1:api/$default/GET/demo-api";

/// An authorization server with one token, `lka_good`.
struct Server;

#[async_trait]
impl Http for Server {
    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String> {
        if request.uri().path() != "/introspect" || request.body().contains("lka_down") {
            return Err("down".to_owned());
        }
        let body = json!({
            "active": request.body().contains("lka_good"),
            "iss": "https://id.example", "aud": "https://api.example/", "sub": "ada", "client_id": "app",
            "scope": "demo:read", "exp": NOW.as_secs() + 60, "jti": "1", "auth_time": 5,
        });
        let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
        Ok(response.body(body.to_string().into_bytes()).unwrap())
    }
}

fn guard() -> Guard {
    let lookup = |name: &str| {
        let value = match name {
            "LATCHKEY_ISSUER" => "https://id.example",
            "LATCHKEY_RESOURCE" => "https://api.example/",
            "LATCHKEY_ROUTE_SCOPES" => {
                "GET /demo-api demo:read; POST /demo-api demo:write; GET /files/secret demo:admin; ANY /files/* demo:read"
            }
            "LATCHKEY_RESOURCE_CLIENT_ID" => "api",
            "LATCHKEY_RESOURCE_CLIENT_SECRET" => "secret",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Guard::new(Settings::read(&lookup).unwrap(), Arc::new(Server))
}

fn ask(method: &str, path: &str, query: &str, token: &str, form: Form) -> (Result<Value, &'static str>, Value) {
    let event = json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": ROUTE,
        "identitySource": [token],
        "routeKey": "ANY /demo-api",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": ["a=b"],
        "headers": { "authorization": token, "host": "api.example" },
        "queryStringParameters": {},
        "requestContext": {
            "accountId": "1", "apiId": "api", "domainName": "api.example", "domainPrefix": "api",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x" },
            "requestId": "r1", "routeKey": "ANY /demo-api", "stage": "$default",
            "time": "21/Nov/2026:08:00:00 +0000", "timeEpoch": 1,
        },
    });
    let event: AuthorizerEvent = serde_json::from_value(event).unwrap();
    let (request, route) = event.into_request(NOW).unwrap();
    block_on(authorize(&request, &route, &guard(), form))
}

#[test]
fn a_valid_token_is_accepted_and_its_claims_are_passed_on() {
    let (answer, line) = ask("GET", "/demo-api", "", "Bearer lka_good", Form::Simple);
    let context = json!({
        "sub": "ada", "client_id": "app", "scope": "demo:read", "exp": NOW.as_secs() + 60,
        "iss": "https://id.example", "jti": "1", "auth_time": 5,
    });
    assert_eq!(answer.unwrap(), json!({ "isAuthorized": true, "context": context }));
    assert_eq!((&line["status"], &line["client"], &line["request"]), (&json!(200), &json!("app"), &json!("r1")));

    let (answer, _) = ask("GET", "/demo-api", "", "Bearer lka_good", Form::Iam);
    let answer = answer.unwrap();
    assert_eq!(answer["principalId"], "ada");
    assert_eq!(answer["policyDocument"]["Version"], "2012-10-17");
    let statement = json!({ "Action": ["execute-api:Invoke"], "Effect": "Allow", "Resource": [ROUTE] });
    assert_eq!(answer["policyDocument"]["Statement"], json!([statement]));
    assert_eq!(answer["context"]["sub"], "ada");
}

#[test]
fn any_other_is_rejected_and_the_log_has_the_reason() {
    for (method, path, query, token, error) in [
        ("GET", "/demo-api", "", "Bearer lka_bad", "invalid_token"),
        ("POST", "/demo-api", "", "Bearer lka_good", "insufficient_scope"),
        ("PUT", "/demo-api", "", "Bearer lka_good", "insufficient_scope"),
        ("GET", "/demo-api/x", "", "Bearer lka_good", "insufficient_scope"),
        ("GET", "/files/secret", "", "Bearer lka_good", "insufficient_scope"),
        ("GET", "/files/%73ecret", "", "Bearer lka_good", "insufficient_scope"),
        ("GET", "/files//secret", "", "Bearer lka_good", "insufficient_scope"),
        ("GET", "/files/x/../secret", "", "Bearer lka_good", "insufficient_scope"),
        ("GET", "/files/x%2f..%2Fsecret", "", "Bearer lka_good", "insufficient_scope"),
        ("PUT", "/demo-api", "", "Bearer lka_bad", "invalid_token"),
        ("GET", "/demo-api", "access_token=lka_good", "Bearer lka_good", "invalid_request"),
        ("GET", "/demo-api", "", "Bearer lka_good,Bearer lka_good", "invalid_request"),
    ] {
        let (answer, line) = ask(method, path, query, token, Form::Simple);
        assert_eq!(answer.unwrap(), json!({ "isAuthorized": false, "context": {} }), "{line}");
        assert_eq!(line["error"], error, "{line}");
        assert!(!line.to_string().contains("lka_"), "{line}");
        let (answer, _) = ask(method, path, query, token, Form::Iam);
        assert_eq!(answer.unwrap()["policyDocument"]["Statement"][0]["Effect"], "Deny");
    }
    let (answer, _) = ask("GET", "/files/other", "", "Bearer lka_good", Form::Simple);
    assert_eq!(answer.unwrap()["isAuthorized"], true);
    let (answer, _) = ask("GET", "/demo-api", "", "Basic YTpi", Form::Simple);
    assert_eq!(answer.unwrap()["isAuthorized"], false);
}

/// If the token cannot be checked, the request is rejected, but not because of its token.
#[test]
fn a_fault_is_a_failure() {
    for form in [Form::Simple, Form::Iam] {
        let (answer, line) = ask("GET", "/demo-api", "", "Bearer lka_down", form);
        assert!(answer.is_err());
        assert_eq!(line["status"], 503);
    }
}

#[test]
fn the_form_is_a_setting() {
    assert_eq!(Form::parse(None), Ok(Form::Simple));
    assert_eq!(Form::parse(Some("iam")), Ok(Form::Iam));
    assert!(Form::parse(Some("IAM")).is_err());
}
