//! The emulator: an HTTP API, its functions and their table.

use crate::gateway;
use crate::{Definition, Function, Table};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The port of an HTTP API that is not served yet. The environment of functions may contain its URL.
pub struct Listener {
    listener: TcpListener,
    url: String,
}

impl Listener {
    /// Listens on a port of localhost; 0 takes a free one.
    pub async fn bind(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.with_context(|| format!("listening on port {port}"))?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        Ok(Self { listener, url })
    }

    /// The base URL of the API.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// One route of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The method, or `ANY`.
    pub method: String,
    /// The path. `{proxy+}` at the end matches one segment or more; `$default` takes what no other route takes.
    pub path: String,
    /// The name of the function that answers.
    pub function: String,
    /// The name of the Lambda authorizer that decides first: simple responses, payload format 2.0, identity source
    /// `$request.header.Authorization`, no cache.
    pub authorizer: Option<String>,
}

/// A running emulator.
pub struct Emulator {
    url: String,
    functions: BTreeMap<String, Arc<Function>>,
    routes: Vec<Route>,
}

/// The route of a request.
pub(crate) struct Taken {
    pub(crate) key: String,
    pub(crate) function: Arc<Function>,
    pub(crate) authorizer: Option<Arc<Function>>,
}

impl Emulator {
    /// Serves the routes. The functions write to `log`. `table` learns which functions a fault can crash.
    pub fn start(
        listener: Listener,
        definitions: Vec<Definition>,
        routes: Vec<Route>,
        table: Option<&Table>,
        log: &Path,
    ) -> Result<Arc<Self>> {
        let file = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let mut functions = BTreeMap::new();
        for definition in definitions {
            let name = definition.name.clone();
            functions.insert(name, Arc::new(Function::new(definition, file.try_clone()?)));
        }
        for route in &routes {
            for name in std::iter::once(&route.function).chain(&route.authorizer) {
                if !functions.contains_key(name) {
                    bail!("the route {} {} names the function {name}, which does not exist", route.method, route.path);
                }
            }
        }
        if let Some(table) = table {
            table.know(&functions);
        }
        let emulator = Arc::new(Self { url: listener.url, functions, routes });
        tokio::spawn(serve(listener.listener, Arc::clone(&emulator)));
        Ok(emulator)
    }

    /// The base URL of the API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the function with this name.
    pub fn function(&self, name: &str) -> Result<Arc<Function>> {
        self.functions.get(name).map(Arc::clone).with_context(|| format!("there is no function {name}"))
    }

    /// Runs a function once, as its schedule would.
    pub async fn run_scheduled(&self, name: &str) -> Result<()> {
        self.function(name)?.invoke(Bytes::from_static(b"{}")).await.map(drop)
    }

    /// Returns the route of a request: an exact path before a greedy one, the longest of several greedy ones, then a named method
    /// before `ANY`.
    pub(crate) fn route(&self, method: &str, path: &str) -> Option<Taken> {
        let route = most_specific(&self.routes, method, path)?;
        let authorizer = match &route.authorizer {
            None => None,
            Some(name) => Some(Arc::clone(self.functions.get(name)?)),
        };
        Some(Taken {
            key: if route.path == DEFAULT { DEFAULT.to_owned() } else { format!("{} {}", route.method, route.path) },
            function: Arc::clone(self.functions.get(&route.function)?),
            authorizer,
        })
    }
}

/// The path of the route that takes what no other route takes.
const DEFAULT: &str = "$default";

fn most_specific<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
    let takes = |route: &&Route| {
        let greedy = route.path.strip_suffix("{proxy+}");
        let path = greedy.map_or(route.path == path, |prefix| path.len() > prefix.len() && path.starts_with(prefix));
        (path || route.path == DEFAULT) && (route.method == "ANY" || route.method == method)
    };
    routes.iter().filter(takes).min_by_key(|route| {
        let is_greedy = route.path.ends_with('}');
        (route.path == DEFAULT, is_greedy, Reverse(route.path.len()), route.method == "ANY")
    })
}

async fn serve(listener: TcpListener, emulator: Arc<Emulator>) {
    while let Ok((stream, peer)) = listener.accept().await {
        let emulator = Arc::clone(&emulator);
        let service = service_fn(move |request| gateway::serve(request, peer, Arc::clone(&emulator)));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_route_is_taken() {
        let route = |method: &str, path: &str, function: &str| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: function.to_owned(),
            authorizer: None,
        };
        let routes = [
            route("ANY", "/api/{proxy+}", "greedy"),
            route("ANY", "/api/records/{proxy+}", "longer"),
            route("ANY", "/api/exact", "exact"),
            route("OPTIONS", "/api/exact", "options"),
        ];
        let taken =
            |method: &str, path: &str| most_specific(&routes, method, path).map(|route| route.function.as_str());
        assert_eq!(taken("GET", "/api/exact"), Some("exact"));
        assert_eq!(taken("OPTIONS", "/api/exact"), Some("options"));
        assert_eq!(taken("GET", "/api/a/b"), Some("greedy"));
        assert_eq!(taken("GET", "/api/records"), Some("greedy"));
        assert_eq!(taken("GET", "/api/records/a"), Some("longer"));
        assert_eq!(taken("GET", "/api/"), None);
        assert_eq!(taken("GET", "/other"), None);
        let with_default = [&routes[..], &[route("ANY", "$default", "fallback")]].concat();
        let taken = |path: &str| most_specific(&with_default, "GET", path).map(|route| route.function.as_str());
        assert_eq!(
            (taken("/other"), taken("/api/a"), taken("/api/exact")),
            (Some("fallback"), Some("greedy"), Some("exact"))
        );
    }
}
