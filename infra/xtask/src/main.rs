//! `cargo xtask`: tests, budgets, generated files, emulators.
#![allow(clippy::disallowed_methods, reason = "runs on a developer's machine, whose clock it may read")]
#![allow(clippy::indexing_slicing, reason = "JSON and YAML answer null for what is missing")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

mod budgets;
mod clients;
mod demo;
mod function_keys;
mod generate;
mod http;
mod lambda;
mod load;
mod process;
mod processor;
mod readme;
mod rows;
mod samples;
mod style;
mod template;
mod test;
mod tools;
mod workers;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use workspace::Build;

/// Tests and budgets of Latchkey.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every check and prints a table of the results. Installs tools that are missing.
    #[command(after_help = format!("Steps:\n{}", test::list()))]
    Test {
        /// Runs only this step. May be repeated.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
    },
    /// Measures cold starts, sizes and processor time, and compares them with the budgets.
    #[command(after_help = format!("Groups:\n{}\nWith LATCHKEY_PREBUILT=1 it uses what was built before.", budgets::list()))]
    Budgets {
        /// Measures only this group. May be repeated.
        #[arg(long, value_name = "GROUP")]
        only: Vec<String>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        /// Writes the table into infra/docs/measurements.md and the summary into the README.
        #[arg(long)]
        write: bool,
    },
    /// Runs client libraries of several languages against `latchkey dev`, with the defaults of both sides, and prints a table.
    Clients {
        /// Runs only this sample. May be repeated.
        #[arg(long, value_name = "SAMPLE")]
        only: Vec<String>,
        /// Lists the samples, and runs none.
        #[arg(long, conflicts_with = "only")]
        list: bool,
    },
    /// Compares the generated tables of the documentation with the code.
    Readme {
        /// Replaces them.
        #[arg(long)]
        write: bool,
    },
    /// Writes the functions of template.yaml and all of wrangler.toml from shared/manifest.
    Generate {
        /// Writes nothing, and fails with the differences if a file is not up to date.
        #[arg(long, conflicts_with_all = ["deployment", "out"])]
        check: bool,
        /// The file of a second deployment on Cloudflare, like infra/cloudflare/deployment.toml.
        #[arg(long, value_name = "FILE", requires = "out")]
        deployment: Option<PathBuf>,
        /// The file to write in place of wrangler.toml, in the root of the checkout.
        #[arg(long, value_name = "FILE", requires = "deployment")]
        out: Option<PathBuf>,
    },
    /// Checks licenses, sources and duplicate versions of the dependencies by cargo-deny, which is built on first use.
    Deny {
        /// Also checks known vulnerabilities; their database comes from the network.
        #[arg(long)]
        advisories: bool,
    },
    /// Checks the writing rules of CONTRIBUTING.md in comments and Markdown.
    Style {
        /// Checks these files and folders, instead of those that the gate checks.
        paths: Vec<std::path::PathBuf>,
    },
    /// Checks template.yaml as SAM and CloudFormation do, and that a second stack can exist.
    CheckTemplate,
    /// Serves the Workers in workerd, with the demo data, until standard input ends.
    Workers {
        /// The port; a free one by default.
        #[arg(long)]
        port: Option<u16>,
        /// A setting of the functions; may be repeated.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Emulates AWS on this machine.
    #[command(subcommand)]
    Lambda(LambdaCommand),
}

#[derive(Subcommand)]
enum LambdaCommand {
    /// Serves the Lambda functions, with the demo data, until interrupted.
    Serve {
        /// The port; 0 takes a free one.
        #[arg(long, default_value_t = 8788)]
        port: u16,
        /// The build of the functions.
        #[arg(long, value_enum, default_value = "dev")]
        build: Build,
        /// Uses the binaries that were built before.
        #[arg(long)]
        no_build: bool,
        /// The deployment's secret; a new one by default.
        #[arg(long, env = "LATCHKEY_SECRET", hide_env_values = true)]
        secret: Option<String>,
        /// A setting of the functions; may be repeated.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Test { only } => test::run(&only),
        Command::Budgets { only, json, write } => budgets::run(&only, budgets::Show { json, write }),
        Command::Clients { list: true, .. } => clients::list(),
        Command::Clients { only, .. } => clients::run(clients::Selection::Named(&only)),
        Command::Deny { advisories } => test::deny(advisories),
        Command::Generate { check: true, .. } => generate::check(),
        Command::Generate { deployment: Some(deployment), out: Some(out), .. } => {
            generate::write_deployment(&deployment, &out)
        }
        Command::Generate { .. } => generate::write(),
        Command::Readme { write } => readme::run(write),
        Command::Style { paths } => style::run(&paths),
        Command::CheckTemplate => test::template(),
        Command::Workers { port, settings } => serve_workers(port, BTreeMap::from_iter(settings)),
        Command::Lambda(LambdaCommand::Serve { port, build, no_build, secret, settings }) => {
            let secret = secret.map_or_else(demo::secret, Ok)?;
            let mut settings = BTreeMap::from_iter(settings);
            demo::open_registration(&mut settings);
            if !no_build {
                lambda::build(&["all"], build)?;
            }
            lambda::serve_until_stopped(&lambda::Options { port, build, secret, settings })
        }
    }
}

fn serve_workers(port: Option<u16>, mut settings: BTreeMap<String, String>) -> Result<()> {
    demo::open_registration(&mut settings);
    workspace::build(Build::Dev)?;
    workers::build_all(Build::Dev)?;
    let options = workers::Options { port, secret: demo::secret()?, settings, ..workers::Options::default() };
    let server = workers::Workers::start(&options)?;
    demo::seed(&server.url, &options.secret, Build::Dev)?;
    eprintln!("  log of the functions: {}", server.log.display());
    println!("serving {} with LATCHKEY_SECRET={}", server.url, options.secret);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
