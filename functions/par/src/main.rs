//! The function on AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("par", |request, context| Box::pin(par::handle(request, context)))
}
