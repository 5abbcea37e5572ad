//! The caller of an object: a function that proves its name, and its record access.

use crate::{Call, Command};
use manifest::{FUNCTIONS, Function, Role, Verb};
use serde::{Deserialize, Serialize};
use std::fmt;
use storage::guarded::{Violation, check, check_list};

/// The function that calls an object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    function: String,
    credential: String,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.function)
    }
}

impl Caller {
    /// Returns a function with its credential, which `LATCHKEY_KEYS` of the function has.
    pub fn new(function: impl Into<String>, credential: impl Into<String>) -> Self {
        Self { function: function.into(), credential: credential.into() }
    }
}

/// The reason for which an object refuses the caller. It is a fault of the deployment or an attack: no client causes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The manifest has no such function, or one that has no records.
    UnknownFunction,
    /// The credential is not that of the function.
    WrongCredential(&'static str),
    /// The row of the function in the manifest does not allow the command.
    Beyond(Violation),
    /// The function may not maintain the records.
    Maintenance(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tests look for the first words in the log.
        match self {
            Self::UnknownFunction => f.write_str(
                "forbidden record access: no function of this version has the name that the caller gives; deploy all Workers again",
            ),
            Self::WrongCredential(function) => write!(
                f,
                "forbidden record access: the caller does not prove that it is {function}; deploy {function} and records with \
                 LATCHKEY_KEYS of one secret (infra/cloudflare/deploy.sh)"
            ),
            Self::Beyond(violation) => violation.fmt(f),
            Self::Maintenance(function) => {
                write!(f, "forbidden record access: {function} may not maintain the records")
            }
        }
    }
}

impl Call<'_> {
    /// Checks that the caller is who it says, and may send the command. `accepts` compares a function and its credential in
    /// constant time.
    ///
    /// # Errors
    /// The reason for which the call is refused.
    pub fn authorize(&self, accepts: impl FnOnce(&str, &str) -> bool) -> Result<(), Refusal> {
        let Caller { function, credential } = &*self.caller;
        let row = FUNCTIONS.iter().find(|row| row.name == function && row.has_keys());
        let row = row.ok_or(Refusal::UnknownFunction)?;
        if !accepts(row.name, credential) {
            return Err(Refusal::WrongCredential(row.name));
        }
        // The owner of the objects has the key, and can prove every name.
        if row.role == Role::RecordStore {
            return Ok(());
        }
        self.command.check(row)
    }
}

impl Command<'_> {
    fn check(&self, function: &Function) -> Result<(), Refusal> {
        let checked = match self {
            Self::Maintain(_) if function.maintains_records => Ok(()),
            Self::Maintain(_) | Self::Step(_) => return Err(Refusal::Maintenance(function.name)),
            Self::Join => Ok(()),
            Self::Create(record) => check(function, Verb::Create, &record.key),
            Self::Get(key) => check(function, Verb::Get, key),
            Self::Advance { key, .. } => check(function, Verb::Advance, key),
            Self::Delete(key) => check(function, Verb::Delete, key),
            Self::List { owner, .. } => check_list(function, owner),
            Self::Count { key, .. } => check(function, Verb::Count, key),
        };
        checked.map_err(Refusal::Beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layout, Shards};
    use std::borrow::Cow;
    use storage::{Key, Kind, Owner, Partition, Record};
    use types::Timestamp;

    fn key(kind: Kind) -> Key {
        Key::new(kind, Partition::of("x"), "x")
    }

    /// Returns one command for each verb, on a record of the kind.
    fn commands(kind: Kind) -> Vec<(Verb, Command<'static>)> {
        let (key, expires_at) = (key(kind), Timestamp::from_secs(9));
        let record = Record {
            key: key.clone(),
            owner: None,
            body: String::new(),
            state: String::new(),
            generation: 0,
            expires_at: None,
        };
        vec![
            (Verb::Get, Command::Get(Cow::Owned(key.clone()))),
            (Verb::Create, Command::Create(Cow::Owned(record))),
            (
                Verb::Advance,
                Command::Advance { key: Cow::Owned(key.clone()), from: 0, state: "".into(), expires_at: None },
            ),
            (Verb::Delete, Command::Delete(Cow::Owned(key.clone()))),
            (Verb::Count, Command::Count { key: Cow::Owned(key), by: 1, expires_at }),
        ]
    }

    fn call<'a>(function: &str, command: Command<'a>) -> Call<'a> {
        let layout = Layout { shards: Shards::default(), jurisdiction: None };
        let caller = Cow::Owned(Caller::new(function, format!("of {function}")));
        Call { caller, layout: Cow::Owned(layout), confirmed: true, command }
    }

    fn authorize(call: &Call<'_>) -> Result<(), Refusal> {
        call.authorize(|function, credential| credential == format!("of {function}"))
    }

    #[test]
    fn each_function_has_the_access_of_its_row() {
        for row in FUNCTIONS.iter().filter(|row| row.is_server()) {
            for kind in Kind::ALL {
                for (verb, command) in commands(kind) {
                    let answer = authorize(&call(row.name, command));
                    assert_eq!(answer.is_ok(), row.may(verb, kind), "{} {verb} {kind}: {answer:?}", row.name);
                }
            }
            for owner in ["clients/b7", "users/b7", "user#ada", "logouts/b7", "signouts/b7", "admin-keys/b7", "other"] {
                let list = Command::List { owner: Cow::Owned(Owner::new(owner)), after: None, limit: 1 };
                assert_eq!(authorize(&call(row.name, list)).is_ok(), row.may_list(owner), "{} {owner}", row.name);
            }
            assert_eq!(authorize(&call(row.name, Command::Join)), Ok(()), "{}", row.name);
            let restore = Command::Maintain("{}".into());
            assert_eq!(authorize(&call(row.name, restore)).is_ok(), row.name == "maintenance", "{}", row.name);
            let step = authorize(&call(row.name, Command::Step("{}".into())));
            assert_eq!(step, Err(Refusal::Maintenance(row.name)), "only objects send steps to objects");
        }
    }

    #[test]
    fn a_caller_proves_its_name() {
        let get = || Command::Get(Cow::Owned(key(Kind::Keys)));
        let mut forged = call("metadata", get());
        assert_eq!(authorize(&forged), Ok(()));
        for credential in ["", "of login", "of metadata "] {
            forged.caller = Cow::Owned(Caller::new("metadata", credential));
            assert_eq!(authorize(&forged), Err(Refusal::WrongCredential("metadata")), "{credential}");
        }
        for function in ["", "root", "demo-api", "saml", "authorizer"] {
            assert_eq!(authorize(&call(function, Command::Join)), Err(Refusal::UnknownFunction), "{function}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do_and_names_no_record() {
        let owner = Owner::new("user#ada");
        let list = authorize(&call("metadata", Command::List { owner: Cow::Owned(owner), after: None, limit: 1 }));
        let reason = list.unwrap_err().to_string();
        assert!(reason.starts_with("forbidden record access: metadata may not list user;"), "{reason}");
        let debug = format!("{:?}", call("token", Command::Join));
        assert!(debug.contains("Caller(token)") && !debug.contains("of token"), "{debug}");
    }

    #[test]
    fn a_call_without_a_caller_cannot_be_read() {
        let json = call("token", Command::Join).to_json().unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value.as_object_mut().unwrap().remove("caller");
        assert!(Call::from_json(&value.to_string()).is_err());
    }
}
