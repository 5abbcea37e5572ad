//! The short run of the gate: each target gets its seeds, and a fixed number of mutations of them, on stable Rust.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "as above")]

use fuzz_targets::{TARGETS, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Mutations for each target. `LATCHKEY_FUZZ_CASES` sets another number.
const CASES: u64 = 4_000;
/// No input is longer, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// SplitMix64 (Steele, Lea, Flood 2014): the same sequence in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap()
    }
}

/// Values at which parsers change their mind.
const INTERESTING: &[&[u8]] = &[
    b"",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbf\xbd",
    b"%",
    b"%00",
    b"%2",
    b"+",
    b"&",
    b"=",
    b";",
    b",",
    b":",
    b"@",
    b"#",
    b"?",
    b"/",
    b"//",
    b"\\",
    b"..",
    b"\"",
    b"'",
    b"<",
    b">",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"9223372036854775807",
    b"[[[[[[[[",
    b"{\"a\":",
    b"localhost",
    b"127.0.0.1",
    b"[::1]",
    b"\xe2\x80\xae",
    b"\r\n",
    b" ",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"<!--",
    b"]]>",
    b"&amp;",
    b"\x30\x84\xff\xff\xff\xff",
];

/// A seed with a few changes: bytes flipped, inserted, removed, repeated, exchanged with those of another seed.
fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(24)).min(bytes.len());
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                let times = random.below(40);
                bytes.splice(at..at, part.repeat(times));
            }
            4 => bytes.truncate(at),
            5 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                bytes.splice(at..end, other[from..].iter().copied().take(64));
            }
            _ => {
                bytes.splice(at..end, INTERESTING[random.below(INTERESTING.len())].iter().copied());
            }
        }
        bytes.truncate(MAX_LENGTH);
    }
    bytes
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let listing = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn check(target: &Target, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        let text = String::from_utf8_lossy(bytes);
        panic!("{}: add this input to seeds/{0} once it is repaired: {bytes:02x?} {text:?}", target.name);
    }
}

/// One target after the other would leave a processor idle.
fn run(half: usize) {
    let cases = std::env::var("LATCHKEY_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    for target in TARGETS.iter().skip(half).step_by(2) {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        seeds.iter().for_each(|seed| check(target, seed));
        let mut random = Random(0x1a7c_4ce1);
        for _ in 0..cases {
            check(target, &mutated(&mut random, &seeds));
        }
    }
}

#[test]
fn no_seed_and_no_mutation_breaks_the_first_half_of_the_targets() {
    run(0);
}

#[test]
fn no_seed_and_no_mutation_breaks_the_second_half_of_the_targets() {
    run(1);
}

#[test]
fn cargo_fuzz_has_a_binary_for_each_target() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let source =
            std::fs::read_to_string(directory.join("fuzz_targets").join(format!("{}.rs", target.name))).unwrap();
        assert!(source.contains(&format!("\"{}\"", target.name)), "{source}");
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
}
