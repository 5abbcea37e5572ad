//! The functions of `template.yaml`: for each its policy, and its integration and routes or its schedule.

use super::replace_part;
use anyhow::{Context, Result};
use manifest::{Function, Purpose, Route, Schedule, Verb};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Returns the template with its functions replaced by those of the manifest.
pub(super) fn write(template: &str) -> Result<String> {
    let mut part = String::new();
    for function in manifest::FUNCTIONS.iter().filter(|function| function.is_server()) {
        part.push_str(&resources(function));
    }
    let template = replace_part(template, "functions", &part)?;
    replace_part(&template, "derivation of keys", &derivation()?)
}

fn resources(function: &Function) -> String {
    let mut text = function_resource(function);
    text.push_str(&keys(function));
    if !function.routes().is_empty() {
        text.push_str(&integration(function));
        function.routes().iter().for_each(|route| text.push_str(&route_resource(function, route)));
    }
    if function.name == manifest::FALLBACK {
        text.push_str(&route_with_key(function, "Unknown", FALLBACK_KEY));
    }
    text
}

fn function_resource(function: &Function) -> String {
    let (id, name) = (logical_id(function.name), function.name);
    let mut text = format!(
        "
  {id}:
    Type: AWS::Serverless::Function
    Metadata: {{ SkipBuild: true }}
    Properties:
      CodeUri: target/lambda/{name}
      FunctionName: !Sub ${{AWS::StackName}}-{name}
      Description: {}
",
        quoted(function.about)
    );
    let mut property = |name: &str, value: u64| {
        let _ = writeln!(text, "      {name}: {value}");
    };
    if function.memory != Function::MEMORY {
        property("MemorySize", function.memory.into());
    }
    if function.timeout != Function::TIMEOUT {
        property("Timeout", function.timeout.as_secs());
    }
    if !function.routes().is_empty() {
        text.push_str(
            "      ReservedConcurrentExecutions: !If [HasRunsPerFunction, !Ref RunsPerFunction, !Ref AWS::NoValue]\n",
        );
    }
    if let Some(schedule) = function.schedule() {
        text.push_str(&events(schedule, function.name == manifest::MAIL));
    }
    let _ = write!(
        text,
        "      Environment:
        Variables:
          LATCHKEY_KEYS: !GetAtt {id}Keys.Keys
          LATCHKEY_KEYS_PREVIOUS: !If [HasPreviousSecret, !GetAtt {id}Keys.Previous, !Ref AWS::NoValue]
"
    );
    text.push_str(&own_settings(function));
    text.push_str("      Policies:\n        - Version: '2012-10-17'\n          Statement:\n");
    Verb::ALL.into_iter().for_each(|verb| text.push_str(&statement(function, verb)));
    text.push_str(&statement_of_listed_records(function));
    if function.name == manifest::MAIL {
        text.push_str(MAIL_RIGHTS);
    }
    text
}

