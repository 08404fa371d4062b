use super::super::testing::known;
use super::*;
use spelunk_engine::vocabulary::KnownField;

use proptest::prelude::*;

/// What is offered at `^`, or at the end.
fn offered(text: &str, language: Language) -> Vec<String> {
    let position = text.find('^').unwrap_or(text.len());
    let text = text.replacen('^', "", 1);
    let (_, offers) = complete(&text, position, language, &known());
    offers.into_iter().map(|offer| offer.written).collect()
}

fn spl(text: &str) -> Vec<String> {
    offered(text, Language::Spl)
}

fn logscale(text: &str) -> Vec<String> {
    offered(text, Language::LogScale)
}

#[test]
fn commands_follow_a_pipe() {
    assert_eq!(spl("| sta"), ["stats "]);
    assert_eq!(spl("x | streams"), ["streamstats "]);
    assert!(spl("x [").contains(&"search ".to_owned()));
    assert_eq!(spl("x | stast"), ["stats "]);
    assert_eq!(spl("x | mkrslts"), ["makeresults "]);
}

#[test]
fn a_search_names_fields_and_words() {
    assert_eq!(spl("Im"), ["Image="]);
    assert_eq!(spl("im"), ["Image="]);
    assert_eq!(spl("x sourcet"), ["sourcetype="]);
    assert_eq!(spl("x | stats count by Us^"), ["User"]);
    assert_eq!(spl("line"), ["CommandLine="]);
}

#[test]
fn values_are_quoted_and_escaped() {
    assert_eq!(
        spl("Image="),
        ["\"C:\\\\Windows\\\\cmd.exe\"", "\"C:\\\\Windows\\\\System32\\\\calc.exe\"", "\"say \\\"hi\\\"\""]
    );
    assert_eq!(spl("Image=\"C:\\\\Windows\\\\c"), ["\"C:\\\\Windows\\\\cmd.exe\""]);
    assert_eq!(spl("Image=\"C:\\\\Windows\\\\c^\""), ["\"C:\\\\Windows\\\\cmd.exe"]);
    assert_eq!(spl("Image=C:\\Windows\\cm"), ["\"C:\\\\Windows\\\\cmd.exe\""]);
    assert_eq!(spl("EventCode="), ["1", "4688"]);
    assert_eq!(spl("EventCode!="), ["1", "4688"]);
    assert_eq!(spl("host IN (dc01, w"), ["\"ws 1\""]);
    assert_eq!(spl("| where User==").get(..2).unwrap(), ["\"LAB\\\\alice\"", "\"bob\""]);
    assert_eq!(spl("| where in(User, \"b"), ["\"bob\""]);
    assert_eq!(spl("| eval a=if(User=\"b"), ["\"bob\""]);
    assert_eq!(logscale("host=w"), ["\"ws 1\""]);
    assert_eq!(logscale("in(host, values=[\"d"), ["\"dc01\""]);
}

#[test]
fn values_that_a_terminal_would_obey_are_left_out() {
    assert_eq!(spl("User="), ["\"LAB\\\\alice\"", "bob"]);
}

#[test]
fn fields_are_those_that_are_alive() {
    assert_eq!(spl("x | stats count AS n by User | sort -n^"), ["n"]);
    assert_eq!(spl("x | stats count by User | table "), ["User", "count"]);
    assert_eq!(spl("x | rename User AS \"the user\" | table the"), ["\"the user\""]);
    assert_eq!(spl("x | rename User AS \"the user\" | eval a=the"), ["'the user'"]);
    assert_eq!(spl("x | eval a=lower(Im"), ["Image"]);
    assert!(spl("x | stats count by User | table Ima").is_empty());
}

