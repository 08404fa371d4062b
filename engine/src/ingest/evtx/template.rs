//! What a template says of its values: which field each of them is.
//!
//! A template is the XML of an event with places for its values. Read once, it turns an event into a walk over few
//! values, instead of an XML text that is written and read again. It must mean what `super::super::xml` makes of that
//! text; a template with anything more than the usual (references, text around values, repeated values in attributes) is
//! not read here.

use std::rc::Rc;

use super::super::windows::Section;
use super::cursor::Cursor;
use super::value::{is_kind, write_utf16};

/// Templates of Windows are not deeper than five elements.
const MAX_DEPTH: usize = 24;

/// Which part of an event an element belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    System,
    Data,
}

/// A template, or a piece of binary XML that stands in one.
#[derive(Debug)]
pub(super) struct Template {
    /// Which it is of all that a worker knows.
    pub(super) number: usize,
    pub(super) steps: Vec<Step>,
    /// How many of them are fields.
    pub(super) fields: usize,
    /// The places for binary XML among them.
    pub(super) nested: Vec<(u16, usize, Part)>,
    /// Whether it is nothing but values of data.
    pub(super) is_data_only: bool,
    /// Where an event's code, channel and time are, if they are where they usually are.
    pub(super) header: Option<Header>,
    /// Whether it has the `System` element, without which nothing is an event.
    has_system: bool,
}

impl Template {
    /// Whether it has a field of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Field(field) if field.name == name))
    }
}

/// What tells of an event whether a search can want it.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) code: Content,
    pub(super) channel: Content,
    pub(super) computer: Option<Content>,
    /// The place of the time.
    pub(super) time: u16,
    /// Values without which any of these is left out.
    pub(super) dependencies: Vec<u16>,
}

/// What an event has in order.
#[derive(Debug)]
pub(super) enum Step {
    Field(Box<Field>),
    /// The moment of the event.
    Time(u16),
    /// A place for binary XML: how deep its elements are.
    Nested(u16, usize, Part),
}

/// A value that becomes a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) section: Section,
    pub(super) name: String,
    pub(super) content: Content,
    /// Values without which the element is left out.
    pub(super) dependencies: Vec<u16>,
    pub(super) is_attribute: bool,
    /// How deep elements inside of it are, and in which part.
    pub(super) inner: (usize, Part),
    /// Which of its template's fields it is.
    pub(super) number: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Literal(String),
    Value(u16),
}

impl Field {
    /// Whether white space around its text does not count.
    pub(super) fn is_trimmed(&self) -> bool {
        self.section == Section::System && !self.is_attribute
    }
}

/// The header that a template's steps give an event, if it comes before anything that could give another.
fn header(steps: &[Step]) -> Option<Header> {
    let (mut code, mut channel, mut computer, mut time) = (None, None, None, None);
    let mut dependencies = Vec::new();
    for step in steps {
        match step {
            Step::Nested(..) => break,
            Step::Time(place) => time = time.or(Some(*place)),
            Step::Field(field) if field.section == Section::System && !field.is_attribute => {
                let known = match field.name.as_str() {
                    "EventID" => &mut code,
                    "Channel" => &mut channel,
                    "Computer" => &mut computer,
                    _ => continue,
                };
                // The first one counts, and is not to be told from a second.
                if known.replace(field.content.clone()).is_some() {
                    return None;
                }
                dependencies.extend(field.dependencies.iter().copied());
            }
            Step::Field(_) => {}
        }
    }
    Some(Header { code: code?, channel: channel?, computer, time: time?, dependencies })
}

/// A template that was read, and what of it has to be the same elsewhere for it to mean the same there.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) template: Rc<Template>,
    body: Box<[u8]>,
    names: Vec<NameAt>,
}

/// A name that a template refers to.
#[derive(Debug)]
struct NameAt {
    /// Where in the template it is referred to.
    at: usize,
    /// Whether it follows right there.
    is_here: bool,
    /// Its length and its letters, as they are in the chunk.
    name: Box<[u8]>,
}

/// Where a template's identifier, the size of its body, and its body begin.
const IDENTIFIER: usize = 4;
const SIZE: usize = 20;
/// What comes before the length of a name: where the next one of its bucket is, and its hash.
const NAME_HEAD: usize = 6;

/// The identifier of the template at an offset and its body, where names end that it refers to.
pub(super) fn outline(data: &[u8], offset: usize) -> Option<(&[u8], Cursor<'_>)> {
    let mut cursor = Cursor { data, at: offset };
    cursor.take(IDENTIFIER)?;
    let identifier = cursor.take(SIZE.checked_sub(IDENTIFIER)?)?;
    let size = usize::try_from(cursor.u32()?).ok()?;
    let end = cursor.at.checked_add(size)?;
    // Names may be anywhere, the template itself ends here.
    Some((identifier, Cursor { data: data.get(..end)?, at: cursor.at }))
}

