//! XML texts as trees of elements. Document type definitions are not read, so no entity can grow.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::{Fields, Index, MAX_DEPTH, add};

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, with the prefix of its namespace.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// The text in it, without that of the elements in it.
    pub text: String,
    /// The elements in it.
    pub elements: Vec<Element>,
}

impl Element {
    /// The elements of that name in it.
    pub fn children<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Its text; the source of the elements in it, if there are any; `None` for neither.
    pub fn value(&self) -> Option<String> {
        if self.elements.is_empty() {
            return (!self.text.is_empty()).then(|| self.text.clone());
        }
        let mut source = String::new();
        for element in &self.elements {
            element.write(&mut source);
        }
        Some(source)
    }

    /// All text in it, that of the elements in it too.
    pub fn whole_text(&self) -> String {
        let mut text = self.text.clone();
        for element in &self.elements {
            text.push_str(&element.whole_text());
        }
        text
    }

    fn write(&self, source: &mut String) {
        source.push('<');
        source.push_str(&self.name);
        for (name, value) in &self.attributes {
            source.extend([" ", name, "=\"", &quick_xml::escape::escape(value.as_str()), "\""]);
        }
        source.push('>');
        source.push_str(&quick_xml::escape::escape(self.text.as_str()));
        for element in &self.elements {
            element.write(source);
        }
        source.extend(["</", &self.name, ">"]);
    }
}

/// Reads a text as elements one after another; `None` if it is not well formed or nests too deeply.
pub fn parse(text: &str) -> Option<Vec<Element>> {
    let mut reader = Reader::from_str(text.trim_start());
    reader.config_mut().allow_dangling_amp = true;
    let mut roots: Vec<Element> = Vec::new();
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < MAX_DEPTH => open.push(element(&start)),
            Event::Start(_) => return None,
            Event::Empty(start) => {
                open.last_mut().map_or(&mut roots, |parent| &mut parent.elements).push(element(&start))
            }
            Event::End(_) => {
                let mut done = open.pop()?;
                if let Cow::Owned(trimmed) = trimmed(&done.text) {
                    done.text = trimmed;
                }
                open.last_mut().map_or(&mut roots, |parent| &mut parent.elements).push(done);
            }
            Event::Text(text) => push(&mut open, &text.into_inner()),
            Event::CData(text) => push(&mut open, &text.into_inner()),
            Event::GeneralRef(reference) => {
                if reference.is_char_ref() {
                    let letter = reference.resolve_char_ref().ok().flatten().unwrap_or(char::REPLACEMENT_CHARACTER);
                    push(&mut open, letter.encode_utf8(&mut [0; 4]));
                } else {
                    push(&mut open, entity(&reference.into_inner())?);
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
    (open.is_empty() && !roots.is_empty()).then_some(roots)
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// The text without the blanks around it.
fn trimmed(text: &str) -> Cow<'_, str> {
    let inner = text.trim();
    if inner.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(inner.to_string()) }
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start
        .attributes()
        .with_checks(false)
        .flatten()
        .map(|attribute| {
            let name: &str = attribute.key.as_ref();
            let value: &str = &attribute.value;
            (name.to_string(), unescape(value).map_or_else(|_| value.to_string(), Cow::into_owned))
        })
        .collect();
    let name = start.name();
    let name: &str = name.as_ref();
    Element { name: name.to_string(), attributes, text: String::new(), elements: Vec::new() }
}

/// What one of XML's own entities stands for.
pub fn entity(name: &str) -> Option<&'static str> {
    Some(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    })
}

/// Every text and attribute with the name of its path: `a.b` and `a.b{@c}`.
pub fn flatten(elements: &[Element]) -> Fields {
    let (mut fields, mut index) = (Fields::new(), Index::new());
    for element in elements {
        flatten_into(element, &mut String::new(), &mut fields, &mut index);
    }
    fields
}

fn flatten_into(element: &Element, path: &mut String, fields: &mut Fields, index: &mut Index) {
    let parent = path.len();
    if parent > 0 {
        path.push('.');
    }
    path.push_str(&element.name);
    for (name, value) in &element.attributes {
        add(fields, index, &format!("{path}{{@{name}}}"), value.clone());
    }
    if !element.text.is_empty() {
        add(fields, index, path, element.text.clone());
    }
    for child in &element.elements {
        flatten_into(child, path, fields, index);
    }
    path.truncate(parent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_text_and_attributes() {
        let text =
            "<?xml version=\"1.0\"?><a x='1 &amp; 2'>\n <b>c &lt;d&gt; &#233;</b><b/><c><![CDATA[<x>]]></c></a><e/>";
        let found = flatten(&parse(text).unwrap());
        let names: Vec<String> = found.iter().map(|(name, values)| format!("{name}={}", values.join("+"))).collect();
        assert_eq!(names, ["a{@x}=1 & 2", "a.b=c <d> é", "a.c=<x>"]);
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for text in
            ["", "<a>", "</a>", "<a></b>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a>&b;</a>", "text", "<"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"<a>".repeat(100_000)), None);
    }
}
