//! The algorithms of this server's signatures.

use crate::{Client, Problem};
use types::Algorithm;

/// The algorithms of this server's signatures. RS256 is always among them: OpenID Connect Core §15.1 and RFC 9068 §2.1 require it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningAlgorithms(Vec<Algorithm>);

impl Default for SigningAlgorithms {
    fn default() -> Self {
        Self(Algorithm::ALL.to_vec())
    }
}

impl SigningAlgorithms {
    /// Returns the algorithms without those of these key types (`kty`, RFC 7517 §4.1). Errors: a word that is no key type which can
    /// be omitted.
    pub fn without<'a>(key_types: &[&'a str]) -> Result<Self, &'a str> {
        let mut algorithms = Algorithm::ALL.to_vec();
        for kty in key_types {
            let omitted = match *kty {
                "OKP" => Algorithm::EdDSA,
                "EC" => Algorithm::ES256,
                other => return Err(other),
            };
            algorithms.retain(|alg| *alg != omitted);
        }
        Ok(Self(algorithms))
    }

    /// Returns the algorithms.
    pub fn offered(&self) -> &[Algorithm] {
        &self.0
    }

    /// True if others may encrypt to this server: its key is on P-256, and keys of that type are not omitted.
    pub fn receives(&self) -> bool {
        self.0.contains(&Algorithm::ES256)
    }

    /// Returns the algorithm that signs for a client in place of `wanted`: itself, if it is offered and the profile of the client allows
    /// it. A client may have registered it before that. Else the same key signs by RS256, or by PS256 for a client with a profile.
    pub fn signature(&self, wanted: Algorithm, client: &Client) -> Algorithm {
        match client.profile {
            _ if self.0.contains(&wanted) && client.may_sign_by(wanted) => wanted,
            Some(_) => Algorithm::PS256,
            None => Algorithm::RS256,
        }
    }
}

/// Returns the problem of an algorithm that this server does not sign with.
pub(crate) fn problem(field: &'static str, wanted: Option<Algorithm>, offered: &[Algorithm]) -> Option<Problem> {
    let omitted = wanted.filter(|alg| !offered.contains(alg))?;
    let names: Vec<&str> = offered.iter().map(|alg| alg.as_str()).collect();
    Some(Problem::new(field, format!("must be one of {}: this server signs nothing by {omitted}", names.join(", "))))
}

impl Client {
    /// Returns the problems of the signatures that the client demands of this server.
    pub fn signature_problems(&self, offered: &[Algorithm]) -> Vec<Problem> {
        let demands = [
            ("id_token_signed_response_alg", Some(self.id_token_signed_response_alg)),
            ("userinfo_signed_response_alg", self.userinfo_signed_response_alg),
            ("introspection_signed_response_alg", self.introspection_signed_response_alg),
            ("authorization_signed_response_alg", self.authorization_signed_response_alg),
            ("access_token_signed_response_alg", self.access_token_signed_response_alg),
        ];
        demands.into_iter().filter_map(|(field, wanted)| problem(field, wanted, offered)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn omitted_key_types_sign_nothing() {
        let all = SigningAlgorithms::default();
        assert_eq!(SigningAlgorithms::without(&[]), Ok(all.clone()));
        let client = |members: Value| Client::parse(members.as_object().unwrap().clone()).0.unwrap();
        let plain = client(json!({ "client_id": "x" }));
        assert_eq!(all.signature(Algorithm::EdDSA, &plain), Algorithm::EdDSA);
        let rsa = SigningAlgorithms::without(&["OKP", "EC"]).unwrap();
        assert_eq!(rsa.offered(), [Algorithm::RS256, Algorithm::PS256]);
        assert!(all.receives() && !rsa.receives());
        assert_eq!(Algorithm::ALL.map(|alg| rsa.signature(alg, &plain)).last(), Some(&Algorithm::RS256));
        assert_eq!(rsa.signature(Algorithm::PS256, &plain), Algorithm::PS256);
        let fapi = client(json!({ "client_id": "x", "profile": "fapi2-security" }));
        assert_eq!(Algorithm::ALL.map(|alg| rsa.signature(alg, &fapi)), [Algorithm::PS256; 4]);
        let by = Algorithm::ALL.map(|alg| all.signature(alg, &fapi));
        assert_eq!(by, [Algorithm::ES256, Algorithm::PS256, Algorithm::PS256, Algorithm::EdDSA]);
        for word in ["RSA", "okp", "oct", ""] {
            assert_eq!(SigningAlgorithms::without(&[word]), Err(word));
        }
    }

    #[test]
    fn a_client_cannot_demand_an_omitted_algorithm() {
        let members = json!({ "client_id": "x", "userinfo_signed_response_alg": "EdDSA", "id_token_signed_response_alg": "ES256" });
        let (client, _) = Client::parse(members.as_object().unwrap().clone());
        let rsa = SigningAlgorithms::without(&["OKP", "EC"]).unwrap();
        let problems = client.clone().unwrap().signature_problems(rsa.offered());
        let fields: Vec<&str> = problems.iter().map(Problem::field).collect();
        assert_eq!(fields, ["id_token_signed_response_alg", "userinfo_signed_response_alg"]);
        assert!(client.unwrap().signature_problems(&Algorithm::ALL).is_empty());
    }
}
