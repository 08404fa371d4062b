//! Which fields are kept.

use ahash::AHashSet;

use super::FieldSelection;

/// A [`FieldSelection`] made ready for asking.
#[derive(Debug)]
pub(crate) enum Selection {
    AllButRaw,
    All,
    Only { names: AHashSet<String>, patterns: Vec<String> },
}

impl Selection {
    pub(crate) fn new(fields: &FieldSelection) -> Self {
        match fields {
            FieldSelection::AllButRaw => Selection::AllButRaw,
            FieldSelection::All => Selection::All,
            FieldSelection::Only(list) => {
                let (patterns, names): (Vec<String>, Vec<String>) =
                    list.iter().cloned().partition(|name| name.contains('*'));
                Selection::Only { names: names.into_iter().collect(), patterns }
            }
        }
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        match self {
            Selection::AllButRaw => name != "_raw",
            Selection::All => true,
            Selection::Only { names, patterns } => {
                names.contains(name)
                    || (!name.starts_with('_') && patterns.iter().any(|pattern| matches_wildcard(pattern, name)))
            }
        }
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any text.
fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at.saturating_add(part.len())..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_text_but_internal_names() {
        let only =
            |names: &[&str]| Selection::new(&FieldSelection::Only(names.iter().map(|&n| n.to_owned()).collect()));
        assert!(only(&["*"]).wants("Image"));
        assert!(!only(&["*"]).wants("_raw"));
        assert!(only(&["*", "_raw"]).wants("_raw"));
        assert!(only(&["Parent*Line"]).wants("ParentCommandLine"));
        assert!(!only(&["Parent*Line"]).wants("ParentImage"));
        assert!(only(&["a*b*a"]).wants("aba"));
        assert!(!only(&["a*b*a"]).wants("ab"));
        assert!(!only(&["aa*a"]).wants("aa"));
        assert!(!only(&["Image"]).wants("image"));
        assert!(!Selection::AllButRaw.wants("_raw"));
        assert!(Selection::AllButRaw.wants("_file"));
    }
}
