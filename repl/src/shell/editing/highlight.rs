//! Colours for a search that is being typed: only the sixteen that every terminal has, and whose theme the user chose.

use std::collections::HashMap;

use spelunk_engine::Language;
use spelunk_grammar::spl::commands;

use super::alive::{Segment, segments};
use super::lexer::{Kind, Token, tokens};
use super::names::Known;
use super::words;

/// Longer texts stay plain, so that no key waits.
const LONGEST: usize = 64 << 10;

/// How a token is shown, as the parameters of its escape sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Command,
    UnknownCommand,
    Function,
    Keyword,
    Text,
    Number,
    Macro,
    Comment,
    UnknownField,
    Bracket,
}

impl Style {
    fn parameters(self) -> &'static str {
        match self {
            Self::Command => "1;36",
            Self::UnknownCommand => "31",
            Self::Function => "34",
            Self::Keyword => "1",
            Self::Text => "32",
            Self::Number => "35",
            Self::Macro => "36",
            Self::Comment => "2",
            Self::UnknownField => "4;33",
            Self::Bracket => "1;7",
        }
    }
}

/// The text with colours; `cursor` is where the cursor stands. Without the escape sequences it is the same text.
pub fn highlight(text: &str, cursor: usize, language: Language, known: &Known) -> Option<String> {
    if text.is_empty() || text.len() > LONGEST || text.starts_with('.') {
        return None;
    }
    let tokens = tokens(text, language);
    let (mut all, last) = segments(&tokens, language);
    all.push(last);
    let mut marker = Marker { styles: HashMap::new(), cursor, known };
    for segment in &all {
        match language {
            Language::Spl => marker.spl(segment),
            Language::LogScale => marker.logscale(segment),
        }
    }
    let brackets = matching(&tokens, cursor);
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for token in &tokens {
        let style = if brackets.is_some_and(|(a, b)| token.start == a || token.start == b) {
            Some(Style::Bracket)
        } else {
            marker.styles.get(&token.start).copied().or_else(|| of_kind(token))
        };
        paint(&mut out, token.text, style);
    }
    Some(out)
}

/// The style of a token wherever it stands.
fn of_kind(token: &Token<'_>) -> Option<Style> {
    match token.kind {
        Kind::Text => Some(Style::Text),
        Kind::Comment => Some(Style::Comment),
        Kind::Macro => Some(Style::Macro),
        Kind::Word if token.text.parse::<f64>().is_ok() => Some(Style::Number),
        _ => None,
    }
}

/// Appends text in a style, which ends at each end of a line.
fn paint(out: &mut String, text: &str, style: Option<Style>) {
    let Some(style) = style else { return out.push_str(text) };
    for (position, line) in text.split('\n').enumerate() {
        if position > 0 {
            out.push('\n');
        }
        if !line.is_empty() {
            out.push_str("\x1b[");
            out.push_str(style.parameters());
            out.push('m');
            out.push_str(line);
            out.push_str("\x1b[0m");
        }
    }
}

/// The bracket at the cursor or before it, and its partner.
fn matching(tokens: &[Token<'_>], cursor: usize) -> Option<(usize, usize)> {
    let at = |wanted: usize| {
        tokens.iter().find(|token| token.start == wanted && matches!(token.kind, Kind::Open | Kind::Close))
    };
    let here = at(cursor).or_else(|| at(cursor.checked_sub(1)?))?.start;
    let mut open: Vec<&Token<'_>> = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::Open => open.push(token),
            Kind::Close => {
                let partner = open.pop()?;
                if !matches!((partner.text, token.text), ("(", ")") | ("[", "]") | ("{", "}")) {
                    return None;
                }
                if here == partner.start || here == token.start {
                    return Some((partner.start, token.start));
                }
            }
            _ => {}
        }
    }
    None
}

const KEYWORDS: [&str; 13] =
    ["and", "as", "by", "case", "from", "in", "like", "not", "or", "output", "outputnew", "over", "xor"];
/// Values that look like fields.
const LITERALS: [&str; 3] = ["true", "false", "null"];
/// Commands whose arguments are names of fields, but for options and numbers.
const NAMING: [&str; 9] = ["dedup", "fields", "makemv", "mvcombine", "mvexpand", "nomv", "sort", "table", "top"];

struct Marker<'k> {
    styles: HashMap<usize, Style>,
    cursor: usize,
    known: &'k Known,
}

