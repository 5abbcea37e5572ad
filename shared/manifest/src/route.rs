//! Routes: paths, methods and CORS.

use http::Method;

/// One path of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path. A path that ends in `/` covers every path below it, and not itself; `/` alone is the page at the root.
    pub path: &'static str,
    /// The methods that the function serves. The shell adds HEAD to GET, and OPTIONS where `cors` is true.
    pub methods: &'static [Method],
    /// True if pages of other origins may call the path. False for pages and for the authorization endpoint.
    pub cors: bool,
    /// True if the path is a page, which users open.
    pub is_page: bool,
}

impl Route {
    /// The path for monitors that ask for the deployment as a whole.
    pub const HEALTH: &str = "/health";

    /// True if the path tells name, version and commit: `/health`, or `/health/` and the name of a function.
    pub fn is_health(&self) -> bool {
        self.path == Self::HEALTH || self.path.strip_prefix(Self::HEALTH).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns the path without its last `/` if the route covers every path below it.
    pub fn below(&self) -> Option<&'static str> {
        self.path.strip_suffix('/').filter(|path| !path.is_empty())
    }

    /// True if the route serves the path.
    pub fn serves(&self, path: &str) -> bool {
        match self.below() {
            Some(_) => path.starts_with(self.path),
            None => path == self.path,
        }
    }
}
