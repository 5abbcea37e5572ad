//! `latchkey doctor`: follows the way of an MCP client that sees a server for the first time, and reports where it would fail.
//! The way: challenge and metadata of the MCP server (RFC 9728), metadata of the authorization server (RFC 8414), registration
//! (RFC 7591) or client ID metadata document, sign-in page.

mod authorization_server;
mod challenge;
mod mcp_server;
mod report;
mod web;

use crate::args::DoctorArgs;
use crate::failure::Failure;
use crate::output::Output;
use report::{Report, State};
use web::Web;

/// Names of the checks behind the metadata of the MCP server, in order.
const OF_SERVER: [&str; 5] = ["server metadata", "issuer", "PKCE", "endpoints", "scopes"];
/// Names of the checks that need the metadata of the authorization server.
const OF_CLIENT: [&str; 3] = ["registration", "client document", "sign-in page"];

/// Runs the checks. Errors: a client would fail, or a check could not run.
pub(crate) fn run(args: &DoctorArgs, output: Output) -> Result<(), Failure> {
    let web = Web::new(args)?;
    let mut report = Report::default();
    examine(args, &web, &mut report);
    output.print(&report.json(&args.mcp), || report.text());
    match (report.count(State::Failed), report.count(State::NotRun)) {
        (0, 0) => Ok(()),
        (failed, not_run) => {
            let failure = Failure::new(format!("{failed} checks failed, {not_run} could not run."));
            Err(failure.remedy("Each line that begins with > is a remedy. infra/docs/mcp.md has a table of symptoms."))
        }
    }
}

fn examine(args: &DoctorArgs, web: &Web, report: &mut Report) {
    let Some(protected) = mcp_server::examine(args, web, report) else {
        let reason = "the metadata of the MCP server name no authorization server";
        report.not_run(&OF_SERVER, reason);
        report.not_run(&OF_CLIENT, reason);
        return;
    };
    let Some(metadata) = authorization_server::examine(&protected, web, report) else {
        report.not_run(&OF_CLIENT, "the metadata of the authorization server cannot be used");
        return;
    };
    authorization_server::try_clients(args, &protected, &metadata, web, report);
}