/// The statements of the function that sends mails: SES with the one address of the deployment, and the stream that invokes the function.
const MAIL_RIGHTS: &str = "            - !If
              - HasSes
              - Effect: Allow
                Action: ses:SendEmail
                Resource: !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:*
                Condition: { StringEquals: { ses:FromAddress: !Ref MailFrom } }
              - !Ref AWS::NoValue
            - !If
              - HasMailStream
              - Effect: Allow
                Action: [dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams]
                Resource: !Sub ${Table.Arn}/stream/*
              - !Ref AWS::NoValue
";

/// Returns the resource that derives the function's keys from the deployment secret, which no function has.
fn keys(function: &Function) -> String {
    let purposes: Vec<&str> = function.purposes().into_iter().map(Purpose::label).collect();
    format!(
        "
  {}Keys:
    Type: Custom::DerivedKeys
    Properties:
      ServiceToken: !GetAtt KeyDerivation.Arn
      ServiceTimeout: 60
      Secret: !If [HasExistingSecret, !Ref ExistingSecret, !Ref Secret]
      PairwiseSecret: !Ref PairwiseSecret
      KeepPreviousSecret: !Ref KeepPreviousSecret
      SecretVersion: !Ref SecretVersion
      Purposes: [{}]
",
        logical_id(function.name),
        purposes.join(", ")
    )
}

/// Returns the code of the function behind [`keys()`], as a block of the template.
fn derivation() -> Result<String> {
    let code = std::fs::read_to_string(crate::workspace::root().join("infra/aws/derive_keys.py"))?;
    let indented =
        code.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("          {line}\n") });
    Ok(format!("        ZipFile: |\n{}", indented.collect::<String>()))
}

/// Returns the settings that this function receives and no other does: each is a parameter of the stack, which an empty value
/// leaves out.
fn own_settings(function: &Function) -> String {
    let settings = function.settings.iter().map(|setting| {
        // No parameter may have the name of a function.
        let parameter = match *setting {
            "LATCHKEY_ADMIN" => "Administration".to_owned(),
            other => logical_id(&other.trim_start_matches("LATCHKEY_").to_ascii_lowercase()),
        };
        format!("          {setting}: !If [Has{parameter}, !Ref {parameter}, !Ref AWS::NoValue]\n")
    });
    settings.collect()
}

/// The table: one that the operator named, such as a restored one, or that of the stack.
const TABLE: &str = "!If [HasExistingTable, !Sub 'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}', !GetAtt Table.Arn]";
/// The index of the table.
const INDEX: &str = "!If [HasExistingTable, !Sub 'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}/index/owner-index', !Sub '${Table.Arn}/index/owner-index']";

/// Returns the statement that allows to read the records that the index lists by their keys; empty if the function lists
/// none.
fn statement_of_listed_records(function: &Function) -> String {
    let kinds: BTreeSet<_> = function.lists.iter().flat_map(|owner| owner.kinds()).collect();
    let keys: Vec<String> = kinds.into_iter().map(|kind| quoted(&format!("{kind}#*"))).collect();
    allow("BatchGetItem", TABLE, &keys)
}

/// Returns the statement of the policy that allows one verb; empty if the function does not use the verb.
fn statement(function: &Function, verb: Verb) -> String {
    let (action, table) = match verb {
        Verb::Get => ("GetItem", TABLE),
        Verb::Create => ("PutItem", TABLE),
        Verb::Advance | Verb::Count => ("UpdateItem", TABLE),
        Verb::Delete => ("DeleteItem", TABLE),
        Verb::List => ("Query", INDEX),
    };
    let keys: Vec<String> = match verb {
        Verb::List => function.lists.iter().map(|owner| quoted(owner.pattern())).collect(),
        verb => {
            let used = function.records.iter().filter(|access| access.verbs.contains(&verb));
            used.map(|access| quoted(&format!("{}#*", access.kind))).collect()
        }
    };
    allow(action, table, &keys)
}

/// Returns the statement that allows an action on items whose keys have these patterns; empty without a pattern.
fn allow(action: &str, table: &str, keys: &[String]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    format!(
        "            - Effect: Allow
              Action: dynamodb:{action}
              Resource: {table}
              Condition: {{ ForAllValues:StringLike: {{ dynamodb:LeadingKeys: [{}] }} }}
",
        keys.join(", ")
    )
}

/// `OmitName`: SAM gives a schedule a literal physical name otherwise, and a second stack could not be created.
/// Without a sender there is nothing for the function `mail` to do.
fn events(schedule: Schedule, is_mail: bool) -> String {
    let minutes = schedule.every.as_secs().div_euclid(60);
    let rate = match (minutes, minutes.checked_rem(60)) {
        (1, _) => "1 minute".to_owned(),
        (60, _) => "1 hour".to_owned(),
        (_, Some(0)) => format!("{} hours", minutes.div_euclid(60)),
        _ => format!("{minutes} minutes"),
    };
    format!(
        "      Events:
        Schedule:
          Type: ScheduleV2
          Properties:
            OmitName: true
{}            ScheduleExpression: rate({rate})
            RetryPolicy:
              MaximumRetryAttempts: {}
",
        if is_mail { "            State: !If [HasMail, ENABLED, DISABLED]\n" } else { "" },
        schedule.retries
    )
}

fn integration(function: &Function) -> String {
    let id = logical_id(function.name);
    format!(
        "
  {id}Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt {id}.Arn
      PayloadFormatVersion: '2.0'

  {id}Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref {id}
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*
"
    )
}

/// The path whose methods have throttles of their own: to show the page is cheap, to check a password is not.
pub(crate) const THROTTLED_PER_METHOD: &str = "/login";

fn route_resource(function: &Function, route: &Route) -> String {
    let id = if route.path == "/" { "Root".to_owned() } else { logical_id(route.path.trim_end_matches('/')) };
    let (id, path) = match route.below() {
        Some(path) => (format!("{id}Paths"), format!("{path}/{{proxy+}}")),
        None => (id, route.path.to_owned()),
    };
    let resource = |id: &str, method: &str| route_with_key(function, id, &format!("{method} {path}"));
    let mut text = resource(&id, "ANY");
    if route.path == THROTTLED_PER_METHOD {
        for method in route.methods {
            text.push_str(&resource(&format!("{id}{}", logical_id(&method.as_str().to_lowercase())), method.as_str()));
        }
    }
    text
}

/// The key of the route that takes every request that no other route takes.
pub(crate) const FALLBACK_KEY: &str = "$default";

fn route_with_key(function: &Function, id: &str, key: &str) -> String {
    format!(
        "
  {id}Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: {key}
      Target: !Sub integrations/${{{}Integration}}
",
        logical_id(function.name)
    )
}

/// Returns the template of the web ACL by itself: a stack with CloudFront in another region than us-east-1 needs it there.
pub(super) fn write_web_acl(_: &str) -> Result<String> {
    let template = std::fs::read_to_string(crate::workspace::root().join("template.yaml"))?;
    let part = |start: &str, end: &str| {
        let (_, rest) = template.split_once(start).with_context(|| format!("template.yaml has no {start:?}"))?;
        let (part, _) = rest.split_once(end).with_context(|| format!("template.yaml has no {end:?}"))?;
        anyhow::Ok(part.to_owned())
    };
    let resource =
        part("us-east-1.\n  # The managed", "  # end of web ACL")?.replace("    Condition: HasOwnWebAcl\n", "");
    let parameters = part("  RequestsPerAddress:\n", "  ProxyAddressHeader:")?;
    Ok(format!(
        "# generated: by `cargo xtask generate` from template.yaml. Edit the template.
#
#   aws cloudformation deploy --region us-east-1 --stack-name latchkey-web-acl --template-file infra/aws/web-acl.yaml
#
# The output Arn is the parameter WebAclArn of template.yaml.
AWSTemplateFormatVersion: '2010-09-09'
Description: The web ACL of a Latchkey stack in another region

Parameters:
  RequestsPerAddress:
{parameters}
Resources:
  # The managed{resource}
Outputs:
  Arn:
    Description: The web ACL, as WebAclArn of template.yaml
    Value: !GetAtt WebAcl.Arn
"
    ))
}

/// Returns the words of a name or a path, each with a capital and without what stands between them.
fn logical_id(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    words
        .flat_map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect()
}

/// Returns the text as a single-quoted scalar of YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logical_ids_are_words_with_capitals() {
        assert_eq!(logical_id("demo-api"), "DemoApi");
        assert_eq!(logical_id("/.well-known/openid-configuration"), "WellKnownOpenidConfiguration");
        assert_eq!(logical_id("/device_authorization"), "DeviceAuthorization");
    }

    #[test]
    fn a_statement_lists_the_kinds_of_one_verb() {
        let consent = manifest::function("consent");
        assert!(statement(&consent, Verb::Get).contains(
            "LeadingKeys: ['client#*', 'session#*', 'user#*', 'pushed#*', 'grant#*', 'keys#*', 'configuration#*']"
        ));
        assert!(statement(&consent, Verb::Delete).is_empty());
        assert!(statement(&manifest::function("login"), Verb::List).contains("['user#*']"));
        let listed = statement_of_listed_records(&manifest::function("login"));
        let kinds = "['user#*', 'passkey#*', 'second-factor#*', 'session#*', 'consent#*', 'grant#*']";
        assert!(listed.contains("BatchGetItem") && listed.contains(kinds), "{listed}");
        assert!(statement_of_listed_records(&consent).is_empty());
    }
}
