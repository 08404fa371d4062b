//! Properties over generated trees and random text: printing round-trips, and nothing panics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use spelunk_grammar::spl::commands::{self, CommandKind};
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind, MacroCall, Name, UnaryOperator};
use spelunk_grammar::spl::search::{
    Comparison, ComparisonOperator, InList, Literal, Matching, Operand, SearchExpression,
};
use spelunk_grammar::spl::{Command, Query, Subsearch, parse};
use spelunk_grammar::{Span, Spanned};

fn at() -> Span {
    Span::default()
}

fn spanned<T: std::fmt::Debug>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Spanned<T>> {
    inner.prop_map(|node| Spanned::new(node, at()))
}

/// Text that has everything a quote must survive.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z*]{0,6}", r#"[ab"\\|'`\[\](){}=,.!<>$ \né]{0,8}"#]
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        4 => "[a-z_][a-z0-9_.]{0,5}",
        1 => Just("by".to_owned()), 1 => Just("NOT".to_owned()), 1 => Just("d".to_owned()), 1 => Just("5".to_owned()),
        2 => text(),
    ]
    .prop_map(|text| Name { text, span: at() })
}

fn macro_call() -> impl Strategy<Value = MacroCall> {
    let argument = r#"[a-z ,"()\\=]{0,5}"#;
    ("[a-z_.-]{1,6}", option::of(vec(argument, 0..3))).prop_map(|(name, arguments)| {
        let arguments =
            arguments.filter(|all| all.len() != 1 || all.iter().any(|argument| !argument.trim().is_empty()));
        MacroCall { name, arguments, span: at() }
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    let matching = prop_oneof![4 => Just(Matching::AnyCase), 1 => Just(Matching::Case), 1 => Just(Matching::Term)];
    prop_oneof![
        (text(), Just(true), matching.clone()),
        // Unquoted text has no blanks; operators would make it a comparison.
        (r#"[a-z*:/@."|\\][a-z*:/@."|\\-]{0,6}"#.prop_map(|text| text), Just(false), matching),
    ]
    .prop_map(|(text, quoted, matching)| Literal { text, quoted, matching, span: at() })
}

fn search(subsearch: BoxedStrategy<Subsearch>) -> impl Strategy<Value = SearchExpression> {
    let operator = prop_oneof![
        Just(ComparisonOperator::Equal),
        Just(ComparisonOperator::NotEqual),
        Just(ComparisonOperator::Less),
        Just(ComparisonOperator::LessOrEqual),
        Just(ComparisonOperator::Greater),
        Just(ComparisonOperator::GreaterOrEqual)
    ];
    let operand =
        prop_oneof![8 => literal().prop_map(Operand::Literal), 1 => subsearch.clone().prop_map(Operand::Subsearch)];
    let leaf = prop_oneof![
        6 => (name(), operator, operand).prop_map(|(field, operator, value)| {
            SearchExpression::Comparison(Comparison { field, operator, value, span: at() })
        }),
        2 => (name(), vec(literal(), 1..4)).prop_map(|(field, values)| {
            SearchExpression::In(InList { field, values, span: at() })
        }),
        3 => literal().prop_map(SearchExpression::Term),
        1 => macro_call().prop_map(SearchExpression::Macro),
        1 => subsearch.prop_map(SearchExpression::Subsearch),
        1 => Just(SearchExpression::And(Vec::new())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(SearchExpression::And),
            vec(inner.clone(), 2..4).prop_map(SearchExpression::Or),
            inner.prop_map(|inner| SearchExpression::Not(Box::new(inner))),
        ]
    })
}

fn expression(subsearch: BoxedStrategy<Subsearch>) -> impl Strategy<Value = Expression> {
    use BinaryOperator::*;
    let operators = [
        Xor,
        Or,
        And,
        Equal,
        NotEqual,
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
        Like,
        Add,
        Subtract,
        Concatenate,
        Multiply,
        Divide,
        Modulo,
    ];
    let leaf = prop_oneof![
        3 => r"[0-9]{1,3}(\.[0-9]{1,2})?(e-?[0-9])?".prop_map(ExpressionKind::Number),
        1 => Just(ExpressionKind::Number(".5".into())),
        3 => text().prop_map(ExpressionKind::String),
        // Three backticks start a comment, also between single quotes.
        4 => name().prop_map(|name| ExpressionKind::Field(name.text.replace("```", ""))),
        1 => macro_call().prop_map(ExpressionKind::Macro),
        1 => subsearch.prop_map(ExpressionKind::Subsearch),
    ];
    leaf.prop_map(|kind| Expression { kind, span: at() }).prop_recursive(5, 40, 4, move |inner| {
        let function = spanned("[a-hj-z][a-z0-9_]{2,5}x");
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let chain = (prop::sample::select(vec![And, Or, Xor, Add, Concatenate]), vec(inner.clone(), 2..20));
        prop_oneof![
            6 => (prop::sample::select(operators.to_vec()), boxed.clone(), boxed.clone())
                .prop_map(|(operator, left, right)| ExpressionKind::Binary(operator, left, right)),
            1 => boxed.clone().prop_map(|inner| ExpressionKind::Unary(UnaryOperator::Negate, inner)),
            1 => boxed.clone().prop_map(|inner| ExpressionKind::Unary(UnaryOperator::Not, inner)),
            1 => (boxed, vec(inner.clone(), 1..3)).prop_map(|(value, list)| ExpressionKind::In(value, list)),
            2 => (function, vec(inner, 0..3)).prop_map(|(name, arguments)| ExpressionKind::Call(name, arguments)),
            1 => chain.prop_map(|(operator, operands)| {
                let join = |left, right| Expression {
                    kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)),
                    span: at(),
                };
                operands.into_iter().reduce(join).unwrap().kind
            }),
        ]
        .prop_map(|kind| Expression { kind, span: at() })
    })
}

