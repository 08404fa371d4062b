//! Messages with a header of fixed fields and extensions: CEF (version 0) and LEEF (1.0 and 2.0).
//!
//! Source: the pages of `parseCEF` and `parseLEEF`; the specifications of both formats.

use crate::documents::Fields;

/// What the names of fields begin with.
pub struct Prefixes {
    /// Of fields of the header.
    pub header: String,
    /// Of extensions.
    pub extension: String,
    /// Of extensions that have a label.
    pub label: String,
    /// Whether the extensions that labels belong to are kept.
    pub keeps_labels: bool,
}

/// The fields of a header between bars, so many at most, and what follows them. `\|` and `\\` are characters.
fn header(text: &str, most: usize) -> (Vec<String>, &str) {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut letters = text.char_indices();
    while let Some((_, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some((_, escaped @ ('|' | '\\'))) => field.push(escaped),
                Some((_, other)) => field.extend(['\\', other]),
                None => field.push('\\'),
            },
            '|' => {
                fields.push(std::mem::take(&mut field));
                if fields.len() == most {
                    return (fields, letters.as_str());
                }
            }
            other => field.push(other),
        }
    }
    fields.push(field);
    (fields, "")
}

/// A field of a header, without the blanks around it.
fn named(name: &str, value: &str, prefixes: &Prefixes) -> (String, Vec<String>) {
    (format!("{}{name}", prefixes.header), vec![value.trim().to_owned()])
}

/// The fields of a CEF message, which may stand behind anything.
pub fn cef(text: &str, prefixes: &Prefixes) -> Fields {
    let Some((_, message)) = text.split_once("CEF:") else { return Fields::new() };
    let (values, extensions) = header(message, 7);
    if values.len() < 7 || values.first().is_none_or(|version| version.trim() != "0") {
        return Fields::new();
    }
    let names = ["version", "device.vendor", "device.product", "device.version", "event_class_id", "name", "severity"];
    let mut fields: Fields = names.iter().zip(values).map(|(name, value)| named(name, &value, prefixes)).collect();
    fields.extend(labelled(assignments(extensions), prefixes));
    fields
}

/// The pairs `key=value` of an extension: a value goes on to the blank before the next key.
fn assignments(text: &str) -> Vec<(String, String)> {
    let mut starts: Vec<(usize, usize, &str)> = Vec::new();
    let mut escaped = false;
    for (position, letter) in text.char_indices() {
        if letter == '=' && !escaped {
            let before = text.get(..position).unwrap_or_default();
            let key_start = before.rfind([' ', '\t']).map_or(0, |blank| blank.saturating_add(1));
            let key = before.get(key_start..).unwrap_or_default();
            if !key.is_empty() && !key.contains(['=', '\\']) {
                starts.push((key_start, position.saturating_add(1), key));
            }
        }
        escaped = letter == '\\' && !escaped;
    }
    let ends = starts.iter().skip(1).map(|(start, ..)| *start).chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((_, value, key), end)| {
            let value = text.get(*value..end.max(*value)).unwrap_or_default().trim_matches([' ', '\t']);
            ((*key).to_owned(), unescaped(value))
        })
        .collect()
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

/// Extensions as fields; `cs1` and `cs1Label` are one field with that label.
fn labelled(pairs: Vec<(String, String)>, prefixes: &Prefixes) -> Fields {
    let label_of =
        |key: &str| pairs.iter().find(|(known, _)| known.strip_suffix("Label") == Some(key)).map(|(_, label)| label);
    let mut fields = Fields::new();
    let mut set = |name: String, value: &str| match fields.iter_mut().find(|(known, _)| *known == name) {
        Some((_, values)) => *values = vec![value.to_owned()],
        None => fields.push((name, vec![value.to_owned()])),
    };
    for (key, value) in &pairs {
        if let Some(label) = label_of(key) {
            set(format!("{}{label}", prefixes.label), value);
            if !prefixes.keeps_labels {
                continue;
            }
        }
        let labels = key.strip_suffix("Label").is_some_and(|base| pairs.iter().any(|(known, _)| known == base));
        if !labels || prefixes.keeps_labels {
            set(format!("{}{key}", prefixes.extension), value);
        }
    }
    fields
}

/// The fields of a LEEF message, which may stand behind anything.
pub fn leef(text: &str, delimiter: char, prefixes: &Prefixes) -> Fields {
    let Some((_, message)) = text.split_once("LEEF:") else { return Fields::new() };
    let second = message.starts_with('2');
    let (values, rest) = header(message, if second { 6 } else { 5 });
    if values.len() < 5 || !message.starts_with(['0', '1', '2']) {
        return Fields::new();
    }
    let names = ["version", "device.vendor", "device.product", "device.version", "event_id"];
    let mut fields: Fields = names.iter().zip(&values).map(|(name, value)| named(name, value, prefixes)).collect();
    // A blank may be the delimiter.
    let delimiter = match values.get(5).map(String::as_str) {
        Some("") | None => delimiter,
        Some(given) => {
            let given = if given.trim().is_empty() { given } else { given.trim() };
            let hexadecimal = given.strip_prefix("0x").or_else(|| given.strip_prefix('x'));
            let code = hexadecimal.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
            code.or_else(|| given.chars().next()).unwrap_or(delimiter)
        }
    };
    // Writers of the older version often leave out the tabs.
    let pairs = match rest.contains(delimiter) || second {
        true => rest
            .split(delimiter)
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.trim().to_owned(), value.to_owned()))
            .collect(),
        false => assignments(rest),
    };
    fields.extend(labelled(pairs, prefixes));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes() -> Prefixes {
        Prefixes { header: "h.".into(), extension: "e.".into(), label: "l.".into(), keeps_labels: false }
    }

    fn shown(fields: Fields) -> String {
        let pairs: Vec<String> = fields.iter().map(|(name, values)| format!("{name}={}", values.join("+"))).collect();
        pairs.join(";")
    }

    #[test]
    fn cef_has_a_header_extensions_and_labels() {
        let text =
            r"Sep 19 host CEF:0|sec|tm|1.0|100|a \| b|10|src=10.0.0.1 act=blocked a \= b cs1=x y cs1Label=Reason";
        assert_eq!(
            shown(cef(text, &prefixes())),
            "h.version=0;h.device.vendor=sec;h.device.product=tm;h.device.version=1.0;h.event_class_id=100;\
             h.name=a | b;h.severity=10;e.src=10.0.0.1;e.act=blocked a = b;l.Reason=x y"
        );
        assert_eq!(cef("CEF:1|a|b|c|d|e|f|", &prefixes()), Fields::new());
        assert_eq!(cef("nothing", &prefixes()), Fields::new());
    }

    #[test]
    fn leef_names_its_own_delimiter() {
        let text = "<13>1 LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=10.0.0.1^act=blocked an X^dst=1.1.1.1";
        assert_eq!(
            shown(leef(text, '\t', &prefixes())),
            "h.version=2.0;h.device.vendor=Lancope;h.device.product=StealthWatch;h.device.version=1.0;h.event_id=41;\
             e.src=10.0.0.1;e.act=blocked an X;e.dst=1.1.1.1"
        );
        let text = "LEEF:2.0|Vendor|Product|1|17| |src=1.1.1.1 cat= usr=a";
        assert!(shown(leef(text, '\t', &prefixes())).ends_with("e.src=1.1.1.1;e.cat=;e.usr=a"));
        let text = "LEEF:1.0|Vendor|Product|1|17|src=1.1.1.1\tusr=a b";
        assert!(shown(leef(text, '\t', &prefixes())).ends_with("e.src=1.1.1.1;e.usr=a b"));
    }
}
