//! How a name or a value is written so that the language reads it as that.

use std::borrow::Cow;

/// Where something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// As it is.
    Plain,
    /// A field of SPL outside of expressions: in double quotes if need be.
    Field,
    /// A field in an expression: in single quotes if need be.
    ExpressionField,
    /// A value of SPL's search: in double quotes if need be.
    Value,
    /// A text in an expression: always in double quotes.
    ExpressionText,
    /// A field or value of LogScale: in double quotes if need be.
    LogScale,
}

impl Quoting {
    /// The text as it is written here; in quotes anyway where one was typed already.
    pub fn write<'t>(self, text: &'t str, quoted: bool) -> Cow<'t, str> {
        let word = |extra: &str| {
            let plain = |c: char| c.is_alphanumeric() || c == '_' || extra.contains(c);
            !text.is_empty() && text.chars().all(plain)
        };
        let reserved = ["and", "or", "not", "in", "by", "as"].iter().any(|known| text.eq_ignore_ascii_case(known));
        let bare = !quoted
            && (!reserved || self == Self::Plain)
            && match self {
                Self::Plain => true,
                Self::Field => word(".:@#{}-"),
                Self::ExpressionField => word("") && !text.starts_with(|c: char| c.is_ascii_digit()),
                Self::Value => word(".:@/-"),
                Self::ExpressionText => false,
                Self::LogScale => word(".@#$-") && !text.starts_with('-'),
            };
        if bare {
            return Cow::Borrowed(text);
        }
        if self == Self::Plain {
            return Cow::Owned(format!("\"{text}\""));
        }
        let quote = if self == Self::ExpressionField { '\'' } else { '"' };
        let mut out = String::with_capacity(text.len().saturating_add(2));
        out.push(quote);
        for c in text.chars() {
            if c == quote || c == '\\' {
                out.push('\\');
            }
            out.push(c);
        }
        out.push(quote);
        Cow::Owned(out)
    }
}

/// What was meant by text in quotes that is not finished.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek() {
            Some(next @ ('\\' | '"' | '\'')) if c == '\\' => {
                out.push(*next);
                characters.next();
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_place_has_its_quotes() {
        let path = "C:\\Win \"x\"";
        for (quoting, text, written) in [
            (Quoting::Value, "ws-01.lab", "ws-01.lab"),
            (Quoting::Value, path, "\"C:\\\\Win \\\"x\\\"\""),
            (Quoting::Value, "not", "\"not\""),
            (Quoting::Value, "a*", "\"a*\""),
            (Quoting::ExpressionText, "a", "\"a\""),
            (Quoting::Field, "EventData.User", "EventData.User"),
            (Quoting::Field, "Logon Type", "\"Logon Type\""),
            (Quoting::ExpressionField, "EventData.User", "'EventData.User'"),
            (Quoting::ExpressionField, "User", "User"),
            (Quoting::LogScale, "#type", "#type"),
            (Quoting::LogScale, "a b", "\"a b\""),
            (Quoting::Plain, "a b", "a b"),
        ] {
            assert_eq!(quoting.write(text, false), written);
        }
        assert_eq!(Quoting::Value.write("bob", true), "\"bob\"");
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(text in any::<String>()) {
            let written = Quoting::ExpressionText.write(&text, false).into_owned();
            prop_assert_eq!(unescape(&written[1..written.len() - 1]), text);
        }
    }
}
