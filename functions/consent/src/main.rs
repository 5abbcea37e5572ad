//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("consent", |request, context| Box::pin(consent::handle(request, context)))
}
