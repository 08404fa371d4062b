//! The part of XPath that the `xpath` command knows: steps, `//`, `*`, `@name`, `text()`, `.` and `..` and
//! predicates on attributes, children, texts and positions.
//!
//! Source: Splunk Search Reference, "xpath", which refers to the XPath of Python's ElementTree.

use super::MAX_DEPTH;
use super::xml::Element;

/// A compiled expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPath {
    steps: Vec<Step>,
    result: Output,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// Whether it looks at all depths (`//`).
    anywhere: bool,
    /// The name of the elements; `None` for all (`*`).
    name: Option<String>,
    predicates: Vec<Predicate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Predicate {
    Attribute(String, Option<String>),
    Child(String, Option<String>),
    Text(String),
    /// From 1.
    Position(usize),
    /// So many before the last.
    Last(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Output {
    Text,
    /// The attribute of that name, `*` for all.
    Attribute(String),
}

impl XPath {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What of it is not supported.
    pub fn compile(text: &str) -> Result<XPath, String> {
        let mut steps = Vec::new();
        let mut result = Output::Text;
        let mut rest = text.trim();
        let mut first = true;
        while !rest.is_empty() {
            let (anywhere, after) = if let Some(after) = rest.strip_prefix("//") {
                (true, after)
            } else if let Some(after) = rest.strip_prefix('/') {
                (false, after)
            } else if first {
                (false, rest)
            } else {
                return Err(format!("expected `/` instead of {rest:?}"));
            };
            first = false;
            let (token, after) = token(after)?;
            rest = after;
            let (name, predicates) = token
                .split_once('[')
                .map_or((token, ""), |(name, _)| (name, token.get(name.len()..).unwrap_or_default()));
            match name {
                "." if predicates.is_empty() && !anywhere => continue,
                "text()" if predicates.is_empty() && rest.is_empty() && !anywhere => continue,
                "" => return Err("a step is empty".to_string()),
                _ => {}
            }
            if let Some(attribute) = name.strip_prefix('@') {
                if !rest.is_empty() || !predicates.is_empty() {
                    return Err("an attribute has to be the last step".to_string());
                }
                if anywhere {
                    steps.push(Step { anywhere, name: None, predicates: Vec::new() });
                }
                result = Output::Attribute(checked(attribute, true)?.to_string());
                continue;
            }
            let name = if name == "*" { None } else { Some(checked(name, false)?.to_string()) };
            steps.push(Step { anywhere, name, predicates: self::predicates(predicates)? });
            if steps.len() > MAX_DEPTH {
                return Err(format!("it has more than {MAX_DEPTH} steps"));
            }
        }
        if steps.is_empty() { Err("it selects nothing".to_string()) } else { Ok(XPath { steps, result }) }
    }

    /// The texts or attributes that it selects, in the order of the document.
    pub fn select(&self, roots: Vec<Element>) -> Vec<String> {
        let whole = Element { elements: roots, ..Element::default() };
        let mut found: Vec<&Element> = vec![&whole];
        for step in &self.steps {
            let mut next: Vec<&Element> = Vec::new();
            for parent in found {
                step.of(parent, &mut next);
            }
            if step.anywhere {
                // Elements inside each other lead to the same ones more than once.
                let mut seen = std::collections::HashSet::new();
                next.retain(|element| seen.insert(std::ptr::from_ref::<Element>(element)));
            }
            found = next;
        }
        found
            .into_iter()
            .flat_map(|element| match &self.result {
                Output::Text => {
                    let text = element.whole_text();
                    if text.is_empty() { Vec::new() } else { vec![text] }
                }
                Output::Attribute(name) if name == "*" => {
                    element.attributes.iter().map(|(_, value)| value.clone()).collect()
                }
                Output::Attribute(name) => element.attribute(name).map(str::to_string).into_iter().collect(),
            })
            .collect()
    }
}

impl Step {
    fn of<'e>(&self, parent: &'e Element, into: &mut Vec<&'e Element>) {
        let mut found: Vec<&Element> = parent
            .elements
            .iter()
            .filter(|element| self.name.as_ref().is_none_or(|name| element.name == *name))
            .collect();
        for predicate in &self.predicates {
            found = predicate.filter(found);
        }
        if !self.anywhere {
            into.extend(found);
            return;
        }
        // In the order of the document, each element before what is in it.
        let mut found = found.into_iter().peekable();
        for element in &parent.elements {
            if found.next_if(|chosen| std::ptr::eq(*chosen, element)).is_some() {
                into.push(element);
            }
            self.of(element, into);
        }
    }
}

impl Predicate {
    fn filter<'e>(&self, elements: Vec<&'e Element>) -> Vec<&'e Element> {
        let chosen = match self {
            Predicate::Position(position) => position.checked_sub(1).and_then(|at| elements.get(at).copied()),
            Predicate::Last(before) => {
                elements.len().checked_sub(before.saturating_add(1)).and_then(|at| elements.get(at).copied())
            }
            test => return elements.into_iter().filter(|element| test.holds(element)).collect(),
        };
        chosen.into_iter().collect()
    }

    fn holds(&self, element: &Element) -> bool {
        match self {
            Predicate::Attribute(name, None) => element.attribute(name).is_some(),
            Predicate::Attribute(name, Some(value)) => element.attribute(name) == Some(value),
            Predicate::Child(name, None) => element.children(name).next().is_some(),
            Predicate::Child(name, Some(value)) => element.children(name).any(|child| child.whole_text() == *value),
            Predicate::Text(value) => element.whole_text() == *value,
            Predicate::Position(_) | Predicate::Last(_) => false,
        }
    }
}

