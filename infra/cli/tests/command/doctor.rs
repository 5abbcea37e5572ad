//! `latchkey doctor` against a good server, and against servers with one fault each.

use super::{in_memory, latchkey, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const MCP: &str = "/mcp";
const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const REGISTER: &str = "/register";
const AUTHORIZE: &str = "/authorize";
const CLIENT: &str = "/client.json";

/// An answer at a path.
#[derive(Clone, Default)]
struct Answer {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: String,
    delay: Duration,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            fields: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
            ..Self::default()
        }
    }

    fn html() -> Self {
        Self {
            status: 200,
            fields: vec![("content-type", "text/html".to_owned())],
            body: "<!doctype html>".to_owned(),
            ..Self::default()
        }
    }

    fn redirect(to: &str) -> Self {
        Self { status: 302, fields: vec![("location", to.to_owned())], ..Self::default() }
    }

    /// Changes the JSON of the body.
    fn edit(&mut self, edit: impl FnOnce(&mut Value)) {
        let mut body = serde_json::from_str(&self.body).unwrap();
        edit(&mut body);
        self.body = body.to_string();
    }

    fn challenge(&mut self, value: String) {
        self.fields = vec![("www-authenticate", value)];
    }
}

type Answers = BTreeMap<&'static str, Answer>;

/// Returns the answers of an MCP server and an authorization server at one origin, without a fault.
fn good(origin: &str) -> Answers {
    let mut mcp = Answer { status: 401, ..Answer::default() };
    mcp.challenge(format!("Bearer resource_metadata=\"{origin}{RESOURCE}\", scope=\"notes:read\""));
    let resource = json!({
        "resource": format!("{origin}{MCP}"), "authorization_servers": [origin], "scopes_supported": ["notes:read"],
    });
    let server = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}{AUTHORIZE}"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}{REGISTER}"),
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["notes:read", "notes:write"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
    });
    BTreeMap::from([
        (MCP, mcp),
        (RESOURCE, Answer::json(200, &resource)),
        (SERVER, Answer::json(200, &server)),
        (REGISTER, Answer::json(201, &json!({ "client_id": "x", "token_endpoint_auth_method": "none" }))),
        (AUTHORIZE, Answer::html()),
    ])
}

/// Serves these answers until the test ends. Returns the origin.
fn serve(answers: impl FnOnce(&str) -> Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let answers = Arc::new(answers(&origin));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            thread::spawn(move || answer(stream, &answers));
        }
    });
    origin
}

fn answer(mut stream: TcpStream, answers: &Answers) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok()?;
        match field.trim().to_ascii_lowercase().strip_prefix("content-length:") {
            Some(value) => length = value.trim().parse().ok()?,
            None if field.trim().is_empty() => break,
            None => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let path = line.split(' ').nth(1)?.split('?').next()?.to_owned();
    let missing = Answer { status: 404, ..Answer::default() };
    let found = answers.get(path.as_str()).unwrap_or(&missing);
    thread::sleep(found.delay);
    let fields: String = found.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (status, body) = (found.status, &found.body);
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).ok()
}

/// Runs the command. Returns true if it succeeded, and its report.
fn doctor(url: &str, more: &[&str]) -> (bool, Value) {
    let output = run(latchkey(&[&["doctor", "--json", "--mcp", url], more].concat()), "");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.success(), report)
}

/// Returns the findings with this state: check, detail and remedy.
fn findings<'a>(report: &'a Value, state: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let all = report["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] == state);
    let text = |finding: &'a Value, name: &str| finding[name].as_str().unwrap_or_default();
    all.map(|finding| (text(finding, "check"), text(finding, "detail"), text(finding, "remedy"))).collect()
}

/// The server of this repository, with its sample API.
#[test]
fn this_server_is_sound() {
    let provider = in_memory(&[]);
    let documents = serve(|origin| {
        let document = json!({
            "client_id": format!("{origin}{CLIENT}"), "client_name": "Tool", "redirect_uris": ["http://localhost/callback"],
            "token_endpoint_auth_method": "none",
        });
        BTreeMap::from([(CLIENT, Answer::json(200, &document))])
    });
    let url = format!("{}/demo-api", provider.issuer());
    let (ok, report) = doctor(&url, &["--document", &format!("{documents}{CLIENT}")]);
    assert!(ok, "{report:#}");
    assert_eq!(findings(&report, "warning"), [], "{report:#}");
    let link = report["sign_in"].as_str().unwrap();
    assert!(
        link.starts_with(&format!("{}/authorize?", provider.issuer())) && link.contains("scope=demo%3Awrite"),
        "{link}"
    );
    // A document that cannot be read, and a resource that the server does not know.
    let (ok, report) = doctor(&url, &["--document", &format!("{documents}/other.json"), "--no-registration"]);
    assert!(!ok);
    assert_eq!(findings(&report, "failed")[0].0, "client document", "{report:#}");
    provider.stop();
}

