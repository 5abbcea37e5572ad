//! The table, as IAM lets each function see it: calls that a function's policy in template.yaml does not allow are
//! refused, as in AWS; the others go on to the emulated DynamoDB. A PUT begins a plan of faults, a GET ends it.

use super::Function;
use super::faults::{Fault, Faults};
use crate::template::{Permission, Template};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::net::TcpListener;

/// The name that every function is told.
pub(super) const TABLE: &str = "latchkey";

/// A use of the table by a function: its name, the action, the start of the key.
type Use = (String, String, String);

/// The table.
pub(crate) struct Table {
    permissions: BTreeMap<String, Vec<Permission>>,
    store: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    uses: Mutex<BTreeSet<Use>>,
    refusals: Mutex<BTreeSet<Use>>,
    faults: Faults,
    /// The functions by name, once they are there: for those that die.
    pub(super) functions: OnceLock<BTreeMap<String, Arc<Function>>>,
}

impl Table {
    /// Creates the table in the emulated DynamoDB that listens at `store`, and serves it; where it is served.
    pub(super) async fn start(template: &mut Template, store: SocketAddr) -> Result<(Arc<Self>, SocketAddr)> {
        let mut permissions = BTreeMap::new();
        for function in &mut template.functions {
            permissions.insert(function.name.clone(), std::mem::take(&mut function.permissions));
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        let table = Self {
            permissions,
            store,
            client,
            uses: Mutex::new(BTreeSet::new()),
            refusals: Mutex::new(BTreeSet::new()),
            faults: Faults::default(),
            functions: OnceLock::new(),
        };
        table.create(&template.table).await?;
        let table = Arc::new(table);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let served = Arc::clone(&table);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let table = Arc::clone(&served);
                let service = service_fn(move |request| {
                    let table = Arc::clone(&table);
                    async move { table.answer(request).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Ok((table, address))
    }

    /// What functions tried and may not do.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.iter().map(|(function, action, key)| format!("{function} may not {action} {key}")).collect()
    }

    /// What functions may do and never did; a line for each function.
    pub(crate) fn unused(&self) -> Vec<String> {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        for (function, permissions) in &self.permissions {
            let mut unused = Vec::new();
            for permission in permissions {
                let used =
                    |key: &&String| uses.contains(&(function.clone(), permission.action.clone(), (*key).clone()));
                let keys: Vec<_> = permission.keys.iter().filter(|key| !used(key)).map(String::as_str).collect();
                if !keys.is_empty() {
                    unused.push(format!("{} {}", permission.action.trim_start_matches("dynamodb:"), keys.join(" ")));
                }
            }
            if !unused.is_empty() {
                lines.push(format!("{function} never uses {}", unused.join(", ")));
            }
        }
        lines
    }

    async fn create(&self, table: &Value) -> Result<()> {
        let mut call = table.clone();
        call["TableName"] = json!(TABLE);
        let request = Request::post(format!("http://{}/", self.store))
            .header("x-amz-target", "DynamoDB_20120810.CreateTable")
            .header("x-amz-date", "20260101T000000Z")
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .header(AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .body(Full::new(Bytes::from(call.to_string())))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let said = String::from_utf8_lossy(&body);
        if !status.is_success() && !said.contains("ResourceInUseException") {
            bail!("creating the table: {status} {said}");
        }
        Ok(())
    }

    /// An error breaks the connection.
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let result = match *request.method() {
            Method::PUT => self.begin_faults(request).await.map(Ok),
            Method::GET => Ok(Ok(self.end_faults())),
            _ => self.call(request).await,
        };
        result.unwrap_or_else(|error| {
            eprintln!("  table: {error:#}");
            let name = "com.amazonaws.dynamodb.v20120810#InternalServerError";
            Ok(fail(StatusCode::INTERNAL_SERVER_ERROR, name, "emulator"))
        })
    }

    async fn begin_faults(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        self.faults.begin(serde_json::from_slice(&request.into_body().collect().await?.to_bytes())?);
        Ok(Response::new(Full::default()))
    }

    fn end_faults(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(json!({ "befell": self.faults.end() }).to_string()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// A function's call: the answer, or that it is lost.
    async fn call(&self, request: Request<Incoming>) -> Result<io::Result<Response<Full<Bytes>>>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let operation = text("x-amz-target").rsplit('.').next().unwrap_or_default();
        let function = text("authorization").split("Credential=").nth(1).and_then(|rest| rest.split('/').next());
        let function = function.context("a call that is not signed")?.to_owned();
        let action = format!("dynamodb:{operation}");
        let call: Value = serde_json::from_slice(&body)?;
        if !self.allows(&function, &action, &call) {
            let arn = format!("arn:aws:sts::000000000000:assumed-role/{function}");
            let message = format!("User: {arn} is not authorized to perform: {action}");
            let name = "com.amazon.coral.service#AccessDeniedException";
            return Ok(Ok(fail(StatusCode::BAD_REQUEST, name, &message)));
        }
        let fault = self.faults.next();
        if fault == Some(Fault::Refused) {
            let name = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
            return Ok(Ok(fail(StatusCode::BAD_REQUEST, name, "refused by plan")));
        }
        parts.uri = format!("http://{}/", self.store).parse()?;
        parts.headers.remove(HOST);
        let response = self.client.request(Request::from_parts(parts, Full::new(body))).await?;
        let (parts, body) = response.into_parts();
        let response = Response::from_parts(parts, Full::new(body.collect().await?.to_bytes()));
        match fault {
            None | Some(Fault::Refused) => return Ok(Ok(response)),
            Some(Fault::Lost) => {}
            Some(Fault::Crash) => {
                let functions = self.functions.get().context("no function is there yet")?;
                functions.get(&function).with_context(|| format!("there is no function {function}"))?.crash();
            }
        }
        Ok(Err(io::Error::other("lost by plan")))
    }

    fn allows(&self, function: &str, action: &str, call: &Value) -> bool {
        let index = !call["IndexName"].is_null();
        let key = leading_key(call);
        let permissions = self.permissions.get(function).map(Vec::as_slice).unwrap_or_default();
        let of_action =
            permissions.iter().filter(|permission| permission.action == action && permission.index == index);
        let allowed = of_action.flat_map(|permission| &permission.keys).find(|pattern| matches(pattern, key));
        let (uses, what) = match allowed {
            Some(pattern) => (&self.uses, pattern.clone()),
            None => (&self.refusals, key.split('#').next().unwrap_or_default().to_owned()),
        };
        uses.lock().unwrap_or_else(PoisonError::into_inner).insert((function.to_owned(), action.to_owned(), what));
        allowed.is_some()
    }
}

/// The partition key that a call is about: of the record, or in a query the value that its condition begins with.
fn leading_key(call: &Value) -> &str {
    let key = [&call["Key"]["key"], &call["Item"]["key"]].into_iter().find_map(|value| value["S"].as_str());
    let condition = call["KeyConditionExpression"].as_str().unwrap_or_default();
    let name = condition.split_whitespace().nth(2).unwrap_or_default();
    key.or_else(|| call["ExpressionAttributeValues"][name]["S"].as_str()).unwrap_or_default()
}

fn matches(pattern: &str, key: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == key, |start| key.starts_with(start))
}

fn fail(status: StatusCode, name: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "__type": name, "message": message }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
