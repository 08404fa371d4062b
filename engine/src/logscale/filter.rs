//! Filters as conditions. Letter case counts, a missing field is different from every value.

use datafusion::logical_expr::{Expr, is_not_true, is_true, lit};
use spelunk_grammar::logscale::query::{
    Comparator, Comparison, Expression, ExpressionKind, Filter, Parameter, Regex, Value, ValueKind,
};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::arguments::{Arguments, no_value};
use super::rows::Rows;
use super::{as_number, functions};
use crate::functions::comparison::{self, invalid_pattern};
use crate::functions::pattern::Pattern;
use crate::functions::{extraction, logscale};
use crate::plan::Planner;
use crate::plan::expression::{Kind, Typed};

/// The fields that a search for text does not look at.
const UNSEARCHED: &[&str] = &["@id", "@timestamp", "@ingesttimestamp"];

/// A regular expression as the engine takes it, and the names of its groups.
pub struct Compiled {
    /// The pattern.
    pub pattern: String,
    /// Each group's name in the pattern, and the field that it makes.
    pub groups: Vec<(String, String)>,
}

/// Compiles a regular expression: its groups may be named as fields are.
///
/// # Errors
/// It does not compile, or has a flag that there is not.
pub fn compile(text: &str, flags: &str, span: Span) -> Result<Compiled, Diagnostic> {
    let mut groups: Vec<(String, String)> = Vec::new();
    let mut pattern = String::from("(?");
    pattern.push('m');
    for flag in flags.chars() {
        match flag {
            'i' if !pattern.contains('i') => pattern.push('i'),
            'd' if !pattern.contains('s') => pattern.push('s'),
            // `F` chooses another engine, `g` repeats what is found once a row here.
            'i' | 'd' | 'm' | 'F' => {}
            other => {
                let message = format!("the flag `{other}` of a regular expression");
                return Err(super::unsupported(&message, span));
            }
        }
    }
    pattern.push(')');
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '(']) {
        let (before, tail) = rest.split_at(at);
        pattern.push_str(before);
        let named = tail.strip_prefix("(?<").or_else(|| tail.strip_prefix("(?P<"));
        let named = named.filter(|tail| !tail.starts_with(['=', '!'])).and_then(|tail| tail.split_once('>'));
        if let Some((name, after)) = named {
            let group = format!("g{}", groups.len());
            pattern.push_str(&format!("(?<{group}>"));
            groups.push((group, name.to_owned()));
            rest = after;
            continue;
        }
        // A backslash and what follows it, or the parenthesis.
        let mut letters = tail.chars();
        let mut taken = 0;
        for letter in letters.by_ref().take(if tail.starts_with('\\') { 2 } else { 1 }) {
            pattern.push(letter);
            taken += letter.len_utf8();
        }
        rest = tail.get(taken..).unwrap_or_default();
    }
    pattern.push_str(rest);
    Pattern::new(&pattern).map_err(|reason| {
        let found = invalid_pattern(&reason, span);
        Diagnostic { message: found.message.replace("invalid regular", "invalid regex: regular"), ..found }
    })?;
    Ok(Compiled { pattern, groups })
}

/// The fields that the groups make.
pub fn captures(compiled: &Compiled, text: &Expr, span: Span) -> Vec<(String, Typed)> {
    let found = compiled.groups.iter().map(|(group, name)| {
        let arguments = vec![text.clone(), lit(&compiled.pattern), lit(group.as_str()), lit(1_i64)];
        (name.clone(), Typed::new(extraction::first().call(arguments), Kind::Text, span))
    });
    found.collect()
}

/// The text that a parameter stands for.
pub fn parameter(parameter: &Parameter, span: Span) -> Result<String, Diagnostic> {
    parameter.default.clone().ok_or_else(|| no_value(&parameter.name, span))
}

type Captures<'c> = Option<&'c mut Vec<(String, Typed)>>;

