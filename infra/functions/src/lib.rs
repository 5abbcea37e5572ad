//! Every function of the authorization server, for a process that runs them all.

use latchkey_http::{Request, Response};
use provider::{Context, Function, ScheduledFunction, shell};
use std::collections::BTreeMap;

/// The functions with routes.
pub const FUNCTIONS: &[Function] = &[
    // generated: endpoints, by `cargo xtask generate` from shared/manifest.
    admin::FUNCTION,
    authorize::FUNCTION,
    configuration::FUNCTION,
    consent::FUNCTION,
    device::FUNCTION,
    introspect::FUNCTION,
    login::FUNCTION,
    logout::FUNCTION,
    maintenance::FUNCTION,
    metadata::FUNCTION,
    par::FUNCTION,
    register::FUNCTION,
    revoke::FUNCTION,
    token::FUNCTION,
    userinfo::FUNCTION,
    // end of endpoints
];

/// The functions with a schedule.
pub const SCHEDULED: &[ScheduledFunction] = &[
    // generated: scheduled, by `cargo xtask generate` from shared/manifest.
    notify::FUNCTION,
    rotate::FUNCTION,
    // end of scheduled
];

/// Returns the function with routes that has this name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.row.name == name)
}

/// Answers a request with the function that serves its path, within the record access of that function. Returns `None` if no
/// function serves the path.
pub async fn respond(request: Request, context: &Context) -> Option<Response> {
    let (row, _) = manifest::find_route(&request.path)?;
    let function = find(row.name)?;
    Some(shell::respond(function, request, &context.guarded(function.row)).await)
}

/// All functions on one context. The record access and the keys of each are worked out once.
pub struct Server {
    guarded: BTreeMap<&'static str, (&'static Function, Context)>,
}

impl Server {
    /// Returns the functions on a context.
    pub fn new(context: &Context) -> Self {
        let guarded = |function: &'static Function| (function.row.name, (function, context.guarded(function.row)));
        Self { guarded: FUNCTIONS.iter().map(guarded).collect() }
    }

    /// Answers a request, as [`respond`] does.
    pub async fn respond(&self, request: Request) -> Option<Response> {
        let (row, _) = manifest::find_route(&request.path)?;
        let (function, context) = self.guarded.get(row.name)?;
        Some(shell::respond(function, request, context).await)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_function_of_the_server_is_here() {
        for row in manifest::FUNCTIONS {
            assert_eq!(super::find(row.name).is_some(), !row.routes().is_empty(), "{}", row.name);
            let is_scheduled = super::SCHEDULED.iter().any(|function| function.row.name == row.name);
            assert_eq!(is_scheduled, row.schedule().is_some(), "{}", row.name);
        }
    }
}
