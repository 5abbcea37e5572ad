//! Routes: paths, methods and CORS.

use http::Method;

/// One path of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path. A path that ends in `/` covers every path below it, and not itself.
    pub path: &'static str,
    /// The methods that the function serves. The shell adds HEAD to GET, and OPTIONS where `cors` is true.
    pub methods: &'static [Method],
    /// True if pages of other origins may call the path. False for pages and for the authorization endpoint.
    pub cors: bool,
}

impl Route {
    /// True if the route serves the path.
    pub fn serves(&self, path: &str) -> bool {
        if self.path.ends_with('/') { path.starts_with(self.path) } else { path == self.path }
    }
}
