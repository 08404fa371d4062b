//! Documents inside of fields: JSON and XML made readable, fields as JSON, the parts of a URI.

use std::sync::LazyLock;

use regex::Regex;

use super::{number_at, some_text, text_at};
use crate::documents::json::{self, Json};
use crate::documents::xml::{self, Element};
use crate::functions::kernel::{Returns, Row};
use crate::values::Value;

/// The kernels.
pub const ROWS: &[Row] = &[JSON_PRETTY, XML_PRETTY, WRITE_JSON, URI, PICKED, SIZE, COUNT];

/// `cql_json_pretty(text, step, strict)`
pub const JSON_PRETTY: Row = Row {
    name: "cql_json_pretty",
    returns: Returns::Text,
    evaluate: |values| {
        pretty(values, |text, step| {
            let mut written = String::new();
            write_json(&json::parse(text.trim())?, step, 0, &mut written);
            Some(written)
        })
    },
};

/// `cql_xml_pretty(text, step, strict)`
pub const XML_PRETTY: Row = Row {
    name: "cql_xml_pretty",
    returns: Returns::Text,
    evaluate: |values| {
        pretty(values, |text, step| {
            let mut written = String::new();
            for element in xml::parse(text)? {
                write_xml(&element, step, 0, &mut written);
            }
            Some(written.trim_end().to_owned())
        })
    },
};

/// What is no document stays as it is, or is left out where the query is strict.
fn pretty(values: &[Value<'_>], write: fn(&str, usize) -> Option<String>) -> Value<'static> {
    let Some(text) = text_at(values, 0) else { return Value::Null };
    let step = number_at(values, 1).map_or(2, |step| step.clamp(0.0, 64.0) as usize);
    let strict = matches!(values.get(2), Some(Value::Boolean(true)));
    some_text(write(&text, step).or_else(|| (!strict).then(|| text.into_owned())))
}

fn line(step: usize, depth: usize, written: &mut String) {
    written.push('\n');
    written.push_str(&" ".repeat(step.saturating_mul(depth)));
}

fn write_json(value: &Json, step: usize, depth: usize, written: &mut String) {
    let inner = depth.saturating_add(1);
    match value {
        Json::Array(elements) if !elements.is_empty() => {
            written.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    written.push(',');
                }
                line(step, inner, written);
                write_json(element, step, inner, written);
            }
            line(step, depth, written);
            written.push(']');
        }
        Json::Object(members) if !members.is_empty() => {
            written.push('{');
            for (position, (key, member)) in members.iter().enumerate() {
                if position > 0 {
                    written.push(',');
                }
                line(step, inner, written);
                written.push_str(&Json::Text(key.clone()).to_string());
                written.push_str(": ");
                write_json(member, step, inner, written);
            }
            line(step, depth, written);
            written.push('}');
        }
        other => written.push_str(&other.to_string()),
    }
}

fn write_xml(element: &Element, step: usize, depth: usize, written: &mut String) {
    let indent = " ".repeat(step.saturating_mul(depth));
    written.push_str(&format!("{indent}<{}", element.name));
    for (name, value) in &element.attributes {
        written.push_str(&format!(" {name}=\"{}\"", quick_xml::escape::escape(value.as_str())));
    }
    let text = quick_xml::escape::escape(element.text.as_str());
    match (element.elements.is_empty(), element.text.is_empty()) {
        (true, true) => written.push_str("/>\n"),
        (true, false) => written.push_str(&format!(">{text}</{}>\n", element.name)),
        (false, _) => {
            written.push_str(&format!(">{text}\n"));
            for child in &element.elements {
                write_xml(child, step, depth.saturating_add(1), written);
            }
            written.push_str(&format!("{indent}</{}>\n", element.name));
        }
    }
}

/// `cql_write_json(name, value, ...)`: the fields as one object; `a.b` and `a[0]` are paths.
pub const WRITE_JSON: Row = Row {
    name: "cql_write_json",
    returns: Returns::Text,
    evaluate: |values| {
        let mut object = Json::Object(Vec::new());
        for pair in values.chunks_exact(2) {
            let [name, value] = pair else { continue };
            if let (Some(name), Some(value)) = (name.text(), value.text()) {
                put(&mut object, &path(&name), value.into_owned());
            }
        }
        some_text(Some(object.to_string()))
    },
};

