//! Administration of users, for the `latchkey` command.
//!
//! | path | GET | PUT | DELETE | POST |
//! |---|---|---|---|---|
//! | `/admin/users` | `{items: [{username, sub}…], unreadable?, next?}` | | | |
//! | `/admin/users?email=…`, `?external_id=…` | the same, of these users | | | |
//! | `/admin/users/{username}` | `{username, sub, claims}` | registers or changes the user | removes the user | |
//! | `/admin/users/{username}/sign-out` | | | | ends all sessions and grants of the user; returns their numbers: `{sessions, grants}` |
//! | `/admin/users/{username}/consents` | `{items: [{client_id, scope}…]}` | | | |
//! | `/admin/users/{username}/consents/{client_id}` | | | withdraws the consent and ends the client's grants; returns their number: `{grants}` | |
//! | `/admin/users/{username}/data` | all that is stored about the user | | | |
//! | `/admin/users/{username}/sign-in-methods` | `{passkeys: [{name, created_at, last_used_on, is_synchronised}…], authenticator_app: {since, recovery_codes_left}?}` | | | |
//! | `/admin/users/{username}/second-factor` | | | removes the authenticator app and the recovery codes; returns what ended: `{sessions, grants}` | |
//! | `/admin/users/{username}/passkeys` | | | removes all passkeys; returns what ended: `{sessions, grants}` | |
//! | `/admin/users/{username}/grants` | `{items: [{client_id, scope, resources?, created_at, used_at, expires_at, outlives_session}…]}` | | | |
//!
//! `provider::administration` authenticates the administrators. The table in `routes` has the scope that a key needs.

mod new_password;
mod routes;
mod sign_in_methods;
mod users;

use latchkey_http::{Request, Response};
use protocol::administration::Administrator;
use provider::administration::{AdminCall, json_object};
use provider::{Context, Function, HandlerError};
use routes::{Action, ROUTES};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("admin-users", |request, context| Box::pin(handle(request, context)));

/// Answers one request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    answer(AdminCall::open(&ROUTES, request, context).await?, request, context).await
}

/// Answers one request of an administrator who is authenticated already.
pub async fn handle_for(
    administrator: Administrator,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    answer(AdminCall::of_administrator(&ROUTES, administrator, request)?, request, context).await
}

async fn answer(call: AdminCall<Action>, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let mut names = call.names.into_iter();
    let mut name = || names.next().unwrap_or_default();
    match call.action {
        Action::ListUsers => users::list(request, context).await,
        Action::GetUser => users::get(&name(), request, context).await,
        Action::PutUser => users::put(&name(), json_object(request)?, request, context).await,
        Action::DeleteUser => users::delete(&name(), request, context).await,
        Action::SignOutUser => users::sign_out(&name(), request, context).await,
        Action::ListConsents => users::consents(&name(), request, context).await,
        Action::ListGrants => users::grants(&name(), request, context).await,
        Action::ExportUser => users::export(&name(), request, context).await,
        Action::ListSignInMethods => sign_in_methods::list(&name(), request, context).await,
        Action::RemoveSecondFactor => sign_in_methods::remove_second_factor(&name(), request, context).await,
        Action::RemovePasskeys => sign_in_methods::remove_passkeys(&name(), request, context).await,
        Action::WithdrawConsent => {
            let (username, client_id) = (name(), name());
            users::withdraw(&username, &client_id, request, context).await
        }
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    invocation: worker::Context,
) -> worker::Result<worker::Response> {
    provider::bind_passwords(&env);
    provider::worker::serve_with_mail(FUNCTION, request, &env, &invocation).await
}
