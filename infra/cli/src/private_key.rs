//! The private half of the admin key that signs the requests of the commands: in a file of the administrator, or derived from
//! the secret of a local provider.

use crate::args::DeploymentArgs;
use crate::failure::Failure;
use crate::secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use keys::AdminPrivateKey;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The name of the key for deployments without a key of their own.
const DEFAULT: &str = "admin";

/// The lines around a key in PEM (RFC 7468 §10).
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Returns the directory of the command in the user's configuration: `$XDG_CONFIG_HOME/latchkey` or the usual place of the
/// operating system. Errors: the environment names none.
fn configuration() -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| {
        if cfg!(windows) { absolute("APPDATA") } else { absolute("HOME").map(|home| home.join(".config")) }
    });
    directory.map(|directory| directory.join("latchkey")).ok_or_else(|| {
        Failure::new("There is no directory for configuration files: neither XDG_CONFIG_HOME nor HOME is set.")
            .remedy("Set HOME, or name the file of the key with --key.")
    })
}

/// Returns the path of the key for a host; without a host, that of the key for every other deployment.
pub(crate) fn file(host: Option<&str>) -> Result<PathBuf, Failure> {
    // A host has no slash; a colon, in an address of IPv6, is no character of a file name everywhere.
    let name = host.unwrap_or(DEFAULT).replace(':', "_");
    Ok(configuration()?.join(format!("{name}.key")))
}

/// Finds the key for a deployment. The file that the command line or the environment names comes first. For a local URL the
/// key derived from the secret follows. Then come the files in the configuration directory, and the key derived from
/// LATCHKEY_SECRET. Errors: there is no key.
pub(crate) fn find(args: &DeploymentArgs, host: &str, is_local: bool) -> Result<AdminPrivateKey, Failure> {
    if let Some(file) = &args.key {
        return read(file)?.ok_or_else(|| Failure::new(format!("{} does not exist.", file.display())));
    }
    let derived = |secret: &keys::Secret| AdminPrivateKey::derived(secret).map_err(Failure::new);
    if is_local {
        if let Some(secret) = secret::from_environment()? {
            return derived(&secret);
        }
        if let Some(secret) = secret::read(&args.data)? {
            return derived(&secret);
        }
    }
    let candidates = [file(Some(host))?, file(None)?];
    for candidate in &candidates {
        if let Some(key) = read(candidate)? {
            return Ok(key);
        }
    }
    if let Some(secret) = secret::from_environment()? {
        return derived(&secret);
    }
    let [own, default] = candidates;
    let missing =
        Failure::new(format!("There is no admin key: {} and {} do not exist.", own.display(), default.display()));
    Err(if is_local {
        missing.remedy("Start `latchkey dev` first, or name its data directory with --data. With --memory it stores no secret: set LATCHKEY_SECRET for both.")
    } else {
        missing.remedy("Name the file of the key with --key. `latchkey init` makes the first key of a deployment, `latchkey admin-key create` makes others.")
    })
}

/// Reads a key in PEM (PKCS#8); `None` if there is no such file. Errors: other users can read the file, or it has no key.
pub(crate) fn read(file: &Path) -> Result<Option<AdminPrivateKey>, Failure> {
    let pem = match std::fs::read_to_string(file) {
        Ok(pem) => pem,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::new(format!("{} cannot be read: {error}.", file.display()))),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let is_open = std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
        if is_open {
            return Err(Failure::new(format!("Other users of this machine may read {}.", file.display())).remedy(
                format!("chmod 600 {}; if others may have read it, revoke the key and make another.", file.display()),
            ));
        }
    }
    let key = pem.strip_prefix(BEGIN).and_then(|rest| rest.trim_end().strip_suffix(END));
    let der = key.and_then(|base64| STANDARD.decode(base64.trim()).ok());
    let key = der.and_then(|der| AdminPrivateKey::from_pkcs8(&der).ok());
    key.map(Some).ok_or_else(|| {
        Failure::new(format!("{} has no Ed25519 key as PKCS#8 in PEM.", file.display()))
            .remedy("`latchkey admin-key create` makes one.")
    })
}

/// Writes a key as PKCS#8 in PEM to a new file that only its owner can read. Errors: the file exists.
pub(crate) fn write(file: &Path, key: &AdminPrivateKey) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::new(format!("{} cannot be written: {error}.", file.display()));
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(cannot)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let pem = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(key.to_pkcs8()));
    options.open(file).and_then(|mut file| file.write_all(pem.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(format!("{} exists already, and is not overwritten.", file.display()))
            .remedy("Move the key away, or choose another file with --out."),
        _ => cannot(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("latchkey-private-key-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_key_is_written_once_and_only_its_owner_can_read_it() {
        let directory = scratch("once");
        let file = directory.join("new/admin.key");
        let key = AdminPrivateKey::generate().unwrap();
        assert!(read(&file).unwrap().is_none());
        write(&file, &key).unwrap();
        assert_eq!(read(&file).unwrap().unwrap().public(), key.public());
        let other = AdminPrivateKey::generate().unwrap();
        assert!(write(&file, &other).unwrap_err().to_string().contains("not overwritten"));
        assert_eq!(read(&file).unwrap().unwrap().public(), key.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
            assert!(read(&file).unwrap_err().to_string().contains("chmod 600"));
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn what_is_no_key_is_reported() {
        let file = scratch("bad");
        for text in ["", "key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(&file).unwrap().write_all(text.as_bytes()).unwrap();
            assert!(read(&file).unwrap_err().to_string().contains("no Ed25519 key"), "{text}");
        }
        std::fs::remove_file(&file).unwrap();
    }
}
