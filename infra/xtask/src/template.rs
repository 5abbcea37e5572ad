//! Reads template.yaml, as far as the emulator and the tests need it.
//!
//! The reader drops the tags of CloudFormation: `!Ref Table` reads as `Table`.

use anyhow::{Context, Result, bail};
use lambda_emulator::{Permission, Route};
use serde_json::{Value, json};
use std::path::Path;
use yaml_rust2::{Yaml, YamlLoader};

/// The template.
pub(crate) struct Template {
    /// The functions, in the order of the file.
    pub(crate) functions: Vec<Function>,
    /// The routes of the API.
    pub(crate) routes: Vec<Route>,
    /// The names of the environment variables that every function is given.
    pub(crate) settings: Vec<String>,
    /// The parameters of the call that creates the table, without its name.
    pub(crate) table: Value,
}

/// One function.
pub(crate) struct Function {
    /// The name of the binary and of the crate.
    pub(crate) name: String,
    /// Memory, in MB.
    pub(crate) memory: u64,
    /// The timeout, in seconds.
    pub(crate) timeout: u64,
    /// True if the function has a schedule.
    pub(crate) scheduled: bool,
    /// The start of the keys of new items that invoke the function, through the stream of the table.
    pub(crate) stream: Option<String>,
    /// The policy: the access to the table.
    pub(crate) permissions: Vec<Permission>,
    /// The global environment variables that the function does not receive.
    pub(crate) withheld: Vec<String>,
    /// The names of the environment variables that this function is given besides the global ones.
    pub(crate) own: Vec<String>,
}

impl Template {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let documents = YamlLoader::load_from_str(text)?;
        let document = documents.first().context("the template is empty")?;
        let resources = document["Resources"].as_hash().context("no Resources")?;
        let globals = &document["Globals"]["Function"];
        let mut functions = Vec::new();
        let mut logical = Vec::new();
        let mut table = Value::Null;
        for (id, resource) in resources {
            let id = id.as_str().unwrap_or_default();
            match resource["Type"].as_str() {
                Some("AWS::Serverless::Function") => {
                    let function = function(id, resource, globals)?;
                    logical.push((id.to_owned(), function.name.clone()));
                    functions.push(function);
                }
                Some("AWS::DynamoDB::Table") => table = creation(&resource["Properties"])?,
                _ => {}
            }
        }
        for (_, resource) in resources {
            if resource["Type"].as_str() == Some("AWS::Lambda::EventSourceMapping") {
                let (id, start) = event_source(&resource["Properties"])?;
                let name = logical.iter().find(|(known, _)| known == id).map(|(_, name)| name.as_str());
                let function = functions.iter_mut().find(|function| Some(function.name.as_str()) == name);
                function.context("an event source names no function")?.stream = Some(start);
            }
        }
        let mut routes = Vec::new();
        for (_, resource) in resources {
            if resource["Type"].as_str() == Some("AWS::ApiGatewayV2::Route") {
                routes.push(route(&resource["Properties"], resources, &logical)?);
            }
        }
        let settings = globals["Environment"]["Variables"].as_hash().context("no environment")?;
        let settings = settings.keys().filter_map(Yaml::as_str).map(str::to_owned).collect();
        Ok(Self { functions, routes, settings, table })
    }
}

fn function(id: &str, resource: &Yaml, globals: &Yaml) -> Result<Function> {
    let properties = &resource["Properties"];
    let name = properties["CodeUri"].as_str().and_then(|uri| uri.strip_prefix("target/lambda/"));
    let name = name
        .with_context(|| format!("{id}: CodeUri is not a path below target/lambda, where infra/aws/build.sh builds"))?
        .to_owned();
    let number = |property: &str| {
        let value = properties[property].as_i64().or(globals[property].as_i64());
        value.and_then(|value| u64::try_from(value).ok()).with_context(|| format!("{id} has no {property}"))
    };
    let mut permissions = Vec::new();
    for policy in strings_or_list(&properties["Policies"]) {
        for statement in strings_or_list(&policy["Statement"]) {
            // The rights beside the table depend on parameters: `!If [CONDITION, STATEMENT, NONE]`.
            if statement.as_vec().is_some() {
                continue;
            }
            for action in strings_or_list(&statement["Action"]) {
                let action = action.as_str().with_context(|| format!("{id}: an action is not a string"))?.to_owned();
                // The table of the stack, or an existing one: `!If [CONDITION, EXISTING, OWN]`.
                let mut resources = strings_or_list(&statement["Resource"]).iter().filter_map(Yaml::as_str);
                let index = resources.any(|resource| resource.contains("/index/"));
                let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
                let keys: Vec<String> =
                    strings_or_list(keys).iter().filter_map(Yaml::as_str).map(str::to_owned).collect();
                if keys.is_empty() {
                    bail!("{id}: {action} is allowed without a condition on the keys");
                }
                permissions.push(Permission { action, index, keys });
            }
        }
    }
    let scheduled = properties["Events"].as_hash().is_some();
    let variables = properties["Environment"]["Variables"].as_hash().into_iter().flatten();
    let (withheld, own): (Vec<_>, Vec<_>) = variables.partition(|(_, value)| value.as_str() == Some("AWS::NoValue"));
    let names = |variables: Vec<(&Yaml, &Yaml)>| -> Vec<String> {
        variables.into_iter().filter_map(|(name, _)| name.as_str()).map(str::to_owned).collect()
    };
    let (withheld, own) = (names(withheld), names(own));
    let (memory, timeout) = (number("MemorySize")?, number("Timeout")?);
    Ok(Function { name, memory, timeout, scheduled, stream: None, permissions, withheld, own })
}

