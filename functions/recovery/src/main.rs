//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    provider::lambda::run(recovery::FUNCTION)
}
