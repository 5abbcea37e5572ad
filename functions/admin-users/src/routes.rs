//! The table of routes.

use http::Method;
use protocol::administration::AdminScope;
use provider::administration::AdminRoute;

/// The answer to one kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    ListUsers,
    GetUser,
    PutUser,
    DeleteUser,
    SignOutUser,
    ListConsents,
    ListGrants,
    WithdrawConsent,
    ExportUser,
    ListSignInMethods,
    RemoveSecondFactor,
    RemovePasskeys,
}

/// Every route.
pub(crate) static ROUTES: [AdminRoute<Action>; 12] = [
    AdminRoute::new(Method::GET, "users", AdminScope::UsersRead, Action::ListUsers),
    AdminRoute::new(Method::GET, "users/{}", AdminScope::UsersRead, Action::GetUser),
    AdminRoute::new(Method::PUT, "users/{}", AdminScope::UsersWrite, Action::PutUser),
    AdminRoute::new(Method::DELETE, "users/{}", AdminScope::UsersWrite, Action::DeleteUser),
    AdminRoute::new(Method::POST, "users/{}/sign-out", AdminScope::UsersWrite, Action::SignOutUser),
    AdminRoute::new(Method::GET, "users/{}/consents", AdminScope::UsersRead, Action::ListConsents),
    AdminRoute::new(Method::GET, "users/{}/grants", AdminScope::UsersRead, Action::ListGrants),
    AdminRoute::new(Method::DELETE, "users/{}/consents/{}", AdminScope::UsersWrite, Action::WithdrawConsent),
    AdminRoute::new(Method::GET, "users/{}/data", AdminScope::UsersRead, Action::ExportUser),
    AdminRoute::new(Method::GET, "users/{}/sign-in-methods", AdminScope::UsersRead, Action::ListSignInMethods),
    AdminRoute::new(Method::DELETE, "users/{}/second-factor", AdminScope::UsersWrite, Action::RemoveSecondFactor),
    AdminRoute::new(Method::DELETE, "users/{}/passkeys", AdminScope::UsersWrite, Action::RemovePasskeys),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_row() {
        for route in &ROUTES {
            let rows = ROUTES.iter().filter(|other| (&other.method, other.path) == (&route.method, route.path));
            assert_eq!(rows.count(), 1, "{route:?}");
            assert_eq!(ROUTES.iter().filter(|other| other.action == route.action).count(), 1, "{route:?}");
        }
    }

    /// A request that changes something needs a scope to write, and its token changes something once.
    #[test]
    fn only_get_needs_no_scope_to_write() {
        for route in &ROUTES {
            let is_read = route.method == Method::GET;
            let ending = if is_read { ":read" } else { ":write" };
            assert_eq!(route.scope.as_str(), format!("users{ending}"), "{route:?}");
            assert_eq!(route.is_repeatable, is_read, "{route:?}");
        }
    }
}
