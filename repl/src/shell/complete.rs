//! Whether a search that is being typed is complete, or goes on in the next line.

use spelunk_engine::Language;

/// Whether Enter submits the text: nothing is open and it does not end in `|` or `\`, or the last line is empty.
pub fn is_complete(text: &str, language: Language) -> bool {
    let logscale = language == Language::LogScale;
    if let Some((_, last)) = text.rsplit_once('\n')
        && last.trim().is_empty()
    {
        return true;
    }
    let mut depth = 0_usize;
    let mut rest = text.trim();
    if rest.starts_with('.') {
        return true;
    }
    if rest.ends_with(['|', '\\']) {
        return false;
    }
    while let Some(c) = rest.chars().next() {
        rest = rest.split_at(c.len_utf8()).1;
        match c {
            '"' => match after_quote(rest) {
                Some(after) => rest = after,
                None => return false,
            },
            // Three open and close a comment, one a macro.
            '`' if !logscale => {
                let close = if rest.starts_with("``") { "```" } else { "`" };
                let inside = rest.strip_prefix("``").unwrap_or(rest);
                match inside.split_once(close) {
                    Some((_, after)) => rest = after,
                    None => return false,
                }
            }
            // The rest of the line is a comment.
            '/' if logscale && rest.starts_with("/ ") => {
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
            }
            '{' if logscale => depth += 1,
            '}' if logscale => depth = depth.saturating_sub(1),
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth == 0
}

/// What follows the closing quote.
fn after_quote(text: &str) -> Option<&str> {
    let mut escaped = false;
    let (end, _) = text.char_indices().find(|(_, c)| {
        let closing = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closing
    })?;
    text.get(end + 1..)
}

#[cfg(test)]
mod tests {
    use super::is_complete;
    use proptest::prelude::*;
    use spelunk_engine::Language;

    #[test]
    fn complete() {
        for text in [
            "",
            "error",
            "error | stats count by host",
            "a=\"b|\"",
            "a=\"\\\"\"",
            "a=\"C:\\\\\"",
            "(a OR b)",
            "[search x]",
            "`macro(a, b)`",
            "```comment``` a",
            "don't",
            "a)",
            ".help (",
            "| eval a=(1\n",
            "a |\n  ",
        ] {
            assert!(is_complete(text, Language::Spl), "{text:?}");
        }
    }

    #[test]
    fn braces_count_in_logscale() {
        for text in ["case { a=1 | b:=2;", "join({", "x := `"] {
            assert_eq!(is_complete(text, Language::LogScale), !text.contains('{'), "{text:?}");
        }
        assert!(is_complete("a=1 // a (comment", Language::LogScale));
        assert!(is_complete("case { a=1; * }", Language::LogScale));
    }

    #[test]
    fn incomplete() {
        for text in
            ["a |", "a | ", "a \\", "a=\"b", "a=\"\\\"", "(a", "[search x", "`macro(", "```comment", "| eval a=(1\n+"]
        {
            assert!(!is_complete(text, Language::Spl), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_will_do(text in any::<String>()) {
            is_complete(&text, Language::Spl);
            is_complete(&text, Language::LogScale);
        }
    }
}
