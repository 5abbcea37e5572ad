//! Passages: the paragraphs of a Markdown file or of a comment, as words with their lines.

/// A word. A code span is one word, [`CODE`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) line: usize,
    /// The word with the punctuation around it.
    pub(super) raw: String,
}

impl Word {
    /// The word in lower case, without punctuation and without a possessive `'s`.
    pub(super) fn plain(&self) -> String {
        let word = self.raw.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'");
        word.strip_suffix("'s").unwrap_or(&word).to_owned()
    }

    /// True if the word counts for the length of a sentence.
    pub(super) fn counts(&self) -> bool {
        self.raw.contains(|c: char| c.is_alphanumeric() || c == CODE)
    }
}

/// Replaces a code span.
pub(super) const CODE: char = '\u{fffc}';

/// A paragraph, a list item, a table cell or a heading.
#[derive(Debug, Default)]
pub(super) struct Passage {
    pub(super) words: Vec<Word>,
    /// True if a doc comment starts here.
    pub(super) starts_doc: bool,
}

/// A line of text and its number in the file.
type Line<'a> = (usize, &'a str);

/// Returns the passages of a Markdown file.
pub(super) fn of_markdown(text: &str) -> Vec<Passage> {
    passages(&text.lines().enumerate().map(|(index, line)| (index.saturating_add(1), line)).collect::<Vec<_>>())
}

/// Returns the passages of the comments of a Rust file.
pub(super) fn of_rust(source: &str) -> Vec<Passage> {
    of_comments(&rust_comments(source))
}

/// Returns the passages of comments that fill a line and start with `marker`, such as `#`.
pub(super) fn of_line_comments(source: &str, marker: &str) -> Vec<Passage> {
    let comment = |(index, line): (usize, &str)| {
        let text = line.trim_start().strip_prefix(marker).filter(|text| !text.starts_with('!'))?;
        Some(Comment { line: index.saturating_add(1), kind: Kind::Plain, fills_line: true, text: text.to_owned() })
    };
    of_comments(&source.lines().enumerate().filter_map(comment).collect::<Vec<_>>())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `//!`
    InnerDoc,
    /// `///`
    OuterDoc,
    /// `//` and `/* */`
    Plain,
}

/// One line of a comment.
#[derive(Debug)]
struct Comment {
    line: usize,
    kind: Kind,
    fills_line: bool,
    text: String,
}

/// Joins lines that follow each other to one comment, and splits each comment into passages.
fn of_comments(comments: &[Comment]) -> Vec<Passage> {
    let follows = |first: &Comment, second: &Comment| {
        first.kind == second.kind
            && first.fills_line
            && second.fills_line
            && first.line.saturating_add(1) == second.line
    };
    let mut found = Vec::new();
    for block in comments.chunk_by(follows) {
        let lines: Vec<Line> =
            block.iter().map(|part| (part.line, part.text.strip_prefix(' ').unwrap_or(&part.text))).collect();
        let mut passages = passages(&lines);
        let is_doc = block.first().is_some_and(|comment| comment.kind != Kind::Plain);
        if let Some(first) = passages.first_mut() {
            first.starts_doc = is_doc;
        }
        found.append(&mut passages);
    }
    found
}

/// Finds the comments of a Rust file; strings and character literals are skipped.
fn rust_comments(source: &str) -> Vec<Comment> {
    let mut comments = Vec::new();
    let (mut rest, mut line, mut fills_line, mut last) = (source, 1_usize, true, ' ');
    while let Some(next) = rest.chars().next() {
        let skipped = if let Some(comment) = rest.strip_prefix("//") {
            let text = comment.lines().next().unwrap_or_default();
            let (kind, text) = match text.chars().next() {
                Some('!') => (Kind::InnerDoc, text.get(1..)),
                Some('/') if !text.starts_with("//") => (Kind::OuterDoc, text.get(1..)),
                _ => (Kind::Plain, Some(text)),
            };
            let text = text.unwrap_or_default();
            comments.push(Comment { line, kind, fills_line, text: text.to_owned() });
            comment.find('\n').unwrap_or(comment.len()).saturating_add(2)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let length = comment.find("*/").unwrap_or(comment.len());
            for (index, text) in comment.get(..length).unwrap_or_default().lines().enumerate() {
                let text = text.trim_start().trim_start_matches('*').to_owned();
                comments.push(Comment { line: line.saturating_add(index), kind: Kind::Plain, fills_line, text });
            }
            length.saturating_add(4)
        } else if next == '"' {
            string(rest)
        } else if next == 'r' && !(last.is_alphanumeric() && last != 'b') && last != '_' {
            raw_string(rest).unwrap_or(1)
        } else if next == '\'' {
            character(rest)
        } else {
            next.len_utf8()
        };
        let (passed, remaining) = rest.split_at_checked(skipped).unwrap_or((rest, ""));
        for c in passed.chars() {
            line = line.saturating_add(usize::from(c == '\n'));
            fills_line = c == '\n' || (fills_line && c.is_whitespace());
        }
        last = passed.chars().last().unwrap_or(' ');
        rest = remaining;
    }
    comments
}

/// Returns the length of a string literal that starts here.
fn string(rest: &str) -> usize {
    let mut is_escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        ends
    });
    end.map_or(rest.len(), |(index, _)| index.saturating_add(1))
}

/// Returns the length of a raw string literal, if one starts here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len().saturating_sub(after.trim_start_matches('#').len());
    let body = after.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).unwrap_or(body.len());
    Some(length.saturating_add(hashes.saturating_mul(2)).saturating_add(3))
}

