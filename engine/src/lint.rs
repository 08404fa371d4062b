//! What is doubtful about a search over these very events.

use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::{Code, Diagnostic, Severity};

use arrow::array::RecordBatch;
use futures::TryStreamExt;

use crate::error::Error;
use crate::session::{Language, Session};
use crate::values::Value;

/// From this share of rows without a value on, a group field is worth a warning.
const OFTEN: f64 = 0.1;

impl Session {
    /// What is doubtful about a search over the events: fields and sources that none of them has, groups by a
    /// field that many rows lack.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn lint(&self, language: Language, text: &str) -> Result<Vec<Diagnostic>, Error> {
        let mut found = self.findings(language, text).await?;
        found.retain(|finding| finding.severity == Severity::Warning);
        if language == Language::Spl {
            found.extend(self.sparse_groups(text).await?);
        }
        Ok(found)
    }

    /// The fields of the first `stats` by which rows are grouped and that many rows lack.
    async fn sparse_groups(&self, text: &str) -> Result<Vec<Diagnostic>, Error> {
        let expanded = self.options().macros.expand(text, &self.clock());
        let query = expanded.parse().map_err(Error::Query)?;
        let grouped = query.commands.iter().enumerate().find_map(|(position, command)| match &command.kind {
            CommandKind::Stats(stats) if position > 0 => Some((position, &stats.by)),
            _ => None,
        });
        let Some((position, by)) = grouped.filter(|(_, by)| !by.is_empty()) else { return Ok(Vec::new()) };
        let before = query.commands.get(..position).unwrap_or_default().to_vec();
        let quoted = |name: &str| name.replace('\\', "\\\\").replace('"', "\\\"");
        let counts =
            by.iter().enumerate().map(|(number, field)| format!("count(\"{}\") AS by{number}", quoted(&field.text)));
        let counts: Vec<String> = counts.collect();
        let prefix = Query { commands: before, span: query.span }.to_string();
        let search = self
            .search_in_pack(Language::Spl, &format!("{prefix} | stats count AS rows, {}", counts.join(", ")))
            .await?;
        let batches: Vec<RecordBatch> = search.stream.try_collect().await.map_err(Error::from)?;
        let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(Vec::new()) };
        let number =
            |name: &str| batch.column_by_name(name).and_then(|column| Value::read(column.as_ref(), 0).number());
        let rows = number("rows").unwrap_or_default();
        let mut found = Vec::new();
        for (position, field) in by.iter().enumerate() {
            let present = number(&format!("by{position}")).unwrap_or_default();
            // A field that no row has is told anyway.
            let lacking = rows - present;
            if present > 0.0 && lacking > rows * OFTEN {
                let message = format!("{lacking} of {rows} rows have no {}, and are in no group", field.text);
                let warning = Diagnostic::warning(Code::Note, message, field.span);
                found.push(warning.with_help("`fillnull` gives them a value"));
            }
        }
        Ok(expanded.report(found))
    }
}
