//! What tests know.

use spelunk_engine::vocabulary::KnownField;

use super::names::Known;

/// Fields, and some of everything else.
pub fn known() -> Known {
    let field = |name: &str, coverage: f64, values: &[&str]| KnownField {
        name: name.to_owned(),
        coverage: Some(coverage),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let fields = vec![
        field("EventCode", 1.0, &["1", "4688"]),
        field("Image", 0.98, &["C:\\Windows\\cmd.exe", "C:\\Windows\\System32\\calc.exe", "say \"hi\""]),
        field("User", 0.5, &["LAB\\alice", "bob", "a\x1bb"]),
        field("CommandLine", 0.4, &[]),
        field("host", 0.3, &["dc01", "ws 1"]),
        field("_raw", 0.1, &[]),
    ];
    Known {
        macros: vec![("security_content_ctime".into(), vec!["field".into()]), ("sysmon".into(), vec![])],
        lookups: vec!["users.csv".into()],
        models: vec![("Endpoint".into(), vec![("Processes".into(), vec!["process_name".into()])])],
        saved_searches: vec!["Daily hunt".into()],
        saved_queries: vec!["known_good".into()],
        made: ["process_path".to_owned()].into(),
        ..Known::default()
    }
    .with_fields(fields)
}
