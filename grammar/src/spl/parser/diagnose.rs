//! From pest's errors to diagnostics that name things as users do.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use crate::spl::commands::Syntax;
use crate::{Code, Diagnostic, Span};

/// The longest stretch of the query that a message repeats.
const LONGEST_QUOTE: usize = 30;

/// The diagnostic for arguments that do not parse. `base` is where they start in the query.
pub fn syntax_error(error: &Error<Rule>, arguments: &str, base: usize, syntax: &Syntax) -> Diagnostic {
    let doc = syntax.doc;
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    if let ErrorVariant::CustomError { message } = &error.variant {
        let message = format!("the query nests too deeply: {message}");
        return Diagnostic::error(Code::TooLarge, message, Span::new(base + at, base + at));
    }
    let rest = arguments.get(at..).unwrap_or_default();
    let skipped = rest.len() - rest.trim_start().len();
    let (at, rest) = (at + skipped, rest.trim_start());
    let before = arguments.get(..at).unwrap_or_default().trim_end();
    let found = token(rest);
    let wanted = wanted(error, syntax);
    let end = rest.is_empty();
    let message = if end && before.is_empty() {
        format!("`{}` needs {wanted}", doc.name)
    } else {
        let found = if end { "the end".to_owned() } else { format!("`{found}`") };
        let after = last_operator(before).map_or(String::new(), |operator| format!(" after `{operator}`"));
        format!("expected {wanted}{after} in `{}`, found {found}", doc.name)
    };
    let span = if end {
        // The caret stands behind the last thing written.
        let place = base + before.len();
        Span::new(place, place)
    } else {
        Span::new(base + at, base + at + found.len())
    };
    let label = format!("expected {wanted}");
    Diagnostic::error(Code::Syntax, message, span).with_label(label).with_help(format!("syntax: {}", doc.syntax))
}

/// The token that stands at the start of the text.
fn token(text: &str) -> &str {
    let word = text.find(|c: char| c.is_whitespace() || "()[]\"',=|`".contains(c)).unwrap_or(text.len());
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text.floor_char_boundary(word.max(first).min(LONGEST_QUOTE.max(first)));
    text.get(..end).unwrap_or_default()
}

