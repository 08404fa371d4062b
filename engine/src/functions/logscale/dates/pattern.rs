//! Java's patterns of times: `yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX`.

use super::{MONTHS, Parts, WEEKDAYS, word};

/// A pattern.
#[derive(Debug)]
pub struct Pattern {
    items: Vec<Item>,
}

#[derive(Debug)]
enum Item {
    /// Text that has to be there.
    Text(String),
    /// So many of a letter.
    Letter(char, usize),
    /// What may be left out.
    Optional(Vec<Item>),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A phrase that names what there is not.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut letters = text.chars().peekable();
        let mut open: Vec<Vec<Item>> = vec![Vec::new()];
        while let Some(letter) = letters.next() {
            let item = match letter {
                '\'' if letters.peek() == Some(&'\'') => {
                    letters.next();
                    Item::Text("'".to_owned())
                }
                '\'' => {
                    let mut quoted = String::new();
                    loop {
                        match letters.next() {
                            Some('\'') if letters.peek() == Some(&'\'') => {
                                letters.next();
                                quoted.push('\'');
                            }
                            Some('\'') => break,
                            Some(letter) => quoted.push(letter),
                            None => return Err("a quote has no end".to_owned()),
                        }
                    }
                    Item::Text(quoted)
                }
                '[' => {
                    open.push(Vec::new());
                    continue;
                }
                ']' => match open.pop() {
                    Some(inner) if !open.is_empty() => Item::Optional(inner),
                    _ => return Err("a `]` has no `[`".to_owned()),
                },
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1_usize;
                    while letters.next_if_eq(&letter).is_some() {
                        count = count.saturating_add(1);
                    }
                    if !"yuMLdDHhkKmsSnNAaEeVzOXxZG".contains(letter) {
                        return Err(format!("there is no pattern letter `{letter}`"));
                    }
                    Item::Letter(letter, count)
                }
                other => Item::Text(other.to_string()),
            };
            if let Some(items) = open.last_mut() {
                items.push(item);
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(items), true) => Ok(Self { items }),
            _ => Err("a `[` has no `]`".to_owned()),
        }
    }

    /// What a text says that fits the pattern as a whole.
    pub fn parse(&self, text: &str, any_case: bool) -> Option<Parts> {
        let mut parts = Parts::default();
        let rest = sequence(&self.items, text, &mut parts, any_case)?;
        rest.is_empty().then_some(parts)
    }
}

fn sequence<'t>(items: &[Item], text: &'t str, parts: &mut Parts, any_case: bool) -> Option<&'t str> {
    let mut rest = text;
    for (position, item) in items.iter().enumerate() {
        rest = match item {
            Item::Text(expected) => match rest.get(..expected.len()) {
                Some(start) if start == expected || (any_case && start.eq_ignore_ascii_case(expected)) => {
                    rest.get(expected.len()..)?
                }
                _ => return None,
            },
            Item::Letter(letter, count) => {
                // Digits that touch belong to the letters by their count.
                let touching =
                    matches!(items.get(position.saturating_add(1)), Some(Item::Letter(next, _)) if numeric(*next));
                field(*letter, *count, touching, rest, parts, any_case)?
            }
            Item::Optional(inner) => {
                let mut tried = parts.clone();
                match sequence(inner, rest, &mut tried, any_case) {
                    Some(after) => {
                        *parts = tried;
                        after
                    }
                    None => rest,
                }
            }
        };
    }
    Some(rest)
}

fn numeric(letter: char) -> bool {
    "yuMLdDHhkKmsSnNA".contains(letter)
}

/// The digits at the start of a text, so many at most.
fn digits(text: &str, most: usize) -> Option<(&str, &str)> {
    let end = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(end)?;
    (!digits.is_empty()).then_some((digits, rest))
}