impl Reading {
    /// Reads the template with that body, whose outermost element is `depth` deep.
    pub(super) fn new(body: Cursor<'_>, number: usize, (depth, part): (usize, Part)) -> Option<Self> {
        let template = Template {
            number,
            steps: Vec::new(),
            fields: 0,
            nested: Vec::new(),
            is_data_only: false,
            header: None,
            has_system: false,
        };
        let start = body.at;
        let mut reader = Reader { cursor: body, start, template, depends: Vec::new(), names: Vec::new() };
        reader.cursor.fragment()?;
        let token = reader.cursor.u8()?;
        reader.element(token, depth, part, true)?;
        (reader.cursor.u8()? == 0x00).then_some(())?;
        let Reader { mut template, names, .. } = reader;
        if depth == 0 {
            template.has_system.then_some(())?;
            template.header = header(&template.steps);
        }
        let steps = &template.steps;
        let nested = steps.iter().filter_map(|step| match step {
            Step::Nested(place, depth, part) => Some((*place, *depth, *part)),
            _ => None,
        });
        template.nested = nested.collect();
        template.is_data_only =
            steps.iter().all(|step| matches!(step, Step::Field(field) if field.section == Section::Data));
        Some(Self { template: Rc::new(template), body: body.data.get(start..)?.into(), names })
    }

    /// Whether a body says the same, though its names are elsewhere.
    pub(super) fn is_same(&self, body: Cursor<'_>) -> bool {
        self.is_same_but_for_names(body).unwrap_or(false)
    }

    fn is_same_but_for_names(&self, body: Cursor<'_>) -> Option<bool> {
        let bytes = body.data.get(body.at..)?;
        if bytes.len() != self.body.len() {
            return Some(false);
        }
        let mut same = 0;
        let mut last = None;
        for NameAt { at, is_here, name } in &self.names {
            if bytes.get(same..*at)? != self.body.get(same..*at)? {
                return Some(false);
            }
            let mut cursor = Cursor { data: body.data, at: body.at.checked_add(*at)? };
            let (found, here) = cursor.reference()?;
            if here != *is_here {
                return Some(false);
            }
            same = at.checked_add(4)?;
            if here {
                same = same.checked_add(NAME_HEAD)?;
            } else if last != Some((found, name)) {
                let found = found.checked_add(NAME_HEAD)?;
                let end = found.checked_add(name.len())?;
                if body.data.get(found..end)? != &**name {
                    return Some(false);
                }
            }
            last = (!here).then_some((found, name));
        }
        Some(bytes.get(same..)? == self.body.get(same..)?)
    }

    /// How many bytes it is made of.
    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

struct Reader<'d> {
    cursor: Cursor<'d>,
    /// Where the body begins.
    start: usize,
    template: Template,
    depends: Vec<u16>,
    names: Vec<NameAt>,
}

/// What is between two tags.
#[derive(Default)]
struct Inner {
    literal: String,
    values: Vec<u16>,
}

impl Inner {
    fn content(self) -> Option<Option<Content>> {
        match self.values.as_slice() {
            [] if self.literal.is_empty() => Some(None),
            [] => Some(Some(Content::Literal(self.literal))),
            [place] if self.literal.is_empty() => Some(Some(Content::Value(*place))),
            _ => None,
        }
    }
}

