//! The table of routes of an administration function: path, method, and the scope that a key needs.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use percent_encoding::percent_decode_str;
use protocol::administration::AdminScope;

/// One row of the table. `A` names the answer.
#[derive(Clone, Debug)]
pub struct AdminRoute<A> {
    /// The method.
    pub method: Method,
    /// The path below `/admin/`. `{}` is one segment with any text.
    pub path: &'static str,
    /// The scope that the admin key needs.
    pub scope: AdminScope,
    /// The answer.
    pub action: A,
    /// True if one token may ask for it several times.
    pub is_repeatable: bool,
}

impl<A> AdminRoute<A> {
    /// Returns a row. A token reads as often as it likes until it expires, and changes something once.
    pub const fn new(method: Method, path: &'static str, scope: AdminScope, action: A) -> Self {
        let is_repeatable = matches!(method, Method::GET);
        Self { method, path, scope, action, is_repeatable }
    }

    /// Returns a row for a change that one token may ask for several times.
    #[must_use]
    pub const fn repeatable(method: Method, path: &'static str, scope: AdminScope, action: A) -> Self {
        Self { method, path, scope, action, is_repeatable: true }
    }
}

/// The row of a request, or the reason for which there is none.
pub(super) enum Found<A: 'static> {
    /// The row, and the decoded segments in the place of `{}`.
    Route(&'static AdminRoute<A>, Vec<String>),
    /// The path does not serve the method. The methods that it serves are the value of `Allow`.
    OtherMethods(String),
    /// There is nothing at the path.
    Nothing,
}

impl<A> Found<A> {
    /// Finds the row of a request. HEAD is answered as GET.
    pub(super) fn find(routes: &'static [AdminRoute<A>], method: &Method, path: &str) -> Self {
        let path = path.strip_prefix("/admin/").unwrap_or_default().trim_end_matches('/');
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let mut others = Vec::new();
        for route in routes {
            let Some(names) = names(route.path, path) else { continue };
            if route.method == *method {
                return Self::Route(route, names);
            }
            others.push(route.method.as_str());
        }
        if others.is_empty() { Self::Nothing } else { Self::OtherMethods(others.join(", ")) }
    }
}

/// Returns the decoded segments of a path that stand in the place of `{}`; `None` if the path does not fit the pattern.
fn names(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    let mut names = Vec::new();
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return Some(names),
            (Some("{}"), Some(segment)) if !segment.is_empty() => {
                names.push(name(segment)?);
            }
            (Some(pattern), Some(segment)) if pattern == segment => {}
            _ => return None,
        }
    }
}

/// Returns the name in a segment: percent-decoded text, or `~~` and the base64url of the name. API Gateway decodes paths, so a name
/// with a slash, such as a URL, arrives whole only in the second form.
fn name(segment: &str) -> Option<String> {
    match segment.strip_prefix("~~") {
        Some(encoded) => String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok(),
        None => Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROUTES: [AdminRoute<u8>; 4] = [
        AdminRoute::new(Method::GET, "users", AdminScope::UsersRead, 0),
        AdminRoute::new(Method::GET, "users/{}", AdminScope::UsersRead, 1),
        AdminRoute::new(Method::PUT, "users/{}", AdminScope::UsersWrite, 2),
        AdminRoute::new(Method::DELETE, "users/{}/consents/{}", AdminScope::UsersWrite, 3),
    ];

    fn found(method: Method, path: &str) -> Option<(u8, Vec<String>)> {
        match Found::find(&ROUTES, &method, path) {
            Found::Route(route, names) => Some((route.action, names)),
            Found::OtherMethods(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn a_path_gives_its_names() {
        assert_eq!(found(Method::HEAD, "/admin/users/").unwrap().0, 0);
        assert_eq!(found(Method::GET, "/admin/users/a%2Fb").unwrap(), (1, vec!["a/b".to_owned()]));
        assert_eq!(found(Method::PUT, "/admin/users/~~aHR0cHM6Ly9hLmV4YW1wbGUv").unwrap().1, ["https://a.example/"]);
        assert_eq!(found(Method::DELETE, "/admin/users/a/consents/b%20c").unwrap().1, ["a", "b c"]);
    }

    #[test]
    fn other_paths_and_methods_have_no_row() {
        for path in [
            "/admin/",
            "/admin/other",
            "/admin/users/%FF",
            "/admin/users/a/b",
            "/admin/users//consents/b",
            "/admin/Users",
        ] {
            assert!(matches!(Found::find(&ROUTES, &Method::GET, path), Found::Nothing), "{path}");
        }
        assert!(matches!(Found::find(&ROUTES, &Method::GET, "/admin/users/~~a"), Found::Nothing));
        let two = "GET, PUT";
        let post = Found::find(&ROUTES, &Method::POST, "/admin/users/a");
        assert!(matches!(post, Found::OtherMethods(allow) if allow == two));
    }
}
