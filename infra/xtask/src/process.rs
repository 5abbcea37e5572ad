//! Runs other programs.

use anyhow::{Context, Result, bail};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Runs a program to its end. Its output goes to standard error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = describe(command);
    eprintln!("  $ {line}");
    // Standard output is for the result, such as JSON.
    let status = command.stdout(std::io::stderr()).status().with_context(|| format!("starting {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// Runs a program to its end. Returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command.output().with_context(|| format!("starting {line}"))?;
    if !output.status.success() {
        bail!("{line}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True if a program can be started.
pub(crate) fn exists(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.stdin(std::process::Stdio::null()).status().is_ok()
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A server process. It ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    name: String,
}

impl Server {
    /// Starts a program and waits until it accepts connections on the port.
    pub(crate) fn start(command: &mut Command, port: u16) -> Result<Self> {
        let name = describe(command);
        eprintln!("  $ {name} &");
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let mut server = Self { child, name };
        let deadline = Instant::now().checked_add(Duration::from_secs(60));
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{}: {status}", server.name);
            }
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                bail!("{}: nothing listens on port {port} after a minute", server.name);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a port of localhost on which another program will listen later. The system gives its own choice of ports from a range above this
/// one, so no connection takes the port until then.
pub(crate) fn port_for_later() -> Result<u16> {
    let first = u16::try_from(std::process::id() % 4000)?.saturating_add(20_000);
    let free = (first..first.saturating_add(2000)).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.context("no port of localhost is free")
}

/// Returns a free port of localhost.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
