//! Which scope which request needs.

use http::Method;
use protocol::Scope;

/// Rules, in order: `GET /orders orders:read; POST /orders orders:write; ANY /* api`.
///
/// A rule is a method (or `ANY`), a path (exact, or with `*` at its end a beginning) and any number of scope tokens.
/// The first that fits decides; a HEAD is a GET. Where there are rules and none fits, nothing is allowed. Without rules
/// every good token is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteScopes {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    method: Option<Method>,
    path: String,
    is_prefix: bool,
    scope: Scope,
}

impl RouteScopes {
    /// Reads rules; the error says what is wrong with which.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
        rules.map(Rule::parse).collect::<Result<_, _>>().map(|rules| Self { rules })
    }

    /// The scope that a request needs; `None` when it is not allowed at all. The path is compared as it was sent.
    pub fn needed(&self, method: &Method, path: &str) -> Option<Scope> {
        if self.rules.is_empty() {
            return Some(Scope::default());
        }
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.rules.iter().find(|rule| rule.fits(method, path)).map(|rule| rule.scope.clone())
    }

    /// Every scope token that a rule names.
    pub fn scopes(&self) -> Vec<String> {
        let all = self.rules.iter().fold(Scope::default(), |all, rule| all.with(&rule.scope));
        all.iter().map(str::to_owned).collect()
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.splitn(3, ' ').map(str::trim);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let problem = |what| format!("'{text}' {what}; write METHOD /path scope");
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
        let scope = Scope::parse(words.next().unwrap_or_default()).ok_or_else(|| problem("has no scope"))?;
        let (path, is_prefix) = path.strip_suffix('*').map_or((path, false), |path| (path, true));
        Ok(Self { method, path: path.to_owned(), is_prefix, scope })
    }

    fn fits(&self, method: &Method, path: &str) -> bool {
        let method_fits = self.method.as_ref().is_none_or(|own| own == method);
        method_fits && if self.is_prefix { path.starts_with(&self.path) } else { path == self.path }
    }
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
        for (method, path) in [(Method::PUT, "/a"), (Method::GET, "/a/"), (Method::GET, "/%61"), (Method::GET, "/b")] {
            assert_eq!(needed(method, path), None, "{path}");
        }
        assert_eq!(RouteScopes::default().needed(&Method::PUT, "/x"), Some(Scope::default()));
    }

    #[test]
    fn what_is_no_rule_is_a_problem() {
        for text in ["/a b", "get /a b", "GET a b", "GET", "GET /a \"", "POST /a b; x"] {
            assert!(RouteScopes::parse(text).is_err(), "{text}");
        }
    }
}