/// Returns the logical id of the function of an event source, and the start of the keys that its filter selects.
fn event_source(properties: &Yaml) -> Result<(&str, String)> {
    let pattern =
        properties["FilterCriteria"]["Filters"][0]["Pattern"].as_str().context("a stream without a filter")?;
    let pattern: Value = serde_json::from_str(pattern).context("the filter of a stream")?;
    let start = pattern["dynamodb"]["Keys"]["key"]["S"][0]["prefix"].as_str();
    let is_insert = pattern["eventName"] == json!(["INSERT"]);
    let start = start.filter(|_| is_insert).context("the emulator supports streams of new items by key alone")?;
    Ok((properties["FunctionName"].as_str().context("a stream without a function")?, start.to_owned()))
}

fn route(properties: &Yaml, resources: &yaml_rust2::yaml::Hash, logical: &[(String, String)]) -> Result<Route> {
    let key = properties["RouteKey"].as_str().context("a route without a key")?;
    let fallback = crate::generate::template::FALLBACK_KEY;
    let (method, path) = match key {
        key if key == fallback => ("ANY", fallback),
        key => key.split_once(' ').with_context(|| format!("the route {key:?} names no path"))?,
    };
    let target = properties["Target"].as_str().unwrap_or_default();
    let integration = target.trim_start_matches("integrations/${").trim_end_matches('}');
    let integration = resources.get(&Yaml::String(integration.to_owned()));
    let function = integration.and_then(|integration| integration["Properties"]["IntegrationUri"].as_str());
    let function = function.map(|arn| arn.trim_end_matches(".Arn"));
    let named = |id: Option<&str>| logical.iter().find(|(known, _)| Some(known.as_str()) == id).map(|(_, name)| name);
    let function = named(function).with_context(|| format!("the route {key:?} leads to no function"))?.clone();
    let authorizer = match properties["AuthorizerId"].as_str() {
        None => None,
        Some(id) => {
            let authorizer = resources.get(&Yaml::String(id.to_owned())).context("a route names no authorizer")?;
            let function = authorizer_function(&authorizer["Properties"]);
            Some(
                named(function)
                    .with_context(|| format!("{id} is not a kind of Lambda authorizer that the emulator supports"))?
                    .clone(),
            )
        }
    };
    Ok(Route { method: method.to_owned(), path: path.to_owned(), function, authorizer })
}

/// Returns the function of an authorizer of the one kind that the emulator supports.
fn authorizer_function(properties: &Yaml) -> Option<&str> {
    let is_known = properties["AuthorizerPayloadFormatVersion"].as_str() == Some("2.0")
        && properties["IdentitySource"][0].as_str() == Some("$request.header.Authorization")
        && properties["AuthorizerResultTtlInSeconds"].as_i64() == Some(0)
        && properties["EnableSimpleResponses"].as_bool() == Some(true);
    let (_, function) = properties["AuthorizerUri"].as_str().filter(|_| is_known)?.rsplit_once("functions/${")?;
    function.strip_suffix(".Arn}/invocations")
}

fn creation(properties: &Yaml) -> Result<Value> {
    let mut table = serde_json::Map::new();
    for property in ["AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"] {
        table.insert(property.to_owned(), to_json(&properties[property])?);
    }
    // The emulation has no capacity to warm.
    for index in table.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut).into_iter().flatten() {
        index.as_object_mut().map(|index| index.remove("WarmThroughput"));
    }
    Ok(Value::Object(table))
}

