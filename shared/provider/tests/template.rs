//! The environment variables of template.yaml are settings of the provider.

use latchkey_provider::settings::SETTINGS;

#[test]
fn the_variables_of_the_template_are_settings() {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    let globals = template.split("\nGlobals:\n").nth(1).and_then(|rest| rest.split("\nResources:\n").next()).unwrap();
    let variables = globals.split("      Variables:\n").nth(1).unwrap();
    let names = variables.lines().filter_map(|line| line.strip_prefix("        ")?.split_once(':'));
    let names: Vec<&str> = names.map(|(name, _)| name).filter(|name| name.starts_with("LATCHKEY_")).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let is_setting = SETTINGS.iter().any(|setting| setting.name == name);
        assert!(is_setting || name == "LATCHKEY_TABLE", "{name}");
    }
}

#[test]
fn parameters_have_the_ranges_of_the_settings() {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    for (parameter, name) in
        [("MinPassword", "LATCHKEY_MIN_PASSWORD"), ("PasswordHashWork", "LATCHKEY_PASSWORD_HASH_WORK")]
    {
        let setting = SETTINGS.iter().find(|setting| setting.name == name).unwrap();
        let (least, most) = setting.range.unwrap();
        let default = setting.default.unwrap();
        let wanted = format!(
            "\n  {parameter}:\n    Type: Number\n    Default: {default}\n    MinValue: {least}\n    MaxValue: {most}\n"
        );
        assert!(template.contains(&wanted), "{wanted}");
        assert!(template.contains(&format!("{name}: !Ref {parameter}\n")), "{name}");
    }
}
