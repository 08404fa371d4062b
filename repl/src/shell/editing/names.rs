//! The names and values that can be typed. They are gathered in the background and read at every key.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use spelunk_engine::Session;
use spelunk_engine::vocabulary::{self, KnownField};

/// What is known, shared between the one who gathers and the one who types.
#[derive(Debug, Clone, Default)]
pub struct Names {
    known: Arc<RwLock<Arc<Known>>>,
}

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Whether the fields are those of the loaded events: before that, none is unknown.
    pub loaded: bool,
    /// The fields, those that most events have first.
    pub fields: Vec<KnownField>,
    /// Where they are, by name.
    pub by_name: HashMap<String, usize>,
    /// Fields that apps and views make where a search names them.
    pub made: BTreeSet<String>,
    /// Names of macros, with their arguments.
    pub macros: Vec<(String, Vec<String>)>,
    /// Lookups and their tables.
    pub lookups: Vec<String>,
    /// Data models, their objects and the fields of these.
    pub models: Vec<Model>,
    /// Saved searches of SPL.
    pub saved_searches: Vec<String>,
    /// Saved queries of LogScale.
    pub saved_queries: Vec<String>,
    pub event_types: Vec<String>,
    pub tags: Vec<String>,
}

/// The name of a data model; the objects of it, and the fields of each.
pub type Model = (String, Vec<(String, Vec<String>)>);

impl Known {
    /// The field of exactly that name.
    pub fn field(&self, name: &str) -> Option<&KnownField> {
        self.by_name.get(name).and_then(|position| self.fields.get(*position))
    }

    /// With these fields.
    pub fn with_fields(self, fields: Vec<KnownField>) -> Self {
        let by_name = fields.iter().enumerate().map(|(position, field)| (field.name.clone(), position)).collect();
        Self { loaded: true, fields, by_name, ..self }
    }

    /// What a session says without looking at events.
    fn of(session: &Session) -> Self {
        let options = session.options();
        let macros = options.macros.names().flat_map(|name| {
            let definitions = options.macros.get(name).into_iter().flat_map(|by_count| by_count.values());
            definitions.map(|definition| (name.to_owned(), definition.arguments.clone())).collect::<Vec<_>>()
        });
        let models = options.apps.models.names().filter_map(|name| {
            let model = options.apps.models.get(name).ok()?;
            let objects = model.objects.iter().map(|object| {
                let calculated = object.calculations.iter().flat_map(|calculation| calculation.outputs());
                let fields = object.fields.iter().map(String::as_str).chain(calculated).map(str::to_owned);
                (object.name.clone(), fields.collect())
            });
            Some((name.to_owned(), objects.collect()))
        });
        let owned = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
        let mut tags = owned(&mut options.apps.labels.tags(None));
        tags.sort_unstable();
        tags.dedup();
        Self {
            made: vocabulary::made_fields(&options.apps),
            macros: macros.collect(),
            lookups: owned(&mut options.lookups.names()),
            models: models.collect(),
            saved_searches: owned(&mut options.saved_searches.names()),
            saved_queries: owned(&mut options.logscale.saved_queries.names()),
            event_types: owned(&mut options.apps.labels.event_types()),
            tags,
            ..Self::default()
        }
    }
}

impl Names {
    /// What is known now.
    pub fn now(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces what is known.
    pub fn set(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    /// Gathers what the session knows without its events.
    pub fn gather_knowledge(&self, session: &Session) {
        self.set(Known::of(session));
    }

    /// Gathers the fields of the events that were loaded.
    pub fn gather_fields(&self, session: &Session) {
        // Without any input nothing is known, so nothing is unknown either.
        if session.inputs().is_empty() {
            return;
        }
        if let Some(fields) = session.known_fields() {
            self.set(Known::clone(&self.now()).with_fields(fields));
        }
    }
}
