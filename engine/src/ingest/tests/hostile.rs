//! Damaged and hostile files: counted, named, never fatal.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// One of the smaller recordings.
fn sample() -> Option<Vec<u8>> {
    let path = telemetry()?.join("evtx/sbousseaden/Lateral Movement/LM_impacket_docmexec_mmc_sysmon_01.evtx");
    Some(std::fs::read(path).unwrap())
}

#[test]
fn an_event_log_cut_anywhere_gives_what_is_left() {
    let Some(sample) = sample() else { return };
    let mut most = 0;
    for length in (0..sample.len()).step_by(1000) {
        let (store, report) = read_bytes(&sample[..length], &options());
        let file = &report.files[0];
        assert_eq!(events(&store).len() as u64, file.events);
        assert!(file.events >= most, "fewer events from more bytes");
        most = file.events;
        if length > 4096 && length % 65_536 != 4096 {
            assert!(file.skipped > 0, "nothing said at {length}: {file:?}");
        }
    }
    assert!(most > 0);
}

#[test]
fn damage_in_an_event_log_loses_only_what_it_hits() {
    let Some(sample) = sample() else { return };
    let whole = read_bytes(&sample, &options()).1.files[0].events;
    for seed in 0..40_u64 {
        let mut damaged = sample.clone();
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20 {
            let at = random.usize(8..damaged.len());
            damaged[at] = random.u8(..);
        }
        let (store, report) = read_bytes(&damaged, &options());
        assert_eq!(events(&store).len() as u64, report.files[0].events);
        assert!(report.files[0].events <= whole);
    }
    // The file's header does not matter.
    let mut damaged = sample.clone();
    damaged[8..4096].fill(0xff);
    assert_eq!(read_bytes(&damaged, &options()).1.files[0].events, whole);
}

#[test]
fn random_bytes_are_no_log() {
    for seed in 0..50_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes: Vec<u8> = (0..random.usize(1..100_000)).map(|_| random.u8(..)).collect();
        let magics: [&[u8]; 8] = [
            b"",
            b"ElfFile\0",
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
            b"\x28\xb5\x2f\xfd",
            b"<Event>",
            b"{\"",
            b"[{",
            b"\xff\xfe",
        ];
        let magic = magics[random.usize(..magics.len())];
        bytes.splice(0..0, magic.iter().copied());
        let (_, report) = read_bytes(&bytes, &options());
        assert_eq!(report.files.len(), 1);
    }
}

#[test]
fn mutated_text_never_stops_the_reader() {
    let samples = [
        "<Event><System><EventID>1</EventID><Channel>a</Channel></System><EventData><Data Name='x'>y</Data></EventData></Event>\n",
        "{\"EventID\":1,\"Channel\":\"a\",\"EventData\":{\"x\":[1,{\"y\":2}]}}\n",
        "[{\"a\":\"b\"},{\"a\":[[],{}]}]\n",
        "time,a,b\n2024-05-24 10:00:00,\"x\"\"y\",z\n",
        "May 24 10:01:00 host app: [10/Oct/2000:13:55:36 -0700] 05/24/2024 10:01:00 AM\n",
    ];
    for seed in 0..400_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = samples[random.usize(..samples.len())].repeat(5).into_bytes();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\"<>{}[]&\n\\,\xc3"[random.usize(..12)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let (store, report) = read_bytes(&bytes, &options());
        assert_eq!(events(&store).len() as u64, report.files[0].events);
    }
}

