//! A file that is read range by range gives what it gives as one stream.

use std::io::Write;

use super::*;

/// What a file gives, and what it gives compressed, which is one stream.
fn both(bytes: &[u8], extension: &str) -> [(Vec<BTreeMap<String, String>>, FileReport); 2] {
    let folder = tempfile::tempdir().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    let packed = packed.finish().unwrap();
    [(bytes, extension.to_owned()), (packed.as_slice(), format!("{extension}.gz"))].map(|(bytes, extension)| {
        let path = folder.path().join(format!("log.{extension}"));
        std::fs::write(&path, bytes).unwrap();
        let only = ["n", "_raw", "host"].map(str::to_owned).to_vec();
        let (store, report) = read_path(&path, &ReadOptions { fields: FieldSelection::Only(only), ..options() });
        (events(&store), report.files[0].clone())
    })
}

fn check(bytes: &[u8], extension: &str) -> FileReport {
    let [(ranged, report), (streamed, other)] = both(bytes, extension);
    assert_eq!(ranged.len(), streamed.len());
    assert!(ranged == streamed);
    assert_eq!((report.events, report.skipped), (other.events, other.skipped));
    // What is wrong with the bytes of a block comes before what is wrong with its lines.
    let sorted = |report: &FileReport| {
        let mut problems: Vec<_> = report.problems.iter().map(|problem| (&problem.place, &problem.reason)).collect();
        problems.sort();
        format!("{problems:?}")
    };
    assert_eq!(sorted(&report), sorted(&other));
    report
}

/// So many lines that there are several ranges.
fn lines() -> Vec<String> {
    (0..90_000)
        .map(|number| format!("{{\"n\":{number},\"text\":\"{}\",\"host\":\"ws{}\"}}", "x".repeat(50), number % 7))
        .collect()
}

#[test]
fn json_lines_are_the_same_with_their_damage() {
    let mut lines = lines();
    for at in [5, 40_000, 89_000] {
        lines[at] = format!("{{\"n\":{at},\"text\":\"broken");
    }
    let mut bytes = lines.join("\n").into_bytes();
    let report = check(&bytes, "jsonl");
    let places: Vec<&str> = report.problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["line 6", "line 40001", "line 89001"]);
    // A mark of UTF-8, bytes that are no text, lines that end in both characters.
    let middle = bytes.len() / 2;
    let middle = middle + bytes[middle..].iter().position(|&byte| byte == b'x').unwrap();
    bytes[middle] = 0xff;
    check(&[b"\xef\xbb\xbf", bytes.as_slice(), b"\n\r\n\n"].concat(), "jsonl");
    check(&lines.join("\r\n").into_bytes(), "jsonl");
}

#[test]
fn lines_of_text_are_the_same() {
    let lines: Vec<String> = (0..90_000)
        .map(|number| {
            format!("May 24 10:0{}:11 host{} sshd[7]: n={number} accepted {}", number % 10, number % 5, "y".repeat(20))
        })
        .collect();
    check(&lines.join("\n").into_bytes(), "log");
}

#[test]
fn a_line_of_many_ranges_is_read_too() {
    let mut lines = lines();
    lines[50_000] = format!("{{\"n\":-1,\"text\":\"{}\"}}", "long ".repeat(1 << 20));
    lines[80_000] = "{\"n\":".to_owned();
    let report = check(&lines.join("\n").into_bytes(), "jsonl");
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].place, "line 80001");
}
