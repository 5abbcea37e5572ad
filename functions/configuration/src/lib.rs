//! Configuration: the lists and texts of the deployment, for the `latchkey` command.
//!
//! | request | answer |
//! |---|---|
//! | GET `/admin/configuration` | `{version, sections: {NAME: …}, applied_at?}`; version 0 if nothing is stored |
//! | PUT `/admin/configuration` with `{version, sections: {NAME: … or null}, dry_run?}` | the same, as stored now, and `warnings` |
//!
//! A PUT replaces the sections that it names and removes those that are null; the others stay. `version` is the one that it
//! replaces: 409 if another one is stored. All sections are checked together: 400 with `problems`. The instances of the other
//! functions have a change after a minute at most. The admin key needs `configuration:read` or `configuration:write`.

use http::{Method, StatusCode};
use latchkey_http::{Request, Response};
use protocol::Problem;
use protocol::administration::{AdminScope, Administrator};
use protocol::shape::{Member, Shape};
use provider::administration::{AdminCall, AdminRoute, json_object, problem};
use provider::{AuditEvent, Context, Function, HandlerError, Sections};
use serde_json::{Map, Value, json};
use storage::configuration::{self, Replaced, StoredConfiguration};

/// The longest configuration, in bytes of JSON. A record of DynamoDB has 400 KB at most.
const MAX_LENGTH: usize = 256 * 1024;

/// The function, as every platform calls it.
pub const FUNCTION: Function =
    Function::api("configuration", |request, context| Box::pin(handle(request, context))).with_list_check();

/// The answer to one kind of request.
#[derive(Clone, Copy, Debug)]
enum Action {
    Show,
    Apply,
}

/// Every route.
static ROUTES: [AdminRoute<Action>; 2] = [
    AdminRoute::new(Method::GET, "configuration", AdminScope::ConfigurationRead, Action::Show),
    AdminRoute::new(Method::PUT, "configuration", AdminScope::ConfigurationWrite, Action::Apply),
];

/// Answers one request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    answer(&AdminCall::open(&ROUTES, request, context).await?, request, context).await
}

/// Answers one request of an administrator who is authenticated already.
pub async fn handle_for(
    administrator: Administrator,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    answer(&AdminCall::of_administrator(&ROUTES, administrator, request)?, request, context).await
}

async fn answer(call: &AdminCall<Action>, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    match call.action {
        Action::Show => {
            let stored = configuration::find(&*context.records).await?;
            Ok(Response::json(StatusCode::OK, &shown(stored.as_ref())))
        }
        Action::Apply => apply(json_object(request)?, request, context).await,
    }
}

/// A configuration to apply.
struct NewConfiguration {
    version: u64,
    sections: Map<String, Value>,
    dry_run: bool,
}

impl NewConfiguration {
    const MEMBERS: &[Member] = &[
        Member::required("version", Shape::Decoded(Value::is_u64, "must be the number of the version to replace")),
        Member::required("sections", Shape::Decoded(Value::is_object, "must be an object of sections")),
        Member::optional("dry_run", Shape::Flag),
    ];

    fn parse(body: Map<String, Value>) -> Result<Self, Vec<Problem>> {
        let problems = Shape::Object(Self::MEMBERS).problems("configuration", &Value::Object(body.clone()));
        if !problems.is_empty() {
            return Err(problems);
        }
        let member = |name: &str| body.get(name).cloned().unwrap_or_default();
        Ok(Self {
            version: member("version").as_u64().unwrap_or_default(),
            sections: member("sections").as_object().cloned().unwrap_or_default(),
            dry_run: member("dry_run").as_bool().unwrap_or_default(),
        })
    }

    /// Returns the stored sections with these in their place.
    fn merged(&self, stored: Option<&StoredConfiguration>) -> Map<String, Value> {
        let mut sections = stored.map(|stored| stored.sections.clone()).unwrap_or_default();
        for (name, value) in &self.sections {
            match value {
                Value::Null => sections.remove(name),
                value => sections.insert(name.clone(), value.clone()),
            };
        }
        sections
    }
}

/// Checks a configuration and stores it, if it is no dry run. Round trips: 2; 1 for a dry run.
async fn apply(body: Map<String, Value>, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let new = match NewConfiguration::parse(body) {
        Ok(new) => new,
        Err(problems) => return Ok(problem(request, StatusCode::BAD_REQUEST, &problems)),
    };
    let stored = configuration::find(&*context.records).await?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    if version != new.version {
        return Ok(conflict(version, request));
    }
    let sections = new.merged(stored.as_ref());
    // A section of a later version stays as it is, unless the request names it.
    let checked = sections.iter().filter(|(name, _)| is_known(name) || new.sections.contains_key(*name));
    let checked: Map<String, Value> = checked.map(|(name, value)| (name.clone(), value.clone())).collect();
    let checked = Sections::check(&checked, context.config.reach());
    let mut problems = provider::conflicts(&context.config, sections.keys().map(String::as_str));
    let length = serde_json::to_string(&sections).map_or(0, |json| json.len());
    if length > MAX_LENGTH {
        problems.push(Problem::new(
            "sections",
            format!("are {length} bytes of JSON together; at most {MAX_LENGTH} are stored"),
        ));
    }
    if let Ok(checked) = &checked {
        problems.extend(checked.signature_problems(&context.config));
    }
    let checked = match checked {
        Ok(checked) if problems.is_empty() => checked,
        Ok(_) => return Ok(problem(request, StatusCode::BAD_REQUEST, &problems)),
        Err(found) => {
            problems.extend(found);
            return Ok(problem(request, StatusCode::BAD_REQUEST, &problems));
        }
    };
    let warnings = context.configured(version, checked).warnings(&context.config);
    let is_same = stored.as_ref().map(|stored| &stored.sections) == Some(&sections);
    if new.dry_run || is_same {
        let applied_at = stored.as_ref().map(|stored| stored.applied_at.as_secs());
        let shown = json!({ "version": version, "sections": sections, "applied_at": applied_at, "warnings": warnings });
        return Ok(Response::json(StatusCode::OK, &shown));
    }
    let now = request.received_at;
    match configuration::replace(&*context.records, stored.as_ref(), sections.clone(), now).await? {
        Replaced::Conflict(version) => Ok(conflict(version, request)),
        Replaced::Applied(version) => {
            context.forget_configuration();
            let names: Vec<&str> = new.sections.keys().map(String::as_str).collect();
            let reason = format!("version {version}: {}", names.join(", "));
            AuditEvent::ConfigurationApplied { reason: &reason }.record(request);
            let shown =
                json!({ "version": version, "sections": sections, "applied_at": now.as_secs(), "warnings": warnings });
            Ok(Response::json(StatusCode::OK, &shown))
        }
    }
}

fn is_known(section: &str) -> bool {
    Sections::NAMES.contains(&section)
}

fn conflict(version: u64, request: &Request) -> Response {
    let rule = format!("is not the stored one, which is {version}: read the configuration again and repeat the change");
    problem(request, StatusCode::CONFLICT, &[Problem::new("version", rule)])
}

/// Returns a stored configuration as the API shows it.
fn shown(stored: Option<&StoredConfiguration>) -> Value {
    match stored {
        None => json!({ "version": 0, "sections": {} }),
        Some(stored) => json!({
            "version": stored.version,
            "sections": stored.sections,
            "applied_at": stored.applied_at.as_secs(),
        }),
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
