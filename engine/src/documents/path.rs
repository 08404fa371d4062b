//! Paths into JSON and XML: `a.b`, `a{0}`, `a{}.b`, `a{@name}`.
//!
//! Source: Splunk Search Reference, "spath" and "JSON functions".

use super::MAX_DEPTH;
use super::json::Json;
use super::xml::Element;

/// A path, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The member or the child elements of that name.
    Key(String),
    /// `{n}`
    Index(usize),
    /// `{}`
    All,
    /// `{@name}`
    Attribute(String),
}

impl Path {
    /// Reads a path. `None` for one that is not well formed or has too many steps.
    pub fn parse(text: &str) -> Option<Path> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if steps.len() >= MAX_DEPTH {
                return None;
            }
            if let Some(inside) = rest.strip_prefix('{') {
                let (index, after) = inside.split_once('}')?;
                steps.push(match index.strip_prefix('@') {
                    Some(attribute) => Step::Attribute(attribute.to_string()),
                    None if index.is_empty() => Step::All,
                    None => Step::Index(index.parse().ok()?),
                });
                rest = match after.strip_prefix('.') {
                    Some("") => return None,
                    Some(next) => next,
                    None if after.is_empty() || after.starts_with('{') => after,
                    None => return None,
                };
                continue;
            }
            let end = rest.find(['.', '{']).unwrap_or(rest.len());
            let (key, after) = rest.split_at_checked(end)?;
            if key.is_empty() {
                return None;
            }
            steps.push(Step::Key(key.to_string()));
            rest = match after.strip_prefix('.') {
                Some("") => return None,
                Some(next) => next,
                None => after,
            };
        }
        Some(Path(steps))
    }

    /// Whether the path names several values on purpose.
    pub fn has_wildcard(&self) -> bool {
        self.0.contains(&Step::All)
    }

    /// The values at the path. Elements count from 0.
    pub fn select<'j>(&self, json: &'j Json) -> Vec<&'j Json> {
        let mut found = vec![json];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| step.of(value)).collect();
        }
        found
    }

    /// Changes the values at the path, which is created where it does not exist. Whether anything was changed.
    pub fn change(&self, json: &mut Json, create: bool, change: &mut dyn FnMut(&mut Json)) -> bool {
        change_at(json, &self.0, create, change)
    }

    /// Removes the member at the end of the path.
    pub fn delete(&self, json: &mut Json) {
        let Some((Step::Key(last), before)) = self.0.split_last() else { return };
        change_at(json, before, false, &mut |parent| {
            if let Json::Object(members) = parent {
                members.retain(|(key, _)| key != last);
            }
        });
    }

    /// The texts and attributes at the path. Elements count from 1.
    pub fn select_xml(&self, elements: &[Element]) -> Vec<String> {
        let mut steps = self.0.as_slice();
        let Some((Step::Key(first), rest)) = steps.split_first() else { return Vec::new() };
        let mut groups: Vec<Vec<&Element>> = vec![elements.iter().filter(|element| element.name == *first).collect()];
        steps = rest;
        while let Some((step, rest)) = steps.split_first() {
            match step {
                Step::Key(name) => {
                    groups = groups.into_iter().flatten().map(|element| element.children(name).collect()).collect();
                }
                Step::Index(position) => {
                    groups = groups
                        .into_iter()
                        .filter_map(|group| group.get(position.checked_sub(1)?).copied())
                        .map(|element| vec![element])
                        .collect();
                }
                Step::All => {}
                Step::Attribute(name) => {
                    let elements = groups.into_iter().flatten();
                    return match rest {
                        [] => elements.filter_map(|element| element.attribute(name).map(str::to_string)).collect(),
                        _ => Vec::new(),
                    };
                }
            }
            steps = rest;
        }
        groups.into_iter().flatten().filter_map(Element::value).collect()
    }
}

impl Step {
    /// Whether the step can lead into what is only made for it.
    fn begins(&self) -> bool {
        matches!(self, Step::Key(_) | Step::Index(0))
    }

    fn of<'j>(&self, value: &'j Json) -> Vec<&'j Json> {
        match (self, value) {
            (Step::Key(key), Json::Object(_)) => value.member(key).into_iter().collect(),
            // Published searches also write the position of an element as a step of its own.
            (Step::Key(key), Json::Array(elements)) => {
                key.parse::<usize>().ok().and_then(|position| elements.get(position)).into_iter().collect()
            }
            (Step::Index(position), Json::Array(elements)) => elements.get(*position).into_iter().collect(),
            (Step::All, Json::Array(elements)) => elements.iter().collect(),
            _ => Vec::new(),
        }
    }
}

fn change_at(json: &mut Json, steps: &[Step], create: bool, change: &mut dyn FnMut(&mut Json)) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        change(json);
        return true;
    };
    match step {
        Step::Key(key) => {
            if json.member(key).is_none() && !(create && rest.iter().all(Step::begins)) {
                return false;
            }
            if create && *json == Json::Null {
                *json = Json::Object(Vec::new());
            }
            json.member_mut(key).is_some_and(|value| change_at(value, rest, create, change))
        }
        Step::Index(position) => match json {
            Json::Null if create && *position == 0 => {
                *json = Json::Array(Vec::new());
                change_at(json, steps, create, change)
            }
            Json::Array(elements) => {
                // Right behind the last element is where a new one goes.
                if create && *position == elements.len() {
                    elements.push(Json::Null);
                }
                elements.get_mut(*position).is_some_and(|value| change_at(value, rest, create, change))
            }
            _ => false,
        },
        Step::All => match json {
            Json::Array(elements) => {
                let mut changed = false;
                for element in elements {
                    changed |= change_at(element, rest, create, change);
                }
                changed
            }
            _ => false,
        },
        Step::Attribute(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::json;

    #[test]
    fn paths_that_are_not_well_formed_are_none() {
        for text in ["a..b", ".a", "a.", "a{", "a{x}", "a{-1}", "a{0}b", "{}."] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
        assert_eq!(Path::parse(&"a.".repeat(1000)), None);
        assert_eq!(Path::parse(""), Some(Path(Vec::new())));
    }

    #[test]
    fn steps_select() {
        let json = json::parse(r#"{"a":[{"b":1},{"b":2},[3]],"c":{"d":"x"}}"#).unwrap();
        for (path, found) in [
            ("a{}.b", "1 2"),
            ("a{1}.b", "2"),
            ("a{2}{0}", "3"),
            ("a.0.b", "1"),
            ("c.d", "x"),
            ("c{}", ""),
            ("a.b", ""),
            ("c", r#"{"d":"x"}"#),
        ] {
            let path = Path::parse(path).unwrap();
            let values: Vec<String> = path.select(&json).into_iter().filter_map(Json::native).collect();
            assert_eq!(values.join(" "), found);
        }
    }
}
