//! The sample API on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    demo_api::lambda::run()
}
