//! `latchkey admin-key`: the keys of administrators.

use crate::args::{AdminKeyCommand, AdminKeyCreateArgs, AdminKeyRevokeArgs, DeploymentArgs, GenerateArgs};
use crate::clock;
use crate::deployment::{Deployment, segment};
use crate::failure::Failure;
use crate::output::{Output, duration, table};
use crate::private_key;
use keys::AdminPrivateKey;
use serde_json::{Map, Value, json};

const PATH: &str = "admin-keys";

pub(crate) fn run(command: &AdminKeyCommand, output: Output) -> Result<(), Failure> {
    match command {
        AdminKeyCommand::Generate(args) => generate(args, output),
        AdminKeyCommand::Create(args) => create(args, output),
        AdminKeyCommand::List(args) => list(args, output),
        AdminKeyCommand::Revoke(args) => revoke(args, output),
    }
}

fn text<'a>(key: &'a Value, name: &str) -> &'a str {
    key.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn generate(args: &GenerateArgs, output: Output) -> Result<(), Failure> {
    let key = AdminPrivateKey::generate().map_err(Failure::new)?;
    private_key::write(&args.out, &key)?;
    let (public, kid) = (key.public().to_string(), key.public().id());
    output.print(&json!({ "public_key": public, "kid": kid, "file": args.out }), || public.clone());
    output.note(&format!("{} has the private half. This is the public half.", args.out.display()));
    Ok(())
}

fn create(args: &AdminKeyCreateArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let generated = match &args.out {
        Some(file) => {
            let key = AdminPrivateKey::generate().map_err(Failure::new)?;
            // The file comes first: a registered key whose private half is lost is of no use.
            private_key::write(file, &key)?;
            Some((file, key.public().to_string()))
        }
        None => None,
    };
    let public = generated.as_ref().map(|(_, public)| public).or(args.public_key.as_ref());
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(args.name));
    body.insert("public_key".to_owned(), json!(public));
    body.insert("scopes".to_owned(), json!(args.scopes));
    if let Some(days) = args.days {
        body.insert("lifetime".to_owned(), json!(u64::from(days).saturating_mul(86_400)));
    }
    let created = deployment.post_json(PATH, &Value::Object(body)).inspect_err(|_| {
        if let Some((file, _)) = &generated {
            // The key was not registered. The failure says why.
            let _ = std::fs::remove_file(file);
        }
    })?;
    output.print(&created, || {
        let mut shown =
            format!("kid      {}\nscopes   {}\nexpires  {}", text(&created, "kid"), scopes(&created), end(&created));
        if let Some((file, _)) = &generated {
            shown.push_str(&format!("\nfile     {}", file.display()));
        }
        shown
    });
    Ok(())
}

fn list(args: &DeploymentArgs, output: Output) -> Result<(), Failure> {
    let keys = Deployment::of(args)?.list_sorted(PATH, "name", output)?;
    output.print(&json!(keys), || {
        let row = |key: &Value| vec![text(key, "name").to_owned(), text(key, "kid").to_owned(), end(key), scopes(key)];
        table(&["NAME", "KEY", "EXPIRES", "SCOPES"], &keys.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

fn revoke(args: &AdminKeyRevokeArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let keys = deployment.list(PATH, output)?;
    let key = find(&keys, &args.admin_key)?;
    let (kid, name) = (text(key, "kid"), text(key, "name"));
    let question =
        format!("Revoke the admin key {name} ({kid}) of {}? Its next request is rejected.", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    deployment.delete(&format!("{PATH}/{}", segment(kid)))?.ok_or_else(|| unknown(&args.admin_key))?;
    let created: Vec<&str> = keys
        .iter()
        .filter(|other| text(other, "created_by") == kid && is_live(other))
        .map(|other| text(other, "name"))
        .collect();
    output.print(&json!({ "revoked": kid, "created_keys": created }), || format!("{name} is revoked."));
    if !created.is_empty() {
        output.note(&format!(
            "It created keys that stay valid: {}. Revoke them, too, if it was stolen.",
            created.join(", ")
        ));
    }
    Ok(())
}

/// Returns the key with this `kid`, or the only one with this name that is not revoked.
fn find<'a>(keys: &'a [Value], wanted: &str) -> Result<&'a Value, Failure> {
    if let Some(key) = keys.iter().find(|key| text(key, "kid") == wanted) {
        return Ok(key);
    }
    let mut named = keys.iter().filter(|key| text(key, "name") == wanted && key.get("revoked_at").is_none());
    match (named.next(), named.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(Failure::new(format!("Several admin keys have the name {wanted}."))
            .remedy("Name the key by its kid, which `latchkey admin-key list` shows.")),
        (None, _) => Err(unknown(wanted)),
    }
}

fn unknown(wanted: &str) -> Failure {
    Failure::new(format!("There is no admin key {wanted}.")).remedy("`latchkey admin-key list` lists them.")
}

fn seconds(key: &Value, name: &str) -> Option<u64> {
    key.get(name).and_then(Value::as_u64)
}

fn is_live(key: &Value) -> bool {
    let is_past = seconds(key, "expires_at").is_some_and(|end| end <= clock::now().as_secs());
    key.get("revoked_at").is_none() && !is_past
}

fn scopes(key: &Value) -> String {
    let scopes = key.get("scopes").and_then(Value::as_array).into_iter().flatten();
    scopes.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

fn end(key: &Value) -> String {
    match seconds(key, "expires_at") {
        _ if key.get("revoked_at").is_some() => "revoked".to_owned(),
        None => "never".to_owned(),
        Some(_) if !is_live(key) => "expired".to_owned(),
        Some(end) => format!("in {}", duration(end.saturating_sub(clock::now().as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_kid_or_its_only_name() {
        let keys = [
            json!({ "kid": "k1", "name": "ci", "revoked_at": 1 }),
            json!({ "kid": "k2", "name": "ci" }),
            json!({ "kid": "k3", "name": "ops" }),
            json!({ "kid": "k4", "name": "ops" }),
        ];
        let found = |wanted: &str| find(&keys, wanted).map(|key| text(key, "kid").to_owned());
        assert_eq!(found("ci").unwrap(), "k2");
        assert_eq!(found("k1").unwrap(), "k1");
        assert!(found("ops").unwrap_err().to_string().contains("Several"));
        assert!(found("x").unwrap_err().to_string().contains("no admin key x"));
    }

    #[test]
    fn the_state_of_a_key_is_named() {
        let later = clock::now().as_secs() + 10 * 86_400;
        assert_eq!(end(&json!({})), "never");
        assert_eq!(end(&json!({ "expires_at": later })), "in 10 days");
        assert_eq!(end(&json!({ "expires_at": 1 })), "expired");
        assert_eq!(end(&json!({ "expires_at": later, "revoked_at": 1 })), "revoked");
    }
}
