//! The directives of time formats, as `strftime` and `strptime` share them.
//!
//! Source: Splunk Search Reference, "Date and time format variables"; what it leaves open is as in a C library.

/// A piece of a time format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'f> {
    /// Text that stands for itself.
    Text(&'f str),
    /// A part of a time.
    Part(Part),
}

/// A part of a time, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `%Y`
    Year,
    /// `%C`
    Century,
    /// `%y`
    YearOfCentury,
    /// `%G`
    IsoYear,
    /// `%g`
    IsoYearOfCentury,
    /// `%m`
    Month,
    /// `%b`, `%h`
    MonthShort,
    /// `%B`
    MonthName,
    /// `%d`
    Day,
    /// `%e`
    DayBlank,
    /// `%j`
    DayOfYear,
    /// `%a`
    WeekdayShort,
    /// `%A`
    WeekdayName,
    /// `%w`, 0 for Sunday
    WeekdayFromSunday,
    /// `%u`, 1 for Monday and 7 for Sunday
    WeekdayFromMonday,
    /// `%U`, weeks that begin on Sunday
    WeekFromSunday,
    /// `%W`, weeks that begin on Monday
    WeekFromMonday,
    /// `%V`
    IsoWeek,
    /// `%H`
    Hour,
    /// `%k`
    HourBlank,
    /// `%I`
    Hour12,
    /// `%l`
    Hour12Blank,
    /// `%p`
    HalfDay,
    /// `%P`
    HalfDayLower,
    /// `%M`
    Minute,
    /// `%S`
    Second,
    /// `%s`
    Epoch,
    /// `%N`, `%Q`, `%f`: so many digits of the second's fraction, and whether the format says how many.
    Fraction(usize, bool),
    /// `%z` without a colon; `%:z`, `%::z` and `%:::z` with one, two or three.
    Offset(usize),
    /// `%Ez`
    OffsetMinutes,
    /// `%Z`
    Zone,
}

/// The names of the months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The names of the days, from Sunday.
pub const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The pieces of a format.
///
/// # Errors
/// A phrase that names the first directive there is none of.
pub fn items(format: &str) -> Result<Vec<Item<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        let Some(after) = rest.strip_prefix('%') else {
            let end = rest.find('%').unwrap_or(rest.len());
            let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            found.push(Item::Text(text));
            rest = after;
            continue;
        };
        let length = directive_length(after);
        let (directive, after) = after.split_at_checked(length).unwrap_or((after, ""));
        match composite(directive) {
            Some(expansion) => found.extend(items(expansion)?),
            None => found.push(single(directive).ok_or_else(|| unknown(directive))?),
        }
        rest = after;
    }
    Ok(found)
}

fn unknown(directive: &str) -> String {
    match directive {
        "" => "a `%` at the end says nothing; `%%` stands for a percent sign".into(),
        directive => format!("there is no time variable `%{directive}`"),
    }
}

/// The bytes of a directive after its percent sign: modifiers, and the letter that they belong to.
fn directive_length(text: &str) -> usize {
    let modifiers = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'E' | b'O' | b'-' | b'_' | b'^' | b'#'))
        .count();
    let letter = text.get(modifiers..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    modifiers.saturating_add(letter)
}

/// What a directive that stands for several others stands for; the locale is that of the C library.
fn composite(directive: &str) -> Option<&'static str> {
    Some(match directive {
        "c" => "%a %b %e %H:%M:%S %Y",
        "+" => "%a %b %e %H:%M:%S %Z %Y",
        "x" | "D" => "%m/%d/%y",
        "X" | "T" => "%H:%M:%S",
        "F" => "%Y-%m-%d",
        "R" => "%H:%M",
        "r" => "%I:%M:%S %p",
        _ => return None,
    })
}

fn single(directive: &str) -> Option<Item<'static>> {
    let part = match directive {
        "%" => return Some(Item::Text("%")),
        "n" => return Some(Item::Text("\n")),
        "t" => return Some(Item::Text("\t")),
        "Y" => Part::Year,
        "C" => Part::Century,
        "y" => Part::YearOfCentury,
        "G" => Part::IsoYear,
        "g" => Part::IsoYearOfCentury,
        "m" => Part::Month,
        "b" | "h" => Part::MonthShort,
        "B" => Part::MonthName,
        "d" => Part::Day,
        "e" => Part::DayBlank,
        "j" => Part::DayOfYear,
        "a" => Part::WeekdayShort,
        "A" => Part::WeekdayName,
        "w" => Part::WeekdayFromSunday,
        "u" => Part::WeekdayFromMonday,
        "U" => Part::WeekFromSunday,
        "W" => Part::WeekFromMonday,
        "V" => Part::IsoWeek,
        "H" => Part::Hour,
        "k" => Part::HourBlank,
        "I" => Part::Hour12,
        "l" => Part::Hour12Blank,
        "p" => Part::HalfDay,
        "P" => Part::HalfDayLower,
        "M" => Part::Minute,
        "S" => Part::Second,
        "s" => Part::Epoch,
        "z" => Part::Offset(0),
        ":z" => Part::Offset(1),
        "::z" => Part::Offset(2),
        ":::z" => Part::Offset(3),
        "Ez" => Part::OffsetMinutes,
        "Z" => Part::Zone,
        "N" => Part::Fraction(9, false),
        "Q" => Part::Fraction(3, false),
        "f" => Part::Fraction(6, false),
        _ => match directive.as_bytes() {
            [digits @ b'1'..=b'9', b'N' | b'Q' | b'f'] => Part::Fraction(usize::from(digits - b'0'), true),
            _ => return None,
        },
    };
    Some(Item::Part(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_fall_into_text_and_parts() {
        assert_eq!(
            items("é %3N%%%:::z").unwrap(),
            [Item::Text("é "), Item::Part(Part::Fraction(3, true)), Item::Text("%"), Item::Part(Part::Offset(3)),]
        );
        assert_eq!(items("%F").unwrap(), items("%Y-%m-%d").unwrap());
    }

    #[test]
    fn unknown_directives_are_named() {
        for (format, name) in [("%H:%i", "`%i`"), ("%", "at the end"), ("%0N", "`%0N`"), ("%é", "`%é`"), ("%E", "`%E`")]
        {
            let reason = items(format).unwrap_err();
            assert!(reason.contains(name), "{format}: {reason}");
        }
    }
}
