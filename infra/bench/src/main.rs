//! `cargo run --release -p bench -- [USERS]`: the share of each partition, owner and object; 100 million users by default.
#![allow(clippy::print_stdout, reason = "a tool that prints a table")]

use bench::{Load, Share, simulate};
use std::process::ExitCode;
use std::thread;

/// Numbers of objects whose shares are shown.
const SHARDS: [u16; 4] = [16, 64, 256, 1024];

/// The most that a part may receive, in multiples of the mean.
const LIMIT: f64 = 2.0;

fn main() -> ExitCode {
    let users: u64 = std::env::args().nth(1).and_then(|users| users.parse().ok()).unwrap_or(100_000_000);
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let (load, size) = (Load::default(), users.div_ceil(threads));
    thread::scope(|scope| {
        for first in (0..users).step_by(usize::try_from(size.max(1)).unwrap_or(usize::MAX)) {
            let (load, last) = (&load, first.saturating_add(size).min(users));
            scope.spawn(move || simulate(first..last, load));
        }
    });
    let mut shares = vec![
        ("partition of users".to_owned(), load.partitions(1)),
        ("partition with a bucket of each list".to_owned(), load.bucket_partitions()),
    ];
    shares.extend(load.owners().map(|(list, share)| (format!("owner of the list {list}"), share)));
    shares.extend(SHARDS.into_iter().map(|shards| ("object".to_owned(), load.objects(shards))));
    println!(
        "| part of the store | number | calls | the most loaded one, in multiples of the mean |\n|---|---|---|---|"
    );
    for (name, Share { parts, calls, most }) in &shares {
        println!("| {name} | {parts} | {calls} | {most:.2} |");
    }
    if shares.iter().all(|(_, share)| share.most <= LIMIT) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
