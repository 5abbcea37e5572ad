//! Stored hashes of passwords: those of this server, and those that other systems made and an operator imported.

use crate::limits::Argon2Cost;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::collections::BTreeMap;

/// Base64 with or without padding: the systems differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The range of the cost of bcrypt, as a power of two.
const BCRYPT_COST: std::ops::RangeInclusive<u32> = 8..=13;

/// The range of the iterations of PBKDF2.
const PBKDF2_ITERATIONS: std::ops::RangeInclusive<u32> = 10_000..=1_500_000;

/// The range of `N * r` of scrypt, of which one takes 128 bytes: at most 64 MiB, because a Worker has 128 MiB.
const SCRYPT_BLOCKS: std::ops::RangeInclusive<u64> = (1 << 15)..=(1 << 19);

/// The most parallel lanes of scrypt.
const SCRYPT_LANES: u32 = 4;

/// A stored hash of a password. No form is a secret without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredHash {
    /// `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH` (PHC string). The hashes of this server have this form.
    Argon2id(Argon2Cost),
    /// `$2b$COST$…`, also `$2a$` and `$2y$`: 60 characters.
    Bcrypt {
        /// The cost, as a power of two.
        cost: u32,
    },
    /// `$pbkdf2-sha512$i=…$SALT$HASH`, also `$pbkdf2-sha256$` and `$pbkdf2-sha1$` (RFC 8018 §5.2).
    Pbkdf2 {
        /// The hash function of the HMAC.
        digest: Pbkdf2Digest,
        /// The iterations.
        iterations: u32,
        /// The salt.
        salt: Vec<u8>,
        /// The hash.
        hash: Vec<u8>,
    },
    /// `$scrypt$ln=…,r=…,p=…$SALT$HASH` (RFC 7914).
    Scrypt {
        /// The cost.
        cost: ScryptCost,
        /// The salt.
        salt: Vec<u8>,
        /// The hash.
        hash: Vec<u8>,
    },
    /// `$firebase-scrypt$ln=…,r=…,sep=SEPARATOR,key=SIGNER_KEY$SALT$HASH`: scrypt yields a key of AES-256-CTR, which encrypts the signer key of
    /// the project.
    FirebaseScrypt {
        /// The cost.
        cost: ScryptCost,
        /// The salt of the user, then the separator of the project.
        salt: Vec<u8>,
        /// The signer key of the project.
        signer_key: Vec<u8>,
        /// The hash: the encrypted signer key.
        hash: Vec<u8>,
    },
}

/// The hash function of PBKDF2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pbkdf2Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Pbkdf2Digest {
    /// Returns the length of the output, in bytes.
    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Returns the work of a thousand iterations, in units of [`Argon2Cost::work`], as measured in a Worker.
    const fn work(self) -> u64 {
        match self {
            Self::Sha1 => 210,
            Self::Sha256 => 350,
            Self::Sha512 => 480,
        }
    }
}

/// The cost of scrypt (RFC 7914 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScryptCost {
    /// `N`, as a power of two.
    pub log_n: u8,
    /// The size of a block.
    pub r: u32,
    /// The parallel lanes.
    pub p: u32,
}

impl ScryptCost {
    /// Returns `N * r`.
    fn blocks(self) -> u64 {
        1_u64.checked_shl(self.log_n.into()).unwrap_or(u64::MAX).saturating_mul(self.r.into())
    }

    fn is_usable(self) -> bool {
        self.log_n < 32 && SCRYPT_BLOCKS.contains(&self.blocks()) && (1..=SCRYPT_LANES).contains(&self.p)
    }
}

impl StoredHash {
    /// The rule for the form, for an operator.
    pub const FORMS: &str = "must be a hash as text: $argon2id$v=19$…, $2b$…, $pbkdf2-sha512$…, $pbkdf2-sha256$…, $pbkdf2-sha1$…, $scrypt$… or \
                             $firebase-scrypt$… (infra/docs/operations.md)";

