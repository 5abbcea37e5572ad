//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("metadata", |request, context| Box::pin(metadata::handle(request, context)))
}
