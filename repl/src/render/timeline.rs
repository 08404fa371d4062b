//! When events happened: a histogram over time, in a few lines or as a picture for a page.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_engine::values;

use super::{fit, html};
use crate::report;

/// How many lines the bars take.
const HEIGHT: usize = 3;
/// The bars, by eighths of a line.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same where only ASCII is shown.
const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '#', '#'];
/// A narrower terminal has no room for a histogram.
pub const LEAST: usize = 60;
/// The most buckets, however wide the terminal is.
pub const MOST: usize = 160;
/// How high the picture is, in units of its own.
const UNITS: f64 = 100.0;

/// The lengths of time that a bar may stand for, in microseconds, with their names.
const SPANS: [(i64, &str); 20] = [
    (1_000, "1 ms"),
    (10_000, "10 ms"),
    (100_000, "100 ms"),
    (1_000_000, "1 s"),
    (5_000_000, "5 s"),
    (15_000_000, "15 s"),
    (60_000_000, "1 min"),
    (300_000_000, "5 min"),
    (900_000_000, "15 min"),
    (1_800_000_000, "30 min"),
    (3_600_000_000, "1 h"),
    (10_800_000_000, "3 h"),
    (21_600_000_000, "6 h"),
    (43_200_000_000, "12 h"),
    (86_400_000_000, "1 day"),
    (604_800_000_000, "7 days"),
    (2_592_000_000_000, "30 days"),
    (7_776_000_000_000, "90 days"),
    (31_536_000_000_000, "365 days"),
    (315_360_000_000_000, "3,650 days"),
];

/// How many events there were in each span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    start: i64,
    span: i64,
    name: &'static str,
    counts: Vec<u64>,
}

impl Timeline {
    /// Of events at these times (microseconds), in at most so many buckets. `None` where there is nothing to see: fewer
    /// than two different times.
    pub fn of(times: &[i64], most: usize, zone: &TimeZone) -> Option<Self> {
        let (first, last) = (*times.iter().min()?, *times.iter().max()?);
        if first == last || most == 0 {
            return None;
        }
        // Days begin at midnight where the user is.
        let offset = Timestamp::from_microsecond(first).map_or(0, |first| zone.to_offset(first).seconds());
        let shift = i64::from(offset).saturating_mul(1_000_000);
        let bucket = |time: i64, span: i64| time.saturating_add(shift).div_euclid(span);
        let needed = |span: i64| bucket(last, span).saturating_sub(bucket(first, span)).saturating_add(1);
        let (span, name) = *SPANS.iter().find(|(span, _)| needed(*span) <= most as i64)?;
        let begin = bucket(first, span);
        let mut counts = vec![0_u64; usize::try_from(needed(span)).ok()?];
        for time in times {
            let place = usize::try_from(bucket(*time, span).saturating_sub(begin)).ok()?;
            if let Some(count) = counts.get_mut(place) {
                *count = count.saturating_add(1);
            }
        }
        Some(Self { start: begin.saturating_mul(span).saturating_sub(shift), span, name, counts })
    }

    fn most(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or(1).max(1)
    }

    /// When a bucket begins, for people.
    fn time(&self, place: usize, zone: &TimeZone) -> String {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let time = values::format_time(self.start.saturating_add(self.span.saturating_mul(place)), zone);
        time.get(..19).map_or(time.clone(), |short| short.replace('T', " "))
    }

    /// What stands below: from when to when, how many events, and what a bar is.
    fn caption(&self, zone: &TimeZone, mark: &str) -> String {
        let events = report::count(self.counts.iter().sum(), "event");
        let (from, to) = (self.time(0, zone), self.time(self.counts.len(), zone));
        format!("{from} to {to}{mark} {events}{mark} 1 bar = {}", self.name)
    }

