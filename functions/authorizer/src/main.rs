//! The authorizer on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    authorizer::lambda::run()
}
