//! The summary after a search: how much was read and how fast, and what could not be read.

use std::fmt::Write as _;
use std::time::Duration;

use spelunk_engine::ingest::{FileReport, ReadReport};
use spelunk_engine::scans::{Read, Scans};

use crate::escape;

/// How many damaged files, and how many files without events, are named.
const FILES_NAMED: usize = 5;
/// How many places of a damaged file are named.
const PLACES_NAMED: usize = 3;

/// A shorter time is no time.
const SHOWN: Duration = Duration::from_millis(5);

/// What a search cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// How many rows it gave.
    pub rows: u64,
    /// The time from start to end.
    pub elapsed: Duration,
    /// The part of it that reading took.
    pub read: Duration,
    /// The part of it that planning took, with what had to run for it.
    pub plan: Duration,
    /// How much of stores was read, where some were searched.
    pub stores: Option<Read>,
    /// Whether a part of it ran on a cluster, which does not tell what it read.
    pub remote: bool,
    /// The most memory that the process had, in bytes, where it is known.
    pub peak: Option<u64>,
    /// How many warnings about the query were told.
    pub warnings: u64,
}

/// `6 rows · 30 events, 88 KiB in 2 files · 0.12 s (read 0.05, plan 0.01, search 0.06) · 250 events/s · peak 34 MiB`
pub fn summary(cost: &Cost, report: &ReadReport) -> String {
    let mut out = count(cost.rows, "row");
    let seconds = cost.elapsed.as_secs_f64();
    if report.files.is_empty() {
        let _ = write!(out, " · {seconds:.2} s{}", phases(cost));
    } else {
        let events = events(report);
        let _ = write!(out, " · {}", volume(report));
        let passed_over = passed_over(report);
        if passed_over > 0 {
            let _ = write!(out, " · {} passed over", thousands(passed_over));
        }
        if cost.remote {
            out.push_str(" · on the cluster");
        } else if let Some(Read { groups, files: _, all }) = &cost.stores {
            let _ = write!(out, " · read {} of {}", thousands(*groups), count(all.groups, "row group"));
        }
        let _ = write!(out, " · {seconds:.2} s{}", phases(cost));
        // A shell has read its logs before, which says nothing about the speed of reading.
        if cost.read >= SHOWN && seconds > 0.0 && events > 0 {
            let _ = write!(out, " · {} events/s", thousands((events as f64 / seconds) as u64));
        }
    }
    if let Some(peak) = cost.peak {
        let _ = write!(out, " · peak {}", bytes(peak));
    }
    if cost.warnings > 0 {
        let _ = write!(out, " · {}", count(cost.warnings, "warning"));
    }
    out
}

