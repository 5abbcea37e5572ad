//! Words in several languages, as `title#de` (RFC 7591 §2.2). The pages are in English, and so are words without a language.

use crate::language::ranges;
use serde_json::{Map, Value};

/// True for a language tag (BCP 47).
pub(crate) fn is_tag(language: &str) -> bool {
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    language.len() <= 35 && language.split('-').all(is_part)
}

/// Returns the words of a member: those of `localized` in the language that the user prefers, or the member itself. `accept` is the
/// field Accept-Language (RFC 9110 §12.5.4).
pub(crate) fn chosen<'a>(object: &'a Map<String, Value>, member: &str, accept: Option<&str>) -> &'a str {
    let localized = object.get("localized").and_then(Value::as_object);
    let of_language = |tag: &str| {
        let is_of = |name: &str| {
            name.split_once('#').is_some_and(|(base, own)| base == member && own.eq_ignore_ascii_case(tag))
        };
        localized?.iter().find(|(name, _)| is_of(name)).and_then(|(_, words)| words.as_str())
    };
    let plain = object.get(member).and_then(Value::as_str).unwrap_or_default();
    for range in ranges(accept.unwrap_or_default()) {
        // Lookup (RFC 4647 §3.4): from the range to shorter ones.
        let mut tag = range;
        loop {
            if let Some(words) = of_language(tag) {
                return words;
            }
            match tag.rsplit_once('-') {
                Some((shorter, _)) => tag = shorter,
                None if tag.eq_ignore_ascii_case("en") || tag == "*" => return plain,
                None => break,
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_preferred_language_is_chosen() {
        let object = json!({ "label": "Amount", "localized": { "label#de": "Betrag", "label#pt-BR": "Valor", "other#fr": "x" } });
        for (accept, words) in [
            (None, "Amount"),
            (Some("de"), "Betrag"),
            (Some("de-CH-1901"), "Betrag"),
            (Some("DE"), "Betrag"),
            (Some("pt-br"), "Valor"),
            (Some("pt"), "Amount"),
            (Some("fr, de;q=0.5"), "Betrag"),
            (Some("en, de;q=0.9"), "Amount"),
            (Some("de;q=0.1, en-GB;q=0.2"), "Amount"),
            (Some("de;q=0"), "Amount"),
            (Some("*"), "Amount"),
            (Some(";;q=,,-"), "Amount"),
        ] {
            assert_eq!(chosen(object.as_object().unwrap(), "label", accept), words, "{accept:?}");
        }
    }
}
