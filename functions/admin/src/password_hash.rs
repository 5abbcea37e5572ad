//! Hashes of passwords, as PHC strings: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// Greatest memory in KiB: a Worker has 128 MiB in total.
const MAX_MEMORY: u32 = 65_536;
/// The least memory of OWASP's recommendations, in KiB.
const MIN_MEMORY: u32 = 7168;
/// Memory × passes of the cheapest of OWASP's recommendations.
const MIN_WORK: u32 = 7168 * 5;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 4;

/// Returns the reason for which a hash is rejected, or `None`.
pub(crate) fn problem(phc: &str) -> Option<&'static str> {
    const FORM: &str = "must be an Argon2id hash as a PHC string: $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH";
    let Some((parameters, salt, hash)) = parts(phc) else { return Some(FORM) };
    let Some((memory, passes, lanes)) = costs(parameters) else { return Some(FORM) };
    let length = |text: &str| STANDARD_NO_PAD.decode(text).map(|bytes| bytes.len()).unwrap_or(0);
    if !(8..=64).contains(&length(salt)) || !(16..=64).contains(&length(hash)) {
        return Some("must have a salt of 8 to 64 bytes and a hash of 16 to 64 bytes, in base64 without padding");
    }
    if memory < MIN_MEMORY || memory.saturating_mul(passes) < MIN_WORK {
        return Some("is too cheap to guess at; use m=19456,t=2,p=1 or more");
    }
    if memory > MAX_MEMORY || passes > MAX_PASSES || !(1..=MAX_LANES).contains(&lanes) {
        return Some("costs more than a function can spend: at most m=65536,t=10,p=4");
    }
    None
}

fn parts(phc: &str) -> Option<(&str, &str, &str)> {
    let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
    let found = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(found)
}

fn costs(parameters: &str) -> Option<(u32, u32, u32)> {
    let mut parameters = parameters.split(',');
    let mut cost = |name| parameters.next()?.strip_prefix(name)?.parse().ok();
    let found = (cost("m=")?, cost("t=")?, cost("p=")?);
    parameters.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn hashes_that_sign_in_could_not_check_are_refused() {
        let good = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        assert_eq!(problem(good), None);
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("m=19456", "m=4096"),
            ("m=19456", "m=1048576"),
            ("t=2", "t=1"),
            ("t=2", "t=1000"),
            ("p=1", "p=0"),
            ("p=1", "p=1,x=2"),
            ("c2FsdHNhbHRzYWx0c2FsdA", "c2Fs"),
            ("c2FsdHNhbHRzYWx0c2FsdA", "!"),
        ] {
            assert!(problem(&good.replace(from, to)).is_some(), "{from} {to}");
        }
        assert!(problem("demo-password").is_some());
        assert!(problem(&format!("{good}$")).is_some());
    }
}
