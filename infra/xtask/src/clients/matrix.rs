//! The samples of `tests/clients/matrix.toml`.

use super::Language;
use crate::workspace;
use anyhow::{Context, Result};
use serde::Deserialize;

/// A library with the sample that uses it. `matrix.toml` explains the members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) library: String,
    pub(super) language: Language,
    pub(super) program: String,
    #[serde(rename = "for")]
    pub(super) create_for: String,
    pub(super) callback: Option<String>,
    pub(super) after_logout: Option<String>,
    #[serde(default)]
    pub(super) does: Vec<String>,
    #[serde(default = "root")]
    pub(super) start: String,
    #[serde(default = "claims")]
    pub(super) shows: Vec<String>,
    pub(super) ready: Option<String>,
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) browser: bool,
    #[serde(default)]
    pub(super) terminal: bool,
    #[serde(default)]
    pub(super) slow: bool,
}

impl Sample {
    /// Returns the file of the sample, below the folder of its language.
    pub(super) fn file(&self) -> String {
        let program = &self.program;
        match self.language {
            Language::Rust => format!("src/bin/{program}.rs"),
            Language::Go if !program.ends_with(".sh") => format!("{program}/main.go"),
            Language::Java if program.ends_with(".jar") => {
                let folder = program.split('/').next().unwrap_or_default();
                format!("{folder}/src/main/resources/application.properties")
            }
            Language::Java => match program.split_once('/') {
                Some((folder, class)) => format!("{folder}/src/main/java/{}.java", class.replace('.', "/")),
                None => format!("src/main/java/{}.java", program.replace('.', "/")),
            },
            Language::Javascript | Language::Python | Language::Go | Language::Apache => program.clone(),
        }
    }
}

fn root() -> String {
    "/".to_owned()
}

/// Returns the name and the e-mail address of the demo user.
fn claims() -> Vec<String> {
    ["Demo User", "demo@example.com"].map(str::to_owned).to_vec()
}

#[derive(Deserialize)]
struct Matrix {
    sample: Vec<Sample>,
}

/// Returns all samples, in the order of the file.
pub(super) fn read() -> Result<Vec<Sample>> {
    let file = workspace::root().join("tests/clients/matrix.toml");
    let matrix: Matrix =
        toml::from_str(&std::fs::read_to_string(&file)?).with_context(|| file.display().to_string())?;
    Ok(matrix.sample)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn each_sample_has_a_name_of_its_own() {
        let samples = super::read().unwrap();
        let names: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
        assert_eq!(names.len(), samples.len());
    }

    #[test]
    fn each_sample_signs_a_user_in_or_is_a_resource_server() {
        for sample in super::read().unwrap() {
            assert!(sample.callback.is_some() != sample.resource.is_some(), "{}", sample.name);
        }
    }
}
