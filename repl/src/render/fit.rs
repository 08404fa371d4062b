//! Text in a given number of terminal cells.

use unicode_width::UnicodeWidthChar;

/// How many cells the text takes at most. The text holds nothing that a terminal would obey.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// A character by itself. The variation selector that turns the one before it into a two-cell picture counts as one,
/// so that the sum is never less than what is shown.
fn char_width(c: char) -> usize {
    if c == '\u{fe0f}' { 1 } else { c.width().unwrap_or(0) }
}

/// The text, or as much of its beginning as fits and `…`.
pub fn cut_end(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let (head, _) = split(text, cells.saturating_sub(1));
    if cells == 0 { String::new() } else { format!("{head}…") }
}

/// The text, or as much of both its ends as fits and `…` between them.
pub fn cut_middle(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells < 3 {
        return cut_end(text, cells);
    }
    // The end of a path says more than its beginning.
    let (head, rest) = split(text, (cells - 1) / 3);
    let room = cells - 1 - width(head);
    let mut taken = 0;
    let tail = rest.char_indices().rev().take_while(|(_, c)| {
        taken += char_width(*c);
        taken <= room
    });
    let start = tail.last().map_or(rest.len(), |(start, _)| start);
    format!("{head}…{}", rest.get(start..).unwrap_or_default())
}

/// Breaks the text into lines that fit, after spaces where there are some. Beyond `most` lines it is cut.
pub fn wrap(text: &str, cells: usize, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let (fits, _) = split(rest, cells);
        if fits.len() == rest.len() || lines.len() + 1 >= most {
            lines.push(cut_end(rest, cells));
            return lines;
        }
        // A single character may be wider than the line; it has to go somewhere.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = match fits.rfind(' ') {
            _ if rest.get(fits.len()..).is_some_and(|after| after.starts_with(' ')) => fits.len().max(first),
            // A break far from the end would waste the line.
            Some(space) if space >= fits.len() / 2 => space,
            _ => fits.len().max(first),
        };
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        lines.push(line.trim_end_matches(' ').to_owned());
        rest = after.strip_prefix(' ').unwrap_or(after);
        if rest.is_empty() {
            return lines;
        }
    }
}

/// The least width that tables and texts are laid out for.
pub const LEAST: usize = 20;

/// What was laid out for [`LEAST`] cells, in lines of a terminal that has fewer; colours are not for these.
pub fn narrow(text: &str, cells: usize) -> String {
    if cells >= LEAST {
        return text.to_owned();
    }
    let cells = cells.max(1);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut taken = 0;
        for c in line.chars() {
            // No line holds it.
            let c = if char_width(c) > cells { '?' } else { c };
            if taken + char_width(c) > cells {
                out.push('\n');
                taken = 0;
            }
            out.push(c);
            taken += char_width(c);
        }
        out.push('\n');
    }
    out
}

/// As much of the beginning as fits, and the rest.
fn split(text: &str, cells: usize) -> (&str, &str) {
    let mut taken = 0;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            taken += char_width(*c);
            taken > cells
        })
        .map_or(text.len(), |(start, _)| start);
    text.split_at(end)
}

/// Shares the cells of a line among columns of these natural widths: each gets its floor, and the widest give up what
/// the others need. `None` if not even the floors fit.
pub fn share(naturals: &[usize], floors: &[usize], cells: usize) -> Option<Vec<usize>> {
    let at = |cap: usize| naturals.iter().zip(floors).map(move |(natural, floor)| (*natural).min(cap).max(*floor));
    let total = |cap: usize| at(cap).sum::<usize>();
    if total(0) > cells {
        return None;
    }
    let widest = naturals.iter().copied().max().unwrap_or(0);
    if total(widest) <= cells {
        return Some(at(widest).collect());
    }
    // The largest cap that fits: total() grows with it.
    let (mut low, mut high) = (0, widest);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if total(middle) <= cells {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut spare = cells - total(low);
    let widths = at(low).zip(naturals).map(|(width, natural)| {
        let extra = usize::from(width < *natural && spare > 0);
        spare -= extra;
        width + extra
    });
    Some(widths.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn cutting() {
        assert_eq!(cut_end("abcdef", 6), "abcdef");
        assert_eq!(cut_end("abcdef", 4), "abc…");
        assert_eq!(cut_end("abcdef", 0), "");
        assert_eq!(cut_end("世界世界", 4), "世…");
        let path = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        assert_eq!(cut_middle(path, 24), r"C:\Wind…0\powershell.exe");
        assert_eq!(cut_middle("abcdef", 2), "a…");
    }

    #[test]
    fn wrapping() {
        assert_eq!(wrap("the quick brown fox", 10, 9), ["the quick", "brown fox"]);
        assert_eq!(wrap("abcdefghij", 4, 9), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("abcdefghij", 4, 2), ["abcd", "efg…"]);
        assert_eq!(wrap("abcd efgh", 4, 9), ["abcd", "efgh"]);
        assert_eq!(wrap("", 4, 2), [""]);
        assert_eq!(wrap("世界", 1, 9), ["世", "界"]);
    }

    #[test]
    fn sharing() {
        assert_eq!(share(&[5, 5], &[5, 5], 20), Some(vec![5, 5]));
        assert_eq!(share(&[5, 50], &[5, 10], 20), Some(vec![5, 15]));
        assert_eq!(share(&[40, 50, 3], &[10, 10, 3], 30), Some(vec![14, 13, 3]));
        assert_eq!(share(&[40, 50], &[10, 10], 19), None);
        assert_eq!(share(&[], &[], 0), Some(vec![]));
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in any::<String>(), cells in 2usize..50) {
            let text = crate::escape::line(&text);
            prop_assert!(cut_end(&text, cells).width() <= cells);
            prop_assert!(cut_middle(&text, cells).width() <= cells);
            for line in wrap(&text, cells, 5) {
                prop_assert!(line.width() <= cells, "{line:?}");
            }
        }

        #[test]
        fn no_terminal_is_too_narrow(text in any::<String>(), cells in 1usize..20) {
            let text = crate::escape::lines(&text);
            prop_assert!(narrow(&text, cells).lines().all(|line| line.width() <= cells));
        }

        #[test]
        fn wrapping_loses_only_spaces(text in "[a-z ]{0,80}", cells in 1usize..30) {
            let squeezed: String = wrap(&text, cells, usize::MAX).concat().split(' ').collect();
            prop_assert_eq!(squeezed, text.split(' ').collect::<String>());
        }

        #[test]
        fn shares_fit(naturals in proptest::collection::vec(0usize..200, 0..12), cells in 0usize..300) {
            let floors: Vec<usize> = naturals.iter().map(|natural| (*natural).min(10)).collect();
            if let Some(widths) = share(&naturals, &floors, cells) {
                prop_assert!(widths.iter().sum::<usize>() <= cells);
                prop_assert!(widths.iter().zip(&floors).all(|(width, floor)| width >= floor));
                prop_assert!(widths.iter().zip(&naturals).all(|(width, natural)| width <= natural));
            }
        }
    }
}
