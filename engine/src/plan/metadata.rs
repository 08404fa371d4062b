//! `metadata`, `eventcount` and `metasearch`: what is known of the events besides their text, by looking at them.
//!
//! Source: Splunk Search Reference, "metadata", "eventcount", "metasearch". A file has no time of indexing, so
//! `recentTime` is the time of the latest event.

use datafusion::functions::expr_fn::floor;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::eventcount::Eventcount;
use spelunk_grammar::spl::commands::metadata::Metadata;
use spelunk_grammar::spl::commands::metasearch::Metasearch;
use spelunk_grammar::spl::commands::search::Search;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::spl::search::{InList, Literal, Matching, SearchExpression};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::expression::{Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, Planner, existing, makeresults, search};

/// What `metadata` lists, and the field that holds it.
const KINDS: [(&str, &str); 3] = [("hosts", "host"), ("sources", "source"), ("sourcetypes", "sourcetype")];

/// The field that `metadata` lists for a type.
pub fn listed(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind)).map(|(_, field)| *field)
}

/// Plans `metadata` over the events of the session's time range.
///
/// # Errors
/// A type there is none of, metrics, servers.
pub fn plan(planner: &Planner<'_>, mut frame: Frame, command: &Metadata) -> PlanResult<Frame> {
    let Metadata { kind, indexes, datatype, splunk_server, splunk_server_group } = command;
    no_server([splunk_server, splunk_server_group])?;
    if let Some(datatype) = datatype.as_ref().filter(|datatype| !datatype.node.eq_ignore_ascii_case("event")) {
        let message = format!("`datatype` takes event here, not `{}`", datatype.node);
        return Err(Diagnostic::error(Code::InvalidOption, message, datatype.span).into());
    }
    let Some(name) = listed(&kind.node) else {
        let message = format!("`metadata` lists hosts, sources or sourcetypes, not `{}`", kind.node);
        return Err(Diagnostic::error(Code::InvalidOption, message, kind.span).into());
    };
    search::plan_first(planner, &mut frame, &Search { expression: any_of(indexes) })?;
    let value = field(&frame, name, kind.span);
    let time = field(&frame, "_time", kind.span);
    let seconds = |time: &str| floor(Typed::new(column(time), Kind::Time, kind.span).number());
    let plan = LogicalPlanBuilder::new(frame.plan().clone())
        .filter(value.clone().is_not_null())?
        .aggregate(
            vec![value.alias(name)],
            vec![min(time.clone()).alias("first"), max(time).alias("last"), count(lit(1_i64)).alias("totalCount")],
        )?
        .project(vec![
            column(name),
            seconds("first").alias("firstTime"),
            seconds("last").alias("lastTime"),
            seconds("last").alias("recentTime"),
            column("totalCount"),
            lit(kind.node.to_ascii_lowercase()).alias("type"),
        ])?
        .build()?;
    frame.replace(plan, Vec::new());
    frame.order_by(vec![(column(name), false)])?;
    Ok(frame)
}

/// Plans `eventcount` over all events.
///
/// # Errors
/// The size of an index, servers.
pub fn plan_count(mut frame: Frame, command: &Eventcount, span: Span) -> PlanResult<Frame> {
    // There are neither virtual nor remote indexes to count or to leave out.
    let Eventcount {
        indexes,
        summarize,
        report_size,
        list_vix: _,
        list_federated_remote: _,
        splunk_server,
        splunk_server_group,
    } = command;
    no_server([splunk_server, splunk_server_group])?;
    if let Some(size) = report_size.as_ref().filter(|size| size.node) {
        let message = "`report_size` asks for the size of an index on disk, and there is none here";
        return Err(Diagnostic::error(Code::InvalidOption, message, size.span).into());
    }
    search::plan(&mut frame, &Search { expression: any_of(indexes) })?;
    let counted = vec![count(lit(1_i64)).alias("count")];
    let builder = LogicalPlanBuilder::new(frame.plan().clone());
    if summarize.unwrap_or(true) {
        let plan = builder.aggregate(Vec::<Expr>::new(), counted)?.build()?;
        frame.replace(plan, Vec::new());
        return Ok(frame);
    }
    let index = field(&frame, "index", span);
    let plan = builder
        .filter(index.clone().is_not_null())?
        .aggregate(vec![index.alias("index")], counted)?
        .project(vec![column("index"), lit(makeresults::server()).alias("server"), column("count")])?
        .build()?;
    frame.replace(plan, Vec::new());
    frame.order_by(vec![(column("index"), false)])?;
    Ok(frame)
}

/// Plans `metasearch`.
///
/// # Errors
/// A comparison with a field of the event's text.
pub fn plan_search(planner: &Planner<'_>, mut frame: Frame, command: &Metasearch, span: Span) -> PlanResult<Frame> {
    let Metasearch { expression } = command;
    if let Some(expression) = expression {
        only_metadata(expression)?;
    }
    search::plan_first(planner, &mut frame, &Search { expression: expression.clone() })?;
    let fields = ["_time", "host", "index", "source", "sourcetype"];
    let columns = fields.iter().map(|name| ((*name).to_string(), field(&frame, name, span))).collect();
    frame.select(columns)?;
    frame.events = false;
    Ok(frame)
}

/// Refuses comparisons that need an event's text.
fn only_metadata(expression: &SearchExpression) -> Result<(), Diagnostic> {
    let name = match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => return parts.iter().try_for_each(only_metadata),
        SearchExpression::Not(inner) => return only_metadata(inner),
        SearchExpression::Comparison(comparison) => &comparison.field,
        SearchExpression::In(list) => &list.field,
        SearchExpression::Term(_) | SearchExpression::Subsearch(_) | SearchExpression::Macro(_) => return Ok(()),
    };
    let known = ["host", "index", "source", "sourcetype", "splunk_server", "_time", "earliest", "latest"];
    if known.contains(&name.text.as_str()) || name.text.starts_with("_index_") {
        return Ok(());
    }
    let message = format!("`metasearch` compares host, index, source and sourcetype only, not {:?}", name.text);
    Err(Diagnostic::error(Code::InvalidArgument, message, name.span)
        .with_help("look for the event with `search`, and list what you need with `table`"))
}

fn field(frame: &Frame, name: &str, span: Span) -> Expr {
    existing(frame, name, span).unwrap_or_else(|| Typed::null(span).expr)
}

fn no_server(servers: [&Option<Spanned<String>>; 2]) -> Result<(), Diagnostic> {
    match servers.into_iter().flatten().next() {
        Some(server) => {
            Err(Diagnostic::error(Code::InvalidOption, "spelunk runs without a Splunk server", server.span))
        }
        None => Ok(()),
    }
}

/// The condition that an event is in one of the indexes; none where none is named.
fn any_of(indexes: &[Name]) -> Option<SearchExpression> {
    let first = indexes.first()?;
    let values = indexes.iter().map(|index| Literal {
        text: index.text.clone(),
        quoted: true,
        matching: Matching::AnyCase,
        span: index.span,
    });
    let field = Name { text: "index".into(), span: first.span };
    let span = indexes.last().map_or(first.span, |last| first.span.to(last.span));
    Some(SearchExpression::In(InList { field, values: values.collect(), span }))
}