/// The step at the beginning, and what follows it; a slash in a predicate does not end it.
fn token(text: &str) -> Result<(&str, &str), String> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[') => depth = depth.saturating_add(1),
            (None, ']') => depth = depth.checked_sub(1).ok_or("`]` closes nothing")?,
            (None, '/') if depth == 0 => return Ok(text.split_at_checked(at).unwrap_or((text, ""))),
            _ => {}
        }
    }
    if depth > 0 || quote.is_some() { Err("a predicate is never closed".to_string()) } else { Ok((text, "")) }
}

fn checked(name: &str, star: bool) -> Result<&str, String> {
    let is_name = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':'))
        && !name.contains("::");
    if is_name || (star && name == "*") { Ok(name) } else { Err(format!("{name:?} is not supported")) }
}

fn predicates(text: &str) -> Result<Vec<Predicate>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('[').ok_or_else(|| format!("{rest:?} is not supported"))?;
        let mut quote = None;
        let end = inside
            .char_indices()
            .find(|(_, letter)| match quote {
                Some(open) => {
                    if open == *letter {
                        quote = None;
                    }
                    false
                }
                None if matches!(letter, '"' | '\'') => {
                    quote = Some(*letter);
                    false
                }
                None => *letter == ']',
            })
            .map(|(at, _)| at)
            .ok_or("a predicate is never closed")?;
        found.push(predicate(inside.get(..end).unwrap_or_default().trim())?);
        rest = inside.get(end.saturating_add(1)..).unwrap_or_default().trim_start();
    }
    Ok(found)
}

fn predicate(text: &str) -> Result<Predicate, String> {
    if let Ok(position) = text.parse::<usize>() {
        return Ok(Predicate::Position(position));
    }
    if let Some(rest) = text.strip_prefix("last()") {
        let rest = rest.trim();
        let before = if rest.is_empty() { Some(0) } else { rest.strip_prefix('-').and_then(|n| n.trim().parse().ok()) };
        return before.map(Predicate::Last).ok_or_else(|| format!("the predicate {text:?} is not supported"));
    }
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => {
            let value = value.trim();
            let inner =
                ['"', '\''].into_iter().find_map(|q| value.strip_prefix(q).and_then(|rest| rest.strip_suffix(q)));
            (name.trim(), Some(inner.ok_or_else(|| format!("{value} is not a text in quotes"))?.to_string()))
        }
        None => (text, None),
    };
    match (name, value) {
        ("." | "text()", Some(value)) => Ok(Predicate::Text(value)),
        (name, value) => match name.strip_prefix('@') {
            Some(attribute) => Ok(Predicate::Attribute(checked(attribute, false)?.to_string(), value)),
            None => Ok(Predicate::Child(checked(name, false)?.to_string(), value)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::xml;

    #[test]
    fn steps_and_predicates_select() {
        let text = "<r><a n='1'><b>x</b></a><a n='2'><b>y</b><c>z</c></a><d><a n='3'/></d></r><r><a n='4'/></r>";
        let roots = xml::parse(text).unwrap();
        for (path, found) in [
            ("//a/@n", "1 2 3 4"),
            ("/r/a/b", "x y"),
            ("//a[@n='2']/c", "z"),
            ("//a[b=\"y\"]/@n", "2"),
            ("//a[2]/b", "y"),
            ("/r/a[last()]/@n", "2 4"),
            ("r/*/b/text()", "x y"),
            ("//b[.='x']", "x"),
            ("//@n", "1 2 3 4"),
            ("//nosuch", ""),
        ] {
            assert_eq!(XPath::compile(path).unwrap().select(roots.clone()).join(" "), found, "{path}");
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for path in ["", "count(//a)", "//a[position()<3]", "//a[", "//a/@n/b", "a | b", "child::a", "//a]"] {
            assert!(XPath::compile(path).is_err(), "{path}");
        }
    }
}
