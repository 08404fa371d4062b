//! Whether a search that is being typed is complete, or goes on in the next line.

use spelunk_engine::Language;

use super::editing::{Kind, tokens};

/// Whether Enter submits the text: nothing is open and it does not end in what waits for more, or the last line is
/// empty.
pub fn is_complete(text: &str, language: Language) -> bool {
    if let Some((_, last)) = text.rsplit_once('\n')
        && last.trim().is_empty()
    {
        return true;
    }
    let text = text.trim();
    if text.starts_with('.') {
        return true;
    }
    if text.ends_with('\\') {
        return false;
    }
    let mut depth = 0_usize;
    let mut last = None;
    for token in tokens(text, language) {
        match token.kind {
            Kind::Text | Kind::Macro | Kind::Comment if !token.closed => return false,
            Kind::Open => depth = depth.saturating_add(1),
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !matches!(token.kind, Kind::Blank | Kind::Comment) {
            last = Some(token);
        }
    }
    let waits = last.is_some_and(|last| match last.kind {
        Kind::Pipe => last.text == "|",
        Kind::Comma => true,
        Kind::Operator => last.text.contains(['=', '<', '>']),
        // In small letters they may be words that are searched for.
        Kind::Word => matches!(last.text, "AND" | "OR" | "NOT"),
        _ => false,
    });
    depth == 0 && !waits
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
        assert!(is_complete("url=http://a", Language::LogScale));
        assert!(is_complete("a=/x|[(]/", Language::LogScale));
        assert!(is_complete("a=1;", Language::LogScale));
    }

    #[test]
    fn incomplete() {
        for text in [
            "a |",
            "a | ",
            "a \\",
            "a=\"b",
            "a=\"\\\"",
            "(a",
            "[search x",
            "`macro(",
            "```comment",
            "| eval a=(1\n+",
            "| table a,",
            "| eval a=",
            "| where a >=",
            "a OR",
        ] {
            assert!(!is_complete(text, Language::Spl), "{text:?}");
        }
        for text in ["a |", "a :=", "/* a", "groupBy([a,", "a=\"b", "in(a, values=[1"] {
            assert!(!is_complete(text, Language::LogScale), "{text:?}");
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
