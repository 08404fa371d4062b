//! "Did you mean": the known name nearest to one that is not known.

/// How many edits there may be at most.
const MOST_EDITS: usize = 3;

/// The name nearest to `wanted`, if one is near enough to be what was meant: another letter case first, then
/// the fewest edits, at most a third of the name; of several such the one with the same letters.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wanted.to_lowercase();
    let most = |name: &str| (name.len().max(wanted.len()) / 3).min(MOST_EDITS);
    let length = wanted.chars().count();
    known
        .into_iter()
        // Names of too different lengths are edited too much whatever their letters are, which is cheap to see.
        .filter(|name| *name != wanted && name.chars().count().abs_diff(length) <= MOST_EDITS)
        .map(|name| (strsim::damerau_levenshtein(&folded, &name.to_lowercase()), name))
        .filter(|(edits, name)| *edits <= most(name))
        .map(|(edits, name)| (edits, letters(name) != letters(wanted), name))
        .min()
        .map(|(.., name)| name)
}

fn letters(name: &str) -> Vec<char> {
    let mut letters: Vec<char> = name.to_lowercase().chars().collect();
    letters.sort_unstable();
    letters
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_near_names_are_offered() {
        let names = ["ParentImage", "Image", "CommandLine"];
        assert_eq!(nearest("image", names), Some("Image"));
        assert_eq!(nearest("ComandLine", names), Some("CommandLine"));
        assert_eq!(nearest("User", names), None);
        assert_eq!(nearest("stast", ["start", "stats"]), Some("stats"));
        assert_eq!(nearest("Image", ["Image"]), None);
    }
}
