//! The table, with the policies of the functions before it: a call that the policy of a function does not allow is refused,
//! as IAM refuses it. The other calls go to the DynamoDB emulation. PUT begins a plan of faults, GET ends it.

use crate::Function;
use crate::faults::{Fault, Faults};
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

/// One statement of a function's policy: an action on the keys of the table or of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The action, such as `dynamodb:GetItem`.
    pub action: String,
    /// True if the statement is about an index.
    pub index: bool,
    /// The leading keys; `*` at the end matches any text.
    pub keys: Vec<String>,
}

/// A use of the table: the function, the action, the key pattern.
type Use = (String, String, String);

/// One DynamoDB table.
pub struct Table {
    address: SocketAddr,
    permissions: BTreeMap<String, Vec<Permission>>,
    store: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    uses: Mutex<BTreeSet<Use>>,
    refusals: Mutex<BTreeSet<Use>>,
    faults: Faults,
    /// The functions that a fault can crash.
    functions: OnceLock<BTreeMap<String, Arc<Function>>>,
}

impl Table {
    /// Creates the table in the DynamoDB emulation that listens at `store`, and serves it on a free port. `creation` holds
    /// the parameters of `CreateTable`. `permissions` maps each function, whose name is its access key id, to its policy.
    pub async fn start(
        store: SocketAddr,
        creation: &Value,
        permissions: BTreeMap<String, Vec<Permission>>,
    ) -> Result<Arc<Self>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let table = Self {
            address: listener.local_addr()?,
            permissions,
            store,
            client,
            uses: Mutex::new(BTreeSet::new()),
            refusals: Mutex::new(BTreeSet::new()),
            faults: Faults::default(),
            functions: OnceLock::new(),
        };
        table.create(creation).await?;
        let table = Arc::new(table);
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
        Ok(table)
    }

    /// The endpoint of the table: the value of `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL at which a test begins and ends a plan of faults.
    pub fn faults_url(&self) -> String {
        format!("http://{}/faults", self.address)
    }

    /// Stores the functions that a fault can crash.
    pub(crate) fn know(&self, functions: &BTreeMap<String, Arc<Function>>) {
        // Only the emulator calls this, once.
        let _ = self.functions.set(functions.clone());
    }

    /// Returns the calls that were refused, one line each.
    pub fn refusals(&self) -> Vec<String> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.iter().map(|(function, action, key)| format!("{function} may not {action} {key}")).collect()
    }

    /// Returns the permissions that no call has used, one line for each function.
    pub fn unused(&self) -> Vec<String> {
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

    async fn create(&self, creation: &Value) -> Result<()> {
        let request = Request::post(format!("http://{}/", self.store))
            .header("x-amz-target", "DynamoDB_20120810.CreateTable")
            .header("x-amz-date", "20260101T000000Z")
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .header(AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .body(Full::new(Bytes::from(creation.to_string())))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        if !status.is_success() && !text.contains("ResourceInUseException") {
            bail!("creating the table: {status} {text}");
        }
        Ok(())
    }

    /// Answers one call. An error breaks the connection.
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

    /// Answers a call of a function, or loses the answer.
    async fn call(&self, request: Request<Incoming>) -> Result<io::Result<Response<Full<Bytes>>>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let operation = text("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let function = text("authorization").split("Credential=").nth(1).and_then(|rest| rest.split('/').next());
        let function = function.context("the call is not signed")?.to_owned();
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
            return Ok(Ok(fail(StatusCode::BAD_REQUEST, name, "refused by the plan of faults")));
        }
        parts.uri = format!("http://{}/", self.store).parse()?;
        parts.headers.remove(HOST);
        let response = self.client.request(Request::from_parts(parts, Full::new(body))).await?;
        let (parts, body) = response.into_parts();
        let response = Response::from_parts(parts, Full::new(body.collect().await?.to_bytes()));
        if operation == "PutItem" && response.status().is_success() {
            self.announce(leading_key(&call));
        }
        match fault {
            None | Some(Fault::Refused) => return Ok(Ok(response)),
            Some(Fault::Lost) => {}
            Some(Fault::Crash) => {
                let functions = self.functions.get().context("the emulator has not started")?;
                functions.get(&function).with_context(|| format!("there is no function {function}"))?.crash();
            }
        }
        Ok(Err(io::Error::other("lost by the plan of faults")))
    }

    /// Invokes the functions that follow the stream of the table, as an event source mapping does.
    fn announce(&self, key: &str) {
        let functions = self.functions.get().into_iter().flat_map(BTreeMap::values);
        for function in functions.filter(|function| function.follows(key)).map(Arc::clone) {
            let record = json!({ "eventName": "INSERT", "dynamodb": { "Keys": { "key": { "S": key } } } });
            let event = Bytes::from(json!({ "Records": [record] }).to_string());
            tokio::spawn(async move {
                if let Err(error) = function.invoke(event).await {
                    eprintln!("  stream: {error:#}");
                }
            });
        }
    }

    fn allows(&self, function: &str, action: &str, call: &Value) -> bool {
        let index = !call["IndexName"].is_null();
        // Every key must be allowed, as `ForAllValues` demands; the use of each is remembered.
        let keys = leading_keys(call);
        let allowed = keys.iter().map(|key| self.allows_key(function, action, index, key));
        allowed.fold(!keys.is_empty(), |all, allowed| all && allowed)
    }

    fn allows_key(&self, function: &str, action: &str, index: bool, key: &str) -> bool {
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

/// Returns the partition keys of a call: those of a batch, or that of the item, or the first value in the condition of a
/// query.
fn leading_keys(call: &Value) -> Vec<&str> {
    let tables = call["RequestItems"].as_object();
    let batch = tables.into_iter().flat_map(|tables| tables.values()).filter_map(|table| table["Keys"].as_array());
    let batch: Vec<&str> = batch.flatten().map(|key| key["key"]["S"].as_str().unwrap_or_default()).collect();
    if batch.is_empty() { vec![leading_key(call)] } else { batch }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_key_is_that_of_the_item_or_of_the_query() {
        let get = json!({ "Key": { "key": { "S": "client#1" } } });
        let put = json!({ "Item": { "key": { "S": "grant#1" } } });
        let query = json!({
            "IndexName": "owner-index",
            "KeyConditionExpression": "#owner = :owner AND #key > :after",
            "ExpressionAttributeValues": { ":after": { "S": "x" }, ":owner": { "S": "user#ada" } },
        });
        assert_eq!([&get, &put, &query].map(leading_key), ["client#1", "grant#1", "user#ada"]);
        let keys = json!([{ "key": { "S": "grant#1" } }, { "key": { "S": "session#2" } }]);
        let batch = json!({ "RequestItems": { "latchkey": { "Keys": keys } } });
        assert_eq!(leading_keys(&batch), ["grant#1", "session#2"]);
        assert_eq!(leading_keys(&get), ["client#1"]);
    }

    #[tokio::test]
    async fn a_call_beyond_the_policy_is_refused_and_remembered() {
        let permission = |action: &str, index: bool, key: &str| Permission {
            action: format!("dynamodb:{action}"),
            index,
            keys: vec![key.to_owned()],
        };
        let permissions = vec![
            permission("GetItem", false, "client#*"),
            permission("Query", true, "clients"),
            permission("BatchGetItem", false, "client#*"),
        ];
        let table = Table {
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            permissions: BTreeMap::from([("token".to_owned(), permissions)]),
            store: SocketAddr::from(([127, 0, 0, 1], 1)),
            client: Client::builder(TokioExecutor::new()).build_http(),
            uses: Mutex::default(),
            refusals: Mutex::default(),
            faults: Faults::default(),
            functions: OnceLock::new(),
        };
        let get = |key: &str| json!({ "Key": { "key": { "S": key } } });
        assert!(table.allows("token", "dynamodb:GetItem", &get("client#1")));
        assert!(!table.allows("token", "dynamodb:GetItem", &get("user#1")));
        assert!(!table.allows("token", "dynamodb:DeleteItem", &get("client#1")));
        assert!(!table.allows("other", "dynamodb:GetItem", &get("client#1")));
        let batch = |keys: [&str; 2]| {
            let keys = keys.map(|key| json!({ "key": { "S": key } }));
            json!({ "RequestItems": { "latchkey": { "Keys": keys } } })
        };
        assert!(table.allows("token", "dynamodb:BatchGetItem", &batch(["client#1", "client#2"])));
        assert!(!table.allows("token", "dynamodb:BatchGetItem", &batch(["client#1", "key#2"])));
        assert_eq!(
            table.refusals(),
            [
                "other may not dynamodb:GetItem client",
                "token may not dynamodb:BatchGetItem key",
                "token may not dynamodb:DeleteItem client",
                "token may not dynamodb:GetItem user",
            ]
        );
        assert_eq!(table.unused(), ["token never uses Query clients"]);
    }
}
