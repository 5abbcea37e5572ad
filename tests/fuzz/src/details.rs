//! `authorization_details` (RFC 9396), against a type whose schema accepts much.

use protocol::{AuthorizationDetails, AuthorizationDetailsTypes, Parameters};
use serde_json::{Value, json};

fn parsed(text: &str) -> Option<AuthorizationDetails> {
    let members = json!({ "authorization_details": text });
    let parameters = Parameters::from_members(members.as_object()?).ok()?;
    AuthorizationDetails::of_parameters(&parameters).ok()?
}

/// Returns the number of values of an object that are no object and no list.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        Value::Object(members) if !members.is_empty() => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// Details that are accepted are written and read alike, are within themselves, and each of their values has words for users.
pub(crate) fn authorization_details(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(details) = parsed(text) else { return };
    let written = serde_json::to_string(&details).expect("details are JSON");
    assert!(parsed(&written).as_ref() == Some(&details), "{written}");
    let members = json!({ "authorization_details": written });
    let parameters = Parameters::from_members(members.as_object().expect("an object")).expect("one parameter");
    assert!(details.narrowed(&parameters).is_ok_and(|part| part == details), "{written}");
    let types = json!([{
        "type": "a", "title": "A", "schema": { "type": "object" },
        "display": [
            { "label": "B", "pointer": "/b", "format": "money" }, { "label": "C", "pointer": "/c", "format": "list" },
            { "label": "D", "pointer": "/d", "format": "date" }, { "label": "E", "pointer": "/e/0" },
        ],
    }]);
    let types: AuthorizationDetailsTypes = serde_json::from_value(types).expect("types");
    for (words, (_, detail)) in details.words(&types, Some("de")).iter().zip(details.iter()) {
        // Money is one text of two values, and the type is the heading.
        let of_line =
            |line: &protocol::DetailLine<'_>| line.values.len().max(usize::from(line.label == "B").saturating_mul(2));
        let shown: usize = words.lines.iter().map(of_line).chain([1]).sum();
        assert!(shown == leaves(&Value::Object(detail.clone())), "{written}");
    }
}
