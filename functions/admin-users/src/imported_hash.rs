//! Imported hashes of passwords, as PHC strings: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use protocol::limits::Argon2Cost;

/// Returns the reason for which a hash is rejected, or `None`. `most_work` is the limit of the deployment.
pub(crate) fn problem(phc: &str, most_work: u32) -> Option<String> {
    let usual = Argon2Cost::GENERATED;
    let form = || Some(format!("must be an Argon2id hash as a PHC string: $argon2id$v=19${usual}$SALT$HASH"));
    let Some((parameters, salt, hash)) = parts(phc) else { return form() };
    let Some(cost) = cost(parameters) else { return form() };
    let length = |text: &str| STANDARD_NO_PAD.decode(text).map(|bytes| bytes.len()).unwrap_or(0);
    if !(8..=64).contains(&length(salt)) || !(16..=64).contains(&length(hash)) {
        let rule = "must have a salt of 8 to 64 bytes and a hash of 16 to 64 bytes, in base64 without padding";
        return Some(rule.to_owned());
    }
    if cost.is_too_cheap() {
        return Some(format!("is too cheap to guess at; use {usual} or more"));
    }
    if cost.is_too_dear() {
        return Some(format!("costs more than a function can spend: at most {}", Argon2Cost::MOST));
    }
    if cost.work() > most_work {
        let work = cost.work();
        return Some(format!(
            "takes the work {work} (memory in KiB times passes), and this deployment allows {most_work}: raise LATCHKEY_PASSWORD_HASH_WORK"
        ));
    }
    None
}

fn parts(phc: &str) -> Option<(&str, &str, &str)> {
    let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
    let found = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(found)
}

fn cost(parameters: &str) -> Option<Argon2Cost> {
    let mut parameters = parameters.split(',');
    let mut number = |name| parameters.next()?.strip_prefix(name)?.parse().ok();
    let found = Argon2Cost { memory_kib: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
    parameters.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use protocol::limits::Argon2Cost;

    fn problem(phc: &str) -> Option<String> {
        super::problem(phc, Argon2Cost::GENERATED.work())
    }

    #[test]
    fn hashes_that_sign_in_could_not_check_are_refused() {
        let good = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        assert_eq!(problem(good), None);
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("m=19456", "m=4096"),
            ("m=19456", "m=1048576"),
            ("m=19456", "m=19457"),
            ("t=2", "t=1"),
            ("t=2", "t=1000"),
            ("p=1", "p=0"),
            ("p=1", "p=1,x=2"),
            ("c2FsdHNhbHRzYWx0c2FsdA", "c2Fs"),
            ("c2FsdHNhbHRzYWx0c2FsdA", "!"),
        ] {
            assert!(problem(&good.replace(from, to)).is_some(), "{from} {to}");
        }
        let dearer = good.replace("t=2", "t=4");
        assert!(problem(&dearer).unwrap().contains("raise LATCHKEY_PASSWORD_HASH_WORK"));
        assert_eq!(super::problem(&dearer, 77_824), None);
        assert!(problem("four-quiet-lanterns").is_some());
        assert!(problem(&format!("{good}$")).is_some());
    }
}
