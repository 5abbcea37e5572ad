//! Scopes that only some users may grant: `granted_to` of a resource.

use crate::TokenRequest;
use protocol::resource;
use provider::HandlerError;
use serde_json::{Map, Value};
use storage::users;
use types::{Error, ErrorCode, Scope, Subject};

impl TokenRequest<'_> {
    /// Returns the part of a scope that a user with these claims may grant. Errors: `invalid_scope` if that is none.
    pub(crate) fn grantable_with(
        &self,
        claims: &Map<String, Value>,
        scope: Scope,
        resources: &[String],
    ) -> Result<Scope, Error> {
        let part = resource::grantable(&scope, resources, &self.context.configuration.resources, claims);
        if part.is_empty() && !scope.is_empty() {
            return Err(Error::new(ErrorCode::InvalidScope, "the user may grant none of these scopes"));
        }
        Ok(part)
    }

    /// Returns the part of a scope that the user may grant now. Errors: `invalid_scope` if that is none. Round trips: 0; 1 if only
    /// some users may grant a part of it.
    pub(crate) async fn grantable_by(
        &self,
        subject: &Subject,
        scope: Scope,
        resources: &[String],
    ) -> Result<Scope, HandlerError> {
        if !resource::is_restricted(&scope, resources, &self.context.configuration.resources) {
            return Ok(scope);
        }
        let user = users::find(self.context.records.as_ref(), subject).await?;
        Ok(self.grantable_with(&user.map(|user| user.claims).unwrap_or_default(), scope, resources)?)
    }
}
