//! Administration of clients and keys, for the `latchkey` command. The function `admin-users` has the users.
//!
//! | path | GET | PUT | DELETE | POST |
//! |---|---|---|---|---|
//! | `/admin/clients` | `{items: [client…], unreadable?, next?}`, paged with `?cursor=` | | | |
//! | `/admin/clients/{client_id}` | the client | registers or changes it | removes it | |
//! | `/admin/clients/{client_id}/logo` | | `{image}`, a PNG or WebP file of at most 20 KB in base64: makes it the logo that pages show | removes it | |
//! | `/admin/keys` | `{items: [{kid, alg, signs, signs_from, verifies_until}…]}`, times in seconds since the epoch | | | |
//! | `/admin/keys/rotate`, `…/replace` | | | | starts a rotation, or replaces the signing keys at once; `?alg=` for one |
//! | `/admin/initial-access-tokens` | | | | issues an initial access token: `{initial_access_token, uses, expires_at}` |
//! | `/admin/admin-keys` | `{items: [{kid, name, scopes, created_at, expires_at, created_by, revoked_at?}…], next?}` | | | creates an admin key |
//! | `/admin/admin-keys/{kid}` | | | revokes the admin key | |
//!
//! `provider::administration` authenticates the administrators. The table in `routes` has the scope that a key needs.

mod admin_keys;
mod clients;
mod initial_access_tokens;
mod keys;
mod logos;
mod routes;

use ::keys::Occasion;
use latchkey_http::{Request, Response};
use protocol::administration::Administrator;
use provider::administration::{AdminCall, json_object, not_found, problem};
use provider::{Context, Function, HandlerError};
use routes::{Action, ROUTES};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("admin", |request, context| Box::pin(handle(request, context)));

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
    let AdminCall { action, names, administrator } = call;
    let mut names = names.into_iter();
    let mut name = || names.next().unwrap_or_default();
    match action {
        Action::ListClients => clients::list(request, context).await,
        Action::GetClient => clients::get(&name(), request, context).await,
        Action::PutClient => clients::put(&name(), json_object(request)?, request, context).await,
        Action::DeleteClient => clients::delete(&name(), request, context).await,
        Action::ReviewClient => clients::review(&name(), true, request, context).await,
        Action::WithdrawReview => clients::review(&name(), false, request, context).await,
        Action::PutLogo => logos::put(&name(), &json_object(request)?, request, context).await,
        Action::DeleteLogo => logos::delete(&name(), request, context).await,
        Action::IssueInitialAccessToken => initial_access_tokens::issue(json_object(request)?, request, context),
        Action::ListKeys => keys::list(request.received_at, context).await,
        Action::RotateKeys => keys::act(Occasion::Early, request, context).await,
        Action::ReplaceKeys => keys::act(Occasion::Compromise, request, context).await,
        Action::ListAdminKeys => admin_keys::list(request, context).await,
        Action::CreateAdminKey => admin_keys::create(json_object(request)?, &administrator, request, context).await,
        Action::RevokeAdminKey => admin_keys::revoke(&name(), &administrator, request, context).await,
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
