//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("authorize", |request, context| Box::pin(authorize::handle(request, context)))
}
