//! Every function with routes, for a process that runs them all.

use provider::Function;

/// Every function with routes.
pub const FUNCTIONS: [Function; 13] = [
    admin::FUNCTION,
    authorize::FUNCTION,
    consent::FUNCTION,
    device::FUNCTION,
    introspect::FUNCTION,
    login::FUNCTION,
    logout::FUNCTION,
    metadata::FUNCTION,
    par::FUNCTION,
    register::FUNCTION,
    revoke::FUNCTION,
    token::FUNCTION,
    userinfo::FUNCTION,
];

/// Returns the function of this name in the route table.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_route_leads_to_a_function() {
        for route in provider::routes::ROUTES {
            assert!(super::find(route.function).is_some(), "{}", route.path);
        }
    }
}
