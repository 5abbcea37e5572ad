//! The scope and the sign-in that each request needs.

use crate::RequiredAuthentication;
use http::Method;
use percent_encoding::percent_decode_str;
use types::Scope;

/// Rules, in order: `GET /orders orders:read; POST /orders orders:write; ANY /* api`.
///
/// A rule is a method (or `ANY`), a path (exact, or a prefix with `*` at its end) and any number of scope tokens. The first
/// rule that matches decides; a HEAD counts as a GET. If there are rules and none matches, the request is rejected. Without
/// rules every valid token is accepted.
///
/// Paths are compared with their percent-escapes decoded, as most APIs do. A path that an API may read as another path matches
/// no rule: one with an empty segment, a dot segment, a backslash, or an encoded slash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteScopes {
    rules: Rules<Scope>,
}

/// Rules of the same form with the sign-in that requests need (RFC 9470): `POST /transfers acr_values=urn:example:strong max_age=300`.
/// A request that no rule matches needs none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteAuthentication {
    rules: Rules<RequiredAuthentication>,
}

/// Rules in order, each with what a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rules<T>(Vec<Rule<T>>);

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule<T> {
    method: Option<Method>,
    path: Vec<u8>,
    is_prefix: bool,
    needed: T,
}

impl<T> Rules<T> {
    /// Parses rules, whose last part `read` reads. The error names the wrong rule and the problem.
    fn parse(text: &str, form: &str, read: impl Fn(&str) -> Option<T>) -> Result<Self, String> {
        let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
        rules.map(|rule| Rule::parse(rule, form, &read)).collect::<Result<_, _>>().map(Self)
    }

    /// Returns what the first rule needs that matches. Errors: an API may read the path as another one.
    fn find(&self, method: &Method, path: &str) -> Result<Option<&T>, AmbiguousPath> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let path = decoded(path).ok_or(AmbiguousPath)?;
        Ok(self.0.iter().find(|rule| rule.fits(method, &path)).map(|rule| &rule.needed))
    }
}

/// The error for a path that an API may read as another path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmbiguousPath;

impl RouteAuthentication {
    /// Parses rules. The error names the wrong rule and the problem.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "METHOD /path acr_values=CLASS max_age=SECONDS";
        Rules::parse(text, form, RequiredAuthentication::parse).map(|rules| Self { rules })
    }

    /// Returns the sign-in that a request needs.
    pub(crate) fn needed(&self, method: &Method, path: &str) -> Result<RequiredAuthentication, AmbiguousPath> {
        Ok(self.rules.find(method, path)?.cloned().unwrap_or_default())
    }
}

impl RouteScopes {
    /// Parses rules. The error names the wrong rule and the problem.
    pub fn parse(text: &str) -> Result<Self, String> {
        Rules::parse(text, "METHOD /path scope", Scope::parse).map(|rules| Self { rules })
    }

    /// Returns the scope that a request needs; `None` if no rule matches.
    pub fn needed(&self, method: &Method, path: &str) -> Option<Scope> {
        if self.rules.0.is_empty() {
            return Some(Scope::default());
        }
        self.rules.find(method, path).ok().flatten().cloned()
    }

    /// Returns every scope token of the rules.
    pub fn scopes(&self) -> Vec<String> {
        let all = self.rules.0.iter().fold(Scope::default(), |all, rule| all.with(&rule.needed));
        all.iter().map(str::to_owned).collect()
    }
}

impl<T> Rule<T> {
    fn parse(text: &str, form: &str, read: impl Fn(&str) -> Option<T>) -> Result<Self, String> {
        let mut words = text.splitn(3, ' ').map(str::trim);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let problem = |what| format!("'{text}' {what}; write {form}");
        let method = match method {
            "ANY" => None,
            name if name.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                Some(Method::from_bytes(name.as_bytes()).map_err(|_| problem("begins with no method"))?)
            }
            _ => return Err(problem("begins with no method")),
        };
        if !path.starts_with('/') {
            return Err(problem("has no path"));
        }
        let needed = read(words.next().unwrap_or_default()).ok_or_else(|| problem("does not say what it needs"))?;
        let is_prefix = path.ends_with('*');
        let mut path = decoded(path).ok_or_else(|| problem("has a path that is never let in"))?;
        if is_prefix {
            path.pop();
        }
        Ok(Self { method, path, is_prefix, needed })
    }

    fn fits(&self, method: &Method, path: &[u8]) -> bool {
        let method_fits = self.method.as_ref().is_none_or(|own| own == method);
        method_fits && if self.is_prefix { path.starts_with(&self.path) } else { path == self.path }
    }
}

