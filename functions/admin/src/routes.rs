//! The table of routes: path, method, and the scope that a key needs.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use percent_encoding::percent_decode_str;
use protocol::administration::AdminScope;

/// The answer to one kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    ListClients,
    GetClient,
    PutClient,
    DeleteClient,
    ReviewClient,
    WithdrawReview,
    IssueInitialAccessToken,
    ListUsers,
    GetUser,
    PutUser,
    DeleteUser,
    SignOutUser,
    ListConsents,
    WithdrawConsent,
    ListKeys,
    RotateKeys,
    ReplaceKeys,
    ListAdminKeys,
    CreateAdminKey,
    RevokeAdminKey,
    RestoreRecords,
    ReshardRecords,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The path below `/admin/`. `{}` is one segment with any text.
    pub(crate) path: &'static str,
    pub(crate) scope: AdminScope,
    pub(crate) action: Action,
}

const fn route(method: Method, path: &'static str, scope: AdminScope, action: Action) -> Route {
    Route { method, path, scope, action }
}

/// Every route.
pub(crate) static ROUTES: [Route; 22] = [
    route(Method::GET, "clients", AdminScope::ClientsRead, Action::ListClients),
    route(Method::GET, "clients/{}", AdminScope::ClientsRead, Action::GetClient),
    route(Method::PUT, "clients/{}", AdminScope::ClientsWrite, Action::PutClient),
    route(Method::DELETE, "clients/{}", AdminScope::ClientsWrite, Action::DeleteClient),
    route(Method::POST, "clients/{}/review", AdminScope::ClientsWrite, Action::ReviewClient),
    route(Method::DELETE, "clients/{}/review", AdminScope::ClientsWrite, Action::WithdrawReview),
    route(Method::POST, "initial-access-tokens", AdminScope::ClientsWrite, Action::IssueInitialAccessToken),
    route(Method::GET, "users", AdminScope::UsersRead, Action::ListUsers),
    route(Method::GET, "users/{}", AdminScope::UsersRead, Action::GetUser),
    route(Method::PUT, "users/{}", AdminScope::UsersWrite, Action::PutUser),
    route(Method::DELETE, "users/{}", AdminScope::UsersWrite, Action::DeleteUser),
    route(Method::POST, "users/{}/sign-out", AdminScope::UsersWrite, Action::SignOutUser),
    route(Method::GET, "users/{}/consents", AdminScope::UsersRead, Action::ListConsents),
    route(Method::DELETE, "users/{}/consents/{}", AdminScope::UsersWrite, Action::WithdrawConsent),
    route(Method::GET, "keys", AdminScope::KeysRead, Action::ListKeys),
    route(Method::POST, "keys/rotate", AdminScope::KeysWrite, Action::RotateKeys),
    route(Method::POST, "keys/replace", AdminScope::KeysWrite, Action::ReplaceKeys),
    route(Method::GET, "admin-keys", AdminScope::AdminKeysRead, Action::ListAdminKeys),
    route(Method::POST, "admin-keys", AdminScope::AdminKeysWrite, Action::CreateAdminKey),
    route(Method::DELETE, "admin-keys/{}", AdminScope::AdminKeysWrite, Action::RevokeAdminKey),
    route(Method::POST, "records/restore", AdminScope::All, Action::RestoreRecords),
    route(Method::POST, "records/reshard", AdminScope::All, Action::ReshardRecords),
];

/// The row of a request, or the reason for which there is none.
pub(crate) enum Found {
    /// The row, and the decoded segments in the place of `{}`.
    Route(&'static Route, Vec<String>),
    /// The path does not serve the method. The methods that it serves are the value of `Allow`.
    OtherMethods(String),
    /// There is nothing at the path.
    Nothing,
}

/// Finds the row of a request. HEAD is answered as GET.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let path = path.strip_prefix("/admin/").unwrap_or_default().trim_end_matches('/');
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut others = Vec::new();
    for route in &ROUTES {
        let Some(names) = names(route.path, path) else { continue };
        if route.method == *method {
            return Found::Route(route, names);
        }
        others.push(route.method.as_str());
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others.join(", ")) }
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

    fn found(method: Method, path: &str) -> Option<(Action, Vec<String>)> {
        match find(&method, path) {
            Found::Route(route, names) => Some((route.action, names)),
            Found::OtherMethods(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn a_request_has_one_row() {
        for route in &ROUTES {
            let rows = ROUTES.iter().filter(|other| (&other.method, other.path) == (&route.method, route.path));
            assert_eq!(rows.count(), 1, "{route:?}");
            assert_eq!(ROUTES.iter().filter(|other| other.action == route.action).count(), 1, "{route:?}");
            let path = format!("/admin/{}", route.path.replace("{}", "a%20b"));
            let (action, names) = found(route.method.clone(), &path).unwrap();
            assert_eq!((action, names.len()), (route.action, route.path.matches("{}").count()));
            assert!(names.iter().all(|name| name == "a b"));
        }
    }

    /// A request that changes something needs a scope to write. Maintenance changes everything.
    #[test]
    fn only_get_needs_no_scope_to_write() {
        for route in &ROUTES {
            if route.path.starts_with("records/") {
                assert_eq!(route.scope, AdminScope::All, "{route:?}");
                continue;
            }
            let ending = if route.method == Method::GET { ":read" } else { ":write" };
            assert!(route.scope.as_str().ends_with(ending), "{route:?}");
            let about = route.path.split('/').next().unwrap().replace("initial-access-tokens", "clients");
            assert_eq!(route.scope.as_str(), format!("{about}{ending}"), "{route:?}");
        }
    }

    #[test]
    fn other_paths_and_methods_have_no_row() {
        for path in
            ["/admin/", "/admin/other", "/admin/users/%FF", "/admin/users/a/b", "/admin/users//consents", "/admin/Keys"]
        {
            assert!(matches!(find(&Method::GET, path), Found::Nothing), "{path}");
        }
        assert!(matches!(find(&Method::POST, "/admin/users/a/consents"), Found::OtherMethods(allow) if allow == "GET"));
        let two = "GET, PUT, DELETE";
        assert!(matches!(find(&Method::POST, "/admin/clients/a"), Found::OtherMethods(allow) if allow == two));
        assert_eq!(found(Method::HEAD, "/admin/clients/").unwrap().0, Action::ListClients);
        assert_eq!(found(Method::GET, "/admin/users/a%2Fb").unwrap().1, ["a/b"]);
        assert_eq!(found(Method::GET, "/admin/clients/~~aHR0cHM6Ly9hLmV4YW1wbGUv").unwrap().1, ["https://a.example/"]);
        assert!(matches!(find(&Method::GET, "/admin/clients/~~a"), Found::Nothing));
    }
}
