//! Properties of characters. Natively they are tables in the binary. A Worker asks V8, which has them anyway: the tables
//! would add 30 KB to its bundle.
//!
//! Both may know another version of Unicode. Normalization is stable: a string of assigned characters has the same form in
//! each version (UAX #15 §3).

/// Returns the Normalization Form C of a text.
#[cfg(not(target_arch = "wasm32"))]
pub fn nfc(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfc().collect()
}

/// Returns the Normalization Form KC of a text.
#[cfg(not(target_arch = "wasm32"))]
pub fn nfkc(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfkc().collect()
}

/// True if the character is a letter, a mark or a decimal digit: General_Category L*, Mn, Mc or Nd.
#[cfg(not(target_arch = "wasm32"))]
pub fn is_letter_mark_or_digit(character: char) -> bool {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
    matches!(
        character.general_category(),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::DecimalNumber
    )
}

/// Returns the Normalization Form C of a text.
#[cfg(target_arch = "wasm32")]
pub fn nfc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

/// Returns the Normalization Form KC of a text.
#[cfg(target_arch = "wasm32")]
pub fn nfkc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFKC").into()
}

/// True if the character is a letter, a mark or a decimal digit: General_Category L*, Mn, Mc or Nd.
#[cfg(target_arch = "wasm32")]
pub fn is_letter_mark_or_digit(character: char) -> bool {
    let pattern = r"^[\p{Lu}\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]$";
    js_sys::RegExp::new(pattern, "u").test(character.encode_utf8(&mut [0; 4]))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn forms_and_categories_are_those_of_unicode() {
        assert_eq!(nfc("Zoe\u{308}"), "Zo\u{eb}");
        assert_eq!(nfkc("\u{ff21}\u{ff76}"), "A\u{30ab}");
        for character in ['a', 'Z', 'ß', 'क', '\u{94d}', '\u{93e}', '7', '\u{660}', 'あ'] {
            assert!(is_letter_mark_or_digit(character), "{character}");
        }
        for character in ['.', ' ', '\u{a0}', '€', '½', 'Ⅷ', '\u{200d}', '\u{e000}', '\u{1f511}', '\u{20dd}'] {
            assert!(!is_letter_mark_or_digit(character), "{character}");
        }
    }
}
