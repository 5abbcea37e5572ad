//! Paths that no function serves.

/// The function that answers requests to paths that no function serves: it has no access that an attacker could use.
pub const FALLBACK: &str = "metadata";

/// The first parts of the paths that pages of other origins must not read, whatever is below them: every route without CORS,
/// except for the root.
const CLOSED: [&str; 13] = [
    "/account",
    "/admin",
    "/authorize",
    "/bc-authorize",
    "/consent",
    "/device",
    "/health",
    "/introspect",
    "/login",
    "/logos",
    "/logout",
    "/recovery",
    "/requests",
];

/// True if pages of other origins may read the answer to a path that no function serves.
pub fn is_open(path: &str) -> bool {
    let is_below =
        |closed: &&str| path.strip_prefix(*closed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    path != "/" && !CLOSED.iter().any(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FUNCTIONS, Function};
    use std::collections::BTreeSet;

    #[test]
    fn routes_without_cors_are_closed() {
        let routes = || FUNCTIONS.iter().flat_map(Function::routes).filter(|route| route.path != "/");
        let first = |path: &str| format!("/{}", path.split('/').nth(1).unwrap());
        let closed: BTreeSet<String> = routes().filter(|route| !route.cors).map(|route| first(route.path)).collect();
        assert_eq!(closed, CLOSED.iter().map(|path| (*path).to_owned()).collect());
        for route in routes() {
            assert_eq!(is_open(route.path.trim_end_matches('/')), route.cors, "{}", route.path);
        }
        assert!(!is_open("/authorize/x") && !is_open("/admin") && is_open("/authorized") && !is_open("/"));
    }

    #[test]
    fn the_fallback_cannot_write() {
        let fallback = FUNCTIONS.iter().find(|function| function.name == FALLBACK).unwrap();
        assert!(fallback.records.iter().all(|access| access.verbs == [crate::Verb::Get]), "{fallback:?}");
    }
}
