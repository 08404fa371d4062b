//! What `search` finds by where events are from and by what apps call them: metadata, event types and tags.
//!
//! Source: Splunk Knowledge Manager Manual, "About event types" and "About tags and aliases".

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::search::{Comparison, ComparisonOperator, Literal, Matching, Operand, SearchExpression};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::super::frame::column;
use super::{Lowering, balanced};
use crate::functions::wildcard::Wildcard;
use crate::ingest::spellings;
use crate::knowledge::apps::Apps;
use crate::knowledge::apps::labels::Labels;

impl Lowering<'_> {
    /// The name that an app gives to a sourcetype.
    pub(super) fn renamed(&self, sourcetype: &str) -> Option<&str> {
        self.frame.setting.apps.as_ref().and_then(|apps| apps.props.renamed(sourcetype))
    }

    /// A condition on `index`, `source`, `sourcetype` or `host` of loaded events, whose values are known.
    pub(super) fn metadata(&self, name: &str, literals: &[&Literal], span: Span) -> Option<Expr> {
        let known = self.frame.metadata.get(name)?;
        let mut found: Vec<String> = Vec::new();
        for literal in literals {
            found.extend(self.metadata_values(name, literal)?);
        }
        found.sort_unstable();
        found.dedup();
        // `index=*`: no row has to be compared with what all rows have.
        if !found.is_empty() && found.len() == known.len() {
            return Some(column(name).is_not_null());
        }
        if !found.is_empty() {
            return Some(column(name).in_list(found.into_iter().map(lit).collect(), false));
        }
        if self.frame.setting.strict || known.is_empty() {
            return None;
        }
        let wanted = literals.iter().map(|l| format!("{:?}", l.text)).collect::<Vec<_>>().join(", ");
        let exist = known.iter().take(8).map(|v| format!("{v:?}")).collect::<Vec<_>>().join(", ");
        if name == "index" {
            self.frame.note(
                Diagnostic::note(
                    Code::UnknownMetadata,
                    format!("no index {wanted} here: searching all that was loaded"),
                    span,
                )
                .with_help(format!("loaded: {exist}; bind one with `--index NAME=PATH`, or refuse with `--strict`")),
            );
            // Forgiven, it leaves no event out, behind a NOT neither.
            return Some(lit(!self.negated));
        }
        self.frame.note(
            Diagnostic::warning(Code::UnknownMetadata, format!("no loaded event has {name} {wanted}"), span)
                .with_help(format!("loaded: {exist}")),
        );
        Some(lit(false))
    }

    /// The condition that events have one of these event types or tags; `None` if the field holds something else.
    pub(super) fn labels(&self, name: &str, literals: &[&Literal], span: Span) -> Result<Option<Expr>, Diagnostic> {
        let Some(apps) = self.frame.setting.apps.as_ref().filter(|_| self.frame.events && Labels::is_label(name))
        else {
            return Ok(None);
        };
        if self.frame.open {
            return Ok(None);
        }
        let mut conditions = Vec::new();
        for literal in literals {
            let found = apps.labels.search(name, &literal.text, &apps.macros, &self.frame.setting.clock, span);
            match found.map_err(|reason| Diagnostic::error(Code::InvalidArgument, reason, span))? {
                Some(expression) => conditions.push(self.quietly(&expression)?),
                None => self.unknown_label(apps, name, &literal.text, span),
            }
        }
        // Events may have a field of that name of their own.
        if self.frame.data_type(name).is_some() {
            let typed = self.field(name, span);
            conditions.push(self.any_of(name, &typed, literals, span)?);
        }
        if conditions.iter().any(|condition| *condition != lit(false)) {
            conditions.retain(|condition| *condition != lit(false));
        }
        Ok(Some(balanced(conditions, Expr::or).unwrap_or_else(|| lit(false))))
    }

    /// The condition that events have all of these tags; `None` where tags are a field of the events.
    pub(super) fn all_tags(&self, tags: &[(&str, Span)]) -> Result<Option<Expr>, Diagnostic> {
        let Some(apps) = self.frame.setting.apps.as_ref().filter(|_| self.frame.events && !self.frame.open) else {
            return Ok(None);
        };
        if self.frame.data_type("tag").is_some() {
            return Ok(None);
        }
        let place = tags.first().map_or(Span::default(), |(_, span)| *span);
        let names: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
        let found = apps.labels.all_tags(&names, &apps.macros, &self.frame.setting.clock, place);
        let found = found.map_err(|reason| Diagnostic::error(Code::InvalidArgument, reason, place))?;
        let Some(expression) = found else {
            for (name, span) in tags {
                if !apps.labels.tags(None).any(|known| known.eq_ignore_ascii_case(name)) {
                    self.unknown_label(apps, "tag", name, *span);
                }
            }
            return Ok(Some(lit(false)));
        };
        self.quietly(&expression).map(Some)
    }

    /// A condition that is not the user's: what it looks at and events lack is no mistake of his.
    fn quietly(&self, expression: &SearchExpression) -> Result<Expr, Diagnostic> {
        let (missing, findings) = (self.frame.take_missing(), self.frame.take_findings());
        let condition = self.condition(expression);
        drop((self.frame.take_missing(), self.frame.take_findings()));
        missing.into_iter().for_each(|(name, span)| self.frame.note_missing(&name, span));
        findings.into_iter().for_each(|finding| self.frame.note(finding));
        condition
    }

    fn unknown_label(&self, apps: &Apps, name: &str, value: &str, span: Span) {
        let what = if name == "eventtype" { "event type" } else { "tag" };
        let message = format!("no {what} {value:?} is defined: it matches nothing");
        let note = Diagnostic::warning(Code::UnknownMetadata, message, span);
        self.frame.note(match apps.labels.nearest(name, value) {
            Some(near) => note.with_help(format!("did you mean {near:?}?")),
            None => note.with_help("`--app PATH` reads an app that defines it"),
        });
    }

    /// The answer to a comparison with what is no field of an event but known to a Splunk server: its tags, event
    /// types and saved searches, which are not there and match nothing, and the server's own name, which all loaded
    /// events share.
    pub(super) fn absent_knowledge(&self, name: &str, span: Span) -> Option<Expr> {
        if self.frame.open || self.frame.data_type(name).is_some() {
            return None;
        }
        let (message, answer) = match name {
            "splunk_server" | "splunk_server_group" if self.frame.events && !self.frame.setting.strict => (
                format!("there is no Splunk server: searching all that was loaded, whatever `{name}` is"),
                !self.negated,
            ),
            name if is_knowledge(name) => {
                (format!("there is nothing of the kind `{name}` here: it matches nothing"), false)
            }
            _ => return None,
        };
        self.frame.note(Diagnostic::note(Code::UnknownMetadata, message, span));
        Some(lit(answer))
    }

    /// The loaded values that a metadata value means; `None` if the field is not metadata of loaded events.
    pub(super) fn metadata_values(&self, name: &str, literal: &Literal) -> Option<Vec<String>> {
        let known = self.frame.metadata.get(name)?;
        let wildcard = match literal.matching {
            Matching::Case => Wildcard::same_case(&literal.text),
            _ => Wildcard::any_case(&literal.text),
        }
        .ok()?;
        let fits = |value: &&String| {
            wildcard.matches(value)
                || (!self.frame.setting.strict
                    && matches!(name, "source" | "sourcetype")
                    && spellings(value).iter().any(|spelling| wildcard.matches(spelling)))
                || (name == "sourcetype" && self.renamed(value).is_some_and(|new| wildcard.matches(new)))
        };
        Some(known.iter().filter(fits).cloned().collect())
    }
}

/// The tag that a part of a search asks for.
pub(super) fn one_tag(part: &SearchExpression) -> Option<(&str, Span)> {
    match part {
        SearchExpression::Comparison(Comparison {
            field,
            operator: ComparisonOperator::Equal,
            value: Operand::Literal(literal),
            span,
        }) if field.text == "tag" && !literal.text.contains('*') => Some((&literal.text, *span)),
        _ => None,
    }
}

/// Whether `search` looks for knowledge of a Splunk server under that name.
pub(super) fn is_knowledge(name: &str) -> bool {
    matches!(name, "tag" | "eventtype" | "hosttag" | "eventtypetag" | "savedsearch" | "savedsplunk")
        || name.starts_with("tag::")
}