/// The operator that the text ends with.
fn last_operator(before: &str) -> Option<&'static str> {
    const OPERATORS: &[&str] = &[
        "!=", "<=", ">=", "==", "=", "<", ">", "+", "-", "*", "/", "%", "(", ",", "AND", "OR", "NOT", "AS", "BY", "IN",
    ];
    OPERATORS.iter().copied().find(|operator| {
        let Some(split) = before.len().checked_sub(operator.len()).filter(|split| before.is_char_boundary(*split))
        else {
            return false;
        };
        let (head, tail) = before.split_at(split);
        let word = operator.starts_with(char::is_alphabetic);
        tail.eq_ignore_ascii_case(operator) && (!word || !head.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// What could have stood there.
fn wanted(error: &Error<Rule>, syntax: &Syntax) -> String {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else { return "something else".to_owned() };
    let mut words: Vec<&str> = Vec::new();
    for word in positives.iter().filter_map(|rule| describe(*rule)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    // Brackets go without saying where they are one of many terms, and not where a command is about them.
    if positives.contains(&Rule::subsearch)
        && let Some(word) = describe(syntax.rule).filter(|word| word.starts_with(BRACKETS) && !words.contains(word))
    {
        words.push(word);
    }
    // That the command could end there is no help where something else could follow.
    if words.len() > 1 {
        words.retain(|word| *word != END);
    }
    match words.as_slice() {
        [] => describe(syntax.rule).unwrap_or("something else").to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] if first.len() < 4 => format!("{} or {last}", first.join(", ")),
        _ => "something else".to_owned(),
    }
}

const BRACKETS: &str = "a search in brackets";

const END: &str = "the end of the command";

/// The words for a rule; `None` for what is noise in a message.
fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => END,
        Rule::search_value
        | Rule::value_word
        | Rule::option_value
        | Rule::option_word
        | Rule::in_value
        | Rule::in_word => "a value",
        Rule::search_expression
        | Rule::search_word
        | Rule::search_field
        | Rule::search_field_word
        | Rule::comparison
        | Rule::in_list
        | Rule::directive
        | Rule::nothing => "a search term",
        Rule::where_arguments
        | Rule::expression
        | Rule::predicate
        | Rule::sum
        | Rule::number
        | Rule::call
        | Rule::field_name
        | Rule::function_name => "an expression",
        Rule::quoted
        | Rule::single_quoted
        | Rule::subsearch
        | Rule::macro_call
        | Rule::minus
        | Rule::negation
        | Rule::not_op => return None,
        Rule::logic_op | Rule::compare_op | Rule::arithmetic_op | Rule::member_op | Rule::comparison_op => {
            "an operator"
        }
        Rule::and_op | Rule::or_op | Rule::in_op => return None,
        Rule::eval_arguments | Rule::assignment | Rule::target | Rule::target_word => "a field to assign to",
        Rule::assign_op => "`=` after the field to assign to",
        Rule::table_arguments
        | Rule::fields_arguments
        | Rule::dedup_arguments
        | Rule::accum_arguments
        | Rule::autoregress_arguments
        | Rule::delta_arguments
        | Rule::foreach_arguments
        | Rule::iplocation_arguments
        | Rule::fromjson_arguments
        | Rule::tojson_arguments
        | Rule::makejson_arguments
        | Rule::tags_arguments
        | Rule::filldown_arguments
        | Rule::makemv_arguments
        | Rule::mvexpand_arguments
        | Rule::mvcombine_arguments
        | Rule::nomv_arguments
        | Rule::strcat_arguments
        | Rule::selfjoin_arguments
        | Rule::top_arguments
        | Rule::rare_arguments
        | Rule::sitop_arguments
        | Rule::sirare_arguments
        | Rule::transaction_arguments
        | Rule::conversion_field
        | Rule::contingency_arguments
        | Rule::gauge_arguments
        | Rule::iconify_arguments
        | Rule::untable_arguments
        | Rule::xyseries_arguments
        | Rule::bin_arguments
        | Rule::chart_split
        | Rule::makecontinuous_arguments
        | Rule::cofilter_arguments
        | Rule::erex_arguments
        | Rule::predict_arguments
        | Rule::predict_field
        | Rule::list_word
        | Rule::argument_word
        | Rule::argument_words => "a field name",
        Rule::as_op => "`AS`",
        Rule::by_op | Rule::by_clause | Rule::chart_by | Rule::geostats_by => "`BY`",
        Rule::over_op | Rule::chart_over => "`OVER`",
        Rule::where_op | Rule::series_where => "`where`",
        Rule::limit_value => "`topN` or `bottomN`",
        Rule::series_rank | Rule::rank_op => "`in` or `notin`",
        Rule::series_threshold | Rule::threshold_op => "`<` or `>`",
        Rule::timewrap_arguments | Rule::timewrap_span => "a length of time such as `1d` or `1week`",
        Rule::lookup_field => "a field name",
        Rule::lookup_arguments | Rule::lookup_table => "a table",
        Rule::inputlookup_arguments | Rule::inputcsv_arguments => "a table",
        Rule::outputlookup_arguments | Rule::outputcsv_arguments => "a table",
        Rule::output_op | Rule::lookup_output => "`OUTPUT`",
        Rule::where_clause => "`where`",
        Rule::rename_arguments | Rule::rename_pair => "a pair of names joined by AS",
        Rule::stats_arguments
        | Rule::chart_arguments
        | Rule::timechart_arguments
        | Rule::chart_eval
        | Rule::eventstats_arguments
        | Rule::streamstats_arguments
        | Rule::sistats_arguments
        | Rule::tstats_arguments
        | Rule::geostats_arguments
        | Rule::pivot_cell
        | Rule::pivot_call
        | Rule::tstats_aggregate
        | Rule::tstats_call
        | Rule::sparkline_call
        | Rule::aggregate
        | Rule::aggregate_call
        | Rule::aggregate_function
        | Rule::sparkline => "an aggregate such as `count` or `avg(field)`",
        Rule::aggregate_argument | Rule::eval_argument | Rule::eval_op => "a field or `eval(...)`",
        Rule::sparkline_step => "a span such as `1h`",
        Rule::tstats_argument => "a field or `PREFIX(...)`",
        Rule::prefix_word => "the start of a term, such as `user=`",
        Rule::tstats_from | Rule::tstats_from_op => "`FROM`",
        Rule::tstats_where | Rule::tstats_where_op => "`WHERE`",
        Rule::tstats_by | Rule::tstats_by_op => "`BY`",
        Rule::tstats_source => "`datamodel=...`",
        Rule::tstats_expression => "a search term",
        Rule::model_name | Rule::model_word => "the name of a dataset",
        Rule::reset_condition => "a condition in quotes",
        Rule::rex_arguments | Rule::regex_arguments | Rule::pattern | Rule::pattern_word => "a quoted pattern",
        Rule::regex_field | Rule::regex_word => return None,
        Rule::regex_op => "`=` or `!=`",
        Rule::replace_arguments | Rule::replacement | Rule::replace_text | Rule::replace_word => "a value",
        Rule::with_op => "`WITH`",
        Rule::in_fields | Rule::within_op => "`IN`",
        Rule::convert_arguments | Rule::conversion | Rule::conversion_function => "a conversion such as `ctime(field)`",
        Rule::fieldformat_arguments => "a field to format",
        Rule::rangemap_arguments | Rule::rangemap_pair | Rule::rangemap_name => "`field=...` or `name=low-high`",
        Rule::highlight_arguments => "a word",
        Rule::setfields_arguments | Rule::setting => "`field=\"value\"`",
        Rule::trendline_arguments | Rule::trend | Rule::trend_type => "a moving average such as `sma5(field)`",
        Rule::x11_arguments | Rule::x11_type | Rule::x11_period => "a field in parentheses such as `mult7(count)`",
        Rule::pivot_arguments => "a data model and an object of it",
        Rule::pivot_split | Rule::pivot_split_word => "`SPLITROW` or `SPLITCOL`",
        Rule::pivot_filter => "`FILTER`",
        Rule::pivot_compare => "a comparison such as `is`",
        Rule::pivot_text => "a value",
        Rule::pivot_side | Rule::pivot_best => "`top` or `bottom`",
        Rule::pivot_key => "a field to sort by",
        Rule::switch | Rule::switch_name => "an option",
        Rule::option
        | Rule::option_name
        | Rule::makemv_option
        | Rule::head_option
        | Rule::head_option_name
        | Rule::concurrency_arguments
        | Rule::localize_arguments
        | Rule::transaction_filter
        | Rule::filter_name
        | Rule::mvlist_option
        | Rule::mvlist_name
        | Rule::gentimes_arguments
        | Rule::agg_option
        | Rule::agg_name
        | Rule::limit_option
        | Rule::limit_name => "an option",
        Rule::filter_value | Rule::filter_eval | Rule::filter_term => "a search or `eval(...)`",
        Rule::mvlist_value | Rule::mvlist_words => "true, false or a list of fields",
        Rule::threshold | Rule::integer | Rule::head_count => "a number",
        Rule::analyzefields_arguments
        | Rule::anomalies_arguments
        | Rule::cluster_arguments
        | Rule::erex_list
        | Rule::erex_list_name => "an option",
        Rule::format_piece => "a quoted text",
        Rule::return_arguments | Rule::return_item | Rule::return_value | Rule::return_alias => {
            "a field, `alias=field` or `$field`"
        }
        Rule::sort_arguments | Rule::sort_key | Rule::sort_sign | Rule::sort_function => "a field to sort by",
        Rule::append_arguments
        | Rule::appendcols_arguments
        | Rule::appendpipe_arguments
        | Rule::multisearch_arguments => BRACKETS,
        Rule::join_arguments | Rule::union_arguments | Rule::dataset | Rule::dataset_kind => {
            "a search in brackets, or a dataset such as `inputlookup:file.csv`"
        }
        Rule::join_pair => "a pair of names such as `L.id = R.id`",
        Rule::set_arguments | Rule::set_operation => "union, diff or intersect",
        Rule::from_arguments | Rule::from_kind => "a dataset such as `inputlookup:file.csv`",
        Rule::dataset_name => "the name of a dataset",
        Rule::map_arguments | Rule::map_search | Rule::map_text => "a search in quotes or in brackets",
        Rule::savedsearch_arguments | Rule::saved_word => "the name of a saved search",
        Rule::saved_pair | Rule::saved_key => "`name=value`",
        _ => return None,
    })
}
