//! Credentials: what proves to the Durable Objects which function calls them.

use crate::derived::{self, DerivedKeys};
use crate::{Secret, Secrets};
use zeroize::Zeroizing;

/// Returns the credential of a function: the one in its exported keys, or the one that the keys or the deployment secret derive.
/// `keys` and `secret` are the settings as they are; `None` if neither yields a credential. Never log it.
pub fn credential(function: &str, keys: Option<&str>, secret: Option<&str>) -> Option<Zeroizing<String>> {
    if let Some(keys) = keys {
        let exported = derived::credential_of(keys).map(Zeroizing::new);
        return exported.or_else(|| DerivedKeys::parse(keys).ok()?.credential(function));
    }
    Secret::parse(secret?).ok()?.derive().credential(function)
}

impl Secrets {
    /// Returns the credential of a function under the current secret; `None` without the key for credentials. Never log it.
    pub fn credential(&self, function: &str) -> Option<Zeroizing<String>> {
        self.current().credential(function)
    }

    /// True if a text is the credential of a function, under the current or the previous secret. The time of the comparison does
    /// not depend on the text. False without the key for credentials.
    pub fn accepts_credential(&self, function: &str, credential: &str) -> bool {
        let accepts = |keys: &DerivedKeys| keys.accepts_credential(function, credential);
        let of_previous = self.previous().is_some_and(accepts);
        accepts(self.current()) | of_previous
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::{FUNCTIONS, Function, Purpose};

    const TOKEN: Function = manifest::function("token");
    const RECORDS: Function = manifest::function("records");

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes([byte; 32])
    }

    /// Returns what the owner of the objects accepts with these secrets.
    fn owner(current: u8, previous: Option<u8>) -> Secrets {
        let keys = |byte: u8| DerivedKeys::parse(&secret(byte).keys_of(&RECORDS, None)).unwrap();
        Secrets::of(keys(current), previous.map(keys))
    }

    fn of(function: &str, byte: u8) -> String {
        let row = FUNCTIONS.iter().find(|row| row.name == function).unwrap();
        credential(function, Some(&secret(byte).keys_of(row, None)), None).unwrap().to_string()
    }

    /// Computed by another implementation of HKDF and HMAC.
    #[test]
    fn derivation_never_changes() {
        assert_eq!(of("token", 7), "9AhVIX10s7XwQZ6vQdVqTwvYO6sIOV7enC5NXatOdUY");
    }

    #[test]
    fn a_credential_is_for_one_function_and_one_secret() {
        let owner = owner(1, None);
        assert!(owner.accepts_credential("token", &of("token", 1)));
        for (function, credential) in
            [("login", of("token", 1)), ("token", of("token", 2)), ("token", String::new()), ("token", "AAAA".into())]
        {
            assert!(!owner.accepts_credential(function, &credential), "{function} {credential}");
        }
        let longer = format!("{}A", of("token", 1));
        assert!(!owner.accepts_credential("token", &longer));
    }

    #[test]
    fn during_a_change_of_the_secret_both_credentials_are_accepted() {
        let owner = owner(2, Some(1));
        assert!(
            owner.accepts_credential("token", &of("token", 1)) && owner.accepts_credential("token", &of("token", 2))
        );
        assert!(!owner.accepts_credential("token", &of("token", 3)));
        assert!(!owner.accepts_credential("login", &of("token", 1)));
    }

    /// A function cannot make the credential of another one.
    #[test]
    fn only_the_owner_of_the_objects_has_the_key() {
        for function in FUNCTIONS.iter().filter(|function| function.has_keys()) {
            let keys = secret(1).keys_of(function, None);
            let secrets = Secrets::of(DerivedKeys::parse(&keys).unwrap(), None);
            let is_owner = function.name == "records";
            assert_eq!(secrets.has(Purpose::Records), is_owner, "{}", function.name);
            assert_eq!(secrets.accepts_credential("token", &of("token", 1)), is_owner, "{}", function.name);
            assert!(credential(function.name, Some(&keys), None).is_some(), "{}", function.name);
        }
    }

    #[test]
    fn the_deployment_secret_yields_the_same_credential() {
        let text = secret(1).to_base64url();
        assert_eq!(credential("token", None, Some(&text)).unwrap().as_str(), of("token", 1));
        let without = secret(1).export(&TOKEN.purposes(), None);
        assert_eq!(credential("token", Some(&without), None), None);
        assert_eq!(credential("token", Some("{"), None), None);
        assert_eq!(credential("token", None, None), None);
    }
}