    /// The histogram as a part of a page: a bar tells its time and count under the pointer.
    pub fn picture(&self, zone: &TimeZone) -> String {
        let most = self.most() as f64;
        let mut out = format!(
            "<figure class=\"timeline\"><svg viewBox=\"0 0 {} {UNITS}\" preserveAspectRatio=\"none\">\n",
            self.counts.len()
        );
        for (place, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // One event is seen, however many there are elsewhere.
            let height = (*count as f64 / most * UNITS).max(2.0);
            let told = format!("{}: {}", self.time(place, zone), report::count(*count, "event"));
            let _ = writeln!(
                out,
                "<rect x=\"{place}\" y=\"{:.1}\" width=\"0.9\" height=\"{height:.1}\"><title>{}</title></rect>",
                UNITS - height,
                html::text(&told)
            );
        }
        let _ = writeln!(out, "</svg><figcaption>{}</figcaption></figure>", html::text(&self.caption(zone, " ·")));
        out
    }
}

/// Draws the histogram of these times. Empty where there is nothing to see, or no room.
pub fn draw(times: &[i64], width: usize, ascii: bool, zone: &TimeZone) -> String {
    // The axis takes as many cells as the largest count, which no number of events outgrows.
    let label = report::thousands(times.len() as u64).len();
    let room = width.saturating_sub(label.saturating_add(3));
    if width < LEAST {
        return String::new();
    }
    let Some(timeline) = Timeline::of(times, room.min(MOST), zone) else { return String::new() };
    let (bars, axis, corner, dash) = if ascii { (ASCII, '|', '+', '-') } else { (BARS, '│', '└', '─') };
    let most = timeline.most();
    let mut out = String::new();
    for line in (0..HEIGHT).rev() {
        let count = if line + 1 == HEIGHT { report::thousands(most) } else { String::new() };
        let _ = write!(out, "{count:>label$} {axis}");
        let mut drawn = String::new();
        for count in &timeline.counts {
            // One event is seen, however many there are elsewhere.
            let eighths = (*count as f64 / most as f64 * (HEIGHT * 8) as f64).ceil() as usize;
            let eighth = eighths.saturating_sub(line * 8).min(8);
            drawn.push(bars.get(eighth).copied().unwrap_or(' '));
        }
        let _ = writeln!(out, "{}", drawn.trim_end());
    }
    let _ = writeln!(out, "{:label$} {corner}{}", "", dash.to_string().repeat(timeline.counts.len()));
    let text = timeline.caption(zone, if ascii { "," } else { " ·" });
    let _ = writeln!(out, "{:label$}  {}", "", fit::cut_end(&text, width.saturating_sub(label.saturating_add(2))));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn bursts_and_gaps() {
        let times: Vec<i64> = (0..200).map(|n| 1_557_600_000_000_000 + n * n * HOUR / 300).collect();
        for width in [60, 80, 200] {
            insta::assert_snapshot!(format!("timeline_{width}"), draw(&times, width, false, &TimeZone::UTC));
        }
        insta::assert_snapshot!("timeline_ascii", draw(&times, 80, true, &TimeZone::UTC));
        assert_eq!(draw(&times, 40, false, &TimeZone::UTC), "");
        assert_eq!(draw(&[5, 5], 80, false, &TimeZone::UTC), "");
        assert_eq!(draw(&[], 80, false, &TimeZone::UTC), "");
    }

    #[test]
    fn the_picture_has_a_bar_for_each_bucket_with_events() {
        let times: Vec<i64> = [0, 0, 1, 7].map(|n| 1_557_600_000_000_000 + n * HOUR).to_vec();
        let timeline = Timeline::of(&times, 8, &TimeZone::UTC).unwrap();
        insta::assert_snapshot!(timeline.picture(&TimeZone::UTC));
    }

    proptest! {
        #[test]
        fn every_event_is_counted_and_every_line_fits(
            times in prop::collection::vec(-62_000_000_000_000_000_i64..250_000_000_000_000_000, 2..50),
            width in 0usize..250,
        ) {
            if let Some(timeline) = Timeline::of(&times, width.max(5), &TimeZone::UTC) {
                prop_assert_eq!(timeline.counts.iter().sum::<u64>(), times.len() as u64);
                prop_assert!(timeline.counts.len() <= width.max(5));
            }
            for line in draw(&times, width, false, &TimeZone::UTC).lines() {
                prop_assert!(line.width() <= width, "{line}");
            }
        }

        #[test]
        fn any_time_at_all(times in prop::collection::vec(any::<i64>(), 0..9), width in 0usize..250) {
            draw(&times, width, true, &TimeZone::UTC);
        }
    }
}
