//! The filter of common passwords: a Golomb-coded set. It has no false negatives, and takes one good password in 4,096 for a
//! common one.
//!
//! `common_passwords.txt` is the source: the entries of at least 8 characters of Django's list. The test writes the filter anew
//! if `LATCHKEY_WRITE_FILTER` is set.

use sha2::{Digest, Sha256};

/// The filter. The number of entries (4 bytes, big-endian), and the differences of their sorted hashes as Rice codes.
const FILTER: &[u8] = include_bytes!("common_passwords.bin");

/// Bits of a remainder: one password in 2^12 is taken for a common one.
const REMAINDER_BITS: u32 = 12;

/// True if the password, in lower case, is in the list.
pub(super) fn contains(password: &str) -> bool {
    let Some((count, codes)) = FILTER.split_first_chunk::<4>() else { return false };
    let count = u32::from_be_bytes(*count);
    let wanted = hash(password, count);
    let mut bits = codes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7_u32.saturating_sub(bit)) & 1 == 1));
    let mut value = 0_u64;
    for _ in 0..count {
        let quotient = bits.by_ref().take_while(|bit| *bit).count();
        let remainder =
            bits.by_ref().take(REMAINDER_BITS as usize).fold(0_u64, |value, bit| value << 1 | u64::from(bit));
        let difference = (u64::try_from(quotient).unwrap_or(u64::MAX)) << REMAINDER_BITS | remainder;
        value = value.saturating_add(difference);
        if value >= wanted {
            return value == wanted;
        }
    }
    false
}

/// Returns the hash of an entry among `count`: a number below `count << REMAINDER_BITS`.
fn hash(password: &str, count: u32) -> u64 {
    let digest = Sha256::digest(password.as_bytes());
    let first = digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let range = u128::from(count) << REMAINDER_BITS;
    u64::try_from(u128::from(first).saturating_mul(range) >> 64).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use super::super::new_password::is_predictable;
    use super::*;
    use std::path::Path;

    const LIST: &str = include_str!("common_passwords.txt");

    /// The entries that no rule refuses anyway.
    fn entries() -> Vec<&'static str> {
        LIST.lines().filter(|entry| !is_predictable(entry)).collect()
    }

    fn filter(entries: &[&str]) -> Vec<u8> {
        let count = u32::try_from(entries.len()).unwrap();
        let mut hashes: Vec<u64> = entries.iter().map(|entry| hash(entry, count)).collect();
        hashes.sort_unstable();
        let (mut bits, mut before) = (Vec::new(), 0);
        for hash in hashes {
            let difference = hash - before;
            before = hash;
            bits.extend((0..difference >> REMAINDER_BITS).map(|_| true));
            bits.push(false);
            bits.extend((0..REMAINDER_BITS).rev().map(|bit| difference >> bit & 1 == 1));
        }
        let bytes = bits.chunks(8).map(|chunk| {
            chunk.iter().enumerate().fold(0_u8, |byte, (index, bit)| byte | u8::from(*bit) << (7 - index))
        });
        count.to_be_bytes().into_iter().chain(bytes).collect()
    }

    #[test]
    fn the_filter_is_made_of_the_list() {
        let made = filter(&entries());
        if std::env::var_os("LATCHKEY_WRITE_FILTER").is_some() {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/authentication/common_passwords.bin");
            std::fs::write(file, &made).unwrap();
            return;
        }
        assert!(made == FILTER, "run this test with LATCHKEY_WRITE_FILTER=1");
        assert!(FILTER.len() < 16_000, "{} bytes weigh on each Worker that sets passwords", FILTER.len());
    }

    #[test]
    fn each_entry_is_found_and_hardly_anything_else() {
        for entry in entries().iter().step_by(40) {
            assert!(contains(entry), "{entry}");
        }
        let strangers = (0..1_000).filter(|number| contains(&format!("stranger {number}"))).count();
        assert!(strangers < 4, "{strangers} of 1,000");
    }
}
