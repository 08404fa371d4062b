//! Event logs: what is read without their XML is what their XML says, and damage is named.

use std::borrow::Cow;
use std::io::Cursor;

use flate2::Crc;
use spelunk_datasets::{Event, Generator, GeneratorOptions, kinds, write_evtx};

use super::*;

pub(super) const FILE_HEADER: usize = 4096;
pub(super) const CHUNK: usize = 65_536;

pub(super) fn generated(seed: u64, events: u64) -> Vec<Event> {
    let options = GeneratorOptions { events, ..GeneratorOptions::default() };
    Generator::new(seed, options).map(|generated| generated.event).collect()
}

pub(super) fn log(events: impl IntoIterator<Item = Event>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    write_evtx(&mut file, events).unwrap();
    file.into_inner()
}

/// The events without what names their file or is their text.
fn fields(bytes: &[u8], selection: FieldSelection) -> (Vec<BTreeMap<String, String>>, FileReport) {
    let (store, report) = read_bytes(bytes, &ReadOptions { fields: selection, ..options() });
    let mut events = events(&store);
    for event in &mut events {
        event.remove("_file");
        event.remove("_raw");
    }
    (events, report.files[0].clone())
}

/// What differs if a log is read by way of its XML, which `_raw` needs, and without.
fn difference(bytes: &[u8]) -> Option<String> {
    let (with_xml, xml_report) = fields(bytes, FieldSelection::All);
    let (without, report) = fields(bytes, FieldSelection::AllButRaw);
    let pairs = with_xml.iter().zip(&without);
    if let Some((one, other)) = pairs.clone().find(|(one, other)| one != other) {
        let names = one.keys().chain(other.keys()).filter(|&name| one.get(name) != other.get(name));
        let differing: Vec<_> = names.map(|name| (name, one.get(name), other.get(name))).collect();
        return Some(format!("{differing:?}"));
    }
    let same = with_xml.len() == without.len() && xml_report.problems == report.problems;
    (!same).then(|| format!("{:?} {:?}", xml_report.problems, report.problems))
}

/// Makes the checksums of every chunk right again, as if the chunk had been written like this.
pub(super) fn sign(log: &mut [u8]) {
    let hash = |parts: &[&[u8]]| {
        let mut crc = Crc::new();
        parts.iter().for_each(|part| crc.update(part));
        crc.sum().to_le_bytes()
    };
    for chunk in log[FILE_HEADER..].chunks_exact_mut(CHUNK) {
        let free = u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize;
        if let Some(records) = chunk.get(512..free) {
            let sum = hash(&[records]);
            chunk[52..56].copy_from_slice(&sum);
        }
        let sum = hash(&[&chunk[..120], &chunk[128..512]]);
        chunk[124..128].copy_from_slice(&sum);
    }
}

#[test]
fn a_written_log_gives_what_the_xml_of_its_events_gives() {
    let events = generated(3, 3000);
    let xml: String = events.iter().map(|event| event.to_xml() + "\n").collect();
    let bytes = log(events);
    let (from_xml, _) = fields(xml.as_bytes(), FieldSelection::AllButRaw);
    for selection in [FieldSelection::AllButRaw, FieldSelection::All] {
        let (from_log, report) = fields(&bytes, selection);
        assert_eq!(report.format, "evtx");
        assert_eq!((report.events, report.skipped), (3000, 0), "{:?}", report.problems);
        assert_eq!(from_log, from_xml);
    }
}

#[test]
fn odd_values_are_read_as_their_xml_says() {
    let pieces = [
        "",
        " ",
        "\t",
        "\r\n",
        "\n",
        "\0",
        "\u{1}",
        "\u{1f}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{fffd}",
        "<",
        ">",
        "&",
        "&amp;",
        "\"",
        "'",
        "]]>",
        "ü",
        "日本",
        "😀",
        "0",
        "7",
        "4294967295",
        "4294967296",
        "0x0",
        "0x3e7",
        "true",
        "false",
        "-",
        "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
        "S-1-5-18",
        "C:\\Windows\\",
    ];
    let mut random = fastrand::Rng::with_seed(5);
    let mut events = generated(5, 1500);
    for event in &mut events {
        for (_, value) in &mut event.data {
            if random.u8(..3) == 0 {
                let text: String = (0..random.usize(..4)).map(|_| pieces[random.usize(..pieces.len())]).collect();
                *value = Cow::Owned(text);
            }
        }
        if random.u8(..4) == 0 {
            event.computer = Cow::Owned(pieces[random.usize(..pieces.len())].to_owned());
        }
        event.user_id = match random.u8(..4) {
            0 => None,
            1 => Some(Cow::Owned(pieces[random.usize(..pieces.len())].to_owned())),
            _ => event.user_id.take(),
        };
    }
    assert_eq!(difference(&log(events)), None);
}