impl Rows<'_> {
    /// A filter as a condition. `captures` collects the fields that named groups make, where they may.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn filter(&self, filter: &Filter, captures: Captures<'_>, aggregated: bool) -> Result<Expr, Diagnostic> {
        Ok(match filter {
            Filter::And(parts) => self.joined(parts, aggregated, Expr::and)?,
            Filter::Or(parts) => self.joined(parts, aggregated, Expr::or)?,
            Filter::Not(inner) => is_not_true(self.filter(inner, None, aggregated)?),
            Filter::Comparison(comparison) => self.comparison(comparison, captures)?,
            Filter::Membership(membership) => {
                let field = self.field(&membership.field.node, membership.field.span);
                let found = self.member(&field, &membership.values)?;
                if membership.negated { is_not_true(found) } else { found }
            }
            Filter::Call(call) => self.filter_call(Arguments::of(call)?)?,
            Filter::FieldCall(field, negated, call) => {
                let found = self.filter_call(Arguments::of(call)?.with_field(field))?;
                if *negated { is_not_true(found) } else { found }
            }
            Filter::Test(call, comparator, right) => {
                let left = self.call_value(call)?;
                let right = self.expression(right)?;
                self.compared(&left, comparator.node, &right)
            }
            Filter::Saved(saved) => {
                let message = format!("the saved query `${}()` is not defined", saved.name.node);
                return Err(Diagnostic::error(Code::UnknownMacro, message, saved.name.span));
            }
            Filter::Text(value) => self.text(value, captures, aggregated)?,
        })
    }

    fn joined(&self, parts: &[Filter], aggregated: bool, join: fn(Expr, Expr) -> Expr) -> Result<Expr, Diagnostic> {
        let parts = parts.iter().map(|part| Ok(is_true(self.filter(part, None, aggregated)?)));
        let parts: Vec<Expr> = parts.collect::<Result<_, Diagnostic>>()?;
        Ok(balanced(parts, join).unwrap_or_else(|| lit(true)))
    }

    fn filter_call(&self, arguments: Arguments<'_>) -> Result<Expr, Diagnostic> {
        let name = arguments.function.name;
        let span = arguments.span();
        functions::row(self, arguments)?.keep.ok_or_else(|| {
            let message = format!("`{name}` is no filter, and cannot stand under `or` or `not`");
            Diagnostic::error(Code::InvalidArgument, message, span)
        })
    }

    /// Whether a field has one of these values.
    pub fn member(&self, field: &Typed, values: &[Value]) -> Result<Expr, Diagnostic> {
        let tests = values.iter().map(|value| self.is(field, value, None)).collect::<Result<Vec<_>, _>>()?;
        Ok(balanced(tests, Expr::or).unwrap_or_else(|| lit(false)))
    }

    fn comparison(&self, comparison: &Comparison, captures: Captures<'_>) -> Result<Expr, Diagnostic> {
        let Comparison { field, comparator, value } = comparison;
        let typed = self.field(&field.node, field.span);
        self.compared_with(&typed, comparator, value, captures)
    }

    /// A field against the value of a filter.
    pub fn compared_with(
        &self,
        field: &Typed,
        comparator: &Spanned<Comparator>,
        value: &Value,
        captures: Captures<'_>,
    ) -> Result<Expr, Diagnostic> {
        Ok(match comparator.node {
            Comparator::Is | Comparator::Equal | Comparator::Matches => self.is(field, value, captures)?,
            Comparator::NotEqual => is_not_true(self.is(field, value, None)?),
            Comparator::Like => {
                let pattern = words(value)?;
                logscale::glob(text_of(field), &format!("*{pattern}*"), false)
            }
            Comparator::Link => {
                return Err(super::unsupported(
                    "the link operator `<=>`, which belongs to `correlate`,",
                    comparator.span,
                ));
            }
            order => {
                let text = words(value)?;
                let Some(number) = crate::values::parse_number(&text) else {
                    let message = format!("`{order}` compares with a number, not with {text:?}");
                    return Err(Diagnostic::error(Code::TypeMismatch, message, value.span));
                };
                let left = as_number(field);
                match order {
                    Comparator::Less => left.lt(lit(number)),
                    Comparator::LessOrEqual => left.lt_eq(lit(number)),
                    Comparator::Greater => left.gt(lit(number)),
                    _ => left.gt_eq(lit(number)),
                }
            }
        })
    }

    /// `field = value`
    fn is(&self, field: &Typed, value: &Value, captures: Captures<'_>) -> Result<Expr, Diagnostic> {
        let pattern = match &value.kind {
            ValueKind::Regex(regex) => return self.matches(field, regex, value.span, captures),
            _ => words(value)?,
        };
        if pattern == "*" {
            return Ok(field.expr.clone().is_not_null());
        }
        let fits = logscale::glob(text_of(field), &pattern, false);
        // Two numbers are equal whatever their digits. Great ones are identifiers, of which a double cannot tell two apart.
        Ok(match crate::values::parse_number(&pattern) {
            Some(number) if number.abs() <= crate::values::MAX_EXACT as f64 => {
                fits.or(is_true(as_number(field).eq(lit(number))))
            }
            _ => fits,
        })
    }

    fn matches(&self, field: &Typed, regex: &Regex, span: Span, captured: Captures<'_>) -> Result<Expr, Diagnostic> {
        let compiled = compile(&regex.pattern, &regex.flags, span)?;
        let text = text_of(field);
        match captured {
            Some(captured) => captured.extend(captures(&compiled, &text, span)),
            None if compiled.groups.is_empty() => {}
            None => {
                let message = "a named group makes a field, and cannot stand under `or`, `not` or in an expression";
                return Err(Diagnostic::error(Code::InvalidArgument, message, span));
            }
        }
        Ok(comparison::pattern_matches(text, &compiled.pattern))
    }

    /// A search for text in every field.
    fn text(&self, value: &Value, captures: Captures<'_>, aggregated: bool) -> Result<Expr, Diagnostic> {
        if let ValueKind::Pattern(pattern) = &value.kind {
            match pattern.as_str() {
                "true" | "*" => return Ok(lit(true)),
                "false" => return Ok(lit(false)),
                "&&" => {
                    let message = "`&&` would be read as free text";
                    let error = Diagnostic::error(Code::Syntax, message, value.span);
                    return Err(error.with_help("filters are joined with `and`"));
                }
                // What a function is called is reserved.
                word if functions::is_name(word) => {
                    let message = format!("`{word}` is a function, and no free text");
                    let help = match word {
                        "default" => "the arm of a `case` for all others is `*`".to_owned(),
                        _ => format!("call it: {word}(...); or search for \"{word}\""),
                    };
                    return Err(Diagnostic::error(Code::Syntax, message, value.span).with_help(help));
                }
                _ => {}
            }
        }
        if aggregated {
            let message = "a search for free text after an aggregate: there is no text of events any more";
            return Err(Diagnostic::error(Code::InvalidArgument, message, value.span).with_help(
                match words(value).as_deref() {
                    Ok("as") => "a result is named so: n := count(), or count(as=n)",
                    _ => "name the field: field=*text*",
                },
            ));
        }
        let fields = self.frame.fields();
        let searched = fields.iter().filter(|name| !UNSEARCHED.contains(&name.as_str()) && !name.starts_with('#'));
        let searched: Vec<Typed> = searched.map(|name| self.field(name, value.span)).collect();
        if let ValueKind::Regex(regex) = &value.kind {
            let compiled = compile(&regex.pattern, &regex.flags, value.span)?;
            if let Some(captured) = captures {
                let raw = self.field("@rawstring", value.span);
                captured.extend(self::captures(&compiled, &text_of(&raw), value.span));
            }
            let tests = searched.iter().map(|f| is_true(comparison::pattern_matches(text_of(f), &compiled.pattern)));
            return Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)));
        }
        let pattern = format!("*{}*", words(value)?);
        let tests = searched.iter().map(|field| is_true(logscale::glob(text_of(field), &pattern, false)));
        Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
    }
}

