//! The table of routes.

use http::Method;
use protocol::administration::AdminScope;
use provider::administration::AdminRoute;

/// The answer to one kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    ListClients,
    GetClient,
    PutClient,
    DeleteClient,
    ReviewClient,
    WithdrawReview,
    PutLogo,
    DeleteLogo,
    IssueInitialAccessToken,
    ListKeys,
    RotateKeys,
    ReplaceKeys,
    ListAdminKeys,
    CreateAdminKey,
    RevokeAdminKey,
}

/// Every route.
pub(crate) static ROUTES: [AdminRoute<Action>; 15] = [
    AdminRoute::new(Method::GET, "clients", AdminScope::ClientsRead, Action::ListClients),
    AdminRoute::new(Method::GET, "clients/{}", AdminScope::ClientsRead, Action::GetClient),
    AdminRoute::new(Method::PUT, "clients/{}", AdminScope::ClientsWrite, Action::PutClient),
    AdminRoute::new(Method::DELETE, "clients/{}", AdminScope::ClientsWrite, Action::DeleteClient),
    AdminRoute::new(Method::POST, "clients/{}/review", AdminScope::ClientsWrite, Action::ReviewClient),
    AdminRoute::new(Method::DELETE, "clients/{}/review", AdminScope::ClientsWrite, Action::WithdrawReview),
    AdminRoute::new(Method::PUT, "clients/{}/logo", AdminScope::ClientsWrite, Action::PutLogo),
    AdminRoute::new(Method::DELETE, "clients/{}/logo", AdminScope::ClientsWrite, Action::DeleteLogo),
    AdminRoute::new(Method::POST, "initial-access-tokens", AdminScope::ClientsWrite, Action::IssueInitialAccessToken),
    AdminRoute::new(Method::GET, "keys", AdminScope::KeysRead, Action::ListKeys),
    AdminRoute::new(Method::POST, "keys/rotate", AdminScope::KeysWrite, Action::RotateKeys),
    AdminRoute::new(Method::POST, "keys/replace", AdminScope::KeysWrite, Action::ReplaceKeys),
    AdminRoute::new(Method::GET, "admin-keys", AdminScope::AdminKeysRead, Action::ListAdminKeys),
    AdminRoute::new(Method::POST, "admin-keys", AdminScope::AdminKeysWrite, Action::CreateAdminKey),
    AdminRoute::new(Method::DELETE, "admin-keys/{}", AdminScope::AdminKeysWrite, Action::RevokeAdminKey),
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
            assert!(route.scope.as_str().ends_with(ending), "{route:?}");
            let about = route.path.split('/').next().unwrap().replace("initial-access-tokens", "clients");
            assert_eq!(route.scope.as_str(), format!("{about}{ending}"), "{route:?}");
            assert_eq!(route.is_repeatable, is_read, "{route:?}");
        }
    }
}
