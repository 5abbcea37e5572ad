//! The samples of the documentation are valid. Each block of JSON names its setting behind `json`, or `configuration` for a file of
//! sections; the test reads the block as that.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use latchkey_provider::settings::SETTINGS;
use latchkey_provider::{Config, Sections};
use std::path::{Path, PathBuf};
use types::remote_url::EgressPolicy;

/// The name of a sample that is a file of sections.
const CONFIGURATION: &str = "configuration";
const ISSUER: &str = "https://auth.example.com";
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Returns the problems that a value of a setting has, or a file of sections.
fn problems(name: &str, value: &str) -> Vec<String> {
    if name == CONFIGURATION {
        let sections = serde_json::from_str(value).unwrap();
        let problems = Sections::check(&sections, EgressPolicy::Public).err().unwrap_or_default();
        return problems.iter().map(ToString::to_string).collect();
    }
    let lookup = |asked: &str| match asked {
        asked if asked == name => Some(value.to_owned()),
        "LATCHKEY_ISSUER" => Some(ISSUER.to_owned()),
        "LATCHKEY_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    };
    let problems = Config::read(&lookup).err().map(|error| error.problems).unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

/// Returns the blocks of JSON: the name behind `json`, and the block.
fn samples(text: &str) -> Vec<(&str, &str)> {
    let blocks = text.split("```json").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter_map(|block| block.split_once('\n')).map(|(name, body)| (name.trim(), body)).collect()
}

/// Returns the README and every page of infra/docs: path and text.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::fs::read_dir(root.join("infra/docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = folder.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = pages.chain([root.join("README.md")]);
    pages.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_sample_is_read() {
    let pages = pages();
    let samples: Vec<_> =
        pages.iter().flat_map(|(page, text)| samples(text).into_iter().map(move |sample| (page, sample))).collect();
    assert!(samples.len() >= 2);
    for (page, (name, sample)) in samples {
        let page = page.display();
        let is_known = name == CONFIGURATION || SETTINGS.iter().any(|setting| setting.name == name);
        assert!(is_known, "{page}: ```json {name}: is no setting");
        assert_eq!(problems(name, sample), Vec::<String>::new(), "{page}: {name}");
    }
}

#[test]
fn a_wrong_sample_would_be_found() {
    let setting = "```json LATCHKEY_RESOURCES\n[{ \"resource\": \"not absolute\" }]\n```\n";
    let file = "```json configuration\n{ \"resources\": [{ \"resource\": \"not absolute\" }] }\n```\n";
    for text in [setting, file] {
        let [(name, sample)] = samples(text)[..] else { panic!("one sample") };
        assert!(!problems(name, sample).is_empty(), "{name}");
    }
}
