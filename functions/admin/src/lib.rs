//! Administration: clients, users and keys, for the `latchkey` command.
//!
//! | path | GET | PUT | DELETE | POST |
//! |---|---|---|---|---|
//! | `/admin/clients` | `{items: [client…], unreadable?, next?}`, paged with `?cursor=` | | | |
//! | `/admin/clients/{client_id}` | the client | registers or changes it | removes it | |
//! | `/admin/users` | `{items: [{username, sub}…], unreadable?, next?}` | | | |
//! | `/admin/users/{username}` | `{username, sub, claims}` | registers or changes the user | removes the user | |
//! | `/admin/users/{username}/sign-out` | | | | ends all sessions and grants of the user; returns their numbers: `{sessions, grants}` |
//! | `/admin/users/{username}/consents` | `{items: [{client_id, scope}…]}` | | | |
//! | `/admin/users/{username}/consents/{client_id}` | | | withdraws the consent and ends the client's grants; returns their number: `{grants}` | |
//! | `/admin/keys` | `{items: [{kid, alg, signs, signs_from, verifies_until}…]}`, times in seconds since the epoch | | | |
//! | `/admin/keys/rotate`, `…/replace` | | | | starts a rotation, or replaces the signing keys at once; `?alg=` for one |
//! | `/admin/initial-access-tokens` | | | | issues an initial access token: `{initial_access_token, uses, expires_at}` |
//! | `/admin/admin-keys` | `{items: [{kid, name, scopes, created_at, expires_at, created_by, revoked_at?}…], next?}` | | | creates an admin key |
//! | `/admin/admin-keys/{kid}` | | | revokes the admin key | |
//! | `/admin/records/restore` | | | | Cloudflare: lets all records go back to the time `at`; returns the state |
//! | `/admin/records/reshard` | | | | Cloudflare: changes the number of objects to `shards`; returns the state |
//!
//! Every request carries `Authorization: Bearer` with a token that an admin key signed for this request alone
//! (`protocol::administration`). The table in `routes` has the scope that the key needs. A body that is not accepted is answered with 400
//! and `{error: "invalid_request", error_description, problems: [text…]}`, which has all problems at once.

mod admin_keys;
mod clients;
mod imported_hash;
mod initial_access_tokens;
mod keys;
mod listing;
mod new_password;
mod records;
mod routes;
mod users;

use ::keys::Occasion;
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::administration::Administrator;
use provider::administration::{self, body, forbidden, not_found, problem};
use provider::{Context, Function, HandlerError};
use routes::{Action, Found};
use serde_json::Map;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("admin", |request, context| Box::pin(handle(request, context)));

/// Answers one request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    match administration::authenticate(request, is_repeatable(request), context).await? {
        Ok(administrator) => answer(request, &administrator, context).await,
        Err(response) => Ok(response),
    }
}

/// True if the token of the request may be used again: a read may be repeated, and so may maintenance of the records, which
/// continues where it stopped. While the records move, no use can be noted.
fn is_repeatable(request: &Request) -> bool {
    let is_maintenance = match routes::find(&request.method, &request.path) {
        Found::Route(route, _) => matches!(route.action, Action::RestoreRecords | Action::ReshardRecords),
        Found::OtherMethods(_) | Found::Nothing => false,
    };
    request.method == Method::GET || is_maintenance
}

/// Answers one request of an authenticated administrator.
pub async fn answer(
    request: &Request,
    administrator: &Administrator,
    context: &Context,
) -> Result<Response, HandlerError> {
    request.log.admin_key(administrator.key.as_str());
    let (route, names) = match routes::find(&request.method, &request.path) {
        Found::Route(route, names) => (route, names),
        Found::OtherMethods(allow) => {
            let rule = format!("the path serves {allow} alone");
            return Ok(problem(request, StatusCode::METHOD_NOT_ALLOWED, &[rule]).with(header::ALLOW, &allow));
        }
        Found::Nothing => return Ok(not_found(request)),
    };
    if let Some(refusal) = administration::refuse_without(route.scope, administrator, request) {
        return Ok(refusal);
    }
    let mut names = names.into_iter();
    let mut name = || names.next().unwrap_or_default();
    let body = match route.action {
        Action::PutClient
        | Action::IssueInitialAccessToken
        | Action::PutUser
        | Action::CreateAdminKey
        | Action::RestoreRecords
        | Action::ReshardRecords => match body(request) {
            Ok(body) => body,
            Err((status, reason)) => return Ok(problem(request, status, &[reason])),
        },
        _ => Map::new(),
    };
    match route.action {
        Action::ListClients => clients::list(request, context).await,
        Action::GetClient => clients::get(&name(), request, context).await,
        Action::PutClient => clients::put(&name(), body, request, context).await,
        Action::DeleteClient => clients::delete(&name(), request, context).await,
        Action::ReviewClient => clients::review(&name(), true, request, context).await,
        Action::WithdrawReview => clients::review(&name(), false, request, context).await,
        Action::IssueInitialAccessToken => initial_access_tokens::issue(body, request, context),
        Action::ListUsers => users::list(request, context).await,
        Action::GetUser => users::get(&name(), request, context).await,
        Action::PutUser => users::put(&name(), body, request, context).await,
        Action::DeleteUser => users::delete(&name(), request, context).await,
        Action::SignOutUser => users::sign_out(&name(), request, context).await,
        Action::ListConsents => users::consents(&name(), request, context).await,
        Action::WithdrawConsent => {
            let (username, client_id) = (name(), name());
            users::withdraw(&username, &client_id, request, context).await
        }
        Action::ListKeys => keys::list(request.received_at, context).await,
        Action::RotateKeys => keys::act(Occasion::Early, request, context).await,
        Action::ReplaceKeys => keys::act(Occasion::Compromise, request, context).await,
        Action::ListAdminKeys => admin_keys::list(request, context).await,
        Action::CreateAdminKey => admin_keys::create(body, administrator, request, context).await,
        Action::RevokeAdminKey => admin_keys::revoke(&name(), administrator, request, context).await,
        Action::RestoreRecords => records::maintain(records::restore, &body, request, context).await,
        Action::ReshardRecords => records::maintain(records::reshard, &body, request, context).await,
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    new_password::bind(&env);
    records::bind(&env);
    provider::worker::serve(FUNCTION, request, &env).await
}