impl Reader<'_> {
    fn element(&mut self, token: u8, depth: usize, part: Part, is_root: bool) -> Option<()> {
        let has_attributes = match token {
            0x01 => false,
            0x41 => true,
            _ => return None,
        };
        if depth > MAX_DEPTH {
            return None;
        }
        let dependency = self.cursor.u16()?;
        // The outermost element has nothing that it could be left out of.
        let depends = dependency != u16::MAX && !is_root;
        if depends {
            self.depends.push(dependency);
        }
        self.cursor.u32()?;
        let name = self.name()?;
        // What is left to the reader of XML to refuse, or to give other names.
        if (name == "Event") != (depth == 0) || (depth == 1 && name == "RenderingInfo") {
            return None;
        }
        let part = match (depth, name.as_str()) {
            (1, "System") => {
                self.template.has_system = true;
                Part::System
            }
            (1, _) => Part::Data,
            _ => part,
        };
        let mut field = name.clone();
        if has_attributes {
            self.cursor.u32()?;
            self.attributes(depth, part, &name, &mut field)?;
        }
        match self.cursor.u8()? {
            0x02 => self.inner(depth, part, field)?,
            0x03 => {}
            _ => return None,
        }
        if depends {
            self.depends.pop();
        }
        Some(())
    }

    fn attributes(&mut self, depth: usize, part: Part, element: &str, field: &mut String) -> Option<()> {
        loop {
            let token = self.cursor.peek()?;
            if !matches!(token, 0x06 | 0x46) {
                return Some(());
            }
            self.cursor.u8()?;
            let name = self.name()?;
            let mut inner = Inner::default();
            while let token @ (0x05 | 0x45 | 0x0d | 0x0e) = self.cursor.peek()? {
                self.cursor.u8()?;
                self.piece(token, &mut inner)?;
            }
            let content = inner.content()?;
            if depth < 2 {
                // Nobody looks at these, but a list would repeat the element.
                if matches!(content, Some(Content::Value(_))) {
                    return None;
                }
                continue;
            }
            let Some(content) = content else { continue };
            // Line breaks inside of attributes are a matter of the reader of XML.
            if matches!(&content, Content::Literal(text) if text.contains(['\t', '\n', '\r'])) {
                return None;
            }
            match (part, content) {
                (Part::System, Content::Value(place)) if element == "TimeCreated" && name == "SystemTime" => {
                    if !self.depends.is_empty() {
                        return None;
                    }
                    self.template.steps.push(Step::Time(place));
                }
                (Part::System, content) => {
                    let path = [element, ".", &name].concat();
                    self.field(Section::System, path, content, true, (depth, part));
                }
                (Part::Data, Content::Literal(text)) if name == "Name" => *field = text,
                (Part::Data, Content::Value(_)) if name == "Name" => return None,
                // Values of other attributes are no fields, but a list would repeat the element.
                (Part::Data, Content::Literal(_)) => {}
                (Part::Data, Content::Value(_)) => return None,
            }
        }
    }

    fn inner(&mut self, depth: usize, part: Part, name: String) -> Option<()> {
        let mut inner = Inner::default();
        let mut has_elements = false;
        loop {
            match self.cursor.u8()? {
                token @ (0x01 | 0x41) => {
                    has_elements = true;
                    self.element(token, depth.checked_add(1)?, part, false)?;
                }
                0x04 => break,
                // The event itself and its parts have no text of their own.
                token @ (0x0d | 0x0e) if depth < 2 => {
                    let mut place = Inner::default();
                    self.piece(token, &mut place)?;
                    let place = *place.values.first()?;
                    if !self.depends.is_empty() {
                        return None;
                    }
                    self.template.steps.push(Step::Nested(place, depth.checked_add(1)?, part));
                }
                token => self.piece(token, &mut inner)?,
            }
        }
        if depth < 2 {
            return Some(());
        }
        let content = inner.content()?;
        match content {
            Some(_) if has_elements => return None,
            Some(content) => {
                let section = if part == Part::System { Section::System } else { Section::Data };
                self.field(section, name, content, false, (depth.checked_add(1)?, part));
            }
            None => {}
        }
        Some(())
    }

    fn field(&mut self, section: Section, name: String, content: Content, is_attribute: bool, inner: (usize, Part)) {
        let dependencies = self.depends.clone();
        let number = self.template.fields;
        self.template.fields = number.saturating_add(1);
        let field = Field { section, name, content, dependencies, is_attribute, inner, number };
        self.template.steps.push(Step::Field(Box::new(field)));
    }

    /// Text, or the place of a value.
    fn piece(&mut self, token: u8, inner: &mut Inner) -> Option<()> {
        match token {
            0x05 | 0x45 => {
                (self.cursor.u8()? == 0x01).then_some(())?;
                let units = usize::from(self.cursor.u16()?);
                let text = self.cursor.take(units.checked_mul(2)?)?;
                write_utf16(text, &mut inner.literal);
            }
            0x0d | 0x0e => {
                inner.values.push(self.cursor.u16()?);
                // What type the value has is said where it is.
                is_kind(self.cursor.u8()?).then_some(())?;
            }
            _ => return None,
        }
        Some(())
    }

    /// A name, without the prefix of its namespace.
    fn name(&mut self) -> Option<String> {
        let place = self.cursor.at.checked_sub(self.start)?;
        let (at, is_here) = self.cursor.reference()?;
        let mut cursor = Cursor { data: self.cursor.data, at };
        cursor.take(NAME_HEAD)?;
        let counted = cursor;
        let units = usize::from(cursor.u16()?);
        let units = cursor.take(units.checked_mul(2)?)?;
        let name = counted.data.get(counted.at..cursor.at)?.into();
        self.names.push(NameAt { at: place, is_here, name });
        if is_here {
            cursor.u16()?;
            self.cursor.at = cursor.at;
        }
        let mut name = String::new();
        write_utf16(units, &mut name);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte)) {
            return None;
        }
        Some(name.split_once(':').map_or_else(|| name.clone(), |(_, local)| local.to_owned()))
    }
}