#[test]
fn a_truncated_gzip_gives_what_it_holds() {
    use std::io::Write;
    let lines: String = (0..100_000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    let bytes = gzip.finish().unwrap();
    let (_, report) = read_bytes(&bytes[..bytes.len() / 2], &options());
    let file = &report.files[0];
    assert!(file.events > 10_000 && file.events < 100_000);
    assert!(file.problems.iter().any(|problem| problem.place.starts_with("byte ")), "{file:?}");
}

#[test]
fn bad_utf8_is_replaced() {
    let (store, report) = read_bytes(b"{\"a\":\"\xff\xfe\"}\n{\"a\":\"ok\"}\n", &options());
    let events = events(&store);
    assert_eq!(events[0]["a"], "\u{fffd}\u{fffd}");
    assert_eq!(events[1]["a"], "ok");
    assert_eq!(report.files[0].problems[0].place, "line 1");
}

#[test]
fn utf16_is_read() {
    let utf16 = |text: &str| [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    let (store, report) = read_bytes(&utf16("{\"a\":\"ü😀\"}\r\n{\"a\":\"b\"}\r\n"), &options());
    assert_eq!(report.files[0].format, "json");
    assert_eq!(events(&store)[0]["a"], "ü😀");
}

#[test]
fn a_long_line_is_read_whole() {
    let long = "x".repeat(50 << 20);
    for text in [format!("{{\"a\":\"{long}\"}}\n{{\"a\":\"b\"}}\n"), format!("[{{\"a\":\"{long}\"}},{{\"a\":\"b\"}}]")]
    {
        let (store, report) = read_bytes(text.as_bytes(), &options());
        assert_eq!((report.files[0].events, report.files[0].skipped), (2, 0));
        assert_eq!(events(&store)[0]["a"].len(), 50 << 20);
    }
}

#[test]
fn deep_nesting_is_kept_as_text() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let lists = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let (events, report) = read_text(&format!("{deep}\n{lists}\n"));
    assert_eq!((events.len(), report.skipped), (2, 0));
    let half = "{\"a\":".repeat(100_000);
    let (events, report) = read_text(&format!("{half}\n{{\"a\":1}}\n"));
    assert_eq!((events.len(), report.skipped), (1, 1));
    let xml = format!("<Event><System>{}", "<a>".repeat(100_000));
    assert_eq!(read_text(&xml).1.events, 0);
}

#[test]
fn identifiers_as_keys_do_not_take_all_memory() {
    let text: String = (0..100_000).map(|n| format!("{{\"id{n}\":{n}}}\n")).collect();
    let (store, report) = read_bytes(text.as_bytes(), &options());
    assert_eq!(report.files[0].events, 100_000);
    assert!(report.files[0].skipped > 0);
    assert!(store.schema.fields().len() < 20_000);
}

#[test]
fn entities_are_refused() {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [\n<!ENTITY lol \"lol\">\n");
    for n in 1..10 {
        text.push_str(&format!("<!ENTITY lol{n} \"{}\">\n", "&lol;".repeat(10)));
    }
    text.push_str("]>\n<Events><Event><System><EventID>1</EventID><Channel>c</Channel></System>");
    text.push_str("<EventData><Data Name='a'>&lol9;</Data></EventData></Event></Events>");
    let (events, report) = read_text(&text);
    assert_eq!(events.len(), 0);
    assert!(report.problems.iter().any(|problem| problem.reason.contains("lol9")), "{report:?}");
    assert!(report.problems.iter().any(|problem| problem.reason.contains("type definition")), "{report:?}");
}

#[test]
fn a_file_of_beginnings_takes_no_longer_than_its_length() {
    let text = "<Event a='".repeat(200_000);
    assert_eq!(read_text(&text).1.events, 0);
    let text = "<Event><System>".repeat(100_000);
    assert_eq!(read_text(&text).1.events, 0);
    let text = "<Event/><!--<?<!DOCTYPE [>".repeat(100_000);
    assert_eq!(read_text(&text).1.events, 0);
    let text = "{\n\"a\":\n".repeat(100_000);
    assert_eq!(read_text(&text).1.events, 0);
}

#[test]
fn strict_stops_at_the_first_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, "{\"a\":1}\n{\"a\":\n{\"a\":2}\n").unwrap();
    let error = read(&[input(&path)], &ReadOptions { strict: true, ..options() }).unwrap_err();
    let Error::Input { path: named, reason } = error else { unreachable!("an input error") };
    assert_eq!(named, path);
    assert!(reason.starts_with("line 2: "), "{reason}");
}

#[test]
fn what_was_read_is_kept_when_reading_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.json", "b.json"] {
        std::fs::write(folder.path().join(name), "{\"a\":1}\n".repeat(100)).unwrap();
    }
    let options = options();
    options.watch.end();
    let (_, report) = read_path(folder.path(), &options);
    assert_eq!(report.files, [], "nothing is opened any more, and that is no error");
    assert!(options.watch.settle());
    assert_eq!(read_path(folder.path(), &options).1.files.len(), 2);
    assert_eq!(options.watch.progress().events, 200);
    assert_eq!((options.watch.progress().files, options.watch.progress().bytes), (2, 1600));
}

#[test]
fn what_is_not_there_is_an_error_and_cancelling_stops() {
    let missing = input(Path::new("/nowhere/at/all"));
    assert!(matches!(read(&[missing], &options()), Err(Error::Input { .. })));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_path(folder.path(), &options()).1.files, []);
    let options = ReadOptions { cancelled: Arc::new(AtomicBool::new(false)), ..options() };
    options.cancelled.store(true, Ordering::Relaxed);
    assert!(matches!(read(&[input(folder.path())], &options), Err(Error::Interrupted)));
}
