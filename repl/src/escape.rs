//! Log text is untrusted: what a terminal would obey is shown instead.

use std::borrow::Cow;

/// Makes text safe for one line of a terminal: line breaks are shown too, a tab becomes four spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_unsafe(c) || matches!(c, '\n' | '\t'))
}

/// Makes text safe for a terminal that may get several lines: `\n` stays, `\r\n` becomes `\n`, a tab four spaces.
pub fn lines(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") {
        let text = text.replace("\r\n", "\n");
        return Cow::Owned(escape(&text, |c| is_unsafe(c) || c == '\t').into_owned());
    }
    escape(text, |c| is_unsafe(c) || c == '\t')
}

/// Makes text safe for a terminal and keeps `\n` and `\t`, which are part of a data format.
pub fn data(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Whether a terminal would obey the character, or show nothing for it, rather than print it.
pub fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' | ' '..='~' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Bidirectional controls, which make text read as something else.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Separators that some terminals break lines at, and what is not seen at all.
        '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// Appends the visible form of a character that is not shown as itself.
pub fn push_visible(out: &mut String, c: char) {
    match c {
        '\t' => out.push_str("    "),
        '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7f}' => out.push('␡'),
        _ => out.extend(c.escape_unicode()),
    }
}

fn escape(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&hidden) else { return Cow::Borrowed(text) };
    let (clean, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(clean);
    for c in rest.chars() {
        if hidden(c) {
            push_visible(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(line("a\x1b[31mred"), "a␛[31mred");
        assert_eq!(line("a\nb\tc\rd"), "a␊b    c␍d");
        assert_eq!(lines("a\r\nb\rc\td"), "a\nb␍c    d");
        assert_eq!(data("a\nb\tc\x07"), "a\nb\tc␇");
        assert_eq!(line("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        assert_eq!(line("\u{9b}31m \x7f"), "\\u{9b}31m ␡");
        assert!(matches!(line("Grüße, 世界"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_unsafe_gets_out(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(|c| is_unsafe(c) || c == '\n' || c == '\t'));
            prop_assert!(!lines(&text).chars().any(|c| is_unsafe(c) || c == '\t'));
            prop_assert!(!data(&text).chars().any(is_unsafe));
        }
    }
}
