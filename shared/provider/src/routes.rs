//! The route table: the one truth that template.yaml, wrangler.toml and the local server are held against.

use http::Method;

/// One path of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The function that serves it: the name of its crate, its Lambda function and its Worker environment.
    pub function: &'static str,
    /// The path, exact; one that ends in `/` serves all below it.
    pub path: &'static str,
    /// The methods that it serves, besides HEAD where GET is, and OPTIONS where `cors` is.
    pub methods: &'static [Method],
    /// Whether pages of other origins may call it (DESIGN: never authorize, never a page).
    pub cors: bool,
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const GET_POST: &[Method] = &[Method::GET, Method::POST];

const ALL: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::DELETE];
const GET_PUT_DELETE: &[Method] = &[Method::GET, Method::PUT, Method::DELETE];

/// Every route of the server.
pub const ROUTES: &[Route] = &[
    Route { function: "admin", path: "/admin/", methods: ALL, cors: false },
    Route { function: "authorize", path: "/authorize", methods: GET_POST, cors: false },
    Route { function: "consent", path: "/consent", methods: GET_POST, cors: false },
    Route { function: "device", path: "/device_authorization", methods: POST, cors: true },
    Route { function: "device", path: "/device", methods: GET_POST, cors: false },
    Route { function: "introspect", path: "/introspect", methods: POST, cors: false },
    Route { function: "login", path: "/login", methods: GET_POST, cors: false },
    Route { function: "logout", path: "/logout", methods: GET_POST, cors: false },
    Route { function: "metadata", path: "/.well-known/openid-configuration", methods: GET, cors: true },
    Route { function: "metadata", path: "/.well-known/oauth-authorization-server", methods: GET, cors: true },
    Route { function: "metadata", path: "/jwks", methods: GET, cors: true },
    Route { function: "par", path: "/par", methods: POST, cors: true },
    Route { function: "register", path: "/register", methods: POST, cors: true },
    Route { function: "register", path: "/register/", methods: GET_PUT_DELETE, cors: true },
    Route { function: "revoke", path: "/revoke", methods: POST, cors: true },
    Route { function: "token", path: "/token", methods: POST, cors: true },
    Route { function: "userinfo", path: "/userinfo", methods: GET_POST, cors: true },
];

/// The functions that run on a schedule and have no route.
pub const SCHEDULED: &[&str] = &["notify", "rotate"];

/// The functions that guard and serve an API of the deployment's own: no part of the server, without its secret and
/// its store.
pub const GUARDED: &[&str] = &["authorizer", "demo-api"];

/// The route that serves a path.
pub fn find(path: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .find(|route| if route.path.ends_with('/') { path.starts_with(route.path) } else { path == route.path })
}