    /// Parses a hash; `None` if it has no known form, or salt or hash have no usable length.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(bcrypt) = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix)) {
            let (cost, rest) = bcrypt.split_once('$')?;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
            let is_number = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
            let is_whole = is_number && rest.len() == 53 && rest.bytes().all(is_plain);
            return is_whole.then_some(Self::Bcrypt { cost: cost.parse().ok()? });
        }
        let mut parts = text.strip_prefix('$')?.split('$');
        let scheme = parts.next()?;
        let version = if scheme == "argon2id" { Some(parts.next()?) } else { None };
        let (parameters, salt, hash) =
            (Parameters::parse(parts.next()?)?, decode(parts.next()?)?, decode(parts.next()?)?);
        if parts.next().is_some() || !(1..=64).contains(&salt.len()) || !(16..=128).contains(&hash.len()) {
            return None;
        }
        let pbkdf2 = |digest: Pbkdf2Digest, salt, hash: Vec<u8>| {
            let iterations = parameters.only(&["i"], &["l"])?.number("i")?;
            // A longer hash would let an attacker skip its first part.
            let is_usable = hash.len() <= digest.length();
            is_usable.then_some(Self::Pbkdf2 { digest, iterations, salt, hash })
        };
        match scheme {
            "argon2id" if version == Some("v=19") && salt.len() >= 8 && hash.len() <= 64 => {
                let parameters = parameters.only(&["m", "t", "p"], &[])?;
                let [memory_kib, passes, lanes] = ["m", "t", "p"].map(|name| parameters.number(name));
                Some(Self::Argon2id(Argon2Cost { memory_kib: memory_kib?, passes: passes?, lanes: lanes? }))
            }
            "pbkdf2-sha1" => pbkdf2(Pbkdf2Digest::Sha1, salt, hash),
            "pbkdf2-sha256" => pbkdf2(Pbkdf2Digest::Sha256, salt, hash),
            "pbkdf2-sha512" => pbkdf2(Pbkdf2Digest::Sha512, salt, hash),
            "scrypt" => {
                let parameters = parameters.only(&["ln", "r", "p"], &[])?;
                let log_n = u8::try_from(parameters.number("ln")?).ok()?;
                let cost = ScryptCost { log_n, r: parameters.number("r")?, p: parameters.number("p")? };
                Some(Self::Scrypt { cost, salt, hash })
            }
            "firebase-scrypt" => {
                let parameters = parameters.only(&["ln", "r", "key"], &["sep"])?;
                let log_n = u8::try_from(parameters.number("ln")?).ok()?;
                let cost = ScryptCost { log_n, r: parameters.number("r")?, p: 1 };
                let signer_key = decode(parameters.text("key")?)?;
                let separator = parameters.text("sep").map_or(Some(Vec::new()), decode)?;
                let is_usable = hash.len() == signer_key.len() && separator.len() <= 64;
                is_usable.then(|| Self::FirebaseScrypt { cost, salt: [salt, separator].concat(), signer_key, hash })
            }
            _ => None,
        }
    }

    /// Returns the work of a comparison, in units of [`Argon2Cost::work`]: the time of a failed sign-in follows from it.
    pub fn work(&self) -> u32 {
        let work = match self {
            Self::Argon2id(cost) => return cost.work(),
            // A cost of 10 takes as long as 44,000 KiB and passes.
            Self::Bcrypt { cost } => 43_u64.checked_shl(*cost).unwrap_or(u64::MAX),
            Self::Pbkdf2 { digest, iterations, .. } => {
                u64::from(*iterations).saturating_mul(digest.work()).div_ceil(1000)
            }
            Self::Scrypt { cost, .. } | Self::FirebaseScrypt { cost, .. } => {
                cost.blocks().saturating_mul(cost.p.into()).div_ceil(4)
            }
        };
        u32::try_from(work).unwrap_or(u32::MAX)
    }

    /// True for the form of this server: another hash is replaced at the next sign-in.
    pub fn is_own_form(&self) -> bool {
        matches!(self, Self::Argon2id(_))
    }

    /// Returns the reason for which a hash is not imported, or `None`. `most_work` is the limit of the deployment.
    pub fn problem(text: &str, most_work: u32) -> Option<String> {
        let Some(hash) = Self::parse(text) else { return Some(Self::FORMS.to_owned()) };
        let (is_in_range, range) = match &hash {
            Self::Argon2id(cost) => {
                let (least, most) = (Argon2Cost::LEAST, Argon2Cost::MOST);
                (
                    !cost.is_too_cheap() && !cost.is_too_dear(),
                    format!("{least} (or other memory and passes of that work) to {most}"),
                )
            }
            Self::Bcrypt { cost } => {
                (BCRYPT_COST.contains(cost), format!("a cost of {} to {}", BCRYPT_COST.start(), BCRYPT_COST.end()))
            }
            Self::Pbkdf2 { iterations, .. } => {
                let range = format!("{} to {} iterations", PBKDF2_ITERATIONS.start(), PBKDF2_ITERATIONS.end());
                (PBKDF2_ITERATIONS.contains(iterations), range)
            }
            Self::Scrypt { cost, .. } | Self::FirebaseScrypt { cost, .. } => {
                let (least, most) = (SCRYPT_BLOCKS.start(), SCRYPT_BLOCKS.end());
                (cost.is_usable(), format!("N times r of {least} to {most}, and a p of at most {SCRYPT_LANES}"))
            }
        };
        if !is_in_range {
            return Some(format!(
                "is too cheap to guess at, or costs more than a function can spend; this form needs {range}"
            ));
        }
        let work = hash.work();
        (work > most_work).then(|| {
            format!("takes the work {work}, and this deployment allows {most_work}: raise LATCHKEY_PASSWORD_HASH_WORK")
        })
    }

    /// True if a function can spend the cost: a stored hash may be older than the limits.
    pub fn is_affordable(&self) -> bool {
        match self {
            Self::Argon2id(cost) => !cost.is_too_dear(),
            Self::Bcrypt { cost } => cost <= BCRYPT_COST.end(),
            Self::Pbkdf2 { iterations, .. } => iterations <= PBKDF2_ITERATIONS.end(),
            Self::Scrypt { cost, .. } | Self::FirebaseScrypt { cost, .. } => cost.is_usable(),
        }
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// The parameters of a hash: `name=value`, separated by commas.
struct Parameters<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Parameters<'a> {
    /// Parses parameters; `None` if one is malformed or repeated.
    fn parse(text: &'a str) -> Option<Self> {
        let mut found = BTreeMap::new();
        for pair in text.split(',') {
            let (name, value) = pair.split_once('=')?;
            if found.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Self(found))
    }

    /// Returns the parameters if all of the first list are there, and no others than those of both lists.
    fn only(&self, needed: &[&str], allowed: &[&str]) -> Option<&Self> {
        let is_known = |name: &&str| needed.contains(name) || allowed.contains(name);
        let is_right = needed.iter().all(|name| self.0.contains_key(name)) && self.0.keys().all(is_known);
        is_right.then_some(self)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn number(&self, name: &str) -> Option<u32> {
        let text = self.text(name)?;
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "c2FsdHNhbHRzYWx0c2FsdA";
    const HASH: &str = "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";

    fn problem(text: &str) -> Option<String> {
        StoredHash::problem(text, Argon2Cost::MOST.work())
    }

    #[test]
    fn hashes_that_sign_in_could_not_check_are_refused() {
        let good = format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}${HASH}");
        assert_eq!(problem(&good), None);
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("m=19456", "m=4096"),
            ("m=19456", "m=1048576"),
            ("m=19456", "m=+19456"),
            ("t=2", "t=1"),
            ("t=2", "t=1000"),
            ("p=1", "p=0"),
            ("p=1", "p=1,x=2"),
            ("p=1", "p=1,p=1"),
            (SALT, "c2Fs"),
            (SALT, "!"),
        ] {
            assert!(problem(&good.replace(from, to)).is_some(), "{from} {to}");
        }
        assert!(problem("four-quiet-lanterns").is_some());
        assert!(problem(&format!("{good}$")).is_some());
    }

    #[test]
    fn other_forms_have_bounds() {
        let bcrypt = |cost: &str| format!("$2b${cost}${}", "a".repeat(53));
        assert_eq!(problem(&bcrypt("10")), None);
        assert_eq!(problem(&bcrypt("13")), None);
        for wrong in ["07", "14", "31", "1", "+9", "010"] {
            assert!(problem(&bcrypt(wrong)).is_some(), "{wrong}");
        }
        assert!(problem(&bcrypt("10").replace("$2b", "$2x")).is_some());
        assert!(problem(&format!("{}a", bcrypt("10"))).is_some());
        for (scheme, right, wrong) in [
            ("pbkdf2-sha1", "i=27500", ["i=9999", "i=1500001", "i=27500,x=1"]),
            ("pbkdf2-sha256", "i=600000,l=32", ["i=1", "l=32", "i=-1"]),
            ("scrypt", "ln=14,r=8,p=1", ["ln=11,r=8,p=1", "ln=17,r=8,p=1", "ln=14,r=8,p=5"]),
            ("scrypt", "ln=16,r=8,p=1", ["ln=64,r=1,p=1", "ln=14,r=0,p=1", "ln=14,r=8"]),
        ] {
            let hash = if scheme == "pbkdf2-sha1" { "aGFzaGhhc2hoYXNoaGFzaGhhc2g" } else { HASH };
            let with = |parameters: &str| format!("${scheme}${parameters}${SALT}${hash}");
            assert_eq!(problem(&with(right)), None, "{scheme}");
            for wrong in wrong {
                assert!(problem(&with(wrong)).is_some(), "{scheme} {wrong}");
            }
        }
        // 32 bytes cannot come from one block of SHA-1.
        assert!(problem(&format!("$pbkdf2-sha1$i=27500${SALT}${HASH}")).is_some());
        let firebase = format!("$firebase-scrypt$ln=14,r=8,sep=Bw==,key={HASH}${SALT}${HASH}");
        assert_eq!(problem(&firebase), None);
        assert!(problem(&firebase.replace(&format!("key={HASH}"), &format!("key={SALT}"))).is_some());
    }

    #[test]
    fn the_work_is_a_limit_of_the_deployment() {
        let hash = format!("$2b$12${}", "a".repeat(53));
        let refused = StoredHash::problem(&hash, Argon2Cost::GENERATED.work()).unwrap();
        assert!(refused.contains("176128") && refused.contains("raise LATCHKEY_PASSWORD_HASH_WORK"), "{refused}");
        assert_eq!(StoredHash::problem(&hash, 176_128), None);
    }
}