fn sort_key() -> impl Strategy<Value = commands::sort::SortKey> {
    use commands::sort::{SortComparison, SortKey};
    let comparison = prop_oneof![
        Just(SortComparison::Auto),
        Just(SortComparison::Number),
        Just(SortComparison::Text),
        Just(SortComparison::Ip)
    ];
    (any::<bool>(), comparison, name()).prop_map(|(descending, comparison, field)| SortKey {
        descending,
        comparison,
        field,
    })
}

fn stats(subsearch: BoxedStrategy<Subsearch>) -> impl Strategy<Value = CommandKind> {
    use commands::stats::{Aggregate, AggregateArgument, Sparkline, Stats};
    let sparkline =
        (spanned("(dc|max)x?"), name(), option::of(spanned("[0-9]{1,2}[smhd]"))).prop_map(|(function, field, step)| {
            let text = format!("{}({field})", function.node);
            let argument = Some(AggregateArgument::Field(field));
            let aggregate = Aggregate { function, argument, alias: None, text, span: at() };
            AggregateArgument::Sparkline(Box::new(Sparkline { aggregate, step }))
        });
    let argument = option::of(prop_oneof![
        name().prop_map(AggregateArgument::Field),
        expression(subsearch).prop_map(AggregateArgument::Eval),
        sparkline,
    ]);
    let aggregate =
        (spanned("(dc|values|p9|max)x?"), argument, option::of(name())).prop_map(|(mut function, argument, alias)| {
            let text = match &argument {
                Some(AggregateArgument::Sparkline(sparkline)) => {
                    function.node = "sparkline".into();
                    let step = sparkline.step.as_ref().map(|step| format!(", {}", step.node));
                    format!("sparkline({}{})", sparkline.aggregate.text, step.unwrap_or_default())
                }
                None => function.node.clone(),
                Some(AggregateArgument::Field(field)) => format!("{}({field})", function.node),
                Some(AggregateArgument::Eval(expression)) => format!("{}(eval({expression}))", function.node),
            };
            Aggregate { function, argument, alias, text, span: at() }
        });
    let options = (
        option::of(spanned(any::<bool>())),
        option::of(spanned(text())),
        option::of(spanned(0..9u64)),
        option::of(spanned(any::<bool>())),
    );
    (vec(aggregate, 1..4), vec(name(), 0..3), options).prop_map(
        |(aggregates, by, (allnum, delim, partitions, dedup_splitvals))| {
            CommandKind::Stats(Stats { aggregates, by, allnum, delim, partitions, dedup_splitvals })
        },
    )
}

