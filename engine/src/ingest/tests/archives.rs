//! Archives and what is compressed, whole and damaged.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const LINES: &[u8] = b"{\"n\":1}\n{\"n\":2}\n";

fn zipped(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// What of each file was read: the end of its path after the archive's, its events and what was skipped.
fn seen(report: &ReadReport) -> Vec<(String, &'static str, u64, u64)> {
    let archive = &report.files[0].path;
    let shown = |file: &FileReport| file.path.strip_prefix(archive.as_str()).unwrap().to_owned();
    report.files.iter().map(|file| (shown(file), file.format, file.events, file.skipped)).collect()
}

fn row(path: &str, format: &'static str, events: u64, skipped: u64) -> (String, &'static str, u64, u64) {
    (path.to_owned(), format, events, skipped)
}

#[test]
fn members_are_files_whatever_holds_them() {
    let inner = zipped(&[("deep.json", LINES)], CompressionMethod::Deflated);
    let members: [(&str, &[u8]); 4] =
        [("a/1.json", LINES), ("../up.json.gz", &gzipped(LINES)), ("picture", &[1, 2, 3, 0, 0]), ("in.zip", &inner)];
    let zip = zipped(&members, CompressionMethod::Deflated);
    // The library does not write names that lead out of a folder.
    let tar = tarred(&[members[0], ("up.json.gz", members[1].1), members[2], members[3]]);
    for (bytes, format, up) in [
        (zip, "zip", "!../up.json.gz"),
        (zipped(&members, CompressionMethod::Stored), "zip", "!../up.json.gz"),
        (zipped(&members, CompressionMethod::Bzip2), "zip", "!../up.json.gz"),
        (tar.clone(), "tar", "!up.json.gz"),
        (gzipped(&tar), "tar", "!up.json.gz"),
    ] {
        let (store, report) = read_bytes(&bytes, &options());
        let expected = [
            row("", format, 0, 0),
            row("!a/1.json", "json", 2, 0),
            row(up, "json", 2, 0),
            row("!picture", "", 0, 0),
            row("!in.zip", "zip", 0, 0),
            row("!in.zip!deep.json", "json", 2, 0),
        ];
        assert_eq!(seen(&report), expected);
        let events = events(&store);
        assert_eq!(events.iter().map(|event| event["n"].as_str()).collect::<Vec<_>>(), ["1", "2", "1", "2", "1", "2"]);
        assert!(events[4]["source"].ends_with("!in.zip!deep.json"));
        assert_eq!(events[4]["_file"], events[4]["source"]);
    }
}

#[test]
fn bzip2_and_xz_are_read_through() {
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(LINES).unwrap();
    let (store, _) = read_bytes(&bzip2.finish().unwrap(), &options());
    assert_eq!(events(&store).len(), 2);
    // `{"n":1}` and a line end, as the tool `xz` writes it.
    let digits = XZ.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let xz: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let (store, report) = read_bytes(&xz, &options());
    assert_eq!((events(&store)[0]["n"].as_str(), report.files[0].skipped), ("1", 0));
    let (_, report) = read_bytes(&xz[..20], &options());
    assert_eq!(report.files[0].skipped, 1);
}

const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a30100077b226e223a317d0a0053636f7c4e753e1a00012008bb19d9bb1fb6f37d010000000004595a";

#[test]
fn a_zip_that_is_cut_off_gives_what_stands_before() {
    let zip = zipped(&[("1.json", LINES), ("2.json", LINES)], CompressionMethod::Stored);
    let (store, report) = read_bytes(&zip[..zip.len() / 3], &options());
    assert_eq!(events(&store).len(), 2, "{report:?}");
    let problem = &report.files[0].problems[0];
    assert!(problem.reason.contains("directory at the end of the zip"), "{problem:?}");
    // Anywhere else it is damaged, whatever is damaged is counted.
    for at in (0..zip.len()).step_by(7) {
        let mut damaged = zip.clone();
        damaged[at] ^= 0xff;
        let (_, report) = read_bytes(&damaged, &options());
        let lost = report.files.iter().any(|file| file.skipped > 0);
        assert!(lost || report.files.iter().map(|file| file.events).sum::<u64>() >= 2, "byte {at}: {report:?}");
    }
}

#[test]
fn a_tar_that_is_cut_off_is_named() {
    let tar = tarred(&[("1.json", LINES), ("2.json", LINES)]);
    let (store, report) = read_bytes(&tar[..1024 + 700], &options());
    assert!(events(&store).len() >= 2);
    assert!(report.files.iter().any(|file| file.skipped > 0), "{report:?}");
}

#[test]
fn archives_are_opened_four_deep_and_no_deeper() {
    let mut bytes = LINES.to_vec();
    for depth in 0..6 {
        let name = if depth == 0 { "log.json" } else { "in.zip" };
        bytes = zipped(&[(name, &bytes)], CompressionMethod::Stored);
    }
    let (store, report) = read_bytes(&bytes, &options());
    assert_eq!(events(&store).len(), 0);
    let last = report.files.last().unwrap();
    assert_eq!(last.problems[0].reason, "archives lie more than 4 deep in each other");
    assert_eq!(last.skipped, 1);
}

#[test]
fn many_members_are_all_read() {
    let names: Vec<String> = (0..2000).map(|number| format!("{number}.json")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), LINES)).collect();
    let (store, report) = read_bytes(&zipped(&members, CompressionMethod::Stored), &options());
    assert_eq!((events(&store).len(), report.files.len()), (4000, 2001));
}

#[test]
fn what_becomes_too_much_is_taken_for_a_bomb() {
    use super::super::decode::Budget;
    let mut budget = Budget::of(10);
    assert!(budget.spend(1 << 30).is_ok());
    let error = budget.spend(1).unwrap_err();
    assert!(error.to_string().contains("decompression bomb"), "{error}");
    assert!(Budget::of(1 << 30).spend(100 << 30).is_ok());
    assert!(Budget::unbounded().spend(u64::MAX).is_ok());
}

#[test]
fn a_member_that_is_encrypted_is_named() {
    let mut zip = zipped(&[("secret.json", LINES), ("open.json", LINES)], CompressionMethod::Stored);
    // The flag in the member's own head and in the directory.
    zip[6] |= 1;
    let directory = memchr::memmem::find(&zip, b"PK\x01\x02").unwrap();
    zip[directory + 8] |= 1;
    let (store, report) = read_bytes(&zip, &options());
    assert_eq!(events(&store).len(), 2);
    assert_eq!(seen(&report)[1], row("!secret.json", "", 0, 1));
    assert!(report.files[1].problems[0].reason.contains("Password"), "{:?}", report.files[1]);
}

#[test]
fn names_of_members_cannot_write_to_the_terminal() {
    let (_, report) = read_bytes(&zipped(&[("a\u{1b}[2Jb.json", LINES)], CompressionMethod::Stored), &options());
    assert!(report.files[1].path.ends_with("!a\u{fffd}[2Jb.json"));
}
