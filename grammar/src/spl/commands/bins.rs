//! The options that put values into bins, which `bin`, `chart`, `timechart` and `makecontinuous` share.

use std::fmt::{self, Display, Formatter};

use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// The options of bins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BinOptions {
    /// How many bins at most, where no width is given.
    pub bins: Option<Spanned<u64>>,
    /// The least width, where no width is given.
    pub minspan: Option<Spanned<BinSpan>>,
    /// The width.
    pub span: Option<Spanned<BinSpan>>,
    /// The least value of the range.
    pub start: Option<Spanned<f64>>,
    /// The greatest value of the range.
    pub end: Option<Spanned<f64>>,
    /// A time at which a bin starts.
    pub aligntime: Option<Spanned<String>>,
}

/// The width of bins.
#[derive(Debug, Clone, PartialEq)]
pub enum BinSpan {
    /// A number: of seconds where times are meant.
    Number(f64),
    /// A length of time.
    Time(TimeSpan),
    /// `2log5`: bounds at `coefficient * base^n`.
    Logarithm {
        /// From 1 to below the base.
        coefficient: f64,
        /// Greater than 1.
        base: f64,
    },
}

/// A length of time: `15m`, `1d`, `1w@w1`.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpan {
    /// How many units; at least 1.
    pub count: i64,
    /// The unit.
    pub unit: TimeUnit,
    /// What stands behind `@`: where bins start.
    pub snap: Option<String>,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// `us`
    Microsecond,
    /// `ms`
    Millisecond,
    /// `cs`
    Centisecond,
    /// `ds`
    Decisecond,
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `mon`
    Month,
    /// `q`
    Quarter,
    /// `y`
    Year,
}

impl TimeUnit {
    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Microsecond => "us",
            Self::Millisecond => "ms",
            Self::Centisecond => "cs",
            Self::Decisecond => "ds",
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mon",
            Self::Quarter => "q",
            Self::Year => "y",
        }
    }

    /// How long it is, in microseconds; `None` where that varies.
    pub fn microseconds(self) -> Option<i64> {
        Some(match self {
            Self::Microsecond => 1,
            Self::Millisecond => 1_000,
            Self::Centisecond => 10_000,
            Self::Decisecond => 100_000,
            Self::Second => 1_000_000,
            Self::Minute => 60_000_000,
            Self::Hour => 3_600_000_000,
            Self::Day | Self::Week | Self::Month | Self::Quarter | Self::Year => return None,
        })
    }

    /// The unit of that name, long or short.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "us" => Self::Microsecond,
            "ms" => Self::Millisecond,
            "cs" => Self::Centisecond,
            "ds" => Self::Decisecond,
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Second,
            "m" | "min" | "mins" | "minute" | "minutes" => Self::Minute,
            "h" | "hr" | "hrs" | "hour" | "hours" => Self::Hour,
            "d" | "day" | "days" => Self::Day,
            "w" | "wk" | "week" | "weeks" => Self::Week,
            "mon" | "month" | "months" => Self::Month,
            "q" | "qtr" | "qtrs" | "quarter" | "quarters" => Self::Quarter,
            "y" | "yr" | "yrs" | "year" | "years" => Self::Year,
            _ => return None,
        })
    }
}

/// The most units of a span: what is longer than this leads out of every calendar.
const MOST_UNITS: i64 = 1_000_000_000;

/// The width that a text means.
///
/// # Errors
/// A phrase that says what is wrong with it.
pub fn span(text: &str) -> Result<BinSpan, String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if let Some((coefficient, base)) = lower.split_once("log") {
        return logarithm(coefficient, base);
    }
    let (length, snap) = match text.split_once('@') {
        Some((length, snap)) if !snap.is_empty() => (length, Some(snap.to_owned())),
        Some(_) => return Err("nothing stands behind `@`".into()),
        None => (text, None),
    };
    // Only a span that snaps may have a sign, which says nothing of its length.
    let length = if snap.is_some() { length.trim_start_matches(['+', '-']) } else { length };
    let digits = length.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = length.split_at_checked(digits).unwrap_or((length, ""));
    if unit.is_empty() && snap.is_none() {
        return match number.parse::<f64>() {
            Ok(number) if number > 0.0 && number.is_finite() => Ok(BinSpan::Number(number)),
            Ok(_) => Err("a span is greater than 0".into()),
            Err(_) => Err("it is no number".into()),
        };
    }
    let Some(unit) = TimeUnit::of(if unit.is_empty() { "s" } else { unit }) else {
        return Err(format!("there is no unit of time `{unit}`"));
    };
    let count = match number {
        "" => 1,
        number => number.parse().map_err(|_| format!("`{number}` is no whole number"))?,
    };
    if !(1..=MOST_UNITS).contains(&count) {
        return Err(if count < 1 { "a span is greater than 0".into() } else { "it is too long".into() });
    }
    const SECOND: i64 = 1_000_000;
    if let Some(length) = unit.microseconds().filter(|length| *length < SECOND) {
        let length = length.saturating_mul(count);
        if length >= SECOND {
            return Err("a span in fractions of a second is below one second; write whole seconds with `s`".into());
        }
        if SECOND % length != 0 {
            return Err("a second is no whole number of such spans".into());
        }
    }
    Ok(BinSpan::Time(TimeSpan { count, unit, snap }))
}

