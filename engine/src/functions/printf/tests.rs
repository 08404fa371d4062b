use proptest::prelude::*;

use super::*;

fn number(value: f64) -> Value<'static> {
    Value::Number(value)
}

fn one(format: &str, value: f64) -> String {
    write(format, &[number(value)]).unwrap()
}

#[test]
fn integers_are_written_as_in_c() {
    for (format, value, text) in [
        ("%d", -2.0, "-2"),
        ("%i", 3.7, "3"),
        ("%'d", 1_234_567.0, "1,234,567"),
        ("%'d", -123.0, "-123"),
        ("%06d", -42.0, "-00042"),
        ("%-6d|", 42.0, "42    |"),
        ("%-06d|", 42.0, "42    |"),
        ("%6.3d", 42.0, "   042"),
        ("%06.3d", 42.0, "   042"),
        ("%.0d", 0.0, ""),
        ("%+d", 5.0, "+5"),
        ("% d", 5.0, " 5"),
        ("%+ d", 5.0, "+5"),
        ("%u", -1.0, "18446744073709551615"),
        ("%o", 8.0, "10"),
        ("%#o", 8.0, "010"),
        ("%x", 255.0, "ff"),
        ("%#X", 255.0, "0XFF"),
        ("%p", 255.0, "FF"),
        ("%#x", 0.0, "0"),
        ("%08.3f", -2.71859, "-002.719"),
    ] {
        assert_eq!(one(format, value), text, "{format}");
    }
}

#[test]
fn fractions_are_written_as_in_c() {
    for (format, value, text) in [
        ("%f", 3.0, "3.000000"),
        ("%.0f", 2.5, "2"),
        ("%#.0f", 2.0, "2."),
        ("%'.2f", 1_234_567.891, "1,234,567.89"),
        ("%e", 0.0, "0.000000e+00"),
        ("%E", 5_139.0, "5.139000E+03"),
        ("%.0e", 1e-7, "1e-07"),
        ("%e", 1e300, "1.000000e+300"),
        ("%g", 100_000.0, "100000"),
        ("%g", 1_000_000.0, "1e+06"),
        ("%g", 0.0001, "0.0001"),
        ("%g", 0.00001, "1e-05"),
        ("%#g", 1.0, "1.00000"),
        ("%G", 1e-10, "1E-10"),
        ("%.3g", 9.999, "10"),
        ("%a", 1.0, "0x1p+0"),
        ("%a", -3.0, "-0x1.8p+1"),
        ("%A", 0.5, "0X1P-1"),
        ("%.2a", 1.1, "0x1.1ap+0"),
        ("%.0a", 1.5, "0x2p+0"),
        ("%a", 0.0, "0x0p+0"),
        ("%.15a", 1.5, "0x1.800000000000000p+0"),
        ("%5f", f64::INFINITY, "  inf"),
        ("%05f", f64::NEG_INFINITY, " -inf"),
        ("%F", f64::NAN, "NAN"),
    ] {
        assert_eq!(one(format, value), text, "{format}");
    }
}

#[test]
fn texts_and_characters() {
    let text = |text: &'static str| Value::Text(text.into());
    for (format, values, written) in [
        ("%s%z", vec![text("foo"), text("bar")], "foobar"),
        ("%.2s", vec![text("héllo")], "hé"),
        ("%5s|%-5s|", vec![text("é"), text("é")], "    é|é    |"),
        ("%s", vec![number(1.5)], "1.5"),
        ("%c%c", vec![number(65.0), text("Foo")], "AF"),
        ("%*d|", vec![number(-5.0), number(1.0)], "1    |"),
        ("%.*f", vec![number(-1.0), number(1.0)], "1.000000"),
        ("%d", vec![text("12")], "12"),
        ("100%%", vec![], "100%"),
    ] {
        assert_eq!(write(format, &values).as_deref(), Some(written), "{format}");
    }
}

#[test]
fn what_does_not_fit_is_none() {
    for (format, values) in [
        ("%d", vec![Value::Text("x".into())]),
        ("%d", vec![Value::Null]),
        ("%d", vec![]),
        ("%d", vec![number(1e300)]),
        ("%c", vec![number(-1.0)]),
        ("%*d", vec![number(1e9), number(1.0)]),
        ("%y", vec![number(1.0)]),
    ] {
        assert_eq!(write(format, &values), None, "{format}");
    }
    for (format, name) in [("%5y", "`%5y`"), ("%", "`%`"), ("%n", "`%n`"), ("%1$d", "`%1$`"), ("%99999d", "99999")] {
        let reason = pieces(format).unwrap_err();
        assert!(reason.contains(name), "{format}: {reason}");
    }
}

proptest! {
    #[test]
    fn integers_agree_with_the_formatting_of_rust(value in -9_007_199_254_740_991_i64..=9_007_199_254_740_991, width in 0_usize..24) {
        let wide = |flags: &str, letter: char| one(&format!("%{flags}{width}{letter}"), value as f64);
        prop_assert_eq!(wide("", 'd'), format!("{value:>width$}"));
        prop_assert_eq!(wide("-", 'd'), format!("{value:<width$}"));
        prop_assert_eq!(wide("+", 'd'), format!("{value:>+width$}"));
        prop_assert_eq!(wide("0", 'd'), format!("{value:0width$}"));
        prop_assert_eq!(wide("+0", 'd'), format!("{value:+0width$}"));
        prop_assert_eq!(wide("", 'x'), format!("{value:>width$x}"));
        prop_assert_eq!(wide("0", 'X'), format!("{value:0width$X}"));
        prop_assert_eq!(wide("", 'o'), format!("{value:>width$o}"));
    }

    #[test]
    fn fractions_agree_with_the_formatting_of_rust(value in -1e12..1e12_f64, decimals in 0_usize..12) {
        prop_assert_eq!(one(&format!("%.{decimals}f"), value), format!("{value:.decimals$}"));
        let rounded: f64 = one("%.17g", value).parse().unwrap();
        prop_assert_eq!(rounded, value);
    }

    #[test]
    fn nothing_makes_it_panic(format in "(%[-+ 0#']{0,3}[0-9*]{0,2}(\\.[0-9*]{0,2})?[a-zA-Z%]|.){0,6}", value in any::<f64>()) {
        let _ = write(&format, &[number(value), number(7.0), number(value), number(3.0)]);
    }
}
