//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("admin", |request, context| Box::pin(admin::handle(request, context)))
}
