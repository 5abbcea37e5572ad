//! The rules, by their numbers in CONTRIBUTING.md.

use super::passage::{self, Passage, Word};
use std::path::Path;

/// The longest sentence, in words. A code span is one word.
const LONGEST_SENTENCE: usize = 35;

/// A place where a rule is broken.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) line: usize,
    pub(super) rule: u8,
    /// The word or phrase, or the start of the sentence.
    pub(super) found: String,
    pub(super) remedy: String,
}

/// Words and phrases, the rule that excludes them, and the remedy.
struct Words {
    rule: u8,
    phrases: &'static [&'static str],
    remedy: &'static str,
}

const WORDS: &[Words] = &[
    Words {
        rule: 2,
        phrases: &["person", "persons", "people"],
        remedy: "say user (or operator, developer, reader): the noun of the specification",
    },
    Words {
        rule: 2,
        phrases: &["whoever", "whomever", "somebody", "nobody", "anybody"],
        remedy: "name the party: user, client, attacker, caller, no client",
    },
    Words { rule: 2, phrases: &["the other side"], remedy: "say peer, client or server" },
    Words { rule: 2, phrases: &["one's", "oneself", "what one is given"], remedy: "name the party and the thing" },
    Words {
        rule: 6,
        phrases: &["come of", "comes of", "came of", "coming of"],
        remedy: "say results from, is issued from, is derived from",
    },
    Words {
        rule: 6,
        phrases: &["know by", "knows by", "known by", "know it by", "knows it by"],
        remedy: "say identified by, identifies",
    },
    Words { rule: 6, phrases: &["stand for", "stands for", "stood for"], remedy: "say represents, names" },
    Words { rule: 6, phrases: &["bear", "bears", "borne"], remedy: "say has, contains, carries" },
    Words {
        rule: 6,
        phrases: &["is good for", "are good for", "be good for", "is good once", "are good once"],
        remedy: "say is valid for, may be used once",
    },
    Words {
        rule: 6,
        phrases: &[
            "take back",
            "takes back",
            "taken back",
            "took back",
            "taking back",
            "take it back",
            "takes it back",
        ],
        remedy: "say revoke, withdraw, undo",
    },
    Words {
        rule: 6,
        phrases: &["hold against", "holds against", "held against", "hold it against", "holds it against"],
        remedy: "say compare with, check against",
    },
    Words { rule: 6, phrases: &["make of", "makes of"], remedy: "say what the function returns or the result is" },
    Words {
        rule: 6,
        phrases: &["is told", "are told", "be told", "was told", "told of", "told about"],
        remedy: "say receives, is notified of",
    },
    Words { rule: 6, phrases: &["to be had"], remedy: "say available" },
];

/// Words that a doc comment must not start with.
const FIRST_WORDS: &[&str] = &["what", "who", "whom", "whose", "whether", "how", "it", "when", "where", "which", "why"];

/// True if the check knows how to find the text of a file.
pub(super) fn is_readable(file: &Path) -> bool {
    file.to_str().is_some_and(|name| reader(name).is_some())
}

/// Returns every place of a file where a rule is broken.
pub(super) fn findings(file: &str, text: &str) -> Vec<Finding> {
    let passages = reader(file).map(|read| read(text)).unwrap_or_default();
    let mut found = Vec::new();
    for passage in &passages {
        found.extend(first_word(passage));
        words(passage, &mut found);
        sentences(passage, &mut found);
    }
    found.sort_by_key(|finding| finding.line);
    found
}

/// Returns the function that finds the text of a file, by the file's extension.
fn reader(file: &str) -> Option<fn(&str) -> Vec<Passage>> {
    Some(match Path::new(file).extension()?.to_str()? {
        "md" => passage::of_markdown,
        "rs" => passage::of_rust,
        "js" | "mjs" => |text| passage::of_line_comments(text, "//"),
        "py" | "sh" | "toml" | "yaml" | "yml" => |text| passage::of_line_comments(text, "#"),
        _ => return None,
    })
}

/// Rule 4: a doc comment of a function starts with a verb, of a type with a noun phrase, of a Boolean with "True if".
fn first_word(passage: &Passage) -> Option<Finding> {
    let first = passage.words.first().filter(|word| passage.starts_doc && FIRST_WORDS.contains(&&*word.plain()))?;
    let remedy = "start with a verb (Returns, Revokes), a noun phrase, or \"True if\"".to_owned();
    Some(Finding { line: first.line, rule: 4, found: first.raw.clone(), remedy })
}