#[test]
fn arguments_of_commands() {
    assert_eq!(spl("x | streamstats win"), ["window="]);
    assert_eq!(spl("x | streamstats current="), ["true", "false"]);
    assert_eq!(spl("x | stats perc"), ["perc(", "percentile("]);
    assert_eq!(spl("x | stats dc(Us"), ["User"]);
    assert_eq!(spl("x | stats count b"), ["BY "]);
    assert_eq!(spl("x | eval a=mvind"), ["mvindex("]);
    assert_eq!(spl("x | rex field=Im"), ["Image"]);
    assert_eq!(spl("x | lookup us"), ["users.csv"]);
    assert_eq!(spl("x | lookup users.csv User OUTPUTN"), ["OUTPUTNEW "]);
    assert_eq!(spl("| inputlookup ").first().unwrap(), "users.csv");
    assert_eq!(spl("| tstats count FROM datamodel=End"), ["Endpoint"]);
    assert_eq!(spl("| datamodel Endpoint Pro"), ["Processes"]);
    assert_eq!(spl("| from datamodel:E"), ["datamodel:Endpoint.Processes"]);
    assert_eq!(spl("| savedsearch Dai"), ["\"Daily hunt\""]);
    assert_eq!(spl("earliest=-24"), ["-24h@h"]);
}

#[test]
fn macros_follow_a_backtick() {
    assert_eq!(spl("`sys"), ["sysmon`"]);
    assert_eq!(spl("x | `secu"), ["security_content_ctime("]);
}

#[test]
fn logscale_has_functions_and_parameters() {
    assert_eq!(logscale("a=1 | groupB"), ["groupBy("]);
    assert_eq!(logscale("groupBy([Us"), ["User"]);
    assert_eq!(logscale("groupBy(User, functi"), ["function="]);
    assert!(logscale("groupBy(User, function=cou").contains(&"count(".to_owned()));
    assert_eq!(logscale("sort(User, order=d"), ["desc"]);
    assert_eq!(logscale("match(file=u"), ["users.csv"]);
    assert_eq!(logscale("$kno"), ["$known_good()"]);
    assert_eq!(logscale("case { Imag"), ["Image"]);
}

#[test]
fn dot_commands_and_their_arguments() {
    assert_eq!(spl(".he"), [".help"]);
    assert_eq!(spl(".lang l"), ["logscale"]);
    assert!(spl(".help streamst").contains(&"streamstats".to_owned()));
    // Blanks take more than a byte.
    assert_eq!(spl(".lang\u{a0}l"), ["logscale"]);
    assert_eq!(complete(".\u{2003}", 4, Language::Spl, &known()).0, 4);
}

#[test]
fn nothing_is_offered_in_comments_and_behind_texts() {
    assert!(spl("a ```b").is_empty());
    assert!(spl("a=\"b\"").is_empty());
    assert!(logscale("a // b").is_empty());
}

#[test]
fn coverage_is_shown() {
    let (_, offers) = complete("x | table ", 10, Language::Spl, &known());
    assert_eq!(offers.iter().map(|offer| offer.shown.as_str()).nth(1), Some("Image         98 %"));
}

#[test]
fn many_fields() {
    let fields = (0..5_000).map(|n| KnownField { name: format!("field_{n}"), coverage: Some(0.5), values: vec![] });
    let known = Known::default().with_fields(fields.collect());
    let at_end = |text: &str| complete(text, text.len(), Language::Spl, &known).1.len();
    assert_eq!(at_end("a | eval b=1 | stats count by field_499"), 11);
    assert_eq!(at_end("a | table field_49* | fields - field_499* | table "), 100);
    assert_eq!(at_end("a | table "), 5_000);
}

proptest! {
    #[test]
    fn any_text_will_do(text in any::<String>(), at in 0_usize..40) {
        let position = text.char_indices().nth(at).map_or(text.len(), |(position, _)| position);
        for language in [Language::Spl, Language::LogScale] {
            let (start, _) = complete(&text, position, language, &known());
            prop_assert!(start <= position && text.is_char_boundary(start));
        }
    }

    #[test]
    fn what_looks_like_a_search_will_do(text in "( |\\||=|\"|'|`|\\(|\\[|\\{|\\]|\\)|,|eval|stats|by|as|case|User|lookup|in|:=|\\.|//){0,14}") {
        for language in [Language::Spl, Language::LogScale] {
            let (start, _) = complete(&text, text.len(), language, &known());
            prop_assert!(start <= text.len() && text.is_char_boundary(start));
        }
    }
}
