//! Clients with a metadata document: the document is read when such a client begins a request of a user, and its copy is in the
//! store. Token, refresh and revocation use the copy and never wait for a fetch.

use crate::rate_limiter::{Allowance, network};
use crate::{Context, HandlerError};
use http::StatusCode;
use latchkey_http::Request;
use platform::fetch::Fetched;
use protocol::metadata_document::{self, DocumentCopy, MAX_DOCUMENT};
use protocol::rate_limit::Quota;
use protocol::{Client, ClientOrigin, StoredClient};
use std::sync::Arc;
use types::{ClientId, Error, ErrorCode, Timestamp};

/// The outcome of a look at a document.
enum Look {
    /// The document, as a client.
    Read(Box<Client>, DocumentCopy),
    /// The document is the one that the store has a copy of.
    Unchanged(DocumentCopy),
    /// The document cannot be read now. An earlier copy may replace it.
    Unreadable(String),
    /// The document is gone, or describes no client.
    Unusable(String),
}

impl Context {
    /// As [`Self::client`], for a client that begins a request of a user: the document of a client that has one is read
    /// again when its copy is no longer fresh. Round trips: those of [`Self::client`]; for a document that is read, 1 fetch and 1
    /// or 2 writes, and 1 more at the first time. Errors: a page that names the host of a document that cannot be read.
    pub async fn requesting_client(
        &self,
        client_id: &str,
        request: &Request,
    ) -> Result<Option<Arc<StoredClient>>, HandlerError> {
        let now = request.received_at;
        let Some(client_id) = ClientId::parse(client_id) else { return Ok(None) };
        let known = self.client(&client_id, now).await?;
        let is_document = match &known {
            None => metadata_document::is_document_url(&client_id, self.fetch.reach()),
            Some(stored) => stored.is_document(),
        };
        if !is_document {
            return Ok(known);
        }
        // The operator may have changed the policy since the document was read.
        if !self.config.client_documents.admits(&client_id) {
            return Err(not_admitted(&client_id));
        }
        let copy = known.as_ref().and_then(|known| known.document.as_ref());
        if copy.is_some_and(|copy| copy.is_fresh(now)) {
            return Ok(known);
        }
        let renewed = self.renewed(&client_id, known.as_deref(), request).await?;
        let stored = storage::clients::put_document(self.records.as_ref(), &renewed, now).await?;
        let stored = Arc::new(self.with_rules_of_today(stored));
        self.clients.put(&client_id, Some(&stored), now);
        Ok(Some(stored))
    }

    /// Reads the identity of a client with a metadata document that this deployment meets for the first time, at the token
    /// endpoint. An identity provider has vouched for the client by an ID-JAG, which the caller has verified. The copy holds the
    /// identity alone and is never fresh: the first request of a user reads the whole document. Round trips: 1 count, 1 fetch, 1
    /// write. Errors: the document is not admitted, or cannot be read.
    pub async fn introduce_client(&self, client_id: &ClientId, request: &Request) -> Result<(), HandlerError> {
        let now = request.received_at;
        if !self.config.client_documents.admits(client_id) {
            return Err(not_admitted(client_id));
        }
        self.count_new_document(request).await?;
        let url = client_id.as_str();
        // The identity provider vouched for the client: floods of anonymous requests do not use up its fetch.
        let may_fetch = self.document_fetches.take(url, false, now) && self.fetch_pace.take_host(url, false, now);
        let fetched = match may_fetch {
            true => self.fetch.get_json(url, None, MAX_DOCUMENT).await.ok(),
            false => None,
        };
        let document = fetched.filter(|fetched| fetched.status == StatusCode::OK && is_json(fetched));
        let document = document.map(|fetched| types::json::value(&fetched.body).unwrap_or_default());
        let client = match document {
            Some(document) => metadata_document::read_identity(client_id, document)
                .map_err(|problem| unusable(client_id, &problem.to_string()))?,
            None => Some(client_id)
                .filter(|_| self.config.client_document_copies)
                .and_then(metadata_document::published_identity)
                .ok_or_else(|| unreadable(client_id))?,
        };
        let stale = DocumentCopy { read_at: Timestamp::default(), fresh_until: Timestamp::default(), etag: None };
        storage::clients::put_document(self.records.as_ref(), &self.document_client(client, stale, now), now).await?;
        self.clients.forget(client_id);
        Ok(())
    }

    fn document_client(&self, client: Client, document: DocumentCopy, now: Timestamp) -> StoredClient {
        StoredClient {
            since: Some(now),
            origin: ClientOrigin::MetadataDocument,
            document: Some(document),
            unused_until: Some(now.after(self.config.registration.unused_lifetime)),
            // Today's view of a known client has its usual scopes here, which no document sets.
            ..StoredClient::new(Client { default_scope: None, ..client }, Vec::new())
        }
    }

