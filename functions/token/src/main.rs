//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run_signing("token", |request, context| Box::pin(token::handle(request, context)))
}
