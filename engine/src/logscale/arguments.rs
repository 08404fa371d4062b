//! The arguments of a call, by name.

use std::cell::{Cell, RefCell};

use spelunk_grammar::logscale::query::{Argument, Call, Element, Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::functions::{self, Function, Makes};
use super::steps;

/// The name of the result of a call inside of an expression.
pub const VALUE: &str = "_value";

/// The arguments of a call. Each is taken once; what is left over is refused.
pub struct Arguments<'c> {
    /// The call.
    pub call: &'c Call,
    /// The function.
    pub function: &'static Function,
    given: RefCell<Vec<(Spanned<String>, &'c Expression)>>,
    output: Option<Spanned<String>>,
    field: Option<Spanned<String>>,
    negated: Cell<bool>,
}

impl<'c> Arguments<'c> {
    /// Those of a call.
    ///
    /// # Errors
    /// No such function, an argument that it does not have, two of the same name.
    pub fn of(call: &'c Call) -> Result<Self, Diagnostic> {
        let function = functions::find(&call.name)?;
        let any = matches!(function.makes, Makes::Assignments);
        let mut given: Vec<(Spanned<String>, &'c Expression)> = Vec::new();
        for argument in &call.arguments {
            let (name, value) = match argument {
                Argument::Named(name, value) => (name.clone(), value),
                Argument::Unnamed(value) => {
                    let Some(first) = function.parameters.first() else {
                        let message = format!("`{}` takes no unnamed argument", function.name);
                        return Err(Diagnostic::error(Code::InvalidArgument, message, value.span));
                    };
                    // `bucket(1h, field=host)`: there the unnamed argument is how long a bucket is.
                    let named = |argument: &Argument| matches!(argument, Argument::Named(name, _) if name.node.eq_ignore_ascii_case(first));
                    let is_span = function.name == "bucket" && call.arguments.iter().any(named);
                    // `math:mod(x, 3)`: the number that goes with the field.
                    let is_number = matches!(function.name, "math:mod" | "math:pow")
                        && given.iter().any(|(before, _)| before.node == *first);
                    let name = match function.parameters.get(1) {
                        Some(second) if is_number => second,
                        _ if is_span => "span",
                        _ => first,
                    };
                    (Spanned::new(name.to_owned(), value.span), value)
                }
                Argument::Labelled(_) if function.parameters.contains(&steps::QUERIES) => continue,
                Argument::Labelled(labelled) => {
                    let message = format!("`{}` takes no subquery with a name", function.name);
                    return Err(Diagnostic::error(Code::InvalidArgument, message, labelled.name.span));
                }
            };
            let known = function.parameters.iter().find(|known| known.eq_ignore_ascii_case(&name.node));
            let known = match (known, any) {
                (Some(known), _) => (*known).to_owned(),
                (None, true) => name.node.clone(),
                (None, false) => {
                    let message = format!("`{}` has no argument `{}`", function.name, name.node);
                    let help = match function.parameters.first() {
                        Some(&("condition" | "expression")) => "expressions compare with `==`".to_owned(),
                        _ => format!("its arguments are {}", function.parameters.join(", ")),
                    };
                    return Err(Diagnostic::error(Code::InvalidOption, message, name.span).with_help(help));
                }
            };
            if !any && given.iter().any(|(before, _)| before.node == known) {
                let message = format!("the argument `{known}` of `{}` is given twice", function.name);
                return Err(Diagnostic::error(Code::InvalidArgument, message, name.span));
            }
            given.push((Spanned::new(known, name.span), value));
        }
        Ok(Self { call, function, given: RefCell::new(given), output: None, field: None, negated: Cell::new(false) })
    }

    /// The same, with its result under that name.
    pub fn named_as(mut self, name: Spanned<String>) -> Self {
        self.output = Some(name);
        self
    }

    /// The same, over that field.
    pub fn with_field(mut self, field: &Spanned<String>) -> Self {
        self.field = Some(field.clone());
        self
    }

    /// The same, with `not` before it.
    pub fn negated(self, negated: bool) -> Self {
        self.negated.set(negated);
        self
    }

    /// Whether `not` stands before the call; where no one asks, it is refused.
    pub fn negation(&self) -> bool {
        self.negated.replace(false)
    }

    fn without_not(&self) -> Result<(), Diagnostic> {
        match self.negated.get() {
            true => {
                let message = format!("`{}` is no filter, and cannot stand under `not`", self.function.name);
                Err(Diagnostic::error(Code::InvalidArgument, message, self.call.span))
            }
            false => Ok(()),
        }
    }

    /// Refuses what only a filter may have before it: `not`, or a field and `=~`.
    pub fn alone(&self) -> Result<(), Diagnostic> {
        self.without_not()?;
        match &self.field {
            Some(field) => {
                let message = format!("`{}` is no filter, and takes no field before it", self.function.name);
                Err(Diagnostic::error(Code::InvalidArgument, message, field.span))
            }
            None => Ok(()),
        }
    }

    /// Every argument by name, for `eval`.
    pub fn all_named(&self) -> Result<Vec<(Spanned<String>, &'c Expression)>, Diagnostic> {
        Ok(self.given.take())
    }

    /// What the call makes.
    pub fn makes(&self) -> &'static Makes {
        self.function.makes(self.call)
    }

    /// The field that the call works on, for one who does not read it.
    pub fn field_name(&self) -> Result<Option<String>, Diagnostic> {
        match &self.field {
            Some(field) => Ok(Some(field.node.clone())),
            None => self.peek("field").map(|value| Ok(text(value)?.node)).transpose(),
        }
    }

    fn field_text(&self) -> &str {
        self.field.as_ref().map_or("", |field| field.node.as_str())
    }

    fn peek(&self, name: &str) -> Option<&'c Expression> {
        self.given.borrow().iter().find(|(known, _)| known.node == name).map(|(_, value)| *value)
    }

    /// An argument as it was written.
    pub fn take(&self, name: &str) -> Option<&'c Expression> {
        let mut given = self.given.borrow_mut();
        let position = given.iter().position(|(known, _)| known.node == name)?;
        Some(given.remove(position).1)
    }

    /// An argument that has to be there.
    pub fn need(&self, name: &str) -> Result<&'c Expression, Diagnostic> {
        self.take(name).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Diagnostic {
        let message = format!("`{}` needs the argument `{name}`", self.function.name);
        Diagnostic::error(Code::InvalidArgument, message, self.call.span)
    }

    /// Refuses what no one asked for.
    pub fn done(&self) -> Result<(), Diagnostic> {
        self.without_not()?;
        match self.given.borrow().first() {
            Some((name, _)) => {
                let message = format!("the argument `{}` of `{}`", name.node, self.function.name);
                Err(super::unsupported(&message, name.span))
            }
            None => Ok(()),
        }
    }

    /// A name or a text.
    pub fn text(&self, name: &str) -> Result<Option<Spanned<String>>, Diagnostic> {
        self.take(name).map(text).transpose()
    }

    /// A name or a text that has to be there.
    pub fn need_text(&self, name: &str) -> Result<Spanned<String>, Diagnostic> {
        text(self.need(name)?)
    }

    /// The field that the call works on.
    pub fn field(&self) -> Result<Option<Spanned<String>>, Diagnostic> {
        if let Some(value) = self.peek("field")
            && let ExpressionKind::Sum(..) | ExpressionKind::Product(..) | ExpressionKind::Negative(_) = &value.kind
        {
            // As the name of a field that no event has it would make nothing, and say nothing.
            let help = "assign it to a field first: `x := ...`; a name with such a letter stands in quotes";
            let message = format!("`field` of `{}` is the name of a field, not `{value}`", self.function.name);
            return Err(Diagnostic::error(Code::InvalidArgument, message, value.span).with_help(help));
        }
        match (&self.field, self.text("field")?) {
            (Some(_), Some(twice)) => {
                let message = format!("the argument `field` of `{}` is given twice", self.function.name);
                let help = format!("`{} =~ {}(...)` is the field already", self.field_text(), self.function.name);
                Err(Diagnostic::error(Code::InvalidArgument, message, twice.span).with_help(help))
            }
            (Some(field), None) => Ok(Some(field.clone())),
            (None, field) => Ok(field),
        }
    }

    /// The field that the call works on, which has to be named.
    pub fn need_field(&self) -> Result<Spanned<String>, Diagnostic> {
        self.field()?.ok_or_else(|| self.missing("field"))
    }

    /// The fields of an argument: one, or a list.
    pub fn names(&self, name: &str) -> Result<Option<Vec<Spanned<String>>>, Diagnostic> {
        if name == "field"
            && let Some(field) = &self.field
        {
            return Ok(Some(vec![field.clone()]));
        }
        self.take(name).map(names).transpose()
    }

    /// The fields of an argument that has to be there.
    pub fn need_names(&self, name: &str) -> Result<Vec<Spanned<String>>, Diagnostic> {
        self.names(name)?.ok_or_else(|| self.missing(name))
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Diagnostic> {
        let Some(value) = self.text(name)? else { return Ok(default) };
        match value.node.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => {
                let message = format!("`{name}` is true or false, not `{other}`");
                Err(Diagnostic::error(Code::InvalidOption, message, value.span))
            }
        }
    }

    /// One of several words.
    pub fn choice(&self, name: &str, words: &[&'static str]) -> Result<&'static str, Diagnostic> {
        let Some(value) = self.text(name)? else { return Ok(words.first().copied().unwrap_or_default()) };
        words.iter().find(|word| word.eq_ignore_ascii_case(&value.node)).copied().ok_or_else(|| {
            let message =
                format!("`{name}` of `{}` is one of {}, not `{}`", self.function.name, words.join(", "), value.node);
            Diagnostic::error(Code::InvalidOption, message, value.span)
        })
    }

    /// How many; `max` is as many as there are.
    pub fn count(&self, name: &str) -> Result<Option<usize>, Diagnostic> {
        let Some(value) = self.text(name)? else { return Ok(None) };
        if value.node.eq_ignore_ascii_case("max") {
            return Ok(Some(usize::MAX));
        }
        value.node.parse().map(Some).map_err(|_| {
            let message = format!("`{name}` of `{}` is a whole number, not `{}`", self.function.name, value.node);
            Diagnostic::error(Code::InvalidOption, message, value.span)
        })
    }

    /// The name of the result.
    pub fn output(&self, default: &str) -> Result<String, Diagnostic> {
        let named = self.text("as")?;
        Ok(self.output.clone().or(named).map_or_else(|| default.to_owned(), |name| name.node))
    }

    /// Refuses `name := f()` of a function that gives no value.
    pub fn without_name(&self) -> Result<(), Diagnostic> {
        match &self.output {
            Some(name) if name.node != VALUE => {
                Err(expected(&format!("a value: `{}` gives none", self.function.name), name.span))
            }
            _ => Ok(()),
        }
    }

    /// The name that `:=` gives the result.
    pub fn given_name(&self) -> Option<Spanned<String>> {
        self.output.clone()
    }

    /// Whether there is an argument of that name that no one has taken.
    pub fn has(&self, name: &str) -> bool {
        self.given.borrow().iter().any(|(known, _)| known.node == name)
    }

    /// Whether the result has a name.
    pub fn is_named(&self) -> bool {
        self.output.is_some() || self.has("as")
    }

    /// The place of the call.
    pub fn span(&self) -> Span {
        self.call.span
    }
}

/// The text of a word, a string, a number or a parameter's default.
pub fn text(value: &Expression) -> Result<Spanned<String>, Diagnostic> {
    let text = match &value.kind {
        ExpressionKind::Word(word) | ExpressionKind::Pattern(word) | ExpressionKind::Number(word) => word.clone(),
        ExpressionKind::Text(text) => text.unescaped(),
        ExpressionKind::Parameter(parameter) => match &parameter.default {
            Some(default) => default.clone(),
            None => return Err(no_value(&parameter.name, value.span)),
        },
        // `Europe/Paris`, `ISO-8859-1`: words that an expression takes apart.
        ExpressionKind::Sum(..) | ExpressionKind::Product(..) | ExpressionKind::Negative(_) => {
            value.to_string().replace(' ', "")
        }
        ExpressionKind::Array(elements) => match elements.as_slice() {
            [Element::Value(only)] => return text(only),
            _ => return Err(expected("one name or text", value.span)),
        },
        _ => return Err(expected("a name or a text", value.span)),
    };
    Ok(Spanned::new(text, value.span))
}

/// The values of a list, or the only one.
pub fn names(value: &Expression) -> Result<Vec<Spanned<String>>, Diagnostic> {
    match &value.kind {
        ExpressionKind::Array(elements) => elements
            .iter()
            .map(|element| match element {
                Element::Value(value) => text(value),
                Element::Assign(other) => Err(expected("a name", other.value.span)),
                Element::Labelled(other) => Err(expected("a name", other.name.span)),
            })
            .collect(),
        _ => Ok(vec![text(value)?]),
    }
}

/// A parameter that no one gave a value.
pub fn no_value(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::InvalidArgument, format!("the parameter `?{name}` has no value"), span)
        .with_help(format!("give it one in the query: ?{{{name}=\"*\"}}"))
}

/// Something else was expected.
pub fn expected(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::InvalidArgument, format!("expected {what}"), span)
}
