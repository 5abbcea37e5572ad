//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("device", |request, context| Box::pin(device::handle(request, context)))
}
