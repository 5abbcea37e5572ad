//! An authorization request whose checks have passed.

use super::checks::SentRequest;
use super::claims::{NamedClaim, remembered_claim, scope_of};
use super::{AuthorizationDetails, ClaimsRequest, CodeChallenge, Prompt};
use crate::{ClaimDefinitions, Client, Resource, ResponseTarget, ResponseType, UncheckedTarget};
use serde::{Deserialize, Serialize};
use types::{ClientId, Error, ErrorCode, Issuer, Nonce, Scope, Thumbprint};

/// An authorization request whose checks have passed. It leaves out `id_token_hint`, whose check needs keys, and
/// parameters without effect here, such as `ui_locales`.
///
/// A request that is deserialized has an [`UncheckedTarget`]. [`Self::recheck`] makes it usable again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest<Target = ResponseTarget> {
    /// `client_id`.
    pub client_id: ClientId,
    /// Redirect URI, response mode and `state`: where the response goes.
    pub target: Target,
    /// `response_type`: what the response contains.
    pub response_type: ResponseType,
    /// `scope`, without the scopes that the client may not request.
    pub scope: Scope,
    /// `resource` (RFC 8707). None means the audience of the deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// `authorization_details` (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// `nonce`, which binds the ID token to the client's session.
    pub nonce: Option<Nonce>,
    /// `code_challenge` (RFC 7636).
    pub code_challenge: Option<CodeChallenge>,
    /// `dpop_jkt`: the key to which the code is bound (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<Thumbprint>,
    /// `prompt`.
    pub prompt: Prompt,
    /// `max_age` in seconds: the sign-in may not be older.
    pub max_age: Option<u64>,
    /// `acr_values` that a sign-in here can reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// `login_hint`: fills the username field.
    pub login_hint: Option<String>,
    /// `claims`: claims requested by name.
    pub claims: ClaimsRequest,
}

impl AuthorizationRequest {
    /// Checks the parameters of a request whose target has been checked. Errors: for the client, at the target.
    pub fn check(sent: &SentRequest<'_>, target: ResponseTarget) -> Result<Self, Error> {
        let mut request = Self {
            client_id: sent.client.client_id.clone(),
            target,
            response_type: ResponseType::Code,
            scope: Scope::default(),
            resources: Vec::new(),
            authorization_details: AuthorizationDetails::default(),
            nonce: sent.owned("nonce").map(Nonce::new),
            code_challenge: None,
            dpop_jkt: None,
            prompt: Prompt::default(),
            max_age: None,
            acr_values: Vec::new(),
            login_hint: sent.owned("login_hint"),
            claims: ClaimsRequest::default(),
        };
        sent.run_checks(&mut request)?;
        Ok(request)
    }

    /// Binds the code of a pushed request to the key of its DPoP proof (RFC 9449 §10.1). Errors: `invalid_dpop_proof` if `dpop_jkt`
    /// names another key.
    pub fn bind_to(&mut self, key: Thumbprint) -> Result<(), Error> {
        if self.dpop_jkt.is_some_and(|named| named != key) {
            return Err(Error::new(
                ErrorCode::InvalidDpopProof,
                "the DPoP proof is by another key than dpop_jkt names",
            ));
        }
        self.dpop_jkt = Some(key);
        Ok(())
    }

    /// Returns the scopes and resources that the user is asked to consent to. The URI of a resource is a scope token too. Resources of a
    /// request with authorization details may be there for the details alone, so they are not remembered.
    fn to_consent(&self) -> Scope {
        let remembered = if self.authorization_details.is_empty() { self.resources.as_slice() } else { &[] };
        let resources = remembered.iter().filter_map(|uri| Scope::parse(uri));
        resources.fold(self.scope.clone(), |all, one| all.with(&one))
    }

    /// Adds the scopes of the requested resources that the user allowed this client earlier, as far as the client may still request
    /// them. A client that asks for what one request lacked, and for nothing else, would lose what it had (RFC 6750 §3.1).
    pub fn add_earlier_scope(&mut self, client: &Client, resources: &[Resource], earlier: &Scope) {
        let named = || resources.iter().filter(|resource| self.resources.contains(&resource.resource));
        let of_resources =
            |token: &str| client.scope.contains(token) && named().any(|resource| resource.scopes.contains(token));
        self.scope = self.scope.with(&earlier.filtered(of_resources));
    }

    /// Returns the part of the request that sign-in needs. It has no details, and only those claims that name a user or a class of
    /// sign-in.
    pub(crate) fn for_sign_in(&self) -> Self {
        Self {
            resources: Vec::new(),
            authorization_details: AuthorizationDetails::default(),
            nonce: None,
            code_challenge: None,
            dpop_jkt: None,
            claims: self.claims.for_sign_in(),
            ..self.clone()
        }
    }

    /// Returns the longest form in which a pushed request travels through sign-in, for a check of its length.
    pub fn longest_reference(&self) -> impl Serialize {
        let optional = self.named_claims().into_iter().filter(|claim| !claim.is_essential);
        (self.for_sign_in(), optional.map(|claim| claim.name.to_owned()).collect::<Vec<_>>())
    }