fn eval(subsearch: BoxedStrategy<Subsearch>) -> impl Strategy<Value = CommandKind> {
    use commands::eval::{Assignment, Eval, Target, TargetPart};
    let part = prop_oneof![
        Just(vec![TargetPart::Text("a b".into()), TargetPart::FieldValue("f g".into())]),
        Just(vec![TargetPart::FieldValue("x".into()), TargetPart::Text("-y{}".into())]),
        r#"[a-z"\\|'. -]{0,5}"#.prop_map(|text| vec![TargetPart::Text(text)]),
    ];
    let assignment = (part, expression(subsearch))
        .prop_map(|(parts, value)| Assignment { target: Target { parts, span: at() }, value });
    vec(assignment, 1..3).prop_map(|assignments| CommandKind::Eval(Eval { assignments }))
}

/// The commands for structured text.
fn structured_text() -> impl Strategy<Value = CommandKind> {
    use commands::{extract, fromjson, multikv, spath, tojson, xmlkv, xpath};
    let flag = || option::of(any::<bool>());
    let number = || option::of(1..99u64);
    let wanted = || option::of(prop::sample::select(vec![tojson::JsonType::Auto, tojson::JsonType::Num]));
    let delimiter = || option::of(spanned("[a|;=\"\\\\]{1,3}"));
    prop_oneof![
        (option::of(name()), option::of((option::of(name()), spanned(text())))).prop_map(|(input, path)| {
            let (output, path) = path.map_or((None, None), |(output, path)| (output, Some(path)));
            CommandKind::Spath(spath::Spath { input, output, path })
        }),
        (name(), option::of(text()))
            .prop_map(|(field, prefix)| { CommandKind::Fromjson(fromjson::Fromjson { field, prefix }) }),
        (option::of(name()), number())
            .prop_map(|(field, maxinputs)| { CommandKind::Xmlkv(xmlkv::Xmlkv { field, maxinputs }) }),
        (spanned(text()), option::of(name()), option::of(name()), option::of(text())).prop_map(
            |(expression, outfield, field, default)| {
                CommandKind::Xpath(xpath::Xpath { expression, outfield, field, default })
            }
        ),
        (vec((wanted(), name()), 0..4), wanted(), flag(), flag(), option::of(name())).prop_map(
            |(fields, default_type, fill_null, include_internal, output_field)| {
                let fields = fields.into_iter().map(|(wanted, field)| tojson::TypedField { wanted, field }).collect();
                CommandKind::Tojson(tojson::Tojson { fields, default_type, fill_null, include_internal, output_field })
            }
        ),
        (
            delimiter(),
            delimiter(),
            number(),
            number(),
            flag(),
            flag(),
            option::of(spanned(any::<bool>())),
            vec(name(), 0..2)
        )
            .prop_map(|(pairdelim, kvdelim, limit, maxchars, mv_add, clean_keys, reload, stanzas)| {
                CommandKind::Extract(extract::Extract {
                    pairdelim,
                    kvdelim,
                    limit,
                    maxchars,
                    mv_add,
                    clean_keys,
                    auto: None,
                    reload,
                    segment: None,
                    stanzas,
                })
            }),
        (option::of(spanned(1..9u64)), flag(), flag(), flag(), flag(), vec(name(), 0..3), vec(name(), 0..3)).prop_map(
            |(forceheader, noheader, multitable, copyattrs, rmorig, fields, filter)| {
                CommandKind::Multikv(multikv::Multikv {
                    forceheader,
                    noheader,
                    multitable,
                    copyattrs,
                    rmorig,
                    conf: None,
                    fields,
                    filter,
                })
            }
        ),
    ]
}

