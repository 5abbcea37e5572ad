//! `latchkey client`: the clients of a deployment.

use crate::args::{
    ClientAddArgs, ClientCommand, ClientIdArgs, ClientLogoArgs, ClientRemoveArgs, ClientReviewArgs, ClientSecretArgs,
    DeploymentArgs, InviteArgs,
};
use crate::chooser;
use crate::deployment::{Deployment, segment};
use crate::failure::Failure;
use crate::output::{Output, table};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(crate) fn run(command: &ClientCommand, output: Output) -> Result<(), Failure> {
    match command {
        ClientCommand::Create(args) => chooser::create(args, output),
        ClientCommand::Add(args) => add(args, output),
        ClientCommand::Libraries => {
            chooser::list(output);
            Ok(())
        }
        ClientCommand::List(args) => list(args, output),
        ClientCommand::Show(args) => show(args, output),
        ClientCommand::Invite(args) => invite(args, output),
        ClientCommand::Secret(args) => secret(args, output),
        ClientCommand::Review(args) => review(args, output),
        ClientCommand::Logo(args) => logo(args, output),
        ClientCommand::Remove(args) => remove(args, output),
    }
}

fn path(client_id: &str) -> String {
    format!("clients/{}", segment(client_id))
}

fn unknown(client_id: &str) -> Failure {
    Failure::new(format!("There is no client {client_id}.")).remedy("`latchkey client list` lists them.")
}

fn add(args: &ClientAddArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let mut metadata = match (&args.file, &args.id) {
        (Some(file), _) => from_file(file)?,
        (None, Some(id)) => match deployment.get(&path(id))? {
            Some(Value::Object(before)) => before,
            _ => fresh(args),
        },
        (None, None) => fresh(args),
    };
    let id_in_file = metadata.get("client_id").and_then(Value::as_str).map(str::to_owned);
    let client_id = match args.id.clone().or(id_in_file) {
        Some(id) => id,
        None => random_id()?,
    };
    metadata.insert("client_id".to_owned(), json!(client_id));
    describe(args, &mut metadata);
    let answer = deployment.put(&path(&client_id), &Value::Object(metadata))?;
    output.print(&answer, || {
        let mut text = format!("client_id      {client_id}");
        if let Some(secret) = answer.get("client_secret").and_then(Value::as_str) {
            text.push_str(&format!(
                "\nclient_secret  {secret}\n\nThe secret is shown only now; the store has a hash of it."
            ));
        }
        text
    });
    Ok(())
}

fn review(args: &ClientReviewArgs, output: Output) -> Result<(), Failure> {
    let client_id = &args.client.client_id;
    let deployment = Deployment::of(&args.client.deployment)?;
    let path = format!("{}/review", path(client_id));
    let answer = if args.withdraw { deployment.delete(&path)? } else { deployment.post(&path)? };
    let Some(answer) = answer else { return Err(unknown(client_id)) };
    output.print(&answer, || {
        let settings = answer.get("client").map(|client| format!("{client:#}")).unwrap_or_default();
        match args.withdraw {
            true => format!("The review of {client_id} is withdrawn: pages mark the client as not reviewed."),
            false => format!("The client {client_id} is reviewed, with these settings:\n{settings}"),
        }
    });
    Ok(())
}

fn logo(args: &ClientLogoArgs, output: Output) -> Result<(), Failure> {
    let client_id = &args.client.client_id;
    let deployment = Deployment::of(&args.client.deployment)?;
    let path = format!("{}/logo", path(client_id));
    let answer = match &args.file {
        Some(file) => {
            let image = std::fs::read(file)
                .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", file.display())))?;
            if deployment.get(&self::path(client_id))?.is_none() {
                return Err(unknown(client_id));
            }
            deployment.put(&path, &json!({ "image": STANDARD.encode(image) }))?
        }
        None => deployment.delete(&path)?.ok_or_else(|| unknown(client_id))?,
    };
    output.print(&answer, || match args.remove {
        true => format!("The logo of {client_id} is removed."),
        false => format!("The pages show the logo of {client_id} within two minutes."),
    });
    Ok(())
}

/// Returns the settings of a new client that arguments need not name.
fn fresh(args: &ClientAddArgs) -> Map<String, Value> {
    let grants = if args.service && args.redirect_uris.is_empty() {
        json!([])
    } else {
        json!(["authorization_code", "refresh_token"])
    };
    Map::from_iter([("grant_types".to_owned(), grants), ("token_endpoint_auth_method".to_owned(), json!("none"))])
}