/// ` (read 0.05, plan 0.01, search 0.06)`, without the phases that took no time.
fn phases(cost: &Cost) -> String {
    let search = cost.elapsed.saturating_sub(cost.read).saturating_sub(cost.plan);
    let phases = [("read", cost.read), ("plan", cost.plan), ("search", search)];
    let told = phases.iter().filter(|(_, took)| *took >= SHOWN);
    let told: Vec<String> = told.map(|(name, took)| format!("{name} {:.2}", took.as_secs_f64())).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// `30 events, 88 KiB in 2 files`
pub fn volume(report: &ReadReport) -> String {
    let stored: u64 = report.files.iter().filter(|file| !file.is_no_log()).map(|file| file.bytes).sum();
    let files = report.files.iter().filter(|file| !file.is_no_log()).count() as u64;
    format!("{}, {} in {}", count(events(report), "event"), bytes(stored), count(files, "file"))
}

/// `evtx 2, json 1`: how many files of each format, the most frequent first.
pub fn formats(report: &ReadReport) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for file in report.files.iter().filter(|file| !file.format.is_empty()) {
        match counts.iter_mut().find(|(format, _)| *format == file.format) {
            Some((_, count)) => *count += 1,
            None => counts.push((file.format, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.iter().map(|(format, count)| format!("{format} {count}")).collect::<Vec<_>>().join(", ")
}

/// How many events were read.
pub fn events(report: &ReadReport) -> u64 {
    report.files.iter().map(|file| file.events).sum()
}

/// How many events were passed over, because the search cannot want them.
pub fn passed_over(report: &ReadReport) -> u64 {
    report.files.iter().map(|file| file.passed_over).sum()
}

/// How many places were skipped.
pub fn skipped(report: &ReadReport) -> u64 {
    report.files.iter().map(|file| file.skipped).sum()
}

/// The files with places that were skipped.
pub fn damaged(report: &ReadReport) -> impl Iterator<Item = &FileReport> {
    report.files.iter().filter(|file| file.skipped > 0 || (!file.problems.is_empty() && !file.is_no_log()))
}

/// What the user should know about the input, one warning an element, safe to print.
pub fn warnings(report: &ReadReport) -> Vec<String> {
    let mut out = Vec::new();
    let damaged: Vec<&FileReport> = damaged(report).collect();
    if !damaged.is_empty() {
        out.push(damage(&damaged, skipped(report)));
    }
    let other: Vec<&FileReport> = report.files.iter().filter(|file| file.is_no_log()).collect();
    if let Some(named) = name_files(other.iter()) {
        out.push(format!("{} left out, not a log: {named}", count(other.len() as u64, "file")));
    }
    let is_silent = |file: &&FileReport| {
        // The events of an archive are those of its members.
        let has_members = || report.files.iter().any(|other| other.events > 0 && other.is_member_of(file));
        file.events == 0 && file.skipped == 0 && file.problems.is_empty() && !(file.is_archive() && has_members())
    };
    let silent: Vec<&FileReport> = report.files.iter().filter(is_silent).collect();
    if events(report) == 0 && !report.files.is_empty() {
        out.push(format!("no event could be read from {}", count(report.files.len() as u64, "file")));
    } else if let Some(silent) = name_files(silent.iter().filter(|file| file.bytes > 0)) {
        out.push(format!("no events in {silent}"));
    }
    out
}

/// What the user should know about files of stores that turned out to be damaged when they were opened.
pub fn torn(scans: &Scans) -> Option<String> {
    let (problems, files) = scans.damaged();
    let mut out = format!("{} of a store could not be read", count(files, "file"));
    for problem in problems.iter().take(FILES_NAMED) {
        let _ = write!(out, "\n  {}: {}", escape::line(&problem.place), escape::line(&problem.reason));
    }
    (files > 0).then_some(out)
}

fn damage(files: &[&FileReport], skipped: u64) -> String {
    let mut out = format!("{} could not be read, in {}", count(skipped, "place"), count(files.len() as u64, "file"));
    for file in files.iter().take(FILES_NAMED) {
        let path = escape::line(&file.path);
        for problem in file.problems.iter().take(PLACES_NAMED) {
            let _ = write!(out, "\n  {path}: ");
            if !problem.place.is_empty() {
                let _ = write!(out, "{}: ", escape::line(&problem.place));
            }
            out.push_str(&escape::line(&problem.reason));
        }
        let named = file.problems.len().min(PLACES_NAMED) as u64;
        if file.skipped > named {
            let _ = write!(out, "\n  {path}: {} more", thousands(file.skipped - named));
        }
    }
    if files.len() > FILES_NAMED {
        let _ = write!(out, "\n  and {} more", count((files.len() - FILES_NAMED) as u64, "file"));
    }
    out
}

fn name_files<'a>(files: impl Iterator<Item = &'a &'a FileReport>) -> Option<String> {
    let files: Vec<_> = files.collect();
    let mut out = files.iter().take(FILES_NAMED).map(|file| escape::line(&file.path)).collect::<Vec<_>>().join(", ");
    if files.len() > FILES_NAMED {
        let _ = write!(out, " and {} more", count((files.len() - FILES_NAMED) as u64, "file"));
    }
    (!files.is_empty()).then_some(out)
}

/// The most memory that this process had, where the system tells.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// `1 row`, `1,234 rows`
pub fn count(number: u64, noun: &str) -> String {
    let plural = match number {
        1 => noun.to_owned(),
        _ if noun.ends_with('y') => format!("{}ies", noun.trim_end_matches('y')),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", thousands(number))
}

/// `1,234,567`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `88 KiB`, `1.2 GiB`
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64;
    let mut name = "B";
    for unit in UNITS {
        // 1023.95 KiB would round to 1024.0.
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        name = unit;
    }
    if value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spelunk_engine::ingest::Problem;

    fn file(path: &str, events: u64, skipped: u64) -> FileReport {
        let problems = (0..skipped.min(10))
            .map(|n| Problem { place: format!("line {}", n + 1), reason: "not JSON".into() })
            .collect();
        FileReport { path: path.into(), format: "json", bytes: 45_000, events, passed_over: 0, skipped, problems }
    }

    #[test]
    fn numbers() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(2, "query"), "2 queries");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(90_000), "88 KiB");
        assert_eq!(bytes(1_288_490_188), "1.2 GiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
    }

    #[test]
    fn a_summary() {
        let report = ReadReport { files: vec![file("a", 20, 0), file("b", 10, 0)] };
        let cost = Cost {
            rows: 6,
            elapsed: Duration::from_millis(120),
            read: Duration::from_millis(50),
            plan: Duration::from_millis(10),
            stores: None,
            remote: false,
            peak: Some(34 << 20),
            warnings: 0,
        };
        assert_eq!(
            summary(&cost, &report),
            "6 rows · 30 events, 88 KiB in 2 files · 0.12 s (read 0.05, plan 0.01, search 0.06) · 250 events/s · peak 34 MiB"
        );
        let loaded = Cost { read: Duration::ZERO, plan: Duration::ZERO, peak: None, ..cost };
        assert_eq!(summary(&loaded, &report), "6 rows · 30 events, 88 KiB in 2 files · 0.12 s (search 0.12)");
        let warned = Cost { warnings: 2, ..loaded };
        assert_eq!(
            summary(&warned, &report),
            "6 rows · 30 events, 88 KiB in 2 files · 0.12 s (search 0.12) · 2 warnings"
        );
        let none = Cost { rows: 1, peak: None, ..cost };
        assert_eq!(summary(&none, &ReadReport::default()), "1 row · 0.12 s (read 0.05, plan 0.01, search 0.06)");
    }

    #[test]
    fn damage_is_named() {
        let report = ReadReport { files: vec![file("good", 3, 0), file("b\x1bad", 10, 5)] };
        assert_eq!(
            warnings(&report),
            ["5 places could not be read, in 1 file\n  b␛ad: line 1: not JSON\n  b␛ad: line 2: not JSON\n  \
              b␛ad: line 3: not JSON\n  b␛ad: 2 more"]
        );
        assert_eq!(formats(&report), "json 2");
    }

    #[test]
    fn an_input_without_events_is_named() {
        let report = ReadReport { files: vec![file("good", 3, 0), file("dull", 0, 0)] };
        assert_eq!(warnings(&report), ["no events in dull"]);
        let report = ReadReport { files: vec![file("dull", 0, 0)] };
        assert_eq!(warnings(&report), ["no event could be read from 1 file"]);
        assert!(warnings(&ReadReport::default()).is_empty());
    }

    #[test]
    fn the_peak_is_plausible() {
        if let Some(peak) = peak_memory() {
            assert!(peak > 1 << 20);
        }
    }
}
