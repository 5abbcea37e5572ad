//! The deployment's secret: in the environment, or in the data directory of a local provider.

use crate::args::{DeriveArgs, SecretCommand};
use crate::failure::Failure;
use crate::output::Output;
use keys::Secret;
use serde_json::{Map, Value, json};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The setting that holds the secret.
pub(crate) const SETTING: &str = "LATCHKEY_SECRET";

/// True if the environment has a secret, valid or not.
pub(crate) fn is_set() -> bool {
    std::env::var(SETTING).is_ok_and(|text| !text.trim().is_empty())
}

/// Returns the secret of the environment; `None` if it is not set.
pub(crate) fn from_environment() -> Result<Option<Secret>, Failure> {
    named(SETTING)
}

fn named(setting: &str) -> Result<Option<Secret>, Failure> {
    match std::env::var(setting) {
        Ok(text) if !text.trim().is_empty() => Secret::parse(&text).map(Some).map_err(|error| {
            Failure::new(format!("{setting} is {error}.")).remedy("`latchkey init` generates a valid secret.")
        }),
        _ => Ok(None),
    }
}

/// Prints the keys of one function.
pub(crate) fn run(command: &SecretCommand, output: Output) -> Result<(), Failure> {
    let SecretCommand::Derive(DeriveArgs { function }) = command;
    let Some(function) = manifest::FUNCTIONS.iter().find(|row| row.name == function && row.has_keys()) else {
        let names: Vec<&str> = manifest::FUNCTIONS.iter().filter(|row| row.has_keys()).map(|row| row.name).collect();
        return Err(Failure::new(format!("No function with keys is called {function}."))
            .remedy(format!("The functions are: {}.", names.join(", "))));
    };
    let Some(current) = from_environment()? else {
        return Err(Failure::new(format!("{SETTING} is not set.")).remedy("Set it to the secret of the deployment."));
    };
    let previous = named("LATCHKEY_SECRET_PREVIOUS")?;
    let pairwise = named("LATCHKEY_PAIRWISE_SECRET")?;
    let keys = |secret: &Secret| secret.keys_of(function, pairwise.as_ref());
    let mut all = Map::new();
    all.insert("LATCHKEY_KEYS".to_owned(), json!(*keys(&current)));
    all.extend(previous.map(|previous| ("LATCHKEY_KEYS_PREVIOUS".to_owned(), json!(*keys(&previous)))));
    output.print(&Value::Object(all), || keys(&current).to_string());
    Ok(())
}

/// Returns the path of the secret in a data directory.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("secret")
}

/// Reads the secret of a data directory; `None` if there is none.
pub(crate) fn read(data: &Path) -> Result<Option<Secret>, Failure> {
    let path = file(data);
    match fs::read_to_string(&path) {
        Ok(text) => Secret::parse(&text).map(Some).map_err(|error| {
            Failure::new(format!("{} is {error}.", path.display()))
                .remedy(format!("Remove {} to start with a new store.", data.display()))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("{} cannot be read: {error}.", path.display()))),
    }
}

/// Returns the secret of a data directory, and generates it if there is none.
pub(crate) fn read_or_create(data: &Path) -> Result<Secret, Failure> {
    if let Some(secret) = read(data)? {
        return Ok(secret);
    }
    let secret = Secret::generate().map_err(Failure::new)?;
    let path = file(data);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(&path).and_then(|mut file| file.write_all(format!("{}\n", secret.to_base64url()).as_bytes()));
    match written {
        Ok(()) => Ok(secret),
        // Another process generated it at the same time.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(data)?.ok_or_else(|| Failure::new(format!("{} was removed while it was read.", path.display())))
        }
        Err(error) => Err(Failure::new(format!("{} cannot be written: {error}.", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_generated_once_and_only_its_owner_can_read_it() {
        let data = std::env::temp_dir().join(format!("latchkey-secret-{}", std::process::id()));
        fs::create_dir_all(&data).unwrap();
        let first = read_or_create(&data).unwrap();
        assert_eq!(first.to_base64url(), read_or_create(&data).unwrap().to_base64url());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file(&data)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(&data).unwrap();
    }
}
