//! The `latchkey` command: runs a provider on this machine, and administers a deployment on any platform.

#![allow(
    clippy::disallowed_methods,
    reason = "this is a program of an ordinary machine, which may ask for the time; it never runs in a Worker"
)]

mod args;
mod chooser;
mod client;
mod clock;
mod demo;
mod deployment;
mod dev;
mod dynamodb;
mod failure;
mod init;
mod keys;
mod output;
mod password;
mod secret;
mod user;

use args::{Cli, Command};
use output::Output;
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::of_process();
    let output = if cli.json { Output::Json } else { Output::Text };
    let result = match &cli.command {
        Command::Dev(args) => dev::run(args, output),
        Command::Seed(args) => demo::seed(args, output),
        Command::Client(command) => client::run(command, output),
        Command::User(command) => user::run(command, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Init => init::run(output),
        Command::Dynamodb(args) => dev::run_store(args, output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match output {
                Output::Json => eprintln!("{}", json!({ "error": failure.what(), "remedy": failure.how() })),
                Output::Text => eprintln!("latchkey: {failure}"),
            }
            ExitCode::FAILURE
        }
    }
}