#[test]
fn a_good_server_has_no_findings_and_text_is_one_line_for_each() {
    let origin = serve(good);
    let (ok, report) = doctor(&format!("{origin}{MCP}"), &[]);
    assert!(ok && report["ok"] == true, "{report:#}");
    assert_eq!((findings(&report, "failed"), findings(&report, "warning")), (vec![], vec![]), "{report:#}");
    let output = run(latchkey(&["doctor", "--mcp", &format!("{origin}{MCP}")]), "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().filter(|line| line.starts_with("ok ")).count() >= 11, "{text}");
    assert!(text.contains(&format!("{origin}{AUTHORIZE}?response_type=code&client_id=x")), "{text}");
}

/// A server without one thing, and what the report says of it.
struct Case {
    fault: fn(&mut Answers, &str),
    /// `failed` or `warning`.
    state: &'static str,
    check: &'static str,
    /// Part of the detail or the remedy.
    says: &'static str,
}

const fn case(state: &'static str, check: &'static str, says: &'static str, fault: fn(&mut Answers, &str)) -> Case {
    Case { fault, state, check, says }
}

fn at<'a>(answers: &'a mut Answers, path: &'static str) -> &'a mut Answer {
    answers.entry(path).or_default()
}

const CASES: &[Case] = &[
    case("failed", "challenge", "Guard the route", |all, _| at(all, MCP).status = 200),
    case("failed", "challenge", "403 tells", |all, _| at(all, MCP).status = 403),
    case("failed", "challenge", "drops its token", |all, origin| {
        *at(all, MCP) = Answer::redirect(&format!("{origin}/mcp/"))
    }),
    case("failed", "challenge", "no Bearer challenge", |all, _| at(all, MCP).challenge("Basic realm=\"x\"".to_owned())),
    case("failed", "challenge", "has no resource_metadata", |all, _| at(all, MCP).challenge("Bearer".to_owned())),
    case("failed", "challenge", "absolute https URL", |all, _| {
        at(all, MCP).challenge(format!("Bearer resource_metadata=\"{RESOURCE}\""));
    }),
    case("warning", "challenge", "names no scope", |all, origin| {
        at(all, MCP).challenge(format!("Bearer resource_metadata=\"{origin}{RESOURCE}\""));
    }),
    case("failed", "resource metadata", "HTML page", |all, _| *at(all, RESOURCE) = Answer::html()),
    case("failed", "resource metadata", "redirects", |all, _| *at(all, RESOURCE) = Answer::redirect("/login")),
    case("failed", "resource metadata", "not a JSON object", |all, _| at(all, RESOURCE).body = "[".to_owned()),
    case("warning", "resource metadata", "application/json", |all, _| {
        at(all, RESOURCE).fields = vec![("content-type", "text/plain".to_owned())];
    }),
    case("warning", "resource metadata", "offline_access", |all, _| {
        at(all, RESOURCE).edit(|body| body["scopes_supported"] = json!(["notes:read", "offline_access"]));
    }),
    case("warning", "resource metadata", "has no metadata", |all, origin| {
        let document = all.remove(RESOURCE).unwrap();
        all.insert("/metadata", document);
        at(all, MCP).challenge(format!("Bearer resource_metadata=\"{origin}/metadata\", scope=\"notes:read\""));
    }),
    case("failed", "resource", "is not the URL", |all, _| {
        at(all, RESOURCE).edit(|body| body["resource"] = json!("https://internal.example/mcp"));
    }),
    case("warning", "resource", "differ in a slash", |all, origin| {
        let resource = format!("{origin}{MCP}/");
        at(all, RESOURCE).edit(|body| body["resource"] = json!(resource));
    }),
    case("failed", "authorization_servers", "missing or empty", |all, _| {
        at(all, RESOURCE).edit(|body| body["authorization_servers"] = json!([]));
    }),
    case("failed", "issuer", "add a slash", |all, origin| {
        let issuer = format!("{origin}/");
        at(all, RESOURCE).edit(|body| body["authorization_servers"] = json!([issuer]));
    }),
    case("failed", "issuer", "the same issuer", |all, _| {
        at(all, SERVER).edit(|body| body["issuer"] = json!("https://other.example"));
    }),
    case("warning", "issuer", "RFC 9207", |all, _| {
        at(all, SERVER).edit(|body| body["authorization_response_iss_parameter_supported"] = json!(false));
    }),
    case("failed", "server metadata", "404", |all, _| drop(all.remove(SERVER))),
    case("failed", "server metadata", "HTML page", |all, _| *at(all, SERVER) = Answer::html()),
    case("failed", "server metadata", "redirects", |all, _| *at(all, SERVER) = Answer::redirect("/")),
    case("failed", "PKCE", "S256", |all, _| {
        at(all, SERVER).edit(|body| drop(body.as_object_mut().unwrap().remove("code_challenge_methods_supported")));
    }),
    case("failed", "endpoints", "token_endpoint", |all, _| {
        at(all, SERVER).edit(|body| body["token_endpoint"] = json!("http://id.example/token"));
    }),
    case("warning", "endpoints", "refresh", |all, _| {
        at(all, SERVER).edit(|body| body["grant_types_supported"] = json!(["authorization_code"]));
    }),
    case("failed", "scopes", "notes:read", |all, _| {
        at(all, SERVER).edit(|body| body["scopes_supported"] = json!(["openid"]));
    }),
    case("failed", "registration", "no client can register", |all, _| {
        at(all, SERVER).edit(|body| {
            body["registration_endpoint"] = Value::Null;
            body["client_id_metadata_document_supported"] = json!(false);
        });
    }),
    case("failed", "registration", "not today", |all, _| {
        *at(all, REGISTER) = Answer::json(403, &json!({ "error": "access_denied", "error_description": "not today" }));
    }),
    case("warning", "registration", "client_secret_basic", |all, _| {
        at(all, REGISTER).edit(|body| body["token_endpoint_auth_method"] = json!("client_secret_basic"));
    }),
    case("warning", "client document", "not read", |all, _| {
        at(all, SERVER).edit(|body| body["client_id_metadata_document_supported"] = json!(false));
    }),
    case("warning", "client document", "does not have none", |all, _| {
        at(all, SERVER).edit(|body| body["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]));
    }),
    case("failed", "sign-in page", "answers 500", |all, _| at(all, AUTHORIZE).status = 500),
    case("failed", "sign-in page", "as a resource", |all, _| {
        *at(all, AUTHORIZE) =
            Answer::redirect("http://localhost/callback?error=invalid_target&error_description=unknown");
    }),
    case("warning", "server metadata", "Answer faster", |all, _| at(all, SERVER).delay = Duration::from_millis(400)),
    case("failed", "challenge", "did not answer within", |all, _| at(all, MCP).delay = Duration::from_secs(3)),
];

#[test]
fn each_fault_is_found_and_has_a_remedy() {
    thread::scope(|scope| {
        let runs: Vec<_> = CASES
            .iter()
            .map(|case| {
                scope.spawn(move || {
                    let origin = serve(|origin| {
                        let mut answers = good(origin);
                        (case.fault)(&mut answers, origin);
                        answers
                    });
                    doctor(&format!("{origin}{MCP}"), &["--slow", "0.3", "--timeout", "2"])
                })
            })
            .collect();
        for (case, run) in CASES.iter().zip(runs) {
            let (ok, report) = run.join().unwrap();
            let found = findings(&report, case.state);
            let is_it = |(check, detail, remedy): &&(&str, &str, &str)| {
                *check == case.check && (detail.contains(case.says) || remedy.contains(case.says)) && !remedy.is_empty()
            };
            assert!(found.iter().any(|finding| is_it(&finding)), "{} {}: {report:#}", case.check, case.says);
            assert_eq!(ok, case.state == "warning", "{} {}: {report:#}", case.check, case.says);
            assert_eq!(report["ok"], ok);
        }
    });
}

/// A check that could not run is named, and the command fails.
#[test]
fn checks_that_cannot_run_are_named() {
    let origin = serve(|_| Answers::new());
    let (ok, report) = doctor(&format!("{origin}{MCP}"), &[]);
    assert!(!ok && report["ok"] == false);
    let not_run: Vec<&str> = findings(&report, "not run").iter().map(|(check, ..)| *check).collect();
    for check in
        ["resource", "authorization_servers", "issuer", "PKCE", "registration", "client document", "sign-in page"]
    {
        assert!(not_run.contains(&check), "{check}: {report:#}");
    }
    // Nothing listens at this port, and this is no URL of a server.
    for url in ["http://localhost:1/mcp", "http://mcp.example/mcp", "mcp"] {
        let (ok, report) = doctor(url, &["--timeout", "2"]);
        assert!(!ok && !findings(&report, "failed").is_empty(), "{url}: {report:#}");
    }
}
