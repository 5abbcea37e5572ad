//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("revoke", |request, context| Box::pin(revoke::handle(request, context)))
}
