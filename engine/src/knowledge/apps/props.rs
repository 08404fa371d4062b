//! `props.conf`: how fields come from events while they are searched, in the order in which Splunk does it.
//!
//! Source: Splunk Admin Manual, "props.conf"; Knowledge Manager Manual, "The sequence of search-time operations".

mod settings;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use spelunk_grammar::spl::expression::Expression;

use self::settings::Reader;
pub use self::settings::expression;
use super::folder::Folder;
use super::stanza::{Field, Spec};
use super::transform::{self, Extraction};
use crate::lookups::Lookups;
use crate::plan::needs;

/// How fields come from events.
#[derive(Debug, Default)]
pub struct Props {
    /// The stanzas, those that count most first.
    pub stanzas: Vec<Described>,
    /// What is done, in order.
    steps: Vec<Step>,
    /// Sourcetypes and the names that searches see in their place.
    renamed: BTreeMap<String, String>,
}

/// Events that a stanza describes.
#[derive(Debug, Clone)]
pub struct Described {
    /// Which events.
    pub spec: Spec,
    /// Whether it is spelunk's own.
    pub own: bool,
    /// Whether it says how to search events of some kind, rather than of all event logs alike.
    pub particular: bool,
}

impl Described {
    /// Whether it counts only where no stanza of another app is about the events in particular: what we make of our own
    /// accord of some events, but not what Splunk makes of all.
    pub fn yields(&self) -> bool {
        self.own && self.spec.text != "..."
    }
}

/// A stanza that is about both is about any event log.
const ANY_TWO: [&str; 2] = ["XmlWinEventLog:Security", "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"];

/// The kinds of operations, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// `EXTRACT-...`
    Extract,
    /// `REPORT-...`
    Report,
    /// `KV_MODE`
    KeyValue,
    /// `FIELDALIAS-...`
    Alias,
    /// `EVAL-...`, all at once.
    Eval,
    /// `LOOKUP-...`
    Lookup,
}

/// An operation, and what it does for the events of each stanza that has it; the first stanza that fits counts.
#[derive(Debug)]
pub struct Step {
    /// When it is done.
    pub phase: Phase,
    /// What it does for the events of which stanza.
    pub alternatives: Vec<(usize, Action)>,
}

/// What an operation does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Takes fields out of a field, one after the other.
    Extract(Vec<Extraction>),
    /// Copies fields: from, to, and whether only where there is nothing yet.
    Alias(Vec<(String, String, bool)>),
    /// Sets a field to the value of an expression.
    Eval(String, Lazy),
    /// Looks fields up.
    Lookup(FieldLookup),
}

/// An expression that is parsed when a search needs it.
#[derive(Debug, Clone)]
pub struct Lazy {
    text: String,
    parsed: OnceLock<Result<Box<Expression>, String>>,
}

impl PartialEq for Lazy {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Lazy {}

impl Lazy {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), parsed: OnceLock::new() }
    }

    /// The expression.
    ///
    /// # Errors
    /// Why it is none.
    pub fn get(&self) -> Result<&Expression, &str> {
        let parsed = self.parsed.get_or_init(|| expression(&self.text).map(Box::new));
        parsed.as_deref().map_err(String::as_str)
    }
}

/// `LOOKUP-x = table key AS field ... OUTPUT column AS field ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLookup {
    /// The lookup.
    pub table: String,
    /// Columns, and the fields that they are compared with.
    pub keys: Vec<(String, String)>,
    /// Columns, and the fields that they fill; all others where none are named.
    pub outputs: Vec<(String, String)>,
    /// Whether fields that are there stay.
    pub only_new: bool,
}

/// Operations that are needed, and which fields of events they look at.
#[derive(Debug, Default)]
pub struct Selected<'p> {
    /// The operations in order.
    pub steps: Vec<&'p Step>,
    /// The fields that they look at.
    pub inputs: BTreeSet<String>,
}

