//! `latchkey client create`: from what is being built to the flow for it, the client, and the settings to paste.

mod application;
mod proposal;
mod questions;

pub(crate) use application::Application;

use crate::args::ClientCreateArgs;
use crate::client::random_id;
use crate::deployment::{Deployment, encoded};
use crate::failure::Failure;
use crate::output::Output;
use proposal::Proposal;
use questions::Questions;
use serde_json::{Value, json};
use std::io::IsTerminal;

/// What is known, and what is still to be asked for.
struct Answers {
    application: Application,
    redirect_uris: Vec<String>,
    name: Option<String>,
    scope: String,
    /// The identifier of a resource server.
    resource: Option<String>,
}

/// Asks what is not said on the command line, if there is a person to ask; then writes the client.
pub(crate) fn create(args: &ClientCreateArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let is_person = output == Output::Text && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let answers = if is_person {
        match ask(args, &mut Questions::new(std::io::stdin().lock(), std::io::stderr()), deployment.origin())? {
            Some(answers) => answers,
            None => return Err(Failure::new("Nothing was written.")),
        }
    } else {
        said(args)?
    };
    let discovery = deployment.discovery()?;
    let client_id = match &args.id {
        Some(id) => id.clone(),
        None => random_id()?,
    };
    let mut client = answers.application.client(&answers.scope, &answers.redirect_uris, answers.resource.as_deref());
    client.insert("client_id".to_owned(), json!(client_id));
    if let Some(name) = &answers.name {
        client.insert("client_name".to_owned(), json!(name));
    }
    let path = format!("clients/{}", encoded(&client_id));
    if deployment.get(&path)?.is_some() {
        return Err(Failure::new(format!("There is a client {client_id} already."))
            .remedy("Take another --id; `latchkey client add` changes a client."));
    }
    let written = deployment.put(&path, &Value::Object(client))?;
    let proposal = Proposal::new(answers.application, &written, &discovery, answers.resource.as_deref())?;
    output.print(&proposal.json(), || proposal.text());
    Ok(())
}

/// What the command line says, which must be everything.
fn said(args: &ClientCreateArgs) -> Result<Answers, Failure> {
    let Some(application) = args.application else {
        return Err(Failure::new("Say what you are building.")
            .remedy("Use --for spa, native, web, service, device, mcp or api; or run this in a terminal."));
    };
    if let Some(redirect) = application.redirect()
        && args.redirect_uris.is_empty()
    {
        return Err(Failure::new("A redirect URI is required.")
            .remedy(format!("Name the redirect URI, such as {}", redirect.hint)));
    }
    check(args, application)?;
    if application.is_resource() && args.resource.is_none() {
        return Err(Failure::new("A resource identifier is required.")
            .remedy("Name the identifier that tokens have as their audience: --resource https://api.example.com"));
    }
    Ok(Answers {
        application,
        redirect_uris: args.redirect_uris.clone(),
        name: args.name.clone(),
        scope: args.scope.clone().unwrap_or_else(|| application.scope().to_owned()),
        resource: args.resource.clone(),
    })
}

/// Refuses what the command line says and the application has no use for.
fn check(args: &ClientCreateArgs, application: Application) -> Result<(), Failure> {
    if application.redirect().is_none()
        && let Some(uri) = args.redirect_uris.first()
    {
        return Err(Failure::new(format!("Nobody is sent back to this kind of application, at {uri} or elsewhere."))
            .remedy("Leave the redirect URI out, or say with --for what people sign in to."));
    }
    if !application.is_resource() && args.resource.is_some() {
        return Err(Failure::new("--resource is the identifier of an API or MCP server that is being built.")
            .remedy("Leave it out here: the client names the resource when it asks for a token, by resource=."));
    }
    Ok(())
}

/// The same, asking for what is missing. `None` when the person does not want the client.
fn ask<R: std::io::BufRead, W: std::io::Write>(
    args: &ClientCreateArgs,
    questions: &mut Questions<R, W>,
    origin: &str,
) -> Result<Option<Answers>, Failure> {
    let application = match args.application {
        Some(application) => application,
        None => questions.choose()?,
    };
    check(args, application)?;
    questions.explain(application)?;
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => Some(questions.ask("Its name, as people will see it", "")?).filter(|name| !name.is_empty()),
    };
    let redirect_uris = match application.redirect() {
        Some(redirect) if args.redirect_uris.is_empty() => {
            let question = format!("Where people are sent back to ({})", redirect.hint);
            questions.ask(&question, redirect.default)?.split_whitespace().map(str::to_owned).collect()
        }
        _ => args.redirect_uris.clone(),
    };
    let resource = match &args.resource {
        None if application.is_resource() => {
            Some(questions.ask("Its identifier, the audience of tokens for it", "https://api.example.com")?)
        }
        said => said.clone(),
    };
    let scope = match &args.scope {
        Some(scope) => scope.clone(),
        None => questions.ask("Scopes, separated by spaces", application.scope())?,
    };
    let answers = Answers { application, redirect_uris, name, scope, resource };
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
    fn a_person_is_asked_for_what_is_not_said() {
        let (answers, shown) = answered("", "1\nShop\nhttps://shop.example/cb\n\ny\n");
        let answers = answers.unwrap();
        assert_eq!((answers.application, answers.name.as_deref()), (Application::Spa, Some("Shop")));
        assert_eq!(answers.redirect_uris, ["https://shop.example/cb"]);
        assert!(answers.scope.contains("openid") && shown.contains("PKCE") && shown.contains("RFC"), "{shown}");

        let (answers, shown) = answered("--for service --name Job --scope read", "\n");
        assert_eq!(answers.unwrap().scope, "read");
        assert!(!shown.contains("What are you building") && !shown.contains("name"), "{shown}");
    }

    #[test]
    fn an_answer_that_is_none_is_asked_for_again_and_no_is_no() {
        let (answers, shown) = answered("", "9\nspa?\n4\n\n\nn\n");
        assert!(answers.is_none());
        assert_eq!(shown.matches("1 to 7").count(), 3, "{shown}");
    }

    #[test]
    fn every_application_makes_a_client_without_problems() {
        use clap::ValueEnum;
        for application in Application::value_variants() {
            let redirects: Vec<String> = application.redirect().map(|it| it.default.to_owned()).into_iter().collect();
            let resource = application.is_resource().then_some("https://api.example.com");
            let mut client = application.client(application.scope(), &redirects, resource);
            client.insert("client_id".to_owned(), json!("x"));
            let client: protocol::Client = serde_json::from_value(Value::Object(client)).unwrap();
            assert_eq!(client.problems(), Vec::<String>::new(), "{application:?}");
            assert!(client.must_use_pkce(), "{application:?}");
        }
    }

    #[test]
    fn without_a_person_everything_must_be_said() {
        for line in [
            "",
            "--for spa",
            "--for api",
            "--for service https://a.example/cb",
            "--for spa https://a.example/cb --resource https://api.example.com",
        ] {
            assert!(said(&args(line)).is_err(), "{line}");
        }
        assert!(said(&args("--for spa https://a.example/cb")).is_ok());
        assert!(said(&args("--for device")).is_ok());
    }
}