/// A step of a path.
enum Step {
    Key(String),
    Index(usize),
}

fn path(name: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in name.split('.') {
        let (key, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !key.is_empty() {
            steps.push(Step::Key(key.to_owned()));
        }
        while let Some((index, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            match index.parse::<usize>() {
                Ok(index) if index < crate::plan::grid::MOST_COLUMNS => steps.push(Step::Index(index)),
                _ => steps.push(Step::Key(index.to_owned())),
            }
            rest = after;
        }
    }
    steps
}

fn put(target: &mut Json, steps: &[Step], value: String) {
    let Some((step, rest)) = steps.split_first() else {
        // What reads as a number is one: fields have no types.
        *target = json::number(&value).unwrap_or(Json::Text(value));
        return;
    };
    let inner = match step {
        Step::Key(key) => {
            if !matches!(target, Json::Object(_)) {
                *target = Json::Object(Vec::new());
            }
            target.member_mut(key)
        }
        Step::Index(index) => {
            if !matches!(target, Json::Array(_)) {
                *target = Json::Array(Vec::new());
            }
            match target {
                Json::Array(elements) => {
                    if elements.len() <= *index {
                        elements.resize(index.saturating_add(1), Json::Null);
                    }
                    elements.get_mut(*index)
                }
                _ => None,
            }
        }
    };
    if let Some(inner) = inner {
        put(inner, rest, value);
    }
}

/// The parts of a URI reference. Source: RFC 3986, appendix B.
static PARTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(?<scheme>[^:/?#]+):)?(?://(?<authority>[^/?#]*))?(?<path>[^?#]*)(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$")
        .ok()
});

/// What is before the port, if there is one, and the port.
fn host_and_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    }
}

/// `cql_uri(text, base, part)`: one part, as it was written.
pub const URI: Row = Row {
    name: "cql_uri",
    returns: Returns::Text,
    evaluate: |values| {
        let part = || {
            let (text, wanted) = (text_at(values, 0)?, text_at(values, 2)?);
            let text = text.trim();
            let complete = match text_at(values, 1) {
                Some(base) if !text.contains("://") && !text.starts_with("//") => format!("{base}{text}"),
                _ => text.to_owned(),
            };
            let captures = PARTS.as_ref()?.captures(&complete)?;
            let group = |name: &str| captures.name(name).map(|group| group.as_str());
            let authority = group("authority");
            let (user, host) = match authority.and_then(|authority| authority.rsplit_once('@')) {
                Some((user, host)) => (Some(user), Some(host)),
                None => (None, authority),
            };
            let (name, password) = match user.and_then(|user| user.split_once(':')) {
                Some((name, password)) => (Some(name), Some(password)),
                None => (user, None),
            };
            let found = match &*wanted {
                "host" => host.map(|host| host_and_port(host).0),
                "port" => host.and_then(|host| host_and_port(host).1),
                "username" => name,
                "password" => password,
                other => group(other),
            };
            found.filter(|found| !found.is_empty()).map(str::to_owned)
        };
        some_text(part())
    },
};

/// `cql_picked(wanted, name, value, ...)`: the value of the field whose name is wanted.
pub const PICKED: Row = Row {
    name: "cql_picked",
    returns: Returns::Text,
    evaluate: |values| {
        let Some((wanted, pairs)) = values.split_first() else { return Value::Null };
        let Some(wanted) = wanted.text() else { return Value::Null };
        let found = pairs.chunks_exact(2).find_map(|pair| match pair {
            [name, value] if name.text().is_some_and(|name| name == wanted) => value.text(),
            _ => None,
        });
        some_text(found.map(|text| text.into_owned()))
    },
};

/// `cql_size(values...)`: the bytes of all of them.
pub const SIZE: Row = Row {
    name: "cql_size",
    returns: Returns::Number,
    evaluate: |values| Value::Number(values.iter().filter_map(Value::text).map(|text| text.len() as f64).sum()),
};

/// `cql_count(values...)`: how many there are.
pub const COUNT: Row = Row {
    name: "cql_count",
    returns: Returns::Number,
    evaluate: |values| Value::Number(values.iter().filter(|value| **value != Value::Null).count() as f64),
};
