//! `cargo xtask clients`: client libraries of others against `latchkey dev`, with the defaults of both sides. Each sample of
//! `tests/clients/matrix.toml` runs as a program of its own; `tests/clients/drive.mjs` uses it as a user does.

mod language;
mod matrix;
pub(crate) mod page;

use crate::workspace::{self, Build};
use crate::{demo, process, rows, tools, workers};
use anyhow::{Context, Result, bail};
use language::{Language, Ready};
use matrix::Sample;
use serde_json::{Value, json};
use std::collections::{BTreeMap, btree_map::Entry};
use std::fs::File;
use std::process::{Command, Stdio};

/// Resources of the server, one for each kind of access token that a sample may need. `matrix.toml` names them.
fn resources() -> Value {
    let scopes = "orders:read orders:write";
    json!([
        { "resource": "https://api.example.com", "scopes": scopes },
        { "resource": "https://rsa.example.com", "scopes": scopes, "access_token_signed_response_alg": "RS256" },
        { "resource": "https://other.example.com", "scopes": scopes },
    ])
}

/// A selection of the samples.
#[derive(Clone, Copy)]
pub(crate) enum Selection<'a> {
    /// All, or those with these names.
    Named(&'a [String]),
    /// Those that the gate runs.
    Quick,
}

/// Prints the samples: name, language and library.
pub(crate) fn list() -> Result<()> {
    let rows: Vec<Vec<String>> = matrix::read()?
        .iter()
        .map(|sample| {
            let when = if sample.slow { "by this command" } else { "in the gate" };
            [&sample.name, sample.language.name(), &sample.library, when].map(str::to_owned).to_vec()
        })
        .collect();
    println!("{}", rows::table(&["sample", "language", "library", "runs"], &rows));
    Ok(())
}

/// Runs samples and prints a table of the results. Fails at the end if one of them failed. A sample whose language is missing on
/// this machine is not run.
pub(crate) fn run(selection: Selection<'_>) -> Result<()> {
    let samples = chosen(matrix::read()?, selection)?;
    tools::npm(workspace::root())?;
    workspace::build(Build::Dev)?;
    let server = Server::start()?;
    let mut ready: BTreeMap<Language, Ready> = BTreeMap::new();
    let (mut table, mut failed) = (Vec::new(), Vec::new());
    for sample in &samples {
        let ready: &Ready = match ready.entry(sample.language) {
            Entry::Occupied(prepared) => prepared.into_mut(),
            Entry::Vacant(new) => {
                let of_language = samples.iter().filter(|other| other.language == sample.language);
                let programs: Vec<&str> = of_language.map(|other| other.program.as_str()).collect();
                new.insert(sample.language.prepare(&programs)?)
            }
        };
        let mut row =
            vec![sample.name.clone(), sample.library.clone(), String::new(), sample.language.name().to_owned()];
        let (flow, result, switches) = match ready {
            Ready::Missing(program) => (String::new(), format!("not run: {program} is missing"), String::new()),
            Ready::Programs(programs) => {
                row[2] = sample.language.version(&sample.library, programs)?;
                match server.try_sample(sample, programs) {
                    Ok((flow, switches)) => (flow, "ok".to_owned(), switches),
                    Err(error) => {
                        eprintln!("  {} FAILED: {error:#}", sample.name);
                        failed.push(sample.name.as_str());
                        (String::new(), "FAILED".to_owned(), String::new())
                    }
                }
            }
        };
        row.extend([flow, result, switches]);
        table.push(row);
    }
    println!(
        "{}",
        rows::table(&["sample", "library", "version", "language", "flow", "result", "switches needed"], &table)
    );
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("failed: {}; the log of the server: {}", failed.join(", "), server.log.display())
    }
}

fn chosen(all: Vec<Sample>, selection: Selection<'_>) -> Result<Vec<Sample>> {
    match selection {
        Selection::Quick => Ok(all.into_iter().filter(|sample| !sample.slow).collect()),
        Selection::Named([]) => Ok(all),
        Selection::Named(names) => {
            if let Some(unknown) = names.iter().find(|name| !all.iter().any(|sample| sample.name == **name)) {
                bail!("there is no sample {unknown:?}; `cargo xtask clients --list` lists them");
            }
            Ok(all.into_iter().filter(|sample| names.contains(&sample.name)).collect())
        }
    }
}