fn logarithm(coefficient: &str, base: &str) -> Result<BinSpan, String> {
    let number = |text: &str, default: f64| match text {
        "" => Ok(default),
        text => text.parse::<f64>().map_err(|_| format!("`{text}` is no number")),
    };
    let (coefficient, base) = (number(coefficient, 1.0)?, number(base, 10.0)?);
    if !(base > 1.0 && base.is_finite()) {
        return Err("the base of a logarithmic span is greater than 1".into());
    }
    if !(1.0..base).contains(&coefficient) {
        return Err("the factor of a logarithmic span lies between 1 and its base".into());
    }
    Ok(BinSpan::Logarithm { coefficient, base })
}

impl BinOptions {
    /// The names of the options.
    pub const NAMES: &'static [&'static str] = &["bins", "minspan", "span", "start", "end", "aligntime"];

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes an option, if it is one of these; the inner `None` stands for a value that it does not take.
    pub(crate) fn take(&mut self, b: &mut Builder<'_>, option: &OptionPair) -> Option<Option<()>> {
        if !Self::NAMES.contains(&option.name.as_str()) {
            return None;
        }
        Some(self.set(b, option))
    }

    fn set(&mut self, b: &mut Builder<'_>, option: &OptionPair) -> Option<()> {
        match option.name.as_str() {
            "bins" => {
                let bins = option.number(b)?;
                if bins == 0 {
                    return option.invalid(b, "a number of at least 1");
                }
                self.bins = Some(option.at(bins));
            }
            "minspan" => self.minspan = Some(option.at(width(b, option)?)),
            "span" => self.span = Some(option.at(width(b, option)?)),
            "start" => self.start = Some(option.at(number(b, option)?)),
            "end" => self.end = Some(option.at(number(b, option)?)),
            _ => self.aligntime = Some(option.text()),
        }
        Some(())
    }
}

fn width(b: &mut Builder<'_>, option: &OptionPair) -> Option<BinSpan> {
    match span(&option.value) {
        Ok(span) => Some(span),
        Err(reason) => {
            let message = format!("`{}` cannot be `{}`: {reason}", option.name, option.value);
            b.error(Code::InvalidOption, message, option.value_span);
            None
        }
    }
}

fn number(b: &mut Builder<'_>, option: &OptionPair) -> Option<f64> {
    match option.value.parse::<f64>() {
        Ok(number) if number.is_finite() => Some(number),
        _ => option.invalid(b, "a number"),
    }
}

impl Display for BinOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { bins, minspan, span, start, end, aligntime } = self;
        option(f, "bins", bins.as_ref().map(|value| value.node))?;
        option(f, "minspan", minspan.as_ref().map(|value| &value.node))?;
        option(f, "span", span.as_ref().map(|value| &value.node))?;
        option(f, "start", start.as_ref().map(|value| value.node))?;
        option(f, "end", end.as_ref().map(|value| value.node))?;
        option(f, "aligntime", aligntime.as_ref().map(|value| Quoted(&value.node)))
    }
}

impl Display for BinSpan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(span) => span.fmt(f),
            Self::Logarithm { coefficient, base } => write!(f, "{coefficient}log{base}"),
        }
    }
}

impl Display for TimeSpan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.name())?;
        match &self.snap {
            Some(snap) => write!(f, "@{snap}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, written) in [
            ("10", "10"),
            ("0.5", "0.5"),
            ("5m", "5m"),
            ("1hour", "1h"),
            ("30minutes", "30m"),
            ("mon", "1mon"),
            ("1Quarter", "1q"),
            ("250ms", "250ms"),
            ("w@w1", "1w@w1"),
            ("log2", "1log2"),
            ("LOG", "1log10"),
            ("2log5", "2log5"),
        ] {
            assert_eq!(span(text).map(|span| span.to_string()).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_named() {
        for (text, reason) in [
            ("0", "greater than 0"),
            ("0d", "greater than 0"),
            ("5fortnights", "no unit of time"),
            ("1.5h", "no whole number"),
            ("1000ms", "below one second"),
            ("300ms", "no whole number of such spans"),
            ("5log5", "between 1 and its base"),
            ("log1", "greater than 1"),
            ("logx", "no number"),
            ("1d@", "behind `@`"),
            ("-1", "no unit"),
            ("", "no number"),
            ("99999999999999999999y", "no whole number"),
        ] {
            let error = span(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
