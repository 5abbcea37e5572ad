//! Every function of the authorization server, for a process that runs them all.

use latchkey_http::{Request, Response};
use provider::{Context, Function, ScheduledFunction, shell};
use std::collections::BTreeMap;

/// The functions with routes.
pub const FUNCTIONS: &[Function] = &[
    // generated: endpoints, by `cargo xtask generate` from shared/manifest.
    account::FUNCTION,
    admin::FUNCTION,
    admin_users::FUNCTION,
    authorize::FUNCTION,
    backchannel::FUNCTION,
    configuration::FUNCTION,
    consent::FUNCTION,
    device::FUNCTION,
    discovery::FUNCTION,
    introspect::FUNCTION,
    login::FUNCTION,
    logout::FUNCTION,
    maintenance::FUNCTION,
    metadata::FUNCTION,
    par::FUNCTION,
    recovery::FUNCTION,
    register::FUNCTION,
    revoke::FUNCTION,
    token::FUNCTION,
    userinfo::FUNCTION,
    // end of endpoints
];

/// The functions with a schedule.
pub const SCHEDULED: &[ScheduledFunction] = &[
    // generated: scheduled, by `cargo xtask generate` from shared/manifest.
    mail::FUNCTION,
    notify::FUNCTION,
    rotate::FUNCTION,
    // end of scheduled
];

/// Returns the function with routes that has this name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.row.name == name)
}

/// Answers a request with the function that serves its path, within the record access of that function.
pub async fn respond(request: Request, context: &Context) -> Response {
    let function = find(name_for(&request.path)).unwrap_or(&metadata::FUNCTION);
    shell::respond(function, request, &context.guarded(function.row)).await
}

/// Returns the name of the function that answers requests to a path.
fn name_for(path: &str) -> &'static str {
    manifest::find_route(path).map_or(manifest::FALLBACK, |(row, _)| row.name)
}

/// All functions on one context. The record access and the keys of each are worked out once.
pub struct Server {
    guarded: BTreeMap<&'static str, (&'static Function, Context)>,
    /// The function for paths that no function serves.
    fallback: (&'static Function, Context),
}

impl Server {
    /// Returns the functions on a context.
    pub fn new(context: &Context) -> Self {
        let guarded = |function: &'static Function| (function.row.name, (function, context.guarded(function.row)));
        let (_, fallback) = guarded(&metadata::FUNCTION);
        Self { guarded: FUNCTIONS.iter().map(guarded).collect(), fallback }
    }

    /// Answers a request, as [`respond`] does.
    pub async fn respond(&self, request: Request) -> Response {
        let (function, context) = self.guarded.get(name_for(&request.path)).unwrap_or(&self.fallback);
        shell::respond(function, request, context).await
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_function_of_the_server_is_here() {
        assert_eq!(metadata::FUNCTION.row.name, manifest::FALLBACK);
        for row in manifest::FUNCTIONS {
            assert_eq!(super::find(row.name).is_some(), !row.routes().is_empty(), "{}", row.name);
            let is_scheduled = super::SCHEDULED.iter().any(|function| function.row.name == row.name);
            assert_eq!(is_scheduled, row.schedule().is_some(), "{}", row.name);
        }
    }
}
