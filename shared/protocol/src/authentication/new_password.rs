//! Rules for a new password (NIST SP 800-63B-4 §3.1.1.2): a length, and a blocklist of passwords that attackers try first. No
//! rule asks for kinds of characters.

use super::common_passwords;
use super::precis::Password;

/// The fewest different characters of a password.
const LEAST_DIFFERENT: usize = 5;

/// The fewest characters that remain when the words about user and service are taken away, or of a part that repeats.
const LEAST_OWN: usize = 8;

/// The shortest word about user and service that is taken away.
const SHORTEST_WORD: usize = 3;

/// Words that say what a password is for.
const USUAL_WORDS: [&str; 9] =
    ["password", "passwort", "passphrase", "letmein", "welcome", "signin", "secret", "admin", "login"];

/// Sequences of the alphabet and of keyboards.
const ROWS: [&str; 9] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// The rules for a new password of one user.
#[derive(Clone, Debug)]
pub struct PasswordRules<'a> {
    /// The fewest characters, counted after normalization.
    pub minimum: usize,
    /// Texts that name the user or the service: username, e-mail address, names, host of the issuer.
    pub about: Vec<&'a str>,
}

impl PasswordRules<'_> {
    /// Returns what is wrong with a password and what to do, or `None`.
    pub fn problem(&self, password: &Password) -> Option<String> {
        let length = password.expose().chars().count();
        if length < self.minimum {
            let minimum = self.minimum;
            return Some(format!("has {length} characters and needs {minimum}: add words until it is long enough"));
        }
        let lower = password.expose().to_lowercase();
        if is_common(&lower) {
            return Some("is one of the passwords that attackers try first: choose another one".to_owned());
        }
        if is_predictable(&lower) {
            return Some(
                "repeats a few characters or follows the keyboard: choose words that do not follow from each other"
                    .to_owned(),
            );
        }
        self.is_about_user_or_service(&lower).then(|| {
            "consists of the user's name or address or the name of the service: choose words that have nothing to do with them"
                .to_owned()
        })
    }

    /// True if hardly anything remains when the words about user and service are taken away.
    fn is_about_user_or_service(&self, lower: &str) -> bool {
        let about = self.about.iter().map(|text| text.to_lowercase()).collect::<Vec<_>>();
        let parts = about.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).map(str::to_owned);
        let whole = about.iter().map(|text| letters_and_digits(text));
        let usual = USUAL_WORDS.iter().map(|word| (*word).to_owned());
        let mut words: Vec<String> = parts.chain(whole).chain(usual).collect();
        words.retain(|word| word.chars().count() >= SHORTEST_WORD);
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
        let all = letters_and_digits(lower);
        // A mark in place of the word: what was before it and after it must not make another word.
        let rest = words.iter().fold(all.clone(), |rest, word| rest.replace(word.as_str(), "\0"));
        let own = rest.chars().filter(|c| *c != '\0' && !c.is_ascii_digit()).count();
        rest.len() != all.len() && own < LEAST_OWN
    }
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).collect()
}

/// True if a password in lower case, or the part that it repeats, is a common one.
fn is_common(lower: &str) -> bool {
    let unit: String = lower.chars().take(period(lower)).collect();
    common_passwords::contains(lower) || unit.len() < lower.len() && common_passwords::contains(&unit)
}

/// True if a password in lower case repeats a few characters, or follows the alphabet or a keyboard.
pub(super) fn is_predictable(lower: &str) -> bool {
    let characters: Vec<char> = lower.chars().collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let period = period(lower);
    let repeats = period < LEAST_OWN && period.saturating_mul(2) <= characters.len();
    let steps = characters.iter().zip(characters.iter().skip(1));
    let free = steps.filter(|(one, next)| !is_step(**one, **next)).count();
    different.len() < LEAST_DIFFERENT || repeats || free.saturating_mul(4) <= characters.len()
}

/// True if one character repeats the other or is its neighbour in a sequence.
fn is_step(one: char, next: char) -> bool {
    let is_pair = |row: &&str| {
        row.chars()
            .zip(row.chars().skip(1))
            .any(|(left, right)| (left, right) == (one, next) || (right, left) == (one, next))
    };
    one == next || ROWS.iter().any(is_pair)
}

/// Returns the number of characters after which a text repeats itself; its length if it does not.
fn period(text: &str) -> usize {
    let characters: Vec<char> = text.chars().collect();
    let repeats_after =
        |period: &usize| characters.iter().zip(characters.iter().skip(*period)).all(|(one, next)| one == next);
    (1..characters.len()).find(repeats_after).unwrap_or(characters.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::precis::tests::TABLES;
    use super::*;

    fn problem(minimum: usize, password: &str) -> Option<String> {
        let about = vec!["zoe.miller", "zoe@shop.example", "Zoë Miller", "login.shop.example"];
        PasswordRules { minimum, about }.problem(&Password::prepare(password, &TABLES).unwrap())
    }

    #[test]
    fn long_passwords_of_any_characters_are_accepted() {
        for password in [
            "correct horse battery staple",
            "vierzehn gelbe birnen",
            "83749261037465928",
            "十五個字元以上的密碼其實並不難記",
            "kW3$kW9!vT2#pQ8",
            "miller of the old green river",
            &"long words ".repeat(90),
        ] {
            assert_eq!(problem(15, password), None, "{password}");
        }
        assert_eq!(problem(8, "tulpe;48"), None);
    }

    /// NIST SP 800-63B-4 §3.1.1.2: characters count, not bytes, and after normalization.
    #[test]
    fn the_length_is_counted_in_characters_after_normalization() {
        assert!(problem(15, "correct horse!").unwrap().contains("has 14 characters and needs 15"));
        assert!(problem(15, "äöüßäöüß").unwrap().contains("has 8 characters"));
        assert!(problem(15, "e\u{301}tude lundi 7\u{301}").is_some(), "an accent of its own is no character");
        assert!(problem(8, "7 chars").is_some());
    }

    #[test]
    fn passwords_that_attackers_try_first_are_refused() {
        for password in [
            "manchesterunited",
            "ManchesterUnited",
            "football1football1",
            "aaaaaaaaaaaaaaa",
            "abababababababab",
            "abcdefghijklmnop",
            "1234567890123456",
            "qwertyuiopasdfghjkl",
            "1q2w3e4r5t6y7u8i",
        ] {
            assert!(problem(15, password).is_some(), "{password}");
        }
        for password in ["football", "iloveyou", "sunshine1"] {
            assert!(problem(8, password).is_some(), "{password}");
        }
    }

    #[test]
    fn passwords_about_the_user_and_the_service_are_refused() {
        for password in [
            "zoe.miller.zoe.miller.1990",
            "Zoe-Miller-Password-2026",
            "ZoëMillerZoëMiller",
            "login.shop.example!",
            "zoe@shop.example 2026",
            "my shop password 2026",
        ] {
            let found = problem(15, password).unwrap_or_else(|| panic!("{password}"));
            assert!(found.contains("name of the service") || found.contains("repeats"), "{found}");
        }
    }
}