fn field<'t>(
    letter: char,
    count: usize,
    touching: bool,
    text: &'t str,
    parts: &mut Parts,
    any_case: bool,
) -> Option<&'t str> {
    // A number of one digit may be padded with a blank, as in syslog.
    let padded = if count == 2 { text.strip_prefix(' ').unwrap_or(text) } else { text };
    let number = |most: usize| {
        let most = if touching { count } else { most.max(count) };
        let (found, rest) = digits(padded, most)?;
        Some((found.parse::<i64>().ok()?, rest))
    };
    match letter {
        'y' | 'u' => {
            let (found, rest) = digits(text, if touching || count == 2 { count } else { 9 })?;
            let year: i64 = found.parse().ok()?;
            parts.year = Some(if count == 2 { year.checked_add(2_000)? } else { year });
            Some(rest)
        }
        'M' | 'L' if count >= 3 => {
            let (month, length) = match count {
                3 => word(text, &MONTHS, true, any_case)?,
                _ => word(text, &MONTHS, false, any_case)?,
            };
            parts.month = Some(i64::try_from(month).ok()?.checked_add(1)?);
            text.get(length..)
        }
        'E' | 'e' => {
            let (_, length) = word(text, &WEEKDAYS, count <= 3, any_case)?;
            text.get(length..)
        }
        'a' => {
            let start = text.get(..2)?;
            parts.afternoon = match start {
                "AM" | "am" => Some(false),
                "PM" | "pm" => Some(true),
                _ => return None,
            };
            text.get(2..)
        }
        'S' => {
            let (found, rest) = digits(text, if touching { count } else { 9 })?;
            parts.nanosecond = Some(format!("{found:0<9}").parse().ok()?);
            Some(rest)
        }
        'X' | 'x' | 'Z' | 'O' => {
            if let Some(rest) = text.strip_prefix('Z') {
                parts.zone = Some("Z".to_owned());
                return Some(rest);
            }
            let named = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC"));
            let offset = named.unwrap_or(text);
            let length = offset.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b':'));
            let (found, rest) = offset.split_at_checked(length.count())?;
            match (found.starts_with(['+', '-']), named) {
                (true, _) => parts.zone = Some(found.to_owned()),
                (false, Some(_)) if found.is_empty() => parts.zone = Some("Z".to_owned()),
                _ => return None,
            }
            Some(rest)
        }
        'z' | 'V' => {
            let length = text
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-' | b':'))
                .count();
            let (found, rest) = text.split_at_checked(length)?;
            super::zone_of(found)?;
            parts.zone = Some(found.to_owned());
            Some(rest)
        }
        'G' => ["AD", "CE"].iter().find_map(|era| text.strip_prefix(era)),
        _ => {
            let (value, rest) = number(match letter {
                'D' => 3,
                'n' => 9,
                'A' | 'N' => 18,
                _ => 2,
            })?;
            let target = match letter {
                'M' | 'L' => &mut parts.month,
                'd' => &mut parts.day,
                'D' => &mut parts.day_of_year,
                'H' => &mut parts.hour,
                'k' => {
                    parts.hour = Some(value.rem_euclid(24));
                    return Some(rest);
                }
                'h' | 'K' => &mut parts.hour12,
                'm' => &mut parts.minute,
                's' => &mut parts.second,
                'n' => &mut parts.nanosecond,
                // The time of day in one number.
                _ => {
                    let nanoseconds = if letter == 'A' { value.checked_mul(1_000_000)? } else { value };
                    let seconds = nanoseconds.div_euclid(1_000_000_000);
                    parts.hour = Some(seconds.div_euclid(3_600));
                    parts.minute = Some(seconds.div_euclid(60).rem_euclid(60));
                    parts.second = Some(seconds.rem_euclid(60));
                    parts.nanosecond = Some(nanoseconds.rem_euclid(1_000_000_000));
                    return Some(rest);
                }
            };
            *target = Some(value);
            Some(rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str, pattern: &str, zone: Option<&str>) -> Option<String> {
        let now = "2023-06-01T00:00:00Z".parse().unwrap();
        let parts = Pattern::new(pattern).unwrap().parse(text, false)?;
        parts.time(zone, now).map(|(time, _)| time.to_string())
    }

    #[test]
    fn patterns_read_what_java_reads() {
        for (text, pattern, zone, expected) in [
            ("2023-05-02T10:30:00", "yyyy-MM-dd'T'HH:mm:ss", Some("America/New_York"), Some("2023-05-02T14:30:00Z")),
            (
                "2023-05-02T10:30:00.25+02:00",
                "yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX",
                None,
                Some("2023-05-02T08:30:00.25Z"),
            ),
            ("2023-05-02T10:30:00Z", "yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX", None, Some("2023-05-02T10:30:00Z")),
            ("02/Apr/2014:16:29:32 +0200", "dd/MMM/yyyy:HH:mm:ss Z", None, Some("2014-04-02T14:29:32Z")),
            ("02/05/2023 10:30:00 PM", "dd/MM/yyyy hh:mm:ss a", Some("UTC"), Some("2023-05-02T22:30:00Z")),
            ("20230502103000", "yyyyMMddHHmmss", Some("UTC"), Some("2023-05-02T10:30:00Z")),
            ("Feb  9 12:22:44", "MMM dd HH:mm:ss", Some("UTC"), Some("2023-02-09T12:22:44Z")),
            ("Dec 24 12:00:00", "MMM d HH:mm:ss", Some("UTC"), Some("2022-12-24T12:00:00Z")),
            ("2023-05-02T10:30:00", "yyyy-MM-dd'T'HH:mm:ss", None, None),
            ("2023-05-02", "yyyy-MM-dd'T'HH:mm:ss", Some("UTC"), None),
        ] {
            assert_eq!(time(text, pattern, zone).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn broken_patterns_say_why() {
        for (pattern, reason) in [("yyyy-jj", "`j`"), ("'abc", "quote"), ("[yyyy", "`[`"), ("yyyy]", "`]`")] {
            let found = Pattern::new(pattern).unwrap_err();
            assert!(found.contains(reason), "{pattern}: {found}");
        }
    }
}
