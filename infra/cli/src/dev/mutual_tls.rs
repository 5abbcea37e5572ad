//! `latchkey dev --mtls`: a CA of this machine, a certificate of the server, and one for the demo client.

use crate::failure::Failure;
use platform::local::Tls;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256,
};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The demo client that authenticates by its certificate.
const CLIENT: &str = "demo-mtls";

/// The certificates of a server, in a directory. The CA keeps its key from one start to the next, so that certificates of other clients,
/// which a developer issues with it, stay valid.
pub(crate) struct MutualTls {
    directory: PathBuf,
    tls: Tls,
}

impl MutualTls {
    /// Makes the certificates and writes them to the directory. Errors: it cannot be written, or has an unusable key.
    pub(crate) fn make(directory: PathBuf) -> Result<Self, Failure> {
        std::fs::create_dir_all(&directory).map_err(|error| unwritable(&directory, &error))?;
        let ca_key = ca_key(&directory)?;
        // Clients of FAPI may support RSA alone: its cipher suites for TLS 1.2 are those of RFC 9325 §4.2.
        let server_key = KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(failed)?;
        let client_key = KeyPair::generate().map_err(failed)?;
        let mut ca = params("Latchkey development CA", &[])?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let anchor = ca.self_signed(&ca_key).map_err(failed)?;
        let issuer = Issuer::new(ca, ca_key);
        let mut server = params("localhost", &["localhost", "127.0.0.1", "::1"])?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server = server.signed_by(&server_key, &issuer).map_err(failed)?;
        let mut client = params(CLIENT, &[])?;
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client = client.signed_by(&client_key, &issuer).map_err(failed)?;
        write(&directory.join("ca.pem"), &anchor.pem())?;
        write(&directory.join("client.pem"), &client.pem())?;
        write(&directory.join("client-key.pem"), &client_key.serialize_pem())?;
        let tls = Tls::new(server.der().to_vec(), server_key.serialize_der(), anchor.der().to_vec());
        Ok(Self { directory, tls: tls.map_err(Failure::new)? })
    }

    /// Returns the TLS of the listeners.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Returns the directory of the certificates.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Returns the demo client: the path below `/admin/` and the document. Its access tokens are bound to its certificate.
pub(crate) fn client() -> (String, Value) {
    let client = json!({
        "client_name": "Demo service with a certificate",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": format!("CN={CLIENT}"),
        "tls_client_certificate_bound_access_tokens": true,
        "scope": "read write demo:read demo:write",
    });
    (format!("clients/{CLIENT}"), client)
}

/// Returns the command lines of the demo client: a title and the text to paste.
pub(crate) fn commands(issuer: &str, origin: &str, directory: &Path) -> [(&'static str, String); 2] {
    let file = |name: &str| quoted(&directory.join(name));
    let curl =
        format!("curl --cacert {} --cert {} --key {}", file("ca.pem"), file("client.pem"), file("client-key.pem"));
    [
        (
            "Mutual TLS: request an access token that is bound to the certificate",
            format!(
                "{curl} {origin}/token -d grant_type=client_credentials -d client_id={CLIENT} -d scope=demo:read -d resource={issuer}{}",
                demo_api::PATH
            ),
        ),
        (
            "Mutual TLS: call the demo API with it (401 without the certificate)",
            format!("{curl} -i {origin}{} -H \"Authorization: Bearer ACCESS_TOKEN\"", demo_api::PATH),
        ),
    ]
}

/// Quotes a path for a shell, if it needs that.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if text.bytes().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Returns the key of the CA: the one in the directory, or a new one, which is written there.
fn ca_key(directory: &Path) -> Result<KeyPair, Failure> {
    let file = directory.join("ca-key.pem");
    match std::fs::read_to_string(&file) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(|error| {
            Failure::new(format!("{} cannot be used: {error}.", file.display()))
                .remedy("Delete it: the next start makes another CA.")
        }),
        Err(_) => {
            let key = KeyPair::generate().map_err(failed)?;
            write(&file, &key.serialize_pem())?;
            Ok(key)
        }
    }
}

fn params(name: &str, hosts: &[&str]) -> Result<CertificateParams, Failure> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Writes a file that its owner alone can read.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|error| unwritable(file, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}.", path.display()))
        .remedy("Choose another directory with --data.")
}

fn failed(error: rcgen::Error) -> Failure {
    Failure::new(format!("The certificates for --mtls cannot be made: {error}."))
}
