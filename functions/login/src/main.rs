//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("login", |request, context| Box::pin(login::handle(request, context)))
}