/// Returns a path without percent-escapes (RFC 3986 §6.2.2.2); `None` if an API may read it as another path.
fn decoded(path: &str) -> Option<Vec<u8>> {
    let lower = path.to_ascii_lowercase();
    if ["//", "\\", "%2f", "%5c"].iter().any(|ambiguous| lower.contains(ambiguous)) {
        return None;
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    // Some servers remove a segment's parameters first, and read `..;x` as `..`.
    let is_dots = |segment: &[u8]| matches!(segment.split(|byte| *byte == b';').next(), Some(b"." | b".."));
    (!decoded.split(|byte| *byte == b'/').any(is_dots)).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        let routes = RouteScopes::parse("GET /a a:read; POST /a a:write a:all;ANY /b/* b ; GET /open").unwrap();
        let needed = |method: Method, path: &str| {
            routes.needed(&method, path).map(|scope| scope.iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(needed(Method::GET, "/a").as_deref(), Some("a:read"));
        assert_eq!(needed(Method::HEAD, "/a").as_deref(), Some("a:read"));
        assert_eq!(needed(Method::POST, "/a").as_deref(), Some("a:write a:all"));
        assert_eq!(needed(Method::DELETE, "/b/c/d").as_deref(), Some("b"));
        assert_eq!(needed(Method::GET, "/open").as_deref(), Some(""));
        for (method, path) in [(Method::PUT, "/a"), (Method::GET, "/a/"), (Method::GET, "/%2561"), (Method::GET, "/b")]
        {
            assert_eq!(needed(method, path), None, "{path}");
        }
        assert_eq!(RouteScopes::default().needed(&Method::PUT, "/x"), Some(Scope::default()));
    }

    /// However a path is written: no later rule lets in what an earlier one is about.
    #[test]
    fn a_path_is_the_one_that_the_api_reads() {
        let routes = RouteScopes::parse("GET /orders orders:read; GET /caf%c3%a9 b; ANY /* api").unwrap();
        let needed = |path: &str| routes.needed(&Method::GET, path);
        for path in ["/orders", "/%6frders", "/%6Frders", "/%6F%72%64%65%72%73"] {
            assert_eq!(needed(path), Scope::parse("orders:read"), "{path}");
        }
        assert_eq!(needed("/caf%C3%A9"), Scope::parse("b"));
        for path in ["/", "/other/", "/a.b/..c/.d", "/.well-known/x", "/100%", "/%zz", "/a;v=1", "/a/;.."] {
            assert_eq!(needed(path), Scope::parse("api"), "{path}");
        }
        let unclear = [
            "//orders",
            "/x//orders",
            "/orders//",
            "/x/../orders",
            "/./orders",
            "/..",
            "/x/%2e%2E/orders",
            "/x/.%2e/orders",
            "/orders%2f",
            "/x%2F..%2Forders",
            "/x%5c..%5Corders",
            "/x\\..\\orders",
            "/x/..;/orders",
            "/x/..%3bv=1/orders",
        ];
        for path in unclear {
            assert_eq!(needed(path), None, "{path}");
            assert_eq!(RouteScopes::default().needed(&Method::GET, path), Some(Scope::default()), "{path}");
        }
    }

    #[test]
    fn a_sign_in_is_needed_where_a_rule_says_so() {
        let routes = RouteAuthentication::parse("POST /pay acr_values=urn:a max_age=60; ANY /pay/* max_age=5").unwrap();
        let needed = |method: Method, path: &str| routes.needed(&method, path).map(|needed| needed.max_age);
        assert_eq!(needed(Method::POST, "/%70ay"), Ok(Some(60)));
        assert_eq!(needed(Method::DELETE, "/pay/1"), Ok(Some(5)));
        assert_eq!(needed(Method::GET, "/pay"), Ok(None));
        // No rule may be evaded by another spelling.
        for path in ["//pay", "/x/../pay", "/pay%2f1", "/pay/..;/pay"] {
            assert_eq!(needed(Method::POST, path), Err(AmbiguousPath), "{path}");
            assert_eq!(
                RouteAuthentication::default().needed(&Method::POST, path),
                Ok(RequiredAuthentication::default())
            );
        }
        for text in ["POST /pay", "POST /pay write", "POST /pay max_age=x", "pay max_age=1"] {
            assert!(RouteAuthentication::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_a_problem() {
        for text in ["/a b", "get /a b", "GET a b", "GET", "GET /a \"", "POST /a b; x", "GET //a b", "GET /a/../b c"] {
            assert!(RouteScopes::parse(text).is_err(), "{text}");
        }
    }
}
