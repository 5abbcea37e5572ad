//! Challenges in `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3).

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// Returns the parameters of the first Bearer challenge, with lower-case names; `None` if there is no such challenge.
pub(super) fn bearer<'a>(fields: impl IntoIterator<Item = &'a str>) -> Option<BTreeMap<String, String>> {
    fields.into_iter().find_map(|field| {
        let lower = field.to_ascii_lowercase();
        let start =
            if lower.trim_start().starts_with("bearer") { lower.find("bearer") } else { lower.find(", bearer ") };
        let (_, rest) = field.split_at_checked(start?)?;
        let rest = rest.trim_start_matches([',', ' ']);
        let rest = rest.split_at_checked("bearer".len())?.1;
        Some(parameters(rest))
    })
}

fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|next| next.is_whitespace() || *next == ',').is_some() {}
        let mut name = String::new();
        while let Some(next) = rest.next_if(|next| *next != '=' && *next != ',') {
            name.push(next.to_ascii_lowercase());
        }
        if name.is_empty() && rest.next().is_none() {
            return found;
        }
        if rest.next_if_eq(&'=').is_some() {
            found.entry(name.trim().to_owned()).or_insert_with(|| value(&mut rest));
        }
    }
}

/// Reads a token or a quoted string.
fn value(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    if rest.next_if_eq(&'"').is_some() {
        while let Some(next) = rest.next() {
            match next {
                '"' => break,
                '\\' => value.extend(rest.next()),
                other => value.push(other),
            }
        }
        return value;
    }
    while let Some(next) = rest.next_if(|next| *next != ',') {
        value.push(next);
    }
    value.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_tokens_or_quoted_strings() {
        let field = r#"Bearer error="invalid_token", error_description="a, \"b\"=c", Scope=read , resource_metadata="https://a.example/x?y=z""#;
        let found = bearer([field]).unwrap();
        assert_eq!(found["error_description"], r#"a, "b"=c"#);
        assert_eq!((found["scope"].as_str(), found["resource_metadata"].as_str()), ("read", "https://a.example/x?y=z"));
        assert_eq!(bearer([r#"Basic realm="x", Bearer scope="a b""#]).unwrap()["scope"], "a b");
        assert_eq!(bearer(["bearer"]).unwrap().len(), 0);
        assert_eq!(bearer(["Basic realm=\"Bearer\"", "DPoP algs=\"ES256\""]), None);
        assert_eq!(bearer(["Bearer ,,=,\"", "x"]).unwrap().len(), 0);
    }
}
