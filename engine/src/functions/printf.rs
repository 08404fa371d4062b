//! `printf`: values in a C-like format.
//!
//! Source: Splunk Search Reference, "Conversion functions".

use std::borrow::Cow;

use crate::values::Value;

/// The widest field and the most digits that a format may ask for.
const WIDEST: usize = 4_096;

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'f> {
    /// Text that stands for itself.
    Text(&'f str),
    /// Where a value goes.
    Value(Conversion),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conversion {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
    thousands: bool,
    width: Size,
    precision: Size,
    letter: u8,
}

/// A width or precision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Size {
    #[default]
    Default,
    Given(usize),
    Argument,
}

impl Conversion {
    /// How many values it takes.
    pub fn arguments(&self) -> usize {
        1 + [self.width, self.precision].iter().filter(|size| **size == Size::Argument).count()
    }
}

/// The pieces of a format.
///
/// # Errors
/// A phrase that names the first conversion there is none of.
pub fn pieces(format: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        let Some(after) = rest.strip_prefix('%') else {
            let end = rest.find('%').unwrap_or(rest.len());
            let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            found.push(Piece::Text(text));
            rest = after;
            continue;
        };
        if let Some(after) = after.strip_prefix('%') {
            found.push(Piece::Text("%"));
            rest = after;
            continue;
        }
        let (conversion, after) = conversion(after)?;
        found.push(Piece::Value(conversion));
        rest = after;
    }
    Ok(found)
}

fn conversion(text: &str) -> Result<(Conversion, &str), String> {
    let mut conversion = Conversion::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.blank = true,
            '0' => conversion.zero = true,
            '#' => conversion.alternate = true,
            '\'' => conversion.thousands = true,
            _ => break,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    (conversion.width, rest) = size(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        (conversion.precision, rest) = size(after)?;
        if conversion.precision == Size::Default {
            conversion.precision = Size::Given(0);
        }
    }
    match rest.chars().next() {
        Some(letter) if "aAcdiueEfFgGoszxXp".contains(letter) => {
            conversion.letter = letter as u8;
            Ok((conversion, rest.get(1..).unwrap_or_default()))
        }
        Some(letter) => {
            let asked = text.split_once(letter).map_or(text, |(before, _)| before);
            Err(format!("there is no conversion `%{asked}{letter}`"))
        }
        None => Err(format!("the conversion `%{text}` has no letter; `%%` stands for a percent sign")),
    }
}

fn size(text: &str) -> Result<(Size, &str), String> {
    if let Some(rest) = text.strip_prefix('*') {
        return Ok((Size::Argument, rest));
    }
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length).unwrap_or(("", text));
    if digits.is_empty() {
        return Ok((Size::Default, rest));
    }
    match digits.parse().ok().filter(|size| *size <= WIDEST) {
        Some(size) => Ok((Size::Given(size), rest)),
        None => Err(format!("widths and precisions go up to {WIDEST}, not {digits}")),
    }
}

/// The values in the format; `None` where one of them is missing or does not fit its conversion.
pub fn write(format: &str, values: &[Value<'_>]) -> Option<String> {
    let mut values = values.iter();
    let mut text = String::new();
    for piece in pieces(format).ok()? {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Value(conversion) => text.push_str(&convert(conversion, &mut values)?),
        }
    }
    Some(text)
}

/// A size, and whether it was negative, which only an argument can be.
fn resolve<'v>(size: Size, values: &mut impl Iterator<Item = &'v Value<'v>>) -> Option<(Option<usize>, bool)> {
    match size {
        Size::Default => Some((None, false)),
        Size::Given(size) => Some((Some(size), false)),
        Size::Argument => {
            let number = values.next()?.number().filter(|number| number.abs() <= WIDEST as f64)?;
            Some((Some(number.abs() as usize), number < 0.0))
        }
    }
}

fn convert<'v>(mut conversion: Conversion, values: &mut impl Iterator<Item = &'v Value<'v>>) -> Option<String> {
    let (width, negative) = resolve(conversion.width, values)?;
    conversion.left |= negative;
    let (precision, negative) = resolve(conversion.precision, values)?;
    let precision = precision.filter(|_| !negative);
    let value = values.next()?;
    let (prefix, body, zero) = match conversion.letter {
        b's' | b'z' => {
            let text = value.text()?;
            let kept = precision.map_or_else(|| text.to_string(), |most| text.chars().take(most).collect());
            (String::new(), kept, false)
        }
        b'c' => (String::new(), character(value)?, false),
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' | b'p' => {
            let (prefix, digits) = integer(conversion, precision, value.number()?)?;
            (prefix, digits, conversion.zero && precision.is_none())
        }
        _ => {
            let number = value.number()?;
            let (prefix, digits) = fraction(conversion, precision, number);
            (prefix, digits, conversion.zero && number.is_finite())
        }
    };
    let missing = width.unwrap_or(0).saturating_sub(prefix.chars().count() + body.chars().count());
    Some(match (conversion.left, zero) {
        (true, _) => format!("{prefix}{body}{}", " ".repeat(missing)),
        (false, true) => format!("{prefix}{}{body}", "0".repeat(missing)),
        (false, false) => format!("{}{prefix}{body}", " ".repeat(missing)),
    })
}

/// The character of that code, or the first one of a text.
fn character(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Number(code) if code.fract() == 0.0 && (0.0..=1_114_111.0).contains(code) => {
            char::from_u32(*code as u32).map(String::from)
        }
        Value::Number(_) => None,
        other => Some(other.text()?.chars().take(1).collect()),
    }
}

