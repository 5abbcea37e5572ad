//! The `latchkey` command: runs a provider on this machine, and administers a deployment on any platform.

#![allow(
    clippy::disallowed_methods,
    reason = "the command runs on an ordinary machine, never in a Worker, and may read the clock"
)]

mod admin_key;
mod args;
mod chooser;
mod client;
mod clock;
mod config;
mod demo;
mod deployment;
mod dev;
mod doctor;
mod failure;
mod import;
mod init;
mod keys;
mod output;
mod password;
mod private_key;
mod records;
mod secret;
mod user;

use args::{Cli, Command};
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::of_process();
    let output = if cli.json { Output::Json } else { Output::Text };
    let result = match &cli.command {
        Command::Dev(args) => dev::run(args, output),
        Command::Seed(args) => demo::seed(args, output),
        Command::Client(command) => client::run(command, output),
        Command::User(command) => user::run(command, output),
        Command::Config(command) => config::run(command, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Secret(command) => secret::run(command, output),
        Command::AdminKey(command) => admin_key::run(command, output),
        Command::Records(command) => records::run(command, output),
        Command::Doctor(args) => doctor::run(args, output),
        Command::Init(args) => init::run(args, output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match output {
                Output::Json => eprintln!("{}", failure.json()),
                Output::Text => eprintln!("latchkey: {failure}"),
            }
            ExitCode::FAILURE
        }
    }
}