/// `latchkey dev` with an empty store and without settings, except for the resources.
struct Server {
    url: String,
    secret: String,
    log: std::path::PathBuf,
    /// A service that requests access tokens for the resources.
    api_client: Value,
    _process: process::Server,
}

impl Server {
    fn start() -> Result<Self> {
        let (port, secret) = (process::free_port()?, demo::secret()?);
        let log = workspace::scratch("clients")?.join("server.log");
        let mut dev = Command::new(workspace::binary("latchkey", Build::Dev));
        dev.args(["dev", "--memory", "--port", &port.to_string()]);
        dev.env("LATCHKEY_SECRET", &secret).env("LATCHKEY_RESOURCES", resources().to_string());
        dev.stdout(Stdio::null()).stderr(File::create(&log)?);
        let process = process::Server::start(&mut dev, port)?;
        let url = format!("http://localhost:{port}");
        let mut server = Self { url, secret, log, api_client: Value::Null, _process: process };
        server.api_client = server.create(&["--for", "service", "--scope", "orders:read orders:write"])?;
        Ok(server)
    }

    /// Runs `latchkey client create`. Returns its answer.
    fn create(&self, arguments: &[&str]) -> Result<Value> {
        let mut create = Command::new(workspace::binary("latchkey", Build::Dev));
        create.args(["client", "create", "--json", "--url", &self.url]).args(arguments);
        let answer = process::output(create.env("LATCHKEY_SECRET", &self.secret))?;
        serde_json::from_str(&answer).context("reading the answer of `latchkey client create`")
    }

    /// Registers the client of a sample, starts the sample and uses it. Returns what the driver saw, and the switches.
    fn try_sample(&self, sample: &Sample, programs: &language::Programs) -> Result<(String, String)> {
        let port = process::free_port()?;
        let origin = format!("http://127.0.0.1:{port}");
        let redirect_uri = sample.callback.as_ref().map(|path| format!("{origin}{path}"));
        let after_logout = sample.after_logout.as_ref().map(|path| format!("{origin}{path}"));
        let mut arguments = vec!["--for", &sample.create_for, "--name", &sample.name];
        arguments.extend(redirect_uri.as_deref());
        arguments.extend(after_logout.iter().flat_map(|uri| ["--post-logout-redirect-uri", uri.as_str()]));
        arguments.extend(sample.resource.iter().flat_map(|resource| ["--resource", resource.as_str()]));
        let created = self.create(&arguments)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let setting = |name: &str| text(&created["settings"][name]);

        let mut program = sample.language.command(programs, &sample.program)?;
        program.envs([
            ("ISSUER", &self.url),
            ("CLIENT_ID", &setting("client_id")),
            ("CLIENT_SECRET", &setting("client_secret")),
        ]);
        program.env("PORT", port.to_string()).env("RESOURCE", sample.resource.as_deref().unwrap_or_default());
        let log = workspace::scratch("clients")?.join(format!("{}.log", sample.name));
        let file = File::create(&log)?;
        program.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let running = process::Server::start(&mut program, port);

        let mut drive = Command::new(workers::program("node"));
        drive.arg("drive.mjs").current_dir(workspace::root().join("tests/clients"));
        drive.envs([("BASE_URL", &self.url), ("APP_URL", &origin), ("DOES", &sample.does.join(" "))]);
        drive.env("START", &sample.start).env("SHOWS", sample.shows.join("\n"));
        drive.envs(sample.resource.as_ref().map(|resource| ("RESOURCE", resource)));
        drive.envs(sample.ready.as_ref().map(|path| ("READY", path)));
        drive.envs(sample.terminal.then_some(("OUTPUT", &log)));
        drive.env("API_CLIENT_ID", text(&self.api_client["settings"]["client_id"]));
        drive.env("API_CLIENT_SECRET", text(&self.api_client["settings"]["client_secret"]));
        if sample.browser {
            drive.env("BROWSER", "true").env("CHROMIUM", tools::chromium()?);
        }
        let seen = running.and_then(|_running| process::output(&mut drive));
        let seen = seen.with_context(|| format!("the log of the sample: {}\n{}", log.display(), end_of(&log)))?;
        let seen: Vec<String> = serde_json::from_str(seen.lines().last().unwrap_or_default())?;
        let switches = created["switches"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
        Ok((seen.join("; "), if switches.is_empty() { "none".to_owned() } else { switches.join("; ") }))
    }
}

/// Returns the last lines of a log.
fn end_of(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
}
