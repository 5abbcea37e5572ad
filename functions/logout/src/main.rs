//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("logout", |request, context| Box::pin(logout::handle(request, context)))
}
