//! Reading the inputs, and keeping what was read.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use datafusion::catalog::TableProvider;

use super::Session;
use crate::error::Error;
use crate::ingest::{self, FieldSelection, Location, ReadOptions, ReadReport, Wanted};
use crate::plan::Events;
use crate::plan::summary::Summary;
use crate::store::Store;
use crate::store::parquet::ParquetTable;
use crate::store::table::EventTable;
use crate::vocabulary::{self, KnownField};

/// Events that were read, and which fields of them.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    fields: FieldSelection,
    store: Arc<Store>,
    pub(crate) events: Events,
    pub(crate) report: Arc<ReadReport>,
    /// Whether all was read, rather than what came until the search was ended.
    pub(super) complete: bool,
}

impl Session {
    /// Reads the inputs now (with [`SessionOptions::keep`]) and says what was found.
    ///
    /// # Errors
    /// As [`crate::ingest::read`].
    pub async fn load(&self) -> Result<Arc<ReadReport>, Error> {
        self.cancelled.store(false, Ordering::SeqCst);
        Ok(self.events(FieldSelection::AllButRaw, None).await?.report)
    }

    /// The fields of the events that were loaded, with frequent values of each, those that most events have first;
    /// `None` until something was loaded and kept. It looks at a sample of the events, which takes a while.
    pub fn known_fields(&self) -> Option<Vec<KnownField>> {
        let loaded = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(vocabulary::fields(&loaded.store, &loaded.events.metadata))
    }

    /// What is read for a search that wants these fields: more of them where the next search is to find them kept.
    pub(super) fn to_read(&self, wanted: FieldSelection) -> FieldSelection {
        // Standard input cannot be read again for another field.
        let once = || self.inputs().iter().any(|input| matches!(input.location, Location::Stdin));
        match (self.options.keep, &wanted) {
            (false, _) => wanted,
            (true, _) if once() => FieldSelection::All,
            (true, FieldSelection::Only(names)) if !names.iter().any(|name| name == "_raw") => {
                FieldSelection::AllButRaw
            }
            (true, FieldSelection::AllButRaw) => FieldSelection::AllButRaw,
            (true, _) => FieldSelection::All,
        }
    }

    /// The kept events, if they have these fields.
    pub(super) fn kept(&self, wanted: &FieldSelection) -> Option<Loaded> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.fields.covers(wanted)).cloned()
    }

    /// Keeps what was computed of the loaded events for the next searches.
    pub(crate) fn summarised(&self, summaries: Vec<Summary>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_mut() {
            kept.events.summaries = Arc::new(summaries);
        }
    }

    /// The events with at least these fields: the kept ones if they have them, else read, without those that are not
    /// wanted.
    pub(crate) async fn events(&self, fields: FieldSelection, wanted: Option<Arc<Wanted>>) -> Result<Loaded, Error> {
        match self.kept(&fields) {
            Some(kept) => Ok(kept),
            None => self.read(self.to_read(fields), wanted).await,
        }
    }

    /// Reads the events with these fields.
    pub(crate) async fn read(&self, fields: FieldSelection, wanted: Option<Arc<Wanted>>) -> Result<Loaded, Error> {
        let options = ReadOptions {
            fields: fields.clone(),
            // What is kept for the next search must be there whole.
            wanted: wanted.filter(|_| !self.options.keep),
            sourcetype: self.options.sourcetype.clone(),
            host: self.options.host.clone(),
            source: self.options.source.clone(),
            strict: self.options.strict,
            time_zone: self.options.time_zone.clone(),
            cancelled: Arc::clone(&self.cancelled),
            temp: self.options.temp.clone(),
            pool: Some(Arc::clone(self.memory.pool())),
            watch: Arc::clone(&self.watch),
        };
        let inputs = self.inputs();
        self.watch.reads(true);
        let read = tokio::task::spawn_blocking(move || ingest::read(&inputs, &options)).await;
        self.watch.reads(false);
        let (store, report) = read.map_err(|error| Error::Run(format!("reading stopped: {error}")))??;
        let store = Arc::new(store);
        let events = describe(Arc::clone(&store));
        let complete = !self.watch.settle();
        let loaded = Loaded { fields, store, events, report: Arc::new(report), complete };
        if self.options.keep && complete {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        }
        Ok(loaded)
    }
}

/// The loaded events with the distinct values of their metadata.
fn describe(store: Arc<Store>) -> Events {
    let mut metadata: HashMap<String, Vec<String>> = HashMap::new();
    for name in ["index", "source", "sourcetype", "host"] {
        if store.schema.column_with_name(name).is_none() {
            continue;
        }
        let mut values = BTreeSet::new();
        let batches = store.shapes.iter().flat_map(|shape| &shape.batches);
        for dictionary in batches
            .filter_map(|batch| batch.column_by_name(name))
            .filter_map(|column| column.as_dictionary_opt::<Int32Type>())
        {
            let texts = dictionary.values().as_string_opt::<i32>();
            values.extend(texts.into_iter().flat_map(|texts| texts.iter().flatten()).map(str::to_string));
        }
        metadata.insert(name.to_string(), values.into_iter().collect());
    }
    for (name, values) in store.files.iter().flat_map(|file| &file.metadata) {
        let known = metadata.entry(name.clone()).or_default();
        known.extend(values.iter().cloned());
        known.sort_unstable();
        known.dedup();
    }
    for (name, values) in store.stored.iter().flat_map(|stored| stored.metadata()) {
        let known = metadata.entry(name).or_default();
        known.extend(values);
        known.sort_unstable();
        known.dedup();
    }
    for (name, values) in &store.noted.metadata {
        let known = metadata.entry(name.clone()).or_default();
        known.extend(values.iter().cloned());
        known.sort_unstable();
        known.dedup();
    }
    let unread = store.unread.clone();
    let loaded: usize = store.shapes.iter().flat_map(|shape| &shape.batches).map(RecordBatch::num_rows).sum();
    let loaded = loaded.saturating_add(store.noted.events);
    let in_files = store.files.iter().map(|file| usize::try_from(file.rows).unwrap_or(usize::MAX));
    let in_stores = store.stored.iter().map(|stored| usize::try_from(stored.rows()).unwrap_or(usize::MAX));
    let rows = in_files.chain(in_stores).fold(loaded, usize::saturating_add);
    let has_files = !store.files.is_empty() || !store.stored.is_empty();
    let on_disk = has_files.then(|| Arc::new(ParquetTable::new(Arc::clone(&store))));
    let table: Arc<dyn TableProvider> = match &on_disk {
        Some(table) => Arc::clone(table) as _,
        None => Arc::new(EventTable::new(store)),
    };
    let fields = FieldSelection::All;
    let summaries = Arc::default();
    Events { table, on_disk, metadata, fields, unread, rows, serving: None, named: Vec::new(), summaries }
}
