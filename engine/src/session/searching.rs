//! The kinds of searches that can be asked for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use datafusion::physical_plan::displayable;
use futures::TryStreamExt;
use spelunk_grammar::Diagnostic;
use spelunk_grammar::logscale;

use super::Explanation;
use super::Language;
use super::Planned;
use super::Purpose;
use super::Search;
use super::Session;
use super::check::read_logscale;
use crate::error::Error;
use crate::ingest::FieldSelection;
use crate::knowledge::Expanded;
use crate::plan::frame::SERIAL;
use crate::plan::trace::{Judged, Row, Tracer, Verdict};

impl Session {
    /// Starts a search.
    ///
    /// # Errors
    /// A wrong query, an input that cannot be read, or a plan that cannot be made.
    pub async fn search(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare(text, Purpose::Rows).await?;
        self.start(planned, expanded).await
    }

    /// Starts a search in any language whose rows tell the serial number of the event that they come from, in the
    /// last column [`EVENT`]; it is not there where a command makes rows of many events.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn trace(&self, language: Language, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Trace, None).await?;
        self.start(planned, expanded).await
    }

    /// Starts a search in any language that writes nothing, whatever its commands say: to look at what is in the middle
    /// of another.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn probe(&self, language: Language, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Rows, None).await?;
        self.start(Planned { writes: Vec::new(), written: Vec::new(), ..planned }, expanded).await
    }

    /// Starts an SPL search over all events, whatever bounds of time the session has.
    pub(crate) async fn unbounded(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(Language::Spl, text, Purpose::Census, None).await?;
        self.start(planned, expanded).await
    }

    /// The values of `index`, `source`, `sourcetype` and `host` that the events have.
    ///
    /// # Errors
    /// An input that cannot be read.
    pub async fn metadata(&self) -> Result<HashMap<String, Vec<String>>, Error> {
        let wanted = ["index", "source", "sourcetype", "host"].map(str::to_owned).to_vec();
        Ok(self.events(FieldSelection::Only(wanted), None).await?.events.metadata)
    }

    /// A LogScale query with its parameters and saved queries put in, and what was found about it.
    pub(crate) fn read_logscale(&self, text: &str) -> Result<(logscale::Query, Vec<Diagnostic>), Error> {
        read_logscale(text, &self.options.logscale, self.options.strict, false).map_err(|(_, f)| Error::Query(f))
    }

    /// Says for events, by serial number, which condition of a query they fail first. Events that were not loaded are
    /// left out.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn judge(&self, language: Language, text: &str, serials: Vec<i64>) -> Result<Vec<Judged>, Error> {
        let tracer = Arc::new(Tracer::new(serials));
        let traced = Some(Arc::clone(&tracer));
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Trace, traced).await?;
        let seen = tracer.seen();
        let search = self.start(Planned { writes: Vec::new(), ..planned }, Expanded::unchanged(text)).await?;
        let mut judged = Vec::new();
        for batch in search.stream.try_collect::<Vec<_>>().await.map_err(Error::from)? {
            let rows = (0..batch.num_rows()).map(|row| Row { batch: &batch, row });
            judged.extend(rows.filter_map(|row| row.judge(SERIAL, &seen)));
        }
        for Judged { verdict, unchosen, .. } in &mut judged {
            unchosen.iter_mut().for_each(|unchosen| unchosen.reason.relocate(&|span| expanded.place(span)));
            match verdict {
                Verdict::Kept => {}
                Verdict::Fails(reason) => reason.relocate(&|span| expanded.place(span)),
                Verdict::Reaches(ended) => ended.span = expanded.place(ended.span),
            }
        }
        Ok(judged)
    }

    /// Starts a search whose result is for people: with fields as `fieldformat` shows them.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn listing(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare(text, Purpose::Listing).await?;
        self.start(planned, expanded).await
    }

    /// Starts a search whose result is to be searched again: events keep the serial number that orders those of the
    /// same time.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn export(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare(text, Purpose::Export).await?;
        self.start(planned, expanded).await
    }

    /// Shows how a search would be run.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn explain(&self, text: &str) -> Result<Explanation, Error> {
        let (planned, _) = self.prepare(text, Purpose::Rows).await?;
        let logical = planned.state.optimize(&planned.plan)?;
        let physical = planned.state.create_physical_plan(&planned.plan).await?;
        let mut stores = planned.scans.explained();
        let passed_over: u64 = planned.report.files.iter().map(|file| file.passed_over).sum();
        if passed_over > 0 {
            let all: u64 = planned.report.files.iter().map(|file| file.events).sum();
            stores.push(format!(
                "event logs: {passed_over} of {all} events are passed over, which are of another event code, channel, \
                 source or time"
            ));
        }
        let mut remote = std::mem::take(&mut *planned.remote.lock().unwrap_or_else(PoisonError::into_inner));
        if !remote.is_empty() {
            remote.insert(0, "while the search was planned:".to_owned());
        }
        let last = super::state::remote(&physical, &planned.state)?;
        if !remote.is_empty() && !last.is_empty() {
            remote.push("then:".to_owned());
        }
        remote.extend(last);
        Ok(Explanation {
            canonical: planned.canonical,
            logical: logical.display_indent().to_string(),
            physical: displayable(physical.as_ref()).indent(false).to_string(),
            remote,
            stores,
            diagnostics: planned.diagnostics,
        })
    }
}