/// Applies the arguments to registration metadata. Other settings keep their values.
fn describe(args: &ClientAddArgs, metadata: &mut Map<String, Value>) {
    let method = metadata.get("token_endpoint_auth_method").and_then(Value::as_str);
    let is_public = method == Some("none");
    let mut grants = metadata.get("grant_types").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut set = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    if let Some(name) = &args.name {
        set("client_name", json!(name));
    }
    if let Some(scope) = &args.scope {
        set("scope", json!(scope));
    }
    if !args.redirect_uris.is_empty() {
        set("redirect_uris", json!(args.redirect_uris));
    }
    if !args.post_logout_redirect_uri.is_empty() {
        set("post_logout_redirect_uris", json!(args.post_logout_redirect_uri));
    }
    if args.service {
        if !grants.contains(&json!("client_credentials")) {
            grants.push(json!("client_credentials"));
        }
        set("grant_types", json!(grants));
    }
    if (args.confidential || args.service) && is_public {
        set("token_endpoint_auth_method", json!("client_secret_basic"));
    }
    for (name, value) in &args.settings {
        set(name, serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
    }
}

fn from_file(file: &Path) -> Result<Map<String, Value>, Failure> {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) }
            .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", file.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("{} is not a JSON object: line {}.", file.display(), error.line())))
}

/// Returns 16 random characters. The first is not `-`, which would look like an option.
pub(crate) fn random_id() -> Result<String, Failure> {
    loop {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(Failure::new)?;
        let id = URL_SAFE_NO_PAD.encode(bytes);
        if !id.starts_with('-') {
            return Ok(id);
        }
    }
}

fn list(args: &DeploymentArgs, output: Output) -> Result<(), Failure> {
    let clients = Deployment::of(args)?.list_sorted("clients", "client_id", output)?;
    output.print(&json!(clients), || {
        let rows: Vec<Vec<String>> = clients
            .iter()
            .map(|client| {
                let text = |name: &str| client.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let kind = if text("token_endpoint_auth_method") == "none" { "public" } else { "confidential" };
                let grants: Vec<&str> = client
                    .get("grant_types")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                vec![text("client_id"), text("client_name"), kind.to_owned(), grants.join(" ")]
            })
            .collect();
        table(&["CLIENT", "NAME", "KIND", "GRANTS"], &rows)
    });
    Ok(())
}

fn show(args: &ClientIdArgs, output: Output) -> Result<(), Failure> {
    let client =
        Deployment::of(&args.deployment)?.get(&path(&args.client_id))?.ok_or_else(|| unknown(&args.client_id))?;
    output.print(&client, || format!("{client:#}"));
    Ok(())
}

fn secret(args: &ClientSecretArgs, output: Output) -> Result<(), Failure> {
    let ClientIdArgs { client_id, deployment } = &args.client;
    let deployment = Deployment::of(deployment)?;
    let path = path(client_id);
    let mut client = deployment.get(&path)?.ok_or_else(|| unknown(client_id))?;
    if !args.keep_old {
        output.confirm(
            &format!("Replace the secret of {client_id}? The current one becomes invalid."),
            args.confirmation.yes,
        )?;
    }
    if let Value::Object(members) = &mut client {
        members.insert("new_client_secret".to_owned(), json!(if args.keep_old { "add" } else { "replace" }));
    }
    let answer = deployment.put(&path, &client)?;
    let secret = answer.get("client_secret").and_then(Value::as_str).unwrap_or_default();
    output.print(&json!({ "client_id": client_id, "client_secret": secret }), || secret.to_owned());
    output.note(if args.keep_old {
        "The previous secret stays valid until the next one is generated."
    } else {
        "The previous secret may stay valid for another minute (on Workers two). --keep-old keeps it valid."
    });
    Ok(())
}

/// Issues an initial access token (RFC 7591 §1.2).
fn invite(args: &InviteArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let lifetime = u64::from(args.hours).saturating_mul(3600);
    let answer = deployment.post_json("initial-access-tokens", &json!({ "uses": args.uses, "lifetime": lifetime }))?;
    let token = answer.get("initial_access_token").and_then(Value::as_str).unwrap_or_default().to_owned();
    output.print(&answer, || token.clone());
    Ok(())
}

fn remove(args: &ClientRemoveArgs, output: Output) -> Result<(), Failure> {
    let ClientIdArgs { client_id, deployment } = &args.client;
    let deployment = Deployment::of(deployment)?;
    let question = format!("Remove client {client_id} from {}? Its grants are revoked.", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    if deployment.delete(&path(client_id))?.is_none() {
        return Err(unknown(client_id));
    }
    output.print(&json!({ "removed": client_id }), || format!("{client_id} is removed."));
    output.note("All functions reject it within a minute (on Workers two).");
    Ok(())
}