/// Returns the length of a character literal, or 1 for the apostrophe of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(1, |(index, _)| index.saturating_add(1))
        }
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(1, |(index, _)| index.saturating_add(1)),
        None => 1,
    }
}

/// Splits Markdown into passages. Code blocks, link targets, HTML tags and HTML comments are dropped.
fn passages(lines: &[Line]) -> Vec<Passage> {
    let mut found: Vec<Vec<Line>> = vec![Vec::new()];
    let (mut fence, mut in_list, mut was_blank) = (None, false, true);
    for &(number, line) in lines {
        let trimmed = line.trim();
        let marker = ["```", "~~~"].into_iter().find(|marker| trimmed.starts_with(marker));
        match (fence, marker) {
            (Some(open), Some(marker)) if open == marker => fence = None,
            (None, Some(_)) => fence = marker,
            _ => {}
        }
        let is_indented = line.starts_with("    ");
        if fence.is_some() || marker.is_some() || (is_indented && !in_list && was_blank) {
            found.push(Vec::new());
            continue;
        }
        was_blank = trimmed.is_empty();
        if trimmed.is_empty() {
            found.push(Vec::new());
        } else if let Some(cells) = trimmed.strip_prefix('|') {
            found.extend(self::cells(cells).into_iter().map(|cell| vec![(number, cell)]));
            found.push(Vec::new());
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            found.push(vec![(number, heading.trim_start_matches('#'))]);
            found.push(Vec::new());
            in_list = false;
        } else if let Some(item) = list_item(trimmed) {
            found.push(vec![(number, item)]);
            in_list = true;
        } else {
            in_list = in_list && line.starts_with(' ');
            let text = trimmed.trim_start_matches('>');
            if let Some(paragraph) = found.last_mut() {
                paragraph.push((number, text));
            }
        }
    }
    found
        .iter()
        .map(|lines| Passage { words: words(lines), starts_doc: false })
        .filter(|passage| !passage.words.is_empty())
        .collect()
}

/// Returns the text of a list item, if the line starts one.
fn list_item(line: &str) -> Option<&str> {
    if let Some(item) = ["- ", "* ", "+ "].into_iter().find_map(|bullet| line.strip_prefix(bullet)) {
        return Some(item);
    }
    let (number, item) = line.split_once(". ")?;
    (!number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then_some(item)
}

/// Splits a table row at each `|` that is outside of code spans.
fn cells(row: &str) -> Vec<&str> {
    let mut is_code = false;
    row.split(|c| {
        is_code ^= c == '`';
        c == '|' && !is_code
    })
    .collect()
}

/// Splits a passage into words.
fn words(lines: &[Line]) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut is_code, mut is_tag) = (false, false);
    for &(line, text) in lines {
        let mut word = String::new();
        let mut chars = text.chars().peekable();
        let mut push = |word: &mut String| {
            if !word.is_empty() {
                words.push(Word { line, raw: std::mem::take(word) });
            }
        };
        while let Some(c) = chars.next() {
            let next = chars.peek().copied().unwrap_or(' ');
            match c {
                '`' => {
                    while chars.next_if_eq(&'`').is_some() {}
                    is_code = !is_code;
                    if is_code {
                        word.push(CODE);
                    }
                }
                _ if is_code => {}
                '<' if next.is_ascii_alphabetic() || matches!(next, '/' | '!') => is_tag = true,
                '>' if is_tag => is_tag = false,
                _ if is_tag => {}
                ']' if next == '(' => while chars.next_if(|c| *c != ')').is_some() {},
                '[' | ']' => {}
                c if c.is_whitespace() || c == '—' => push(&mut word),
                c => word.push(c),
            }
        }
        push(&mut word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(passages: &[Passage]) -> Vec<String> {
        let text = |passage: &Passage| passage.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
        passages.iter().map(text).collect()
    }

    #[test]
    fn markdown_is_split_into_paragraphs_items_cells_and_headings() {
        let text = "# A\nb\nc\n\n- d\n  e\n- f\n\n| g | `h|i` |\n|---|---|\n\n```sh\nperson\n```\nj\n\n    code\n";
        let found = texts(&of_markdown(text));
        assert_eq!(found, ["A", "b c", "d e", "f", "g", "\u{fffc}", "---", "---", "j"]);
    }

    #[test]
    fn code_spans_link_targets_and_tags_are_dropped() {
        let found =
            texts(&of_markdown("see [the `x` page](person.md), <b title=\"person\n person\">c</b> `a\nperson`."));
        assert_eq!(found, ["see the \u{fffc} page), c \u{fffc} ."]);
    }

    #[test]
    fn comments_are_found_and_strings_are_not() {
        let source = "//! A\n//! b\n\nlet a = \"// no \\\" //\"; // c\nlet b = r#\"// \" no\"#; let c = '\"'; // d\n/// E\nfn f<'a>() {}\n/* g */\n";
        let found = of_rust(source);
        assert_eq!(texts(&found), ["A b", "c", "d", "E", "g"]);
        assert_eq!(
            found.iter().map(|passage| passage.starts_doc).collect::<Vec<_>>(),
            [true, false, false, true, false]
        );
        let lines: Vec<_> = found.iter().flat_map(|passage| passage.words.iter().map(|word| word.line)).collect();
        assert_eq!(lines, [1, 2, 4, 5, 6, 8]);
    }

    #[test]
    fn a_shebang_is_no_comment() {
        assert_eq!(texts(&of_line_comments("#!/bin/sh\n# a\n# b\nset -eu # c\n", "#")), ["a b"]);
    }
}