    /// True if consent to the request leaves nothing to remember: it has authorization details alone.
    pub fn is_consent_forgotten(&self) -> bool {
        self.to_consent().is_empty() && self.named_claims().is_empty()
    }

    /// Returns the claims that the user is asked for by name, beside the scope.
    pub fn named_claims(&self) -> Vec<NamedClaim<'_>> {
        self.claims.beyond(&self.scope)
    }

    /// Returns the request without the claims that the user refused in an earlier consent.
    #[must_use]
    pub fn without_refused(self, earlier: &Scope) -> Self {
        let refused: Vec<String> = self
            .named_claims()
            .iter()
            .filter(|claim| claim.is_refused(earlier))
            .map(|claim| claim.name.to_owned())
            .collect();
        Self { claims: self.claims.without(&refused), ..self }
    }

    /// True if the user decided about everything in an earlier consent.
    fn is_decided(&self, earlier: &Scope) -> bool {
        self.to_consent().is_within(earlier) && self.named_claims().iter().all(|claim| claim.is_decided(earlier))
    }

    /// True if the user must be asked for consent, given the earlier consent. `skip_consent` has no effect where earlier
    /// consent has none: any application on the device could get tokens without a page (RFC 8252 §8.6). Authorization details
    /// always need consent: each time they may be another act. Errors: `consent_required` with `prompt=none`.
    pub(crate) fn needs_consent(&self, client: &Client, issuer: &Issuer, remembered: &Scope) -> Result<bool, Error> {
        let is_given = self.authorization_details.is_empty() && (client.skip_consent || self.is_decided(remembered));
        if is_given && self.may_use_earlier_consent(client, issuer) && !self.prompt.consent {
            return Ok(false);
        }
        if self.prompt.none {
            return Err(Error::new(
                ErrorCode::ConsentRequired,
                "the user has not consented to this request, and prompt=none allows no page",
            ));
        }
        Ok(true)
    }

    /// True if earlier consent applies to this request. False for a client without a secret whose redirect URI any
    /// application can claim: nothing shows that the same client is asking (RFC 6749 §10.2, RFC 8252 §8.6).
    pub fn may_use_earlier_consent(&self, client: &Client, issuer: &Issuer) -> bool {
        client.is_confidential() || !self.target.redirect_uri().can_be_claimed(issuer)
    }

    /// Returns the consent to remember when the user allows this request without the claims in `refused`: the earlier consent and
    /// this request, reduced to what the client may still request.
    pub fn consent_to_remember(
        &self,
        client: &Client,
        resources: &[Resource],
        definitions: &ClaimDefinitions,
        earlier: &Scope,
        refused: &[String],
    ) -> Scope {
        let may_request = |token: &str| match remembered_claim(token) {
            Some(claim) => match scope_of(claim) {
                Some(of_claim) => client.scope.contains(of_claim),
                None => definitions.may_be_named(claim, client),
            },
            None => client.scope.contains(token) || resources.iter().any(|known| known.resource == token),
        };
        let mut consent = earlier.with(&self.to_consent());
        for claim in self.named_claims() {
            let is_refused = refused.iter().any(|name| name == claim.name);
            let (decided, undone) = match is_refused {
                true => (claim.refused(), claim.released()),
                false => (claim.released(), claim.refused()),
            };
            consent = consent.without(&undone);
            if let Some(token) = Scope::parse(&decided) {
                consent = consent.with(&token);
            }
        }
        consent.filtered(may_request)
    }
}

impl<Target> AuthorizationRequest<Target> {
    /// True if the request is for access to an API, so that `acr_values` are necessary (RFC 9470 §5). In an authentication request
    /// they are wishes (OpenID Connect Core §3.1.2.1).
    pub(crate) fn is_for_access(&self) -> bool {
        !self.resources.is_empty() || !self.authorization_details.is_empty() || !self.scope.contains("openid")
    }
}

impl AuthorizationRequest<UncheckedTarget> {
    /// Checks the client and the target of a request that was sealed or stored. Errors: `invalid_request`, for the user.
    pub fn recheck(self, client: &Client) -> Result<AuthorizationRequest, Error> {
        let Self {
            client_id,
            target,
            response_type,
            scope,
            resources,
            authorization_details,
            nonce,
            code_challenge,
            dpop_jkt,
            prompt,
            max_age,
            acr_values,
            login_hint,
            claims,
        } = self;
        if client_id != client.client_id {
            return Err(Error::invalid_request("the request belongs to another client"));
        }
        let target = target.check(client)?;
        Ok(AuthorizationRequest {
            client_id,
            target,
            response_type,
            scope,
            resources,
            authorization_details,
            nonce,
            code_challenge,
            dpop_jkt,
            prompt,
            max_age,
            acr_values,
            login_hint,
            claims,
        })
    }
}
