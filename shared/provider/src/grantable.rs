//! Scopes that only some users may grant: `granted_to` of a resource.

use crate::{Context, HandlerError};
use protocol::resource;
use serde_json::{Map, Value};
use storage::users;
use types::{Error, Scope, Subject};

impl Context {
    /// Returns the part of a scope that the user may grant now, for these resources. Errors: `invalid_scope` if that is none. Round
    /// trips: 0; 1 if only some users may grant a part of it.
    pub async fn grantable(
        &self,
        subject: &Subject,
        scope: &Scope,
        resources: &[String],
    ) -> Result<Scope, HandlerError> {
        if !resource::is_restricted(scope, resources, &self.configuration.resources) {
            return Ok(scope.clone());
        }
        let user = users::find(self.records.as_ref(), subject).await?;
        let claims = user.map(|user| user.claims).unwrap_or_default();
        Ok(self.grantable_with(&claims, scope, resources)?)
    }

    /// Returns the part of a scope that a user with these claims may grant, for these resources. Errors: `invalid_scope` if that is
    /// none.
    pub fn grantable_with(
        &self,
        claims: &Map<String, Value>,
        scope: &Scope,
        resources: &[String],
    ) -> Result<Scope, Error> {
        resource::grantable(scope, resources, &self.configuration.resources, claims)
    }
}