fn plain_command() -> impl Strategy<Value = CommandKind> {
    use commands::*;
    let number = || option::of(0..100u64);
    let boolean = || option::of(any::<bool>());
    let item = prop_oneof![
        name().prop_map(return_::ReturnItem::Field),
        name().prop_map(return_::ReturnItem::Value),
        (name(), name()).prop_map(|(alias, field)| return_::ReturnItem::Alias(alias, field)),
    ];
    let data =
        prop_oneof![text().prop_map(makeresults::InlineData::Csv), text().prop_map(makeresults::InlineData::Json)];
    let pieces = vec(spanned(text()), 6).prop_map(|six| Box::new(<[Spanned<String>; 6]>::try_from(six).unwrap()));
    prop_oneof![
        vec(name(), 1..4).prop_map(|fields| CommandKind::Table(table::Table { fields })),
        (any::<bool>(), vec(name(), 1..4))
            .prop_map(|(remove, fields)| CommandKind::Fields(fields::Fields { remove, fields })),
        vec((name(), name()), 1..4).prop_map(|pairs| CommandKind::Rename(rename::Rename { pairs })),
        (number(), vec(sort_key(), 1..4), any::<bool>())
            .prop_map(|(limit, keys, reverse)| CommandKind::Sort(sort::Sort { limit, keys, reverse })),
        (number(), vec(name(), 1..4), boolean(), boolean(), boolean(), vec(sort_key(), 0..3)).prop_map(
            |(count, fields, keepevents, keepempty, consecutive, sortby)| {
                // It keeps one row of each combination at least.
                let count = count.filter(|&count| count > 0);
                CommandKind::Dedup(dedup::Dedup { count, fields, keepevents, keepempty, consecutive, sortby })
            }
        ),
        (option::of(name()), spanned(text()), any::<bool>(), number(), option::of(name())).prop_map(
            |(field, pattern, sed, max_match, offset_field)| {
                CommandKind::Rex(rex::Rex { field, pattern, sed, max_match, offset_field })
            }
        ),
        (number(), boolean(), option::of(spanned(data)), option::of(spanned(text())), option::of(spanned(text())))
            .prop_map(|(count, annotate, data, splunk_server, splunk_server_group)| {
                CommandKind::Makeresults(makeresults::Makeresults {
                    count,
                    annotate,
                    data,
                    splunk_server,
                    splunk_server_group,
                })
            }),
        (option::of(text()), number(), option::of(pieces), option::of(text())).prop_map(
            |(mvsep, maxresults, pieces, emptystr)| {
                CommandKind::Format(format::Format { mvsep, maxresults, pieces, emptystr })
            }
        ),
        (number(), vec(item, 1..4)).prop_map(|(count, items)| CommandKind::Return(return_::Return { count, items })),
    ]
}

/// The commands that change, fill, split and combine fields.
fn field_command() -> impl Strategy<Value = CommandKind> {
    use commands::*;
    let boolean = || option::of(any::<bool>());
    let fields = || vec(name(), 0..3);
    let source = prop_oneof![
        // Three backticks start a comment, also between single quotes.
        name().prop_map(|name| strcat::Source::Field(Name { text: name.text.replace("```", ""), ..name })),
        text().prop_map(strcat::Source::Text),
    ];
    let replacement =
        (spanned(text()), spanned(text())).prop_map(|(value, replacement)| replace::Replacement { value, replacement });
    let function = prop::sample::select(convert::ConvertFunction::ALL.to_vec());
    let conversion = (function, name(), option::of(name())).prop_map(|(function, field, alias)| convert::Conversion {
        function,
        field,
        alias,
        span: at(),
    });
    let range = ("x[a-z -]{0,3}", -50i32..50, 0i32..50).prop_map(|(name, low, length)| rangemap::Range {
        name,
        low: f64::from(low) / 10.0,
        high: f64::from(low + length) / 10.0,
    });
    let splitter = prop_oneof![
        Just((None, None)),
        spanned(text()).prop_map(|delim| (Some(delim), None)),
        spanned(text()).prop_map(|tokenizer| (None, Some(tokenizer))),
    ];
    prop_oneof![
        (option::of(name()), any::<bool>(), spanned(text())).prop_map(|(field, negated, pattern)| {
            let negated = negated && field.is_some();
            CommandKind::Regex(regex::Regex { field, negated, pattern })
        }),
        (vec(replacement, 1..3), fields())
            .prop_map(|(pairs, fields)| CommandKind::Replace(replace::Replace { pairs, fields })),
        (option::of(text()), fields())
            .prop_map(|(value, fields)| CommandKind::Fillnull(fillnull::Fillnull { value, fields })),
        fields().prop_map(|fields| CommandKind::Filldown(filldown::Filldown { fields })),
        (name(), splitter, boolean(), option::of(spanned(any::<bool>()))).prop_map(
            |(field, (delim, tokenizer), allowempty, setsv)| {
                CommandKind::Makemv(makemv::Makemv { field, delim, tokenizer, allowempty, setsv })
            }
        ),
        (name(), option::of(0..9u64))
            .prop_map(|(field, limit)| CommandKind::Mvexpand(mvexpand::Mvexpand { field, limit })),
        (name(), option::of(text()))
            .prop_map(|(field, delim)| CommandKind::Mvcombine(mvcombine::Mvcombine { field, delim })),
        name().prop_map(|field| CommandKind::Nomv(nomv::Nomv { field })),
        (boolean(), vec(source, 1..4), name()).prop_map(|(allrequired, sources, target)| {
            CommandKind::Strcat(strcat::Strcat { allrequired, sources, target })
        }),
        (option::of(spanned(text())), vec(conversion, 1..3)).prop_map(|(timeformat, conversions)| {
            CommandKind::Convert(convert::Convert { timeformat, conversions })
        }),
        (name(), vec(range, 0..3), option::of(text())).prop_map(|(field, ranges, default)| {
            CommandKind::Rangemap(rangemap::Rangemap { field, ranges, default })
        }),
        Just(CommandKind::Uniq(uniq::Uniq)),
    ]
}

