//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("register", |request, context| Box::pin(register::handle(request, context)))
}
