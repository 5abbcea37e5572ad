//! Deployments whose certificate is not from a public CA.

use super::{SECRET, latchkey, run, scratch};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const CONFIGURATION: &str = "\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = localhost
[extensions]
subjectAltName = DNS:localhost
basicConstraints = critical, CA:FALSE
";

/// `openssl s_server`, which answers every request with a page about the connection. Dropping it ends the process.
struct Server(Child, u16);

impl Server {
    /// Starts the server; `None` if there is no openssl.
    fn start(directory: &Path) -> Option<Self> {
        std::fs::write(directory.join("openssl.cnf"), CONFIGURATION).ok()?;
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-config",
                "openssl.cnf",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ])
            .args(["-nodes", "-days", "2", "-keyout", "key.pem", "-out", "ca.pem"])
            .current_dir(directory)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut process = Command::new("openssl")
            .args(["s_server", "-www", "-accept", "0", "-cert", "ca.pem", "-key", "key.pem"])
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let lines = BufReader::new(process.stdout.take()?).lines().map_while(Result::ok);
        let port = lines.filter_map(|line| line.strip_prefix("ACCEPT ")?.rsplit(':').next()?.parse().ok()).next()?;
        Some(Self(process, port))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_private_ca_is_trusted_if_it_is_named() {
    let directory = scratch("tls");
    std::fs::create_dir_all(&directory).unwrap();
    let Some(server) = Server::start(&directory) else { return };
    let ca = directory.join("ca.pem");
    let told = |named: &[&str], variable: Option<&Path>| {
        let url = format!("https://localhost:{}", server.1);
        let mut command = latchkey(&["client", "list", "--url", &url]);
        command.args(named).env("LATCHKEY_SECRET", SECRET).env_remove("SSL_CERT_FILE");
        command.envs(variable.map(|file| ("SSL_CERT_FILE", file)));
        String::from_utf8(run(command, "").stderr).unwrap()
    };
    assert!(told(&[], None).contains("name its CA with --ca FILE"), "{}", told(&[], None));
    // The server is not a deployment, but its response shows that the certificate is trusted.
    let trusted = "no administration endpoint";
    for answer in [told(&["--ca", ca.to_str().unwrap()], None), told(&[], Some(&ca))] {
        assert!(answer.contains("answered 200") || answer.contains(trusted), "{answer}");
    }
    assert!(told(&["--ca", directory.join("key.pem").to_str().unwrap()], None).contains("has no certificate"));
    std::fs::remove_dir_all(&directory).unwrap();
}
