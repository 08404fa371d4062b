//! The detections are what their authors published, to the byte.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use spelunk_datasets::{DCOM_CQL, DCOM_SPL, DETECTIONS, Language};

#[test]
fn detections_equal_the_published_text() {
    assert_eq!(DCOM_SPL, include_str!("published/dcom.spl.txt"));
    assert_eq!(DCOM_CQL, include_str!("published/dcom.cql.txt"));
}

#[test]
fn detections_stand_in_the_published_documents() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/seeds");
    if !seeds.exists() {
        // Past the capture of test output, so that it shows.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is absent\n");
        return;
    }
    let read = |name: &str| std::fs::read_to_string(seeds.join(name)).unwrap();
    assert_eq!(read("dcom.spl"), DCOM_SPL);
    assert_eq!(read("dcom.cql"), DCOM_CQL);
    assert!(read("splunk-detection.txt").contains(DCOM_SPL.trim_end()));
    assert!(read("logscale-detection.txt").contains(DCOM_CQL.trim_end()));
}

#[test]
fn each_language_has_its_dcom_detection() {
    for (language, query) in [(Language::Spl, DCOM_SPL), (Language::LogScale, DCOM_CQL)] {
        let found = DETECTIONS.iter().find(|d| d.name == "dcom" && d.language == language).unwrap();
        assert_eq!((found.technique, found.query), ("T1021.003", query));
    }
}
