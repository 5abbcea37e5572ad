//! Who a client is, wherever a client says so (RFC 6749 §2.3).

use crate::{Context, HandlerError, KeySource};
use jose::Jwt;
use latchkey_http::Request;
use platform::entropy;
use protocol::client_assertion::{self, AssertionAudience};
use protocol::{Client, ClientAuthenticationMethod, ClientCredentials, Parameters, StoredClient, UNPROVED};
use serde_json::Value;
use std::sync::Arc;
use storage::markers;
use types::{Error, ErrorCode};

impl Context {
    /// Finds and proves the client that sent the request (RFC 6749 §2.3, §3.2.1). No round trip when the client is
    /// cached; one when it proves itself by an assertion, which is good once, and when its secret is not the one that is
    /// cached: at most once a second, so that guesses do not become the store's burden.
    pub async fn authenticate(
        &self,
        request: &Request,
        parameters: &Parameters,
    ) -> Result<Arc<StoredClient>, HandlerError> {
        let credentials = ClientCredentials::from_request(request.authorization()?, parameters)?;
        let client = self.prove_client(&credentials, request).await?;
        request.log.client(&client.client.client_id);
        Ok(client)
    }

    async fn prove_client(
        &self,
        credentials: &ClientCredentials,
        request: &Request,
    ) -> Result<Arc<StoredClient>, HandlerError> {
        let client = self.client(&credentials.client_id, request.received_at).await?;
        let Some(assertion) = credentials.assertion() else {
            let client = match credentials.authenticate(client.as_deref()) {
                Ok(_) => client,
                // It may have a new secret since it was read.
                Err(_) if self.forget_older_client(&credentials.client_id, request.received_at) => {
                    let current = self.client(&credentials.client_id, request.received_at).await?;
                    credentials.authenticate(current.as_deref())?;
                    current
                }
                Err(error) => return Err(error.into()),
            };
            return client.ok_or_else(|| invalid_client(UNPROVED).into());
        };
        let client = client
            .filter(|stored| stored.client.token_endpoint_auth_method == ClientAuthenticationMethod::PrivateKeyJwt)
            .ok_or_else(|| invalid_client(UNPROVED))?;
        self.prove(assertion, &client.client, request).await?;
        Ok(client)
    }

    /// Proves a client by its assertion (RFC 7523 §3). The cheapest checks come first; nothing is marked as used that
    /// the client did not sign.
    async fn prove(&self, assertion: &str, client: &Client, request: &Request) -> Result<(), HandlerError> {
        let now = request.received_at;
        let refused = |reason: &dyn std::fmt::Display| invalid_client(format!("client_assertion is refused: {reason}"));
        let malformed = "it is no JWT signed by an asymmetric algorithm of this server";
        let jwt = Jwt::parse(assertion).ok_or_else(|| refused(&malformed))?;
        if client.token_endpoint_auth_signing_alg.is_some_and(|alg| alg != jwt.header().alg) {
            return Err(refused(&"its alg is not the token_endpoint_auth_signing_alg of the client").into());
        }
        let Some(Value::Object(claims)) = jwt.unverified_claims() else { return Err(refused(&malformed).into()) };
        let issuer = &self.config.issuer;
        let [token, called] = ["/token", request.path.as_str()].map(|path| format!("{issuer}{path}"));
        let audience = AssertionAudience { issuer, endpoints: [&token, &called] };
        let proof = client_assertion::check(claims, jwt.header().typ.as_deref(), client, audience, now)
            .map_err(|problem| refused(&problem.as_str()))?;
        let keys = KeySource::of(client).ok_or_else(|| refused(&"the client has no keys registered"))?;
        self.verify_by(&jwt, keys, now).await.map_err(|error| refused(&error))?;
        let is_first =
            markers::spend(self.records.as_ref(), "assertion", &proof.mark(), proof.forgotten_at(), &entropy::name()?)
                .await?;
        if is_first { Ok(()) } else { Err(refused(&"it was used before").into()) }
    }
}

fn invalid_client(description: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::InvalidClient, description)
}
