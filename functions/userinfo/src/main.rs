//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("userinfo", |request, context| Box::pin(userinfo::handle(request, context)))
}
