//! The samples in the README are what the code reads: each block of JSON names its setting behind `json`, and each
//! setting holds it.

use latchkey_provider::Config;
use latchkey_provider::settings::SETTINGS;

const ISSUER: &str = "https://auth.example.com";
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What is wrong with a setting.
fn problems(name: &str, value: &str) -> Vec<String> {
    let lookup = |asked: &str| match asked {
        asked if asked == name => Some(value.to_owned()),
        "LATCHKEY_ISSUER" => Some(ISSUER.to_owned()),
        "LATCHKEY_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    };
    Config::read(&lookup).err().map(|error| error.problems).unwrap_or_default()
}

/// The blocks of JSON: what stands behind `json`, and the block.
fn samples(text: &str) -> Vec<(&str, &str)> {
    let blocks = text.split("```json").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter_map(|block| block.split_once('\n')).map(|(name, body)| (name.trim(), body)).collect()
}

#[test]
fn every_sample_is_read() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let samples = samples(&readme);
    assert!(!samples.is_empty());
    for (name, sample) in samples {
        assert!(SETTINGS.iter().any(|setting| setting.name == name), "```json {name}: is no setting");
        assert_eq!(problems(name, sample), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_wrong_sample_would_be_found() {
    let text = "```json LATCHKEY_RESOURCES\n[{ \"resource\": \"not absolute\" }]\n```\n";
    let [(name, sample)] = samples(text)[..] else { panic!("one sample") };
    assert!(!problems(name, sample).is_empty());
}
