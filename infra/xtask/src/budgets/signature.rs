//! The cost of one ES256 signature on this machine, now: the unit for everything that signs.

use super::row::median;
use crate::process;
use anyhow::{Context, Result};
use std::process::Command;

/// Returns the processor time of one signature by `openssl speed`, in microseconds: the median of three runs.
pub(super) fn es256() -> Result<f64> {
    median(std::iter::repeat_with(one).take(3).collect::<Result<_>>()?)
}

fn one() -> Result<f64> {
    let mut openssl = Command::new("openssl");
    let text = process::output(openssl.args(["speed", "-seconds", "1", "-mr", "ecdsap256"]))?;
    microseconds(&text).with_context(|| format!("the output of openssl speed has no signatures: {text}"))
}

/// Reads a line such as `+F4:3:256:65156.097561:22361.904762`: bits, signatures in a second, verifications in a second.
fn microseconds(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("+F4:"))?;
    let in_a_second: f64 = line.split(':').nth(3)?.parse().ok()?;
    (in_a_second > 0.0).then_some(1e6 / in_a_second)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_openssl_says_is_read() {
        assert_eq!(super::microseconds("+H\n+F4:3:256:50000.0:22361.9\n"), Some(20.0));
        assert_eq!(super::microseconds("nothing"), None);
    }
}
