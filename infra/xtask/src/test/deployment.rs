//! Checks by the tools of AWS and Cloudflare that the deployment is valid.

use crate::workspace::{self, Build};
use crate::{process, tools, workers};
use anyhow::{Context, Result, bail};
use keys::Secret;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Runs SAM's own check, then cfn-lint on the translated template: each finds what the other does not. Then checks that a
/// second stack in the same account and region can exist.
pub(crate) fn template() -> Result<()> {
    let root = workspace::root();
    let programs = tools::python(&root.join("infra/aws/requirements.txt"))?;
    let translated = workspace::scratch("template")?.join("translated.json");
    let mut sam = Command::new(programs.join("sam"));
    sam.args(["validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"]);
    process::run(sam.env("SAM_CLI_TELEMETRY", "0").current_dir(root))?;
    let mut translate = Command::new(programs.join("python"));
    translate.args(["infra/aws/translate.py", "template.yaml"]).arg(&translated);
    process::run(translate.env_remove("AWS_DEFAULT_REGION").env_remove("AWS_REGION").current_dir(root))?;
    let mut lint = Command::new(programs.join("cfn-lint"));
    process::run(lint.args(["--regions", "us-east-1", "--template"]).arg(&translated))?;
    let mut lint = Command::new(programs.join("cfn-lint"));
    process::run(lint.args(["--regions", "us-east-1", "--template", "infra/aws/web-acl.yaml"]).current_dir(root))?;
    let template = serde_json::from_slice(&std::fs::read(&translated)?)?;
    check_derivation(&programs.join("python"))?;
    let literal = literal_names(&template)?;
    if literal.is_empty() {
        return Ok(());
    }
    bail!("a second stack in the same account cannot be created: give these names {PREFIX}: {}", literal.join(", "))
}

/// Fails if the custom resource of the template derives other keys than the functions, for a secret in either form.
fn check_derivation(python: &Path) -> Result<()> {
    let (secret, pairwise) = (Secret::from_bytes([7; 32]), Secret::from_bytes([251; 32]));
    let forms = [secret.to_base64url(), "07".repeat(32)];
    for function in manifest::FUNCTIONS.iter().filter(|function| function.has_keys()) {
        let purposes: Vec<&str> = function.purposes().into_iter().map(|purpose| purpose.label()).collect();
        for (form, pairwise) in forms.iter().zip([None, Some(&pairwise)]) {
            let arguments = json!([form, purposes, pairwise.map(Secret::to_base64url)]).to_string();
            let mut derive = Command::new(python);
            derive.args(["-c", "import derive_keys, json, sys; print(derive_keys.derive(*json.loads(sys.argv[1])))"]);
            let output = derive.arg(arguments).env("PYTHONPATH", workspace::root().join("infra/aws")).output()?;
            let derived = String::from_utf8_lossy(&output.stdout);
            if derived.trim() != secret.export(&function.purposes(), pairwise).as_str() {
                let reason = String::from_utf8_lossy(&output.stderr);
                bail!("infra/aws/derive_keys.py derives other keys for {}: {reason}", function.name);
            }
        }
    }
    Ok(())
}

const PREFIX: &str = "${AWS::StackName}";

/// Properties that end in `Name` and are not the physical name of the resource.
const NO_PHYSICAL_NAMES: [&str; 2] = [
    // The stage of one API.
    "AWS::ApiGatewayV2::Stage.StageName",
    // The metric of an alarm.
    "AWS::CloudWatch::Alarm.MetricName",
];

/// Returns the physical names in a translated template that two stacks would share.
fn literal_names(template: &Value) -> Result<Vec<String>> {
    let resources = template["Resources"].as_object().context("no Resources")?;
    let mut literal = Vec::new();
    for (id, resource) in resources {
        let kind = resource["Type"].as_str().unwrap_or_default();
        for (name, value) in resource["Properties"].as_object().into_iter().flatten() {
            let is_physical = name.ends_with("Name") && !NO_PHYSICAL_NAMES.contains(&format!("{kind}.{name}").as_str());
            if is_physical && !is_of_this_stack(value) {
                literal.push(format!("{id}.{name}"));
            }
        }
    }
    Ok(literal)
}

/// True if a value contains the name of the stack, or refers to another resource or a parameter.
fn is_of_this_stack(value: &Value) -> bool {
    match value {
        Value::Object(function) => function.iter().any(|(name, argument)| match name.as_str() {
            "Ref" | "Fn::GetAtt" => true,
            "Fn::Sub" => argument.as_str().is_some_and(|text| text.contains(PREFIX)),
            _ => false,
        }),
        _ => false,
    }
}

/// Runs wrangler's own check of the upload, for each Worker.
pub(super) fn wrangler() -> Result<()> {
    workers::build_all(Build::Dev)?;
    workers::dry_run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_name_is_found() {
        let template = json!({ "Resources": {
            "NotifySchedule": { "Type": "AWS::Scheduler::Schedule", "Properties": { "Name": "NotifySchedule" } },
            "Fixed": { "Type": "AWS::Lambda::Function", "Properties": { "FunctionName": { "Fn::Sub": "latchkey-token" } } },
            "Token": { "Type": "AWS::Lambda::Function", "Properties": { "FunctionName": { "Fn::Sub": "${AWS::StackName}-token" } } },
            "Api": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": { "Ref": "AWS::StackName" } } },
            "Stage": { "Type": "AWS::ApiGatewayV2::Stage", "Properties": { "StageName": "$default" } },
        } });
        assert_eq!(literal_names(&template).unwrap(), ["Fixed.FunctionName", "NotifySchedule.Name"]);
    }
}