fn command(subsearch: BoxedStrategy<Subsearch>) -> impl Strategy<Value = CommandKind> {
    use commands::*;
    let condition = || expression(subsearch.clone());
    prop_oneof![
        4 => field_command(),
        1 => (name(), condition()).prop_map(|(field, value)| {
            CommandKind::Fieldformat(fieldformat::Fieldformat { field, value })
        }),
        3 => option::of(search(subsearch.clone())).prop_map(|expression| CommandKind::Search(search::Search { expression })),
        2 => condition().prop_map(|condition| CommandKind::Where(where_::Where { condition })),
        2 => eval(subsearch.clone()),
        2 => stats(subsearch.clone()),
        1 => (option::of(0..9u64), option::of(condition()), option::of(any::<bool>()), option::of(any::<bool>())).prop_map(
            |(limit, condition, keeplast, null)| CommandKind::Head(head::Head { limit, condition, keeplast, null })),
        4 => plain_command(),
        2 => structured_text(),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let pipeline = |subsearch: BoxedStrategy<Subsearch>| {
        vec(command(subsearch).prop_map(|kind| Command { kind, name_span: at(), span: at() }), 1..4)
            .prop_map(|commands| Query { commands, span: at() })
    };
    let simple = Just(parse("search a=1").unwrap()).prop_map(|query| Subsearch { query, span: at() }).boxed();
    let inner = pipeline(simple).prop_map(|query| Subsearch { query, span: at() }).boxed();
    pipeline(inner)
}

#[test]
fn printed_trees_parse_to_themselves() {
    let run = || {
        let mut runner = TestRunner::new(config());
        runner
            .run(&query(), |tree| {
                let printed = tree.to_string();
                match parse(&printed) {
                    Ok(parsed) => prop_assert_eq!(parsed, tree, "{}", printed),
                    Err(errors) => prop_assert!(false, "{printed}\n{errors:?}"),
                }
                Ok(())
            })
            .unwrap();
    };
    // The generators of nested trees need a lot of stack themselves.
    std::thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap();
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_text_does_not_panic(text in r#"[ab1 |()\[\]"'`\\=<>!,.*$\n\t\x00é-]{0,40}"#) {
        check(&text);
    }

    #[test]
    fn random_words_do_not_panic(words in vec(prop::sample::select(WORDS.to_vec()), 0..20)) {
        check(&words.concat());
    }

    #[test]
    fn any_text_does_not_panic(text in any::<String>()) {
        check(&text);
    }
}

const WORDS: &[&str] = &[
    " ",
    " ",
    " ",
    "|",
    "|",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "`",
    "```",
    "\\",
    "=",
    "!=",
    "<",
    ",",
    "-",
    ".",
    "*",
    "a",
    "b",
    "1",
    "AND",
    "OR",
    "NOT",
    "IN",
    "by",
    "as",
    "search ",
    "eval ",
    "where ",
    "stats ",
    "count",
    "eval(",
    "TERM(",
    "sort ",
    "head ",
    "rex ",
    "field=",
    "dedup ",
    "sortby",
    "rename ",
    "table ",
    "fields ",
    "makeresults ",
    "convert ",
    "replace ",
    "with ",
    "regex ",
    "rangemap ",
    "strcat ",
    "makemv ",
    "fillnull ",
    "format ",
    "return ",
    "x=1",
    "\"q\"",
    "é",
    "{",
    "}",
];

/// Parses; what parses must print to itself, and what does not must say why, inside the text.
fn check(text: &str) {
    match parse(text) {
        Ok(tree) => assert_eq!(parse(&tree.to_string()).as_ref(), Ok(&tree), "{text:?}\n{tree}"),
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{text:?} {error:?}");
                assert!(text.get(error.span.range()).is_some(), "{text:?} {error:?}");
                error.line_column(text);
            }
        }
    }
}