/// The text of a field, as patterns see it.
pub fn text_of(field: &Typed) -> Expr {
    match field.kind {
        Kind::Time => Typed::new(field.number(), Kind::Number, field.span).text(),
        _ => field.text(),
    }
}

/// The pattern of a value.
pub fn words(value: &Value) -> Result<String, Diagnostic> {
    match &value.kind {
        ValueKind::Pattern(pattern) => Ok(pattern.clone()),
        ValueKind::Quoted(text) => Ok(text.unescaped()),
        ValueKind::Parameter(given) => parameter(given, value.span),
        ValueKind::Regex(_) => {
            let message = "a regular expression compares with `=` and `!=` only";
            Err(Diagnostic::error(Code::InvalidArgument, message, value.span))
        }
    }
}

/// Joins conditions so that the tree of many is not deep.
pub fn balanced(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        let mut joined = Vec::new();
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        parts = joined;
    }
    parts.pop()
}

/// Says how AND and OR are read in `where`, where AND binds tighter than in filters.
pub fn warn_of_mixture(planner: &mut Planner<'_>, condition: &Expression) {
    let ExpressionKind::Or(parts) = &condition.kind else { return };
    if parts.iter().any(|part| matches!(part.kind, ExpressionKind::And(_))) {
        let message = "in `where` AND binds tighter than OR, unlike in filters; parentheses make it plain";
        let finding = Diagnostic::note(Code::Note, message, condition.span);
        if !planner.diagnostics.contains(&finding) {
            planner.diagnostics.push(finding);
        }
    }
}