/// Rules 2 and 6: words and phrases.
fn words(passage: &Passage, found: &mut Vec<Finding>) {
    let plain: Vec<String> = passage.words.iter().map(Word::plain).collect();
    for (index, word) in passage.words.iter().enumerate() {
        let rest = plain.get(index..).unwrap_or_default();
        for Words { rule, phrases, remedy } in WORDS {
            let is_here = |phrase: &&&str| {
                let length = phrase.split(' ').count();
                let words = rest.get(..length).unwrap_or_default();
                words.iter().map(String::as_str).eq(phrase.split(' ')) && is_unbroken(passage, index, length)
            };
            if let Some(phrase) = phrases.iter().find(is_here) {
                let (line, found_phrase) = (word.line, (*phrase).to_owned());
                found.push(Finding { line, rule: *rule, found: found_phrase, remedy: (*remedy).to_owned() });
            }
        }
    }
}

/// True if no punctuation separates the words of a phrase.
fn is_unbroken(passage: &Passage, start: usize, length: usize) -> bool {
    let words = passage.words.iter().skip(start).take(length.saturating_sub(1));
    words.into_iter().all(|word| word.raw.ends_with(char::is_alphanumeric))
}

/// Rule 1: the length of sentences.
fn sentences(passage: &Passage, found: &mut Vec<Finding>) {
    let ends = |first: &Word, second: &Word| {
        let is_end = first.raw.trim_end_matches(is_closing).ends_with(['.', '!', '?']);
        let start = second.raw.trim_start_matches(|c: char| !c.is_alphanumeric() && c != passage::CODE);
        let starts = |c: char| c.is_uppercase() || c.is_numeric() || c == passage::CODE;
        is_end && start.starts_with(starts)
    };
    for sentence in passage.words.chunk_by(|first, second| !ends(first, second)) {
        let length = sentence.iter().filter(|word| word.counts()).count();
        if length <= LONGEST_SENTENCE {
            continue;
        }
        let start: Vec<&str> = sentence.iter().take(5).map(|word| word.raw.as_str()).collect();
        let start = start.join(" ").replace(passage::CODE, "`…`");
        let line = sentence.first().map_or(0, |word| word.line);
        let remedy =
            format!("{length} words; split it: one idea a sentence, about 20 words, at most {LONGEST_SENTENCE}");
        found.push(Finding { line, rule: 1, found: format!("{start} …"), remedy });
    }
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '"' | '”' | '’' | '\'' | '*' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(file: &str, text: &str) -> Vec<(usize, u8)> {
        findings(file, text).into_iter().map(|finding| (finding.line, finding.rule)).collect()
    }

    #[test]
    fn words_are_found_in_prose_alone() {
        assert_eq!(rules("a.md", "A user signs in.\nThe Person's name; `person`.\n"), [(2, 2)]);
        assert_eq!(rules("a.rs", "/// The user.\nlet person = \"nobody\"; // nobody\n"), [(2, 2)]);
        assert_eq!(rules("a.sh", "person=1\n# Whoever\n"), [(2, 2)]);
        assert_eq!(rules("a.txt", "person"), []);
    }

    #[test]
    fn phrases_are_found_across_lines_and_not_across_sentences() {
        assert_eq!(rules("a.rs", "// what comes\n// of it\n"), [(1, 6)]);
        assert_eq!(rules("a.rs", "// The record stands. For the rest see below.\n"), []);
        assert_eq!(rules("a.rs", "// The bearer token.\n"), []);
    }

    #[test]
    fn a_doc_comment_does_not_start_with_a_question_word() {
        assert_eq!(rules("a.rs", "/// Whether it is.\nfn f() {}\n//! How.\n"), [(1, 4), (3, 4)]);
        assert_eq!(rules("a.rs", "/// True if it is.\n///\n/// It is.\nfn f() {}\n// It is.\n"), []);
    }

    #[test]
    fn a_long_sentence_is_found_where_it_starts() {
        let words = |count: usize| "Word ".repeat(count);
        assert_eq!(rules("a.md", &format!("Short.\n{}end.\n", words(LONGEST_SENTENCE))), [(2, 1)]);
        let two = format!(
            "{}end. {}end.\n",
            words(LONGEST_SENTENCE.saturating_sub(1)),
            words(LONGEST_SENTENCE.saturating_sub(1))
        );
        assert_eq!(rules("a.md", &two), []);
        assert_eq!(rules("a.md", &format!("| {} | {} |\n", words(30), words(30))), []);
        assert_eq!(rules("a.md", &format!("- {}\n- {}\n", words(30), words(30))), []);
    }
}
