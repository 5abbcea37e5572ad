//! `latchkey client create`: chooses the flow for an application, registers the client, and shows the settings to paste.

mod application;
mod hosts;
mod program;
mod proposal;
mod questions;

pub(crate) use application::Application;
pub(crate) use program::{PROGRAMS, Program, Target};

use crate::args::ClientCreateArgs;
use crate::client::random_id;
use crate::deployment::{Deployment, segment};
use crate::failure::Failure;
use crate::output::{Output, table};
use proposal::Proposal;
use questions::Questions;
use serde_json::{Value, json};

/// The answers from which the client is made.
struct Answers {
    application: Application,
    /// The library or program, if `--for` names one.
    program: Option<&'static Program>,
    redirect_uris: Vec<String>,
    name: Option<String>,
    scope: String,
    /// Identifier of a resource server.
    resource: Option<String>,
}

/// Asks for what the command line leaves out, if the command may ask; then writes the client.
pub(crate) fn create(args: &ClientCreateArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let answers = if output.may_ask() {
        match ask(args, &mut Questions::new(std::io::stdin().lock(), std::io::stderr()), deployment.origin())? {
            Some(answers) => answers,
            None => return Err(Failure::new("Nothing was written.")),
        }
    } else {
        from_arguments(args)?
    };
    let discovery = deployment.discovery()?;
    let client_id = match &args.id {
        Some(id) => id.clone(),
        None => random_id()?,
    };
    let mut client = answers.application.client(&answers.scope, &answers.redirect_uris, answers.resource.as_deref());
    client.insert("client_id".to_owned(), json!(client_id));
    client.extend(
        answers.program.into_iter().flat_map(Program::client_settings).map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(name) = &answers.name {
        client.insert("client_name".to_owned(), json!(name));
    }
    if !args.post_logout_redirect_uri.is_empty() {
        client.insert("post_logout_redirect_uris".to_owned(), json!(args.post_logout_redirect_uri));
    }
    let path = format!("clients/{}", segment(&client_id));
    if deployment.get(&path)?.is_some() {
        return Err(Failure::new(format!("A client {client_id} exists already."))
            .remedy("Choose another --id; `latchkey client add` changes a client."));
    }
    let written = deployment.put(&path, &Value::Object(client))?;
    let proposal = Proposal::new(&answers, &written, &discovery)?;
    output.print(&proposal.json(), || proposal.text());
    Ok(())
}

/// Prints the libraries and programs that `--for` accepts.
pub(crate) fn list(output: Output) {
    let value = json!(
        PROGRAMS
            .iter()
            .map(|program| {
                let settings: serde_json::Map<String, Value> =
                    program.client_settings().map(|(name, value)| (name.to_owned(), value)).collect();
                let resource: serde_json::Map<String, Value> =
                    program.resource_members().map(|(name, value)| (name.to_owned(), value)).collect();
                json!({
                    "name": program.name,
                    "title": program.title,
                    "kind": program.application.description(),
                    "redirect_uri": program.redirect_hint(),
                    "client": settings,
                    "resource": resource,
                    "switches": program.switches,
                })
            })
            .collect::<Vec<_>>()
    );
    output.print(&value, || {
        let rows: Vec<Vec<String>> = PROGRAMS
            .iter()
            .map(|program| {
                let switches = program.all_switches().join("; ");
                vec![program.name.to_owned(), program.title.to_owned(), switches]
            })
            .collect();
        table(&["NAME", "LIBRARY", "SWITCHES"], &rows)
    });
}

/// Returns the answers of the command line, which must be complete.
fn from_arguments(args: &ClientCreateArgs) -> Result<Answers, Failure> {
    let Some(Target { application, program }) = args.application else {
        return Err(Failure::new("The kind of application is required.").remedy(
            "Use --for spa, native, web, service, device, mcp, api or mcp-client, or with a name of `latchkey client libraries`.",
        ));
    };
    let mut redirect_uris = args.redirect_uris.clone();
    if application == Application::McpClient && redirect_uris.is_empty() {
        let of_hosts = application.redirect().map_or("", |redirect| redirect.default);
        redirect_uris = of_hosts.split(' ').map(str::to_owned).collect();
    }
    if let Some(redirect) = application.redirect()
        && redirect_uris.is_empty()
    {
        return Err(Failure::new("A redirect URI is required.").remedy(format!(
            "Give the redirect URI, such as {}",
            program.and_then(Program::redirect_hint).unwrap_or_else(|| redirect.hint.to_owned())
        )));
    }
    check(args, application)?;
    if application.names_resource() && args.resource.is_none() {
        return Err(Failure::new("A resource identifier is required.")
            .remedy("Give the audience of its access tokens, such as --resource https://api.example.com"));
    }
    Ok(Answers {
        application,
        program,
        redirect_uris,
        name: args.name.clone(),
        scope: args.scope.clone().unwrap_or_else(|| application.scope().to_owned()),
        resource: args.resource.clone(),
    })
}

/// Rejects arguments that the kind of application does not use.
fn check(args: &ClientCreateArgs, application: Application) -> Result<(), Failure> {
    if application.redirect().is_none()
        && let Some(uri) = args.redirect_uris.first()
    {
        return Err(Failure::new(format!("This kind of application has no redirect URI, but {uri} is given."))
            .remedy("Leave the redirect URI out, or choose with --for an application in which users sign in."));
    }
    if !application.names_resource() && args.resource.is_some() {
        return Err(Failure::new("--resource is for an API, an MCP server or an MCP client.").remedy(
            "Leave it out: a client names the resource when it requests a token, with the parameter `resource`.",
        ));
    }
    Ok(())
}

/// Returns the answers of the command line, and asks for what is missing. `None` if the last question is answered no.
fn ask<R: std::io::BufRead, W: std::io::Write>(
    args: &ClientCreateArgs,
    questions: &mut Questions<R, W>,
    origin: &str,
) -> Result<Option<Answers>, Failure> {
    let Target { application, program } = match args.application {
        Some(target) => target,
        None => Target { application: questions.choose()?, program: None },
    };
    check(args, application)?;
    questions.explain(application)?;
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => Some(questions.ask("Name that users see", "")?).filter(|name| !name.is_empty()),
    };
    let redirect_uris = match application.redirect() {
        Some(redirect) if args.redirect_uris.is_empty() => {
            let hint = program.and_then(Program::redirect_hint).unwrap_or_else(|| redirect.hint.to_owned());
            let question = format!("Redirect URI: where users return to after sign-in ({hint})");
            questions.ask(&question, redirect.default)?.split_whitespace().map(str::to_owned).collect()
        }
        _ => args.redirect_uris.clone(),
    };
    let resource = match &args.resource {
        None if application.names_resource() => {
            Some(questions.ask("Identifier: the audience of its access tokens", "https://api.example.com")?)
        }
        given => given.clone(),
    };
    let scope = match &args.scope {
        Some(scope) => scope.clone(),
        None => questions.ask("Scopes, separated by spaces", application.scope())?,
    };
    let answers = Answers { application, program, redirect_uris, name, scope, resource };
    Ok(questions.confirm(&format!("Write this client to {origin}?"))?.then_some(answers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser;

    fn args(line: &str) -> ClientCreateArgs {
        let words = ["latchkey", "client", "create"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).expect(line).command {
            crate::args::Command::Client(crate::args::ClientCommand::Create(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    fn answered(line: &str, typed: &str) -> (Option<Answers>, String) {
        let mut shown = Vec::new();
        let answers =
            ask(&args(line), &mut Questions::new(typed.as_bytes(), &mut shown), "http://localhost:1").unwrap();
        (answers, String::from_utf8(shown).unwrap())
    }

    #[test]
    fn missing_answers_are_asked_for() {
        let (answers, shown) = answered("", "1\nShop\nhttps://shop.example/cb\n\ny\n");
        let answers = answers.unwrap();
        assert_eq!((answers.application, answers.name.as_deref()), (Application::Spa, Some("Shop")));
        assert_eq!(answers.redirect_uris, ["https://shop.example/cb"]);
        assert!(answers.scope.contains("openid") && shown.contains("PKCE") && shown.contains("RFC"), "{shown}");

        let (answers, shown) = answered("--for service --name Job --scope read", "\n");
        assert_eq!(answers.unwrap().scope, "read");
        assert!(!shown.contains("What are you building") && !shown.to_lowercase().contains("name"), "{shown}");
    }

    #[test]
    fn an_invalid_answer_is_asked_for_again_and_no_writes_nothing() {
        let (answers, shown) = answered("", "9\nspa?\n4\n\n\nn\n");
        assert!(answers.is_none());
        assert_eq!(shown.matches("1 to 8").count(), 3, "{shown}");
    }

    #[test]
    fn every_application_has_a_valid_client() {
        use clap::ValueEnum;
        for application in Application::value_variants() {
            let redirects = application.redirect().map(|it| it.default).unwrap_or_default();
            let redirects: Vec<String> = redirects.split_whitespace().map(str::to_owned).collect();
            let resource = application.names_resource().then_some("https://api.example.com");
            let mut client = application.client(application.scope(), &redirects, resource);
            client.insert("client_id".to_owned(), json!("x"));
            let client: protocol::Client = serde_json::from_value(Value::Object(client)).unwrap();
            assert_eq!(client.validate(), [], "{application:?}");
            assert_eq!(client.must_use_pkce(), !client.is_confidential(), "{application:?}");
        }
    }

    #[test]
    fn without_a_terminal_the_arguments_must_be_complete() {
        for line in [
            "",
            "--for spa",
            "--for api",
            "--for service https://a.example/cb",
            "--for spa https://a.example/cb --resource https://api.example.com",
        ] {
            assert!(from_arguments(&args(line)).is_err(), "{line}");
        }
        assert!(from_arguments(&args("--for spa https://a.example/cb")).is_ok());
        assert!(from_arguments(&args("--for device")).is_ok());
    }
}
