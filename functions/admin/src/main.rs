//! The Lambda function `admin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::lambda::run("admin", |request, context| Box::pin(admin::handle(request, context)))
}
