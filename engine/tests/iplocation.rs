//! `iplocation` with a database: a tiny MaxMind file that knows the lower half of the IPv4 addresses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use futures::TryStreamExt;
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Error, Session, SessionOptions};

fn text(value: &str) -> Vec<u8> {
    [&[0b010_00000 | value.len() as u8], value.as_bytes()].concat()
}

fn double(value: f64) -> Vec<u8> {
    [&[0b011_01000][..], &value.to_be_bytes()].concat()
}

fn small(value: u8) -> Vec<u8> {
    vec![0b101_00001, value]
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0b111_00000 | entries.len() as u8];
    for (key, value) in entries {
        bytes.extend(text(key));
        bytes.extend(value);
    }
    bytes
}

fn list(values: &[Vec<u8>]) -> Vec<u8> {
    [&[values.len() as u8, 4][..], &values.concat()].concat()
}

fn names(english: &str, german: &str) -> Vec<u8> {
    map(&[("names", map(&[("en", text(english)), ("de", text(german))]))])
}

fn database() -> Vec<u8> {
    // One node: addresses that begin with 0 lead to the data, the others nowhere.
    let mut bytes = vec![0, 0, 17, 0, 0, 1];
    bytes.extend([0; 16]);
    bytes.extend(map(&[
        ("city", names("Munich", "M\u{fc}nchen")),
        ("country", map(&[("names", map(&[("en", text("Germany"))]))])),
        ("subdivisions", list(&[names("Bavaria", "Bayern")])),
        (
            "location",
            map(&[("latitude", double(48.137)), ("longitude", double(11.5)), ("time_zone", text("Europe/Berlin"))]),
        ),
    ]));
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    bytes.extend(map(&[
        ("binary_format_major_version", small(2)),
        ("binary_format_minor_version", small(0)),
        ("build_epoch", vec![1, 2, 1]),
        ("database_type", text("Test")),
        ("description", map(&[])),
        ("ip_version", small(4)),
        ("languages", list(&[text("en")])),
        ("node_count", vec![0b110_00001, 1]),
        ("record_size", small(24)),
    ]));
    bytes
}

fn first_row(query: &str, geoip: &Path) -> Result<Vec<String>, Error> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = SessionOptions { geoip: Some(geoip.to_path_buf()), ..SessionOptions::default() };
        let search = Session::new(options, Vec::new())?.search(query).await?;
        let batches: Vec<_> = search.stream.try_collect().await?;
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
        let cells = batch.columns().iter().map(|column| match cell(column, 0, &jiff::tz::TimeZone::UTC) {
            Cell::Null => "null".to_string(),
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
            Cell::Many(values) => values.join(" "),
        });
        Ok(cells.collect())
    })
}

#[test]
fn addresses_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.mmdb");
    std::fs::write(&file, database()).unwrap();
    let row = |query: &str| first_row(query, &file).unwrap();
    let known = "| makeresults | eval ip=\"8.8.8.8\" | iplocation ip | table City Country Region lat lon";
    assert_eq!(row(known), ["Munich", "Germany", "Bavaria", "48.137", "11.5"]);
    let german = "| makeresults | eval ip=\"8.8.8.8\" | iplocation lang=de allfields=t prefix=p_ ip \
                  | table p_City p_Country p_Timezone p_MetroCode";
    assert_eq!(row(german), ["M\u{fc}nchen", "Germany", "Europe/Berlin", "null"]);
    let unknown = "| makeresults | eval ip=\"200.1.1.1\", City=\"old\" | iplocation ip | table City Country";
    assert_eq!(row(unknown), ["old", "null"]);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.mmdb");
    std::fs::write(&file, "nothing").unwrap();
    let error = first_row("| makeresults | eval ip=\"8.8.8.8\" | iplocation ip", &file).unwrap_err();
    assert!(error.to_string().contains("as a database"), "{error}");
}