#[test]
fn a_log_that_was_changed_and_signed_again_is_read_the_same_both_ways() {
    let original = log(generated(9, 60));
    let mut differing = Vec::new();
    for seed in 0..100_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut changed = original.clone();
        for _ in 0..random.usize(1..8) {
            let at = FILE_HEADER + 512 + random.usize(..CHUNK - 512);
            match random.u8(..3) {
                0 => changed[at] = random.u8(..),
                1 => changed[at] ^= 1 << random.u8(..8),
                // Tokens, types and small counts.
                _ => changed[at] = random.u8(..0x22),
            }
        }
        sign(&mut changed);
        differing.extend(difference(&changed).map(|difference| format!("seed {seed}: {difference}")));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn recorded_logs_are_read_the_same_both_ways() {
    let Some(folder) = telemetry() else { return };
    let mut logs = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "evtx") {
            assert_eq!(difference(&std::fs::read(&path).unwrap()), None, "{}", path.display());
            logs += 1;
        }
    }
    assert!(logs > 0);
}

#[test]
fn damage_is_named_and_counted() {
    let events = generated(1, 400);
    let whole = log(events);
    let problems = |bytes: &[u8]| {
        let (found, report) = fields(bytes, FieldSelection::AllButRaw);
        assert_eq!(found.len() as u64, report.events);
        let problems = report.problems.iter().map(|problem| format!("{}: {}", problem.place, problem.reason));
        (report.events, report.skipped, problems.collect::<Vec<_>>())
    };
    assert_eq!(problems(&whole), (400, 0, Vec::new()));

    let (events, skipped, named) = problems(&whole[..whole.len() - CHUNK - 40_000]);
    assert!(events < 400 && skipped >= 1, "{named:?}");
    assert!(named[0].contains("the file ends after 25536 of 65536 bytes of the chunk"), "{named:?}");

    // One letter of a value: nothing is lost by it, but it is not what was written.
    let mut changed = whole.clone();
    let at = FILE_HEADER + CHUNK - 20_000;
    let letter = (at..).find(|&at| changed[at].is_ascii_lowercase() && changed[at + 1] == 0).unwrap();
    changed[letter] = b'X';
    let (events, skipped, named) = problems(&changed);
    assert_eq!((events, skipped), (400, 1));
    assert_eq!(named, ["chunk 0 at offset 0x1000: its checksums are wrong: it was changed, or not brought up to date"]);

    // A header that does not know the last ten records of its chunk.
    let mut dirty = whole.clone();
    let header = FILE_HEADER..FILE_HEADER + 512;
    let (mut at, mut record) = (FILE_HEADER + 512, 1_u64);
    let last = u64::from_le_bytes(dirty[header.start + 32..header.start + 40].try_into().unwrap());
    while record <= last - 10 {
        at += u32::from_le_bytes(dirty[at + 4..at + 8].try_into().unwrap()) as usize;
        record += 1;
    }
    for offset in [16, 32] {
        dirty[header.start + offset..header.start + offset + 8].copy_from_slice(&(last - 10).to_le_bytes());
    }
    dirty[header.start + 48..header.start + 52].copy_from_slice(&((at - FILE_HEADER) as u32).to_le_bytes());
    sign(&mut dirty);
    let (events, skipped, named) = problems(&dirty);
    assert_eq!((events, skipped), (400, 1));
    assert!(named[0].contains("10 newer records behind its end were read too"), "{named:?}");

    // Events whose template is somewhere else.
    let mut missing = whole.clone();
    let second = FILE_HEADER
        + 512
        + u32::from_le_bytes(whole[FILE_HEADER + 516..FILE_HEADER + 520].try_into().unwrap()) as usize;
    // Behind the record's header, the fragment's, the token, and the first part of the identifier.
    missing[second + 34..second + 38].copy_from_slice(&0xffff_u32.to_le_bytes());
    sign(&mut missing);
    let (events, skipped, named) = problems(&missing);
    assert_eq!((events, skipped), (399, 1), "{named:?}");
    assert!(named[0].starts_with("record 2"), "{named:?}");
}

#[test]
fn an_event_that_no_chunk_can_hold_is_refused() {
    let mut event = generated(1, 1).remove(0);
    event.kind = &kinds::SCRIPT_BLOCK;
    event.data = vec![("ScriptBlockText", Cow::Owned("x".repeat(40_000)))];
    let error = write_evtx(Cursor::new(Vec::new()), [event]).unwrap_err();
    assert!(error.to_string().contains("larger than a chunk"), "{error}");
}