impl Marker<'_> {
    fn set(&mut self, token: &Token<'_>, style: Style) {
        self.styles.insert(token.start, style);
    }

    /// Marks a field that is not there, unless it is still being typed.
    fn field(&mut self, segment: &Segment<'_>, token: &Token<'_>) {
        let name = token.name().trim_start_matches(['-', '+']);
        let typing = (token.start..=token.end()).contains(&self.cursor);
        let plain = !name.is_empty() && !name.contains(['*', '$', '<']) && name.parse::<f64>().is_err();
        if plain && !typing && !segment.alive.may_have(name, self.known) {
            self.set(token, Style::UnknownField);
        }
    }

    fn spl(&mut self, segment: &Segment<'_>) {
        let words: Vec<&Token<'_>> = segment.words().collect();
        let Some(command) = segment.command() else { return };
        let arguments = if segment.implied { 0 } else { 1 };
        if let Some(first) = words.first().filter(|_| !segment.implied) {
            let typing = first.end() == self.cursor;
            let begins = |doc: &commands::CommandDoc| typing && doc.name.starts_with(command.as_str());
            match words::is_command(&command) {
                true => self.set(first, Style::Command),
                false if commands::commands().iter().any(begins) => {}
                false => self.set(first, Style::UnknownCommand),
            }
        } else if let Some(first) = words.first().filter(|first| first.is("search")) {
            self.set(first, Style::Command);
        }
        let expression = matches!(command.as_str(), "eval" | "where" | "fieldformat");
        let options = commands::doc(&command).map(|doc| words::options(doc).0).unwrap_or_default();
        let aggregating = commands::doc(&command).is_some_and(|doc| doc.syntax.contains("<function>"));
        let (mut depth, mut of_eval, mut by, mut value) = (0_usize, None, false, false);
        for (at, word) in words.iter().enumerate().skip(arguments) {
            let next = words.get(at.saturating_add(1));
            let is_value = std::mem::replace(&mut value, false);
            match word.kind {
                Kind::Open => {
                    let eval = at.checked_sub(1).and_then(|at| words.get(at)).is_some_and(|word| word.is("eval"));
                    if of_eval.is_none() && eval {
                        of_eval = Some(depth);
                    }
                    depth = depth.saturating_add(1);
                    continue;
                }
                Kind::Close => {
                    depth = depth.saturating_sub(1);
                    of_eval = of_eval.filter(|outer| *outer < depth);
                    continue;
                }
                Kind::Word | Kind::Field | Kind::Text => {}
                _ => {
                    value = word.kind == Kind::Operator;
                    continue;
                }
            }
            let called = next.is_some_and(|open| open.text == "(" && open.start == word.end());
            let compared =
                next.is_some_and(|sign| sign.kind == Kind::Operator && sign.text.contains(['=', '<', '>', '!']));
            if word.kind == Kind::Word && called {
                if words::find(&words::EVAL, word.text).is_some() || words::is_statistic(word.text) || word.is("eval") {
                    self.set(word, Style::Function);
                }
            } else if word.kind == Kind::Word && KEYWORDS.iter().any(|keyword| word.is(keyword)) {
                self.set(word, Style::Keyword);
                by |= word.is("by") || word.is("over");
            } else if expression || of_eval.is_some() {
                let literal = LITERALS.iter().any(|literal| word.is(literal));
                let assigned = depth == 0 && command != "where" && compared;
                // Whether a dot joins two fields or is part of a name, the data says.
                let dotted = word.kind == Kind::Word && word.text.contains('.');
                if word.kind != Kind::Text && !literal && !assigned && !dotted {
                    self.field(segment, word);
                }
            } else if command == "search" {
                let listed = next.is_some_and(|next| next.is("in"));
                if !is_value && word.kind == Kind::Word && (compared || listed) {
                    self.field(segment, word);
                }
            } else if compared && options.iter().any(|option| word.is(&option.name)) || is_value {
                // An option or its value.
            } else if aggregating && !by && depth == 0 && words::is_statistic(word.text) {
                self.set(word, Style::Function);
            } else if word.kind == Kind::Word
                && ((aggregating && command != "tstats" && (by || depth > 0))
                    || (command == "rename" && next.is_some_and(|next| next.is("as"))))
            {
                self.field(segment, word);
            } else if NAMING.contains(&command.as_str()) && word.kind == Kind::Word && depth == 0 {
                let order = command == "sort" && ["d", "desc", "a", "asc", "-", "+"].iter().any(|sign| word.is(sign));
                let clause = command == "dedup" && word.is("sortby");
                if !order && !clause {
                    self.field(segment, word);
                }
            }
        }
    }

    fn logscale(&mut self, segment: &Segment<'_>) {
        let words: Vec<&Token<'_>> = segment.words().collect();
        let mut depth = 0_usize;
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at.saturating_add(1));
            match word.kind {
                Kind::Open => depth = depth.saturating_add(1),
                Kind::Close => depth = depth.saturating_sub(1),
                Kind::Word if next.is_some_and(|open| open.text == "(" && open.start == word.end()) => {
                    let keyword = KEYWORDS.iter().any(|keyword| word.is(keyword)) && !word.is("in");
                    match words::find(&words::LOGSCALE, word.text) {
                        _ if keyword => self.set(word, Style::Keyword),
                        Some(_) => self.set(word, Style::Function),
                        None if word.text.starts_with('$') => self.set(word, Style::Macro),
                        None => self.set(word, Style::UnknownCommand),
                    }
                }
                Kind::Word if ["and", "or", "not", "case", "like", "match"].iter().any(|known| word.is(known)) => {
                    self.set(word, Style::Keyword);
                }
                Kind::Word
                    if depth == 0
                        && next
                            .is_some_and(|sign| sign.kind == Kind::Operator && sign.text.contains(['=', '<', '>']))
                        && next.is_some_and(|sign| sign.text != ":=") =>
                {
                    self.field(segment, word);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::known;
    use super::*;
    use proptest::prelude::*;

    /// The text with the names of its styles.
    fn marked(text: &str, language: Language) -> String {
        let mut out = highlight(text, usize::MAX, language, &known()).unwrap_or_else(|| text.to_owned());
        let names = [
            ("1;36", "command"),
            ("31", "wrong"),
            ("34", "function"),
            ("32", "text"),
            ("35", "number"),
            ("36", "macro"),
            ("2", "comment"),
            ("4;33", "unknown"),
            ("1;7", "bracket"),
            ("1", "word"),
        ];
        for (parameters, name) in names {
            out = out.replace(&format!("\x1b[{parameters}m"), &format!("<{name}:"));
        }
        out.replace("\x1b[0m", ">")
    }

    fn plain(text: &str) -> String {
        let mut out = String::new();
        let mut pieces = text.split("\x1b[");
        out.push_str(pieces.next().unwrap());
        for piece in pieces {
            out.push_str(piece.split_once('m').unwrap().1);
        }
        out
    }

    #[test]
    fn spl() {
        for (text, expected) in [
            ("Image=\"x\" AND User=5", "Image=<text:\"x\"> <word:AND> User=<number:5>"),
            ("Imag=x Image=Imag", "<unknown:Imag>=x Image=Imag"),
            ("x | stast count", "x | <wrong:stast> count"),
            (
                "| stats dc(Usr) BY User, Hst",
                "| <command:stats> <function:dc>(<unknown:Usr>) <word:BY> User, <unknown:Hst>",
            ),
            (
                "| eval a=lower(Usr).\"b\", c=a | table c d",
                "| <command:eval> a=<function:lower>(<unknown:Usr>).<text:\"b\">, c=<unknown:a> | <command:table> c <unknown:d>",
            ),
            ("`m(1)` ```c``` | head 5", "<macro:`m(1)`> <comment:```c```> | <command:head> <number:5>"),
            (
                "| streamstats window=3 sum(eval(Usr*2))",
                "| <command:streamstats> window=<number:3> <function:sum>(<function:eval>(<unknown:Usr>*<number:2>))",
            ),
            ("process_path=x index=a", "process_path=x index=a"),
        ] {
            assert_eq!(marked(text, Language::Spl), expected);
        }
    }

    #[test]
    fn logscale() {
        for (text, expected) in [
            ("Usr=x | gruopBy(User)", "<unknown:Usr>=x | <wrong:gruopBy>(User)"),
            (
                "User=/a/i | groupBy([User], function=count())",
                "User=<text:/a/i> | <function:groupBy>([User], function=<function:count>())",
            ),
            ("case { User=1; * } // c", "<word:case> { User=<number:1>; * } <comment:// c>"),
        ] {
            assert_eq!(marked(text, Language::LogScale), expected);
        }
    }

    #[test]
    fn what_is_being_typed_is_not_wrong_yet() {
        let known = known();
        assert_eq!(highlight("| stre", 6, Language::Spl, &known).unwrap(), "| stre");
        assert_eq!(highlight("| table Ima", 11, Language::Spl, &known).unwrap(), "| \x1b[1;36mtable\x1b[0m Ima");
    }

    #[test]
    fn nothing_is_unknown_before_the_logs_are_loaded() {
        let text = "Imag=x | table Nope";
        assert!(!highlight(text, 0, Language::Spl, &Known::default()).unwrap().contains("4;33"));
    }

    #[test]
    fn brackets_match() {
        let known = known();
        let shown = highlight("(a [b] c)", 0, Language::Spl, &known).unwrap();
        assert_eq!(shown.matches("\x1b[1;7m").count(), 2);
        assert!(shown.ends_with("\x1b[1;7m)\x1b[0m"));
        assert!(!highlight("(a]", 0, Language::Spl, &known).unwrap().contains("\x1b[1;7m"));
    }

    proptest! {
        #[test]
        fn the_text_stays_the_same(text in "[^\x1b]{0,60}", cursor in 0_usize..70) {
            for language in [Language::Spl, Language::LogScale] {
                if let Some(shown) = highlight(&text, cursor, language, &known()) {
                    prop_assert_eq!(plain(&shown), text.clone());
                }
            }
        }

        #[test]
        fn any_text_will_do(text in any::<String>(), cursor in any::<usize>()) {
            for language in [Language::Spl, Language::LogScale] {
                highlight(&text, cursor, language, &known());
            }
        }

        #[test]
        fn searches_stay_the_same(text in "( |\\||=|\"|'|`|\\(|\\[|\\{|\\]|\\)|,|eval|stats|by|as|case|User|Nope|in|:=|\n|/){0,20}") {
            for language in [Language::Spl, Language::LogScale] {
                if let Some(shown) = highlight(&text, text.len() / 2, language, &known()) {
                    prop_assert_eq!(plain(&shown), text.clone());
                }
            }
        }
    }
}
