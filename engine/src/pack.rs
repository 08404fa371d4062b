//! Many searches over the same events: what any of them needs is read once, and the objects of data models that several
//! of them search are computed once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use spelunk_grammar::spl;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::tstats::Source;

use crate::error::Error;
use crate::ingest::{FieldSelection, Location, ReadReport};
use crate::plan::calculated::{self, Reading};
use crate::plan::summary::{self, Summary};
use crate::plan::{PlanError, datamodel, needs};
use crate::session::{Language, Purpose, Search, Session, asked_of, failure};
use crate::views::Serving;

/// From so many searches on an object of a data model is worth to be computed for all of them.
const WORTHWHILE: usize = 2;

/// What a search takes from the events.
#[derive(Debug, Clone)]
pub struct Wants {
    /// The fields that have to be read for it.
    pub fields: FieldSelection,
    /// Whether its rows are events with all their fields.
    pub whole_events: bool,
    /// The objects of data models that it searches with `tstats`, and the names that it uses of each.
    models: Vec<(String, Vec<String>)>,
}

/// What was made ready for many searches.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// What was read.
    pub report: Arc<ReadReport>,
    /// How many events there are.
    pub events: usize,
    /// The objects of data models that were computed.
    pub summaries: usize,
}

impl Session {
    /// What a search takes from the events. Nothing is read.
    ///
    /// # Errors
    /// A text that cannot be parsed.
    pub fn wants(&self, language: Language, text: &str) -> Result<Wants, Error> {
        let view = self.options().view;
        if language == Language::LogScale {
            let (query, _) = self.read_logscale(text)?;
            let asked = crate::logscale::needs::of(&query);
            return Ok(Wants { fields: Serving::read(view, &asked), whole_events: false, models: Vec::new() });
        }
        let clock = self.clock();
        let expanded = self.options().macros.expand(text, &clock);
        let query = expanded.parse().map_err(Error::Query)?;
        let Reading { fields, .. } = calculated::reading(&query, self.knowledge(), &clock);
        let closed = matches!(needs::of(&query), FieldSelection::Only(_));
        let models = query.commands.iter().filter_map(|command| match &command.kind {
            CommandKind::Tstats(tstats) => match &tstats.source {
                Some(Source::DataModel(name)) => Some((name.text.clone(), needs::tstats_fields(tstats))),
                _ => None,
            },
            _ => None,
        });
        let models = models.collect();
        Ok(Wants { fields: Serving::read(view, &asked_of(&query, fields)), whole_events: !closed, models })
    }

    /// Reads the events with the fields of all these searches, and computes the objects of data models that several
    /// of them search. For sessions that keep what was read.
    ///
    /// # Errors
    /// An input that cannot be read, or events that do not fit into memory.
    pub async fn gather(&self, wants: &[Wants]) -> Result<Gathered, Error> {
        let none = FieldSelection::Only(Vec::new());
        let mut fields = wants.iter().fold(none, |all, wants| all.and(wants.fields.clone()));
        if self.inputs().iter().any(|input| matches!(input.location, Location::Stdin)) {
            fields = FieldSelection::All;
        }
        let loaded = self.read(fields, None).await?;
        let mut computed = Vec::new();
        for (name, names) in self.shared_objects(wants) {
            match self.summarise(&name, &names).await {
                Ok(summary) => computed.extend(summary),
                // What cannot be computed shows in the searches themselves; what does not fit is computed for each.
                Err(Error::Query(_) | Error::Memory(_) | Error::Run(_)) => {}
                Err(other) => return Err(other),
            }
        }
        let summaries = computed.len();
        self.summarised(computed);
        Ok(Gathered { report: loaded.report, events: loaded.events.rows, summaries })
    }

    /// Starts one of many searches that run side by side, on one core. It writes nothing, whatever its commands say.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn search_in_pack(&self, language: Language, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Pack, None).await?;
        match planned.gives_nothing(&self.watch()).await {
            true => Ok(planned.without_rows()),
            false => self.start(planned, expanded).await,
        }
    }

    /// The objects that several searches name, each with all names that they use.
    fn shared_objects(&self, wants: &[Wants]) -> Vec<(String, Vec<String>)> {
        let mut objects: BTreeMap<String, (String, BTreeSet<String>, usize)> = BTreeMap::new();
        for (name, names) in wants.iter().flat_map(|wants| &wants.models) {
            let Some(key) = datamodel::key(&self.options().apps, name, names) else { continue };
            // Without the object's own name, the names of fields are needed to tell it from other roots.
            let (_, all, count) = objects.entry(key.clone()).or_insert_with(|| (key, BTreeSet::new(), 0));
            all.extend(names.iter().filter(|name| !name.contains(['*', '=']) && *name != "_raw").cloned());
            *count = count.saturating_add(1);
        }
        let shared = objects.into_values().filter(|(.., count)| *count >= WORTHWHILE);
        shared.map(|(key, names, _)| (key, names.into_iter().collect())).collect()
    }

    async fn summarise(&self, name: &str, names: &[String]) -> Result<Option<Summary>, Error> {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{}\"", name.replace('"', "\\\""))).collect();
        let text = format!("| tstats count from datamodel={name} by _time {}", quoted.join(" "));
        let query = spl::parse(&text).map_err(Error::Query)?;
        let clock = self.clock();
        let Reading { fields, named } = calculated::reading(&query, self.knowledge(), &clock);
        let asked = asked_of(&query, fields);
        let loaded = self.events(Serving::read(self.options().view, &asked), None).await?;
        let events = loaded.events.asked(&asked, self.options().view).naming(named);
        let runner = self.runner(Purpose::Rows);
        let mut planner = self.planner(&events, &clock, &runner, Purpose::Census)?;
        let hold = |bytes: usize| {
            let held: MemoryReservation = MemoryConsumer::new("data model").register(self.memory.pool());
            held.try_grow(bytes)?;
            Ok(Arc::new(held))
        };
        let computed = summary::compute(&mut planner, name, names, &hold).await;
        computed.map_err(|error: PlanError| failure(vec![error], None))
    }
}