fn to_json(yaml: &Yaml) -> Result<Value> {
    Ok(match yaml {
        Yaml::String(text) => json!(text),
        Yaml::Boolean(value) => json!(value),
        Yaml::Integer(value) => json!(value),
        Yaml::Array(items) => Value::Array(items.iter().map(to_json).collect::<Result<_>>()?),
        Yaml::Hash(entries) => {
            let entry =
                |(key, value): (&Yaml, &Yaml)| Ok((key.as_str().unwrap_or_default().to_owned(), to_json(value)?));
            Value::Object(entries.iter().map(entry).collect::<Result<_>>()?)
        }
        other => bail!("{other:?} cannot be a property of a table"),
    })
}

fn strings_or_list(yaml: &Yaml) -> &[Yaml] {
    match yaml {
        Yaml::BadValue => &[],
        Yaml::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        Template::read(&crate::workspace::root().join("template.yaml")).unwrap()
    }

    #[test]
    fn its_routes_are_those_of_the_manifest() {
        let mut expected = Vec::new();
        for function in manifest::FUNCTIONS {
            for route in function.routes() {
                let path = route.below().map_or(route.path.to_owned(), |path| format!("{path}/{{proxy+}}"));
                let own = (route.path == crate::generate::template::THROTTLED_PER_METHOD).then_some(route.methods);
                let methods = own.into_iter().flatten().map(|method| method.as_str()).chain(["ANY"]);
                for method in methods {
                    let (method, path, function) = (method.to_owned(), path.clone(), function.name.to_owned());
                    expected.push(Route { method, path, function, authorizer: None });
                }
            }
        }
        for (method, path, is_guarded) in [
            ("ANY", "/demo-api", true),
            ("ANY", "/demo-api/{proxy+}", true),
            ("OPTIONS", "/demo-api", false),
            ("OPTIONS", "/demo-api/{proxy+}", false),
            ("ANY", "/.well-known/oauth-protected-resource/demo-api", false),
        ] {
            expected.push(Route {
                method: method.to_owned(),
                path: path.to_owned(),
                function: "demo-api".to_owned(),
                authorizer: is_guarded.then(|| "authorizer".to_owned()),
            });
        }
        expected.push(Route {
            method: "ANY".to_owned(),
            path: crate::generate::template::FALLBACK_KEY.to_owned(),
            function: manifest::FALLBACK.to_owned(),
            authorizer: None,
        });
        let mut routes = template().routes;
        routes.sort();
        expected.sort();
        assert_eq!(routes, expected);
    }

    #[test]
    fn its_functions_are_those_of_the_manifest() {
        let template = template();
        let mut names: Vec<&str> = template.functions.iter().map(|function| function.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, names_of(manifest::Function::runs_on_lambda));
        for function in &template.functions {
            let row = manifest::function(&function.name);
            assert_eq!(function.memory, u64::from(row.memory), "{}", row.name);
            assert_eq!(function.timeout, row.timeout.as_secs(), "{}", row.name);
            assert_eq!(function.scheduled, row.schedule().is_some(), "{}", row.name);
            assert_eq!(function.permissions.is_empty(), !row.is_server(), "{}", row.name);
        }
    }

    fn names_of(matches: impl Fn(&manifest::Function) -> bool) -> Vec<&'static str> {
        crate::generate::names(matches)
    }

    #[test]
    fn settings_of_one_function_reach_no_other() {
        let template = template();
        for function in template.functions.iter().filter(|function| manifest::function(&function.name).is_server()) {
            // Each function has keys of its own under the same names.
            let own: Vec<_> = function.own.iter().filter(|name| !name.starts_with("LATCHKEY_KEYS")).collect();
            assert_eq!(
                own,
                manifest::function(&function.name).settings.iter().collect::<Vec<_>>(),
                "{}",
                function.name
            );
            assert!(own.into_iter().all(|name| !template.settings.contains(name)), "{}", function.name);
        }
    }

    #[test]
    fn guards_have_neither_secret_nor_table() {
        for function in template().functions {
            let is_guarded = !manifest::function(&function.name).is_server();
            for name in ["LATCHKEY_TABLE", "LATCHKEY_PROXY_SECRET"] {
                assert_eq!(function.withheld.iter().any(|withheld| withheld == name), is_guarded, "{}", function.name);
            }
        }
    }
}
