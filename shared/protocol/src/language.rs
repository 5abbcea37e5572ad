//! The language of the pages, and its negotiation.

use crate::introspection::per_mille;
use serde::{Deserialize, Serialize};

/// The longest list of languages that is read, in bytes, and the most ranges of it.
const MAX_FIELD: usize = 1024;
const MAX_RANGES: usize = 32;

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
    /// French.
    #[serde(rename = "fr")]
    French,
    /// Chinese in simplified characters.
    #[serde(rename = "zh")]
    Chinese,
    /// Japanese.
    #[serde(rename = "ja")]
    Japanese,
    /// Arabic.
    #[serde(rename = "ar")]
    Arabic,
}

impl Language {
    /// Every language, in the order of the picker.
    pub const ALL: [Self; 7] =
        [Self::English, Self::German, Self::Spanish, Self::French, Self::Chinese, Self::Japanese, Self::Arabic];

    /// Returns the primary subtag (BCP 47).
    pub const fn subtag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Chinese => "zh",
            Self::Japanese => "ja",
            Self::Arabic => "ar",
        }
    }

    /// Returns the language tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-Hans",
            other => other.subtag(),
        }
    }

    /// Returns the direction of the text, as the attribute `dir` names it.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Arabic => "rtl",
            _ => "ltr",
        }
    }

    /// Returns the name of the language in the language itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Spanish => "Español",
            Self::French => "Français",
            Self::Chinese => "简体中文",
            Self::Japanese => "日本語",
            Self::Arabic => "العربية",
        }
    }

    /// Returns the language of a tag, by its primary subtag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let subtag = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| subtag.eq_ignore_ascii_case(language.subtag()))
    }

    /// Returns the first language of `ui_locales` that the pages have (OpenID Connect Core §3.1.2.1).
    pub fn requested(ui_locales: &str) -> Option<Self> {
        ui_locales.split_ascii_whitespace().take(MAX_RANGES).find_map(Self::of_tag)
    }

    /// Returns the language that the field Accept-Language prefers (RFC 9110 §12.5.4). `*` is `default`, unless the field refuses that.
    fn accepted(field: &str, default: Self) -> Option<Self> {
        let refused =
            |language: Self| weights(field).any(|(tag, weight)| weight == 0 && Self::of_tag(tag) == Some(language));
        ranges(field).into_iter().find_map(|range| match range {
            "*" => [default].into_iter().chain(Self::ALL).find(|language| !refused(*language)),
            tag => Self::of_tag(tag),
        })
    }
}

/// The facts about the language that the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LanguageWishes<'a> {
    /// The language of `ui_locales`.
    pub requested: Option<Language>,
    /// The cookie of the picker; see [`Self::picked`].
    pub cookie: Option<&'a str>,
    /// The field Accept-Language.
    pub accept: Option<&'a str>,
    /// The language of the deployment.
    pub default: Language,
}

impl LanguageWishes<'_> {
    /// Returns the language: of the request, of the picker, of the browser, of the deployment. A user who picks another language on a
    /// page of a request keeps it, although the request names one: the cookie tells both.
    pub fn language(&self) -> Language {
        let (picked, instead_of) = self.cookie.map_or((None, None), |cookie| {
            let (picked, instead_of) = cookie.split_once('.').unwrap_or((cookie, ""));
            (Language::of_tag(picked), Language::of_tag(instead_of))
        });
        let requested = self.requested.filter(|requested| picked.is_none() || instead_of != Some(*requested));
        let accepted = || self.accept.and_then(|field| Language::accepted(field, self.default));
        requested.or(picked).or_else(accepted).unwrap_or(self.default)
    }

    /// Returns the value of the cookie for a language that the user picks: its subtag, and that of the language which the request named.
    pub fn picked(&self, language: Language) -> String {
        match self.requested {
            Some(requested) => format!("{}.{}", language.subtag(), requested.subtag()),
            None => language.subtag().to_owned(),
        }
    }
}

/// Returns the ranges of a field Accept-Language, the preferred one first.
pub(crate) fn ranges(field: &str) -> Vec<&str> {
    let mut ranges: Vec<(&str, u16)> = weights(field).filter(|(_, weight)| *weight > 0).collect();
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(tag, _)| tag).collect()
}

/// Returns the ranges of a field with their weights in thousandths, in the order of the field.
fn weights(field: &str) -> impl Iterator<Item = (&str, u16)> {
    let field = if field.len() > MAX_FIELD { "" } else { field };
    field.split(',').take(MAX_RANGES).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        (tag, weight.map_or(1000, per_mille))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{Arabic, Chinese, English, French, German, Japanese, Spanish};

    #[test]
    fn the_browser_is_asked_by_weight() {
        let many = format!("{}de", "tlh,".repeat(MAX_RANGES));
        for (field, expected) in [
            ("de", Some(German)),
            ("DE-ch-1901", Some(German)),
            ("en;q=0.1,fr;q=0.9", Some(French)),
            ("fr;q=0, en", Some(English)),
            ("fr;q=0", None),
            ("pt-BR, es;q=0.8, en;q=0.7", Some(Spanish)),
            ("ja-JP-u-ca-japanese", Some(Japanese)),
            ("zh-Hant-HK", Some(Chinese)),
            ("*", Some(Arabic)),
            ("*, ar;q=0", Some(English)),
            ("tlh, *;q=0.1, fr;q=0.5", Some(French)),
            ("de;q=2, fr;q=0.001", Some(French)),
            (";;q=,,-", None),
            ("", None),
            (&many, None),
        ] {
            assert_eq!(Language::accepted(field, Arabic), expected, "{field}");
        }
    }

    #[test]
    fn the_request_is_asked_in_its_order() {
        for (ui_locales, expected) in [
            ("de", Some(German)),
            ("pt-BR fr-CA en", Some(French)),
            ("  zh_TW  ", Some(Chinese)),
            ("tlh", None),
            ("", None),
            ("deu", None),
            ("de,fr", None),
        ] {
            assert_eq!(Language::requested(ui_locales), expected, "{ui_locales}");
        }
    }

    #[test]
    fn the_first_wish_counts() {
        let all = LanguageWishes { requested: Some(German), cookie: Some("fr"), accept: Some("ja"), default: Arabic };
        assert_eq!(all.language(), German);
        assert_eq!(LanguageWishes { requested: None, ..all }.language(), French);
        assert_eq!(LanguageWishes { requested: None, cookie: Some("x"), ..all }.language(), Japanese);
        assert_eq!(LanguageWishes { requested: None, cookie: None, accept: Some("tlh"), ..all }.language(), Arabic);
        assert_eq!(LanguageWishes::default().language(), English);
    }

    /// The language that a user picks stays for a request that names another one; for a request with a third one it does not.
    #[test]
    fn a_picked_language_replaces_that_of_the_request() {
        let of_request = LanguageWishes { requested: Some(German), ..LanguageWishes::default() };
        let cookie = of_request.picked(Spanish);
        assert_eq!(cookie, "es.de");
        assert_eq!(LanguageWishes { cookie: Some(&cookie), ..of_request }.language(), Spanish);
        let third = LanguageWishes { requested: Some(French), cookie: Some(&cookie), ..LanguageWishes::default() };
        assert_eq!(third.language(), French);
        assert_eq!(LanguageWishes { requested: None, ..third }.language(), Spanish);
        assert_eq!(LanguageWishes { cookie: Some(".de"), ..of_request }.language(), German);
    }
}