impl Props {
    /// The operations of spelunk's own app and of others.
    pub fn of(own_folder: &Folder, given: &Folder, problems: &mut Vec<String>, ignored: &mut usize) -> Self {
        let mut found = Vec::new();
        for (is_own, folder) in [(false, given), (true, own_folder)] {
            for stanza in folder.props.stanzas() {
                match Spec::parse(stanza.name) {
                    Ok(Some(spec)) => found.push((is_own, spec, stanza, &folder.transforms)),
                    Ok(None) => *ignored = ignored.saturating_add(stanza.settings().count()),
                    Err(reason) => problems.push(format!("{}: [{}]: {reason}", stanza.place, stanza.name)),
                }
            }
        }
        found.sort_by_cached_key(|(own, spec, stanza, _)| {
            let usual = if spec.is_literal() { 100 } else { 0 };
            let priority = stanza.get("priority").and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(usual);
            (spec.field, *own, Reverse(priority), spec.is_general(), spec.text.clone())
        });
        let mut props = Self::default();
        let mut steps: BTreeMap<(Phase, String), Step> = BTreeMap::new();
        for (own, spec, stanza, transforms) in found {
            let position = props.stanzas.len();
            let mut reader =
                Reader { transforms, usual: &own_folder.transforms, problems, ignored, renamed: None, own };
            let mut particular = !(spec.field != Field::Host && ANY_TWO.iter().all(|log| spec.matches(log)));
            let mut acts = false;
            for (key, value) in stanza.settings().filter(|(_, value)| !value.is_empty()) {
                match reader.action(&stanza, key, value) {
                    Ok(Some((phase, class, action))) => {
                        let step =
                            steps.entry((phase, class)).or_insert_with(|| Step { phase, alternatives: Vec::new() });
                        step.alternatives.push((position, action));
                        acts = true;
                    }
                    Ok(None) => {}
                    Err(reason) => reader.problems.push(format!("{}: [{}] {key}: {reason}", stanza.place, stanza.name)),
                }
            }
            if let Some(new) = reader.renamed {
                props.renamed.insert(spec.text.clone(), new);
            }
            particular &= acts;
            props.stanzas.push(Described { spec, own, particular });
        }
        props.steps = steps.into_values().collect();
        props
    }

    /// The name that searches see in place of a sourcetype.
    pub fn renamed(&self, sourcetype: &str) -> Option<&str> {
        self.renamed.get(sourcetype).map(String::as_str)
    }

    /// Whether any sourcetype has another name for searches.
    pub fn renames(&self) -> bool {
        !self.renamed.is_empty()
    }

    /// Whether an operation can make the field, of whatever events.
    pub fn makes(&self, name: &str, lookups: Option<&Lookups>) -> bool {
        let actions = self.steps.iter().flat_map(|step| &step.alternatives);
        actions.into_iter().any(|(_, action)| action.makes(|made| made == name, lookups))
    }

    /// The fields that the operations make, as far as the stanzas say so.
    pub fn outputs(&self) -> BTreeSet<String> {
        let mut outputs = BTreeSet::new();
        for (_, action) in self.steps.iter().flat_map(|step| &step.alternatives) {
            match action {
                Action::Extract(extractions) => {
                    for extraction in extractions {
                        match extraction {
                            Extraction::Groups { fields, .. } => {
                                outputs.extend(fields.iter().map(|(field, _)| field.clone()));
                            }
                            Extraction::Positions { fields, .. } => outputs.extend(fields.iter().cloned()),
                            Extraction::Pairs { .. } | Extraction::Document => {}
                        }
                    }
                }
                Action::Alias(pairs) => outputs.extend(pairs.iter().map(|(_, to, _)| to.clone())),
                Action::Eval(field, _) => {
                    outputs.insert(field.clone());
                }
                Action::Lookup(lookup) => outputs.extend(lookup.outputs.iter().map(|(_, field)| field.clone())),
            }
        }
        outputs
    }

    /// The operations that make fields that are wanted, of the events of these stanzas.
    pub fn selected(
        &self,
        wanted: impl Fn(&str) -> bool,
        applies: impl Fn(usize) -> bool,
        lookups: Option<&Lookups>,
    ) -> Selected<'_> {
        let mut selected = Selected::default();
        // What later operations look at, earlier ones have to make.
        let mut inputs: BTreeSet<String> = BTreeSet::new();
        let mut phase_inputs: BTreeSet<String> = BTreeSet::new();
        let mut phase = None;
        for step in self.steps.iter().rev() {
            if phase != Some(step.phase) {
                inputs.append(&mut phase_inputs);
                phase = Some(step.phase);
            }
            let alternatives = step.alternatives.iter().filter(|(stanza, _)| applies(*stanza));
            let mut useful = false;
            let mut looked_at = BTreeSet::new();
            for (_, action) in alternatives {
                if action.makes(|name| inputs.contains(name) || wanted(name), lookups) {
                    useful = true;
                    action.inputs(&mut looked_at);
                }
            }
            if useful {
                selected.steps.push(step);
                selected.inputs.extend(looked_at.iter().cloned());
                match step.phase {
                    // All of them see what was there before any.
                    Phase::Eval => phase_inputs.extend(looked_at),
                    _ => inputs.extend(looked_at),
                }
            }
        }
        selected.steps.reverse();
        selected
    }
}

