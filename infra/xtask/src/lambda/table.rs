//! The table, as IAM lets each function see it: calls that a function's policy in template.yaml does not allow are
//! refused, as in AWS; the others go on to the emulated DynamoDB.

use crate::template::{Permission, Template};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
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
                    async move { Ok::<_, Infallible>(table.answer(request).await) }
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

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.forward(request).await {
            Ok(response) => response,
            Err(error) => {
                eprintln!("  table: {error:#}");
                fail(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "com.amazonaws.dynamodb.v20120810#InternalServerError",
                    "emulator",
                )
            }
        }
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
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
            return Ok(fail(StatusCode::BAD_REQUEST, "com.amazon.coral.service#AccessDeniedException", &message));
        }
        parts.uri = format!("http://{}/", self.store).parse()?;
        parts.headers.remove(HOST);
        let response = self.client.request(Request::from_parts(parts, Full::new(body))).await?;
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(parts, Full::new(body.collect().await?.to_bytes())))
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
