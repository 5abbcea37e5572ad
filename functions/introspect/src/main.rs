//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("introspect", |request, context| Box::pin(introspect::handle(request, context)))
}