fn sign(conversion: Conversion, negative: bool) -> &'static str {
    match (negative, conversion.plus, conversion.blank) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn integer(conversion: Conversion, precision: Option<usize>, number: f64) -> Option<(String, String)> {
    // Unsigned conversions show a negative number's bits, as in C.
    let whole = Some(number.trunc()).filter(|whole| whole.abs() < 9.2e18)? as i64;
    let (prefix, mut digits) = match conversion.letter {
        b'd' | b'i' => (sign(conversion, whole < 0).to_string(), whole.unsigned_abs().to_string()),
        b'u' => (String::new(), (whole as u64).to_string()),
        b'o' => (String::new(), format!("{whole:o}")),
        b'x' => (if conversion.alternate && whole != 0 { "0x" } else { "" }.to_string(), format!("{whole:x}")),
        _ => (if conversion.alternate && whole != 0 { "0X" } else { "" }.to_string(), format!("{whole:X}")),
    };
    if precision == Some(0) && whole == 0 {
        digits.clear();
    }
    if let Some(least) = precision {
        digits.insert_str(0, &"0".repeat(least.saturating_sub(digits.len())));
    }
    if conversion.letter == b'o' && conversion.alternate && !digits.starts_with('0') {
        digits.insert(0, '0');
    }
    if conversion.thousands && matches!(conversion.letter, b'd' | b'i' | b'u') {
        digits = grouped(&digits);
    }
    Some((prefix, digits))
}

/// Digits in groups of three.
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn fraction(conversion: Conversion, precision: Option<usize>, number: f64) -> (String, String) {
    let letter = conversion.letter.to_ascii_lowercase();
    let size = number.abs();
    let mut prefix = sign(conversion, number.is_sign_negative() && !number.is_nan()).to_string();
    let mut text = match letter {
        _ if number.is_nan() => "nan".to_string(),
        _ if number.is_infinite() => "inf".to_string(),
        b'e' => exponential(size, precision.unwrap_or(6), conversion.alternate),
        b'f' => fixed(size, precision.unwrap_or(6), conversion.alternate),
        b'g' => general(size, precision.unwrap_or(6).max(1), conversion.alternate),
        _ => {
            prefix.push_str("0x");
            hexadecimal(size, precision, conversion.alternate)
        }
    };
    if conversion.thousands && matches!(letter, b'f' | b'g') && number.is_finite() {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (whole, rest) = text.split_at_checked(end).unwrap_or((&text, ""));
        text = format!("{}{rest}", grouped(whole));
    }
    if conversion.letter.is_ascii_uppercase() {
        return (prefix.to_ascii_uppercase(), text.to_ascii_uppercase());
    }
    (prefix, text)
}

fn fixed(size: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{size:.precision$}");
    if alternate && precision == 0 { text + "." } else { text }
}

/// `5.14e+03`: at least two digits of exponent.
fn exponential(size: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{size:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if alternate && precision == 0 { "." } else { "" };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}{point}e{sign}{digits:0>2}")
}

/// So many significant digits, as `fixed` or `exponential`, without the zeros at the end.
fn general(size: f64, digits: usize, alternate: bool) -> String {
    let rounded = format!("{size:.*e}", digits - 1);
    let exponent: i64 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let decimals = i64::try_from(digits).unwrap_or(i64::MAX) - 1 - exponent;
    let text = match usize::try_from(decimals) {
        Ok(decimals) if exponent >= -4 => fixed(size, decimals, alternate),
        _ => exponential(size, digits - 1, alternate),
    };
    if alternate || !text.contains('.') {
        return text;
    }
    let (mantissa, exponent) = match text.find('e') {
        Some(position) => text.split_at_checked(position).unwrap_or((&text, "")),
        None => (text.as_str(), ""),
    };
    format!("{}{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

/// `1.8p+1`: the mantissa in hexadecimal digits, the exponent a power of two.
fn hexadecimal(size: f64, precision: Option<usize>, alternate: bool) -> String {
    const MANTISSA_BITS: u32 = 52;
    let bits = size.to_bits();
    let (exponent, mantissa) = ((bits >> MANTISSA_BITS) as i64, bits & ((1 << MANTISSA_BITS) - 1));
    let lead = u64::from(exponent > 0);
    let exponent = match (exponent, mantissa) {
        (0, 0) => 0,
        (0, _) => -1_022,
        _ => exponent - 1_023,
    };
    let mut digits = (lead << MANTISSA_BITS) | mantissa;
    let shown = match precision.filter(|precision| *precision < 13) {
        Some(precision) => {
            let dropped = MANTISSA_BITS - 4 * precision as u32;
            let (rest, half) = (digits & ((1 << dropped) - 1), 1 << (dropped - 1));
            digits >>= dropped;
            if rest > half || (rest == half && digits & 1 == 1) {
                digits += 1;
            }
            precision
        }
        None => 13,
    };
    let lead = digits >> (4 * shown);
    let mantissa = if shown == 0 { 0 } else { digits & ((1 << (4 * shown)) - 1) };
    let fraction = if shown == 0 { String::new() } else { format!("{mantissa:0shown$x}") };
    let fraction: Cow<'_, str> = match precision {
        Some(precision) => Cow::Owned(format!("{fraction:0<precision$}")),
        None => Cow::Borrowed(fraction.trim_end_matches('0')),
    };
    let point = if fraction.is_empty() && !alternate { "" } else { "." };
    format!("{lead:x}{point}{fraction}p{exponent:+}")
}

#[cfg(test)]
mod tests;
