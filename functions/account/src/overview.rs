//! The overview: the applications with access, and the sessions.

use crate::visit::Visit;
use crate::{application, email, session};
use futures::future::try_join_all;
use http::StatusCode;
use latchkey_http::Response;
use pages::{AccountOverview, ApplicationLine, SessionLine};
use provider::{HandlerError, responses};
use std::collections::BTreeMap;
use storage::account::Account;
use types::ClientId;

/// The most applications whose names are read. The others are shown by their client identifiers.
const MAX_NAMES: usize = 50;

/// Shows the overview. Round trips: 2; beside them, at the same time, 1 for each client that is not cached.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let account = visit.account().await?;
    let used = last_uses(&account);
    let named = used.keys().take(MAX_NAMES).map(|client_id| visit.context.client(client_id, visit.now()));
    let names = try_join_all(named).await?;
    let name = |index: usize| names.get(index).and_then(Option::as_ref).map(|client| client.client.display_name());
    let applications: Vec<ApplicationLine<'_>> = used
        .iter()
        .enumerate()
        .map(|(index, (client_id, used_at))| {
            let href = application::href(client_id);
            ApplicationLine { name: name(index).unwrap_or(client_id.as_str()), href, used_at: *used_at }
        })
        .collect();
    let frame = visit.frame()?;
    let view = AccountOverview {
        frame: &frame,
        user: visit.signed_in.profile(),
        may_change_email: email::is_offered(&visit.context.config)
            && account.user.as_ref().is_some_and(|user| user.external_id.is_none()),
        may_delete: visit.context.config.account_deletion,
        applications: &applications,
        sessions: &session_lines(visit, &account)?,
    };
    Ok(responses::page(StatusCode::OK, pages::account_overview(&view)))
}

/// Returns the clients that have a consent or a grant, and the last use of each, in seconds since the epoch.
fn last_uses(account: &Account) -> BTreeMap<&ClientId, Option<u64>> {
    let mut uses: BTreeMap<&ClientId, Option<u64>> =
        account.consents.iter().map(|consent| (&consent.client_id, None)).collect();
    for grant in &account.grants {
        let used_at = uses.entry(&grant.client_id).or_default();
        *used_at = (*used_at).max(Some(grant.used_at));
    }
    uses
}

/// Returns the lines of the sessions: that of this browser first, whether the listing shows it or not.
fn session_lines<'a>(visit: &'a Visit<'_>, account: &'a Account) -> Result<Vec<SessionLine<'a>>, HandlerError> {
    let own = &visit.signed_in.session;
    let since = own.authentication.auth_time.as_secs();
    let mut lines = vec![SessionLine { browser: own.browser.as_deref(), since, href: None }];
    for listed in account.sessions.iter().filter(|listed| listed.id != visit.signed_in.id) {
        lines.push(SessionLine {
            browser: listed.session.browser.as_deref(),
            since: listed.session.authentication.auth_time.as_secs(),
            href: Some(session::href(visit.context, listed.id)?),
        });
    }
    Ok(lines)
}