    /// Returns the client as its document describes it now, or its last good copy.
    async fn renewed(
        &self,
        client_id: &ClientId,
        known: Option<&StoredClient>,
        request: &Request,
    ) -> Result<StoredClient, HandlerError> {
        let now = request.received_at;
        if known.is_none() {
            self.count_new_document(request).await?;
        }
        let url = client_id.as_str();
        let may_fetch = self.document_fetches.take(url, true, now) && self.fetch_pace.take_host(url, false, now);
        let look = match may_fetch {
            true => self.look(client_id, known.and_then(|known| known.document.as_ref()), now).await,
            false => Look::Unreadable("it was read too often in a short time".to_owned()),
        };
        let stored = |client: Client, document: DocumentCopy| self.document_client(client, document, now);
        let log = |reason: &str| {
            let line = serde_json::json!({ "client_document": url, "reason": reason });
            (self.log)(&line.to_string());
        };
        match (look, known) {
            (Look::Read(client, copy), _) => Ok(stored(*client, copy)),
            (Look::Unchanged(copy), Some(known)) => Ok(stored(known.client.clone(), copy)),
            (Look::Unreadable(reason), known) => {
                log(&reason);
                let copy = known.and_then(|known| Some((known.client.clone(), known.document.as_ref()?)));
                if let Some((client, copy)) = copy.filter(|(_, copy)| copy.may_replace(now)) {
                    return Ok(stored(client, copy.postponed(now)));
                }
                match self.published_copy(client_id) {
                    Some(client) => {
                        let copy = DocumentCopy { read_at: now, fresh_until: now, etag: None };
                        Ok(stored(client, copy.postponed(now)))
                    }
                    None => Err(unreadable(client_id)),
                }
            }
            (Look::Unusable(reason), _) => {
                log(&reason);
                Err(unusable(client_id, &reason))
            }
            (Look::Unchanged(_), None) => Err(unreadable(client_id)),
        }
    }

    fn published_copy(&self, client_id: &ClientId) -> Option<Client> {
        if !self.config.client_document_copies {
            return None;
        }
        metadata_document::published_copy(client_id, &self.registration_limits())
    }

    /// Counts a document that is read for the first time. Errors: a page, after too many of one network. Round
    /// trips: 1.
    async fn count_new_document(&self, request: &Request) -> Result<(), HandlerError> {
        let network = network(request.address);
        let allowance =
            Allowance::new(self, request.received_at, Quota::CLIENT_DOCUMENTS, "client documents", &[&network]);
        allowance.add().await?.map_err(|_| {
            let description = "too many new metadata documents were named from this network; try again later";
            let error = Error::new(ErrorCode::TemporarilyUnavailable, description);
            HandlerError::page(
                "Too many new applications",
                "Wait an hour, then go back to the application and try again.",
                error,
            )
        })
    }

    /// Reads the document (§5). A redirect is an error.
    async fn look(&self, client_id: &ClientId, copy: Option<&DocumentCopy>, now: Timestamp) -> Look {
        let etag = copy.and_then(|copy| copy.etag.as_deref());
        let fetched = match self.fetch.get_json(client_id.as_str(), etag, MAX_DOCUMENT).await {
            Ok(fetched) => fetched,
            Err(error) => return Look::Unreadable(error.to_string()),
        };
        let new_copy = |etag: Option<String>| DocumentCopy {
            read_at: now,
            fresh_until: metadata_document::fresh_until(fetched.cache_control.as_deref(), now),
            etag,
        };
        match (fetched.status, copy) {
            (StatusCode::NOT_MODIFIED, Some(copy)) => Look::Unchanged(new_copy(copy.etag.clone())),
            (StatusCode::OK, _) if !is_json(&fetched) => {
                let kind = fetched.content_type.as_deref().unwrap_or("none");
                Look::Unusable(format!("the content type is not application/json: {kind}"))
            }
            (StatusCode::OK, _) => {
                let limits = self.registration_limits();
                match metadata_document::read(client_id, &fetched.body, &limits) {
                    Ok(client) => Look::Read(Box::new(client), new_copy(fetched.etag.clone())),
                    Err(problem) => Look::Unusable(problem.to_string()),
                }
            }
            (StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
                Look::Unusable(format!("the status is {}", fetched.status.as_u16()))
            }
            (status, _) => Look::Unreadable(format!("the status is {}", status.as_u16())),
        }
    }
}

/// True if the content type is JSON (§4): `application/json`, or a subtype that ends in `+json`.
fn is_json(fetched: &Fetched) -> bool {
    let kind = fetched.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn named(client_id: &ClientId) -> String {
    metadata_document::host(client_id).unwrap_or_default()
}

/// Returns the error for a document that cannot be read now. The reason is for the log alone: the server is no port scanner.
fn unreadable(client_id: &ClientId) -> HandlerError {
    let description =
        format!("the client metadata document at {} cannot be read now; try again in a minute", named(client_id));
    HandlerError::page(
        "This application cannot be checked now",
        "The application describes itself in a document at an address of its own, which does not answer. Wait a minute, then go back to the application and try again.",
        Error::new(ErrorCode::TemporarilyUnavailable, description),
    )
}

/// Returns the error for a document that describes no client. The document is public, so its developer learns what to mend.
fn unusable(client_id: &ClientId, reason: &str) -> HandlerError {
    let description = format!("the client metadata document at {} cannot be used: {reason}", named(client_id));
    HandlerError::page(
        "This application cannot be used here",
        "The document in which the application describes itself is missing or has an error. Tell the makers of the application.",
        Error::new(ErrorCode::InvalidClient, description),
    )
}

/// Returns the error for a document that the operator did not admit.
fn not_admitted(client_id: &ClientId) -> HandlerError {
    let description = format!(
        "the operator of this server does not admit the client metadata document at {} (LATCHKEY_CLIENT_DOCUMENTS)",
        named(client_id)
    );
    HandlerError::page(
        "This application is not admitted here",
        "The operator of this server decides which applications may ask you to sign in. Ask the operator to admit this one.",
        Error::new(ErrorCode::InvalidClient, description),
    )
}