impl Action {
    /// Whether it makes a field that is wanted.
    fn makes(&self, wanted: impl Fn(&str) -> bool, lookups: Option<&Lookups>) -> bool {
        match self {
            Action::Extract(extractions) => extractions.iter().any(|extraction| match extraction {
                Extraction::Groups { fields, .. } => fields.iter().any(|(field, _)| wanted(field)),
                Extraction::Positions { fields, .. } => fields.iter().any(|field| wanted(field)),
                // Which names there are, only the events know.
                Extraction::Pairs { .. } | Extraction::Document => true,
            }),
            Action::Alias(pairs) => pairs.iter().any(|(_, to, _)| wanted(to)),
            Action::Eval(field, _) => wanted(field),
            Action::Lookup(lookup) => match lookup.outputs.is_empty() {
                false => lookup.outputs.iter().any(|(_, field)| wanted(field)),
                true => lookups
                    .and_then(|lookups| lookups.open(&lookup.table).ok())
                    .is_some_and(|opened| opened.table.names().any(wanted)),
            },
        }
    }

    /// The fields that it looks at.
    fn inputs(&self, into: &mut BTreeSet<String>) {
        match self {
            Action::Extract(extractions) => {
                for extraction in extractions {
                    if let Extraction::Groups { source, pattern, .. } = extraction
                        && source == "_raw"
                    {
                        into.extend(transform::elements(pattern));
                    }
                    into.insert(match extraction {
                        Extraction::Groups { source, .. }
                        | Extraction::Pairs { source, .. }
                        | Extraction::Positions { source, .. } => source.clone(),
                        Extraction::Document => "_raw".to_owned(),
                    });
                }
            }
            Action::Alias(pairs) => into.extend(pairs.iter().map(|(from, _, _)| from.clone())),
            Action::Eval(_, expression) => {
                let mut names = Vec::new();
                if let Ok(expression) = expression.get() {
                    needs::expression_fields(expression, &mut names);
                }
                into.extend(names);
            }
            Action::Lookup(lookup) => into.extend(lookup.keys.iter().map(|(_, field)| field.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::conf::Conf;

    fn props(text: &str) -> (Props, Vec<String>, usize) {
        let (mut problems, mut ignored) = (Vec::new(), 0);
        let conf = Conf::read_file(text, "props.conf", &mut problems);
        let given = Folder { props: conf, ..Folder::default() };
        let props = Props::of(&Folder::default(), &given, &mut problems, &mut ignored);
        (props, problems, ignored)
    }

    fn inputs(props: &Props, wanted: &[&str]) -> Vec<String> {
        props.selected(|name| wanted.contains(&name), |_| true, None).inputs.into_iter().collect()
    }

    #[test]
    fn our_own_app_is_right() {
        let own = super::super::own::folder();
        let (mut problems, mut ignored) = (Vec::new(), 0);
        // As one that is given every expression is parsed.
        let props = Props::of(&Folder::default(), &own, &mut problems, &mut ignored);
        assert!(problems.is_empty() && ignored == 0, "{problems:?}");
        assert!(props.steps.len() > 100);
    }

    #[test]
    fn only_what_is_wanted_is_done_and_looked_at() {
        let text = "[st]\nEXTRACT-a = (?<x>\\d+)\nEXTRACT-b = (?<y>\\w) in x\nFIELDALIAS-a = y AS z, y as w\n\
            EVAL-v = z.host\nEVAL-z = upper(q)\nLOOKUP-a = t v AS v OUTPUTNEW o AS p\n";
        let (props, problems, _) = props(text);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(inputs(&props, &["nothing"]), [""; 0]);
        assert_eq!(inputs(&props, &["w"]), ["_raw", "x", "y"]);
        assert_eq!(inputs(&props, &["p"]), ["_raw", "host", "v", "x", "y", "z"]);
        // Expressions see what was there before all of them.
        assert_eq!(inputs(&props, &["z"]), ["_raw", "q", "x", "y"]);
    }

    #[test]
    fn what_is_wrong_is_named_and_what_is_unknown_is_counted() {
        let (_, problems, ignored) = props(
            "[a]\nEXTRACT-x = (?<\nEVAL-y = 1 +\nFIELDALIAS-z = a to b\nSHOULD_LINEMERGE = false\nLOOKUP-l = t\n\
             KV_MODE = multi\n[source::...(]\nTZ = UTC\n",
        );
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(problems.iter().any(|problem| problem.starts_with("props.conf:1: [a] EVAL-y: ")));
        assert_eq!(ignored, 1);
    }

    #[test]
    fn sources_count_before_hosts_and_hosts_before_sourcetypes() {
        let (props, _, _) =
            props("[st]\na = 1\n[host::h]\n[source::...x*]\n[source::y]\n[source::...a*]\npriority = 7\n");
        let order: Vec<&str> = props.stanzas.iter().map(|stanza| stanza.spec.text.as_str()).collect();
        assert_eq!(order, ["y", "...a*", "...x*", "h", "st"]);
    }
}
