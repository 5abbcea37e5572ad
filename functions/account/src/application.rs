//! The page of an application: what it may do, and the removal of that.

use crate::visit::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::{AccountApplication, AccountOutcome, ClientProfile, GrantLine, ScopeLine};
use provider::{Actor, AuditEvent, HandlerError, responses, sessions};
use std::collections::BTreeSet;
use storage::account::Account;
use types::{ClientId, Scope};

/// Path of the page.
pub(crate) const PATH: &str = "/account/application";

/// The form of the page.
const FORM: &str = "account-application";

/// Returns the path of the page of a client, with its query.
pub(crate) fn href(client_id: &ClientId) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("client_id", client_id.as_str()).finish();
    format!("{PATH}?{query}")
}

/// Shows the page, or handles its form.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let Some(client_id) = visit.parameters.value("client_id").and_then(ClientId::parse) else {
        return visit.not_there();
    };
    if visit.is_post() { remove(visit, &client_id).await } else { show(visit, &client_id).await }
}

/// Shows what an application may do. Round trips: 2; 1 more for a client that is not cached.
async fn show(visit: &Visit<'_>, client_id: &ClientId) -> Result<Response, HandlerError> {
    let Account { consents, mut grants, .. } = visit.account().await?;
    let consent = consents.into_iter().find(|consent| consent.client_id == *client_id);
    grants.retain(|grant| grant.client_id == *client_id);
    if consent.is_none() && grants.is_empty() {
        return visit.not_there();
    }
    grants.sort_by_key(|grant| std::cmp::Reverse(grant.used_at));
    let (context, frame) = (visit.context, visit.frame()?);
    // A consent may hold more than the grants that are left of it, and a grant more than is remembered.
    let (mut scope, mut claims) = consent.map(|consent| (consent.scope, consent.claims)).unwrap_or_default();
    for grant in &grants {
        scope = scope.with(&grant.scope);
        claims.extend_from_slice(&grant.claims);
    }
    if grants.iter().any(|grant| grant.outlives_session)
        && let Some(offline) = Scope::parse("offline_access")
    {
        scope = scope.with(&offline);
    }
    let claims: BTreeSet<&str> = claims.iter().map(String::as_str).collect();
    let languages = visit.request.header(&header::ACCEPT_LANGUAGE);
    let grants: Vec<GrantLine<'_>> = grants
        .iter()
        .map(|grant| GrantLine {
            since: grant.created_at,
            used: grant.used_at,
            outlives_session: grant.outlives_session,
            resources: &grant.resources,
            details: grant.authorization_details.words(&context.configuration.details_types, languages),
        })
        .collect();
    let client = context.client(client_id, visit.now()).await?;
    let words = |name| context.configuration.scope_description(name);
    let view = AccountApplication {
        frame: &frame,
        client: match &client {
            Some(client) => ClientProfile::of(client, &context.config.issuer),
            None => ClientProfile { name: client_id.as_str(), ..ClientProfile::default() },
        },
        client_id: client_id.as_str(),
        user: visit.signed_in.profile(),
        scopes: &ScopeLine::all(&scope, words, |_| false).collect::<Vec<_>>(),
        claims: &claims.into_iter().collect::<Vec<_>>(),
        grants: &grants,
        csrf: &visit.form_token(FORM, client_id.as_str()),
    };
    Ok(responses::page(StatusCode::OK, pages::account_application(&view)))
}

/// Withdraws the consent, and ends the grants of the client. Round trips: 1; then those of [`sessions::withdraw`].
async fn remove(visit: &Visit<'_>, client_id: &ClientId) -> Result<Response, HandlerError> {
    visit.check_form(FORM, client_id.as_str())?;
    let (context, subject) = (visit.context, visit.subject());
    let ended = sessions::withdraw(context, subject, client_id, visit.now()).await?;
    AuditEvent::ConsentWithdrawn { subject, client: client_id, actor: Actor::User }.record(visit.request);
    let client = context.client(client_id, visit.now()).await?;
    let application = client.as_ref().map_or(client_id.as_str(), |client| client.client.display_name());
    visit.outcome(StatusCode::OK, AccountOutcome::Removed { application, unfinished: ended.unfinished })
}
