//! The searches of a `savedsearches.conf`.

/// A stanza that has a search.
#[derive(Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Its search.
    pub search: String,
}

/// Reads `[name]` stanzas with a `search` setting. A value goes on in the next line after a `\` at the end of a line.
/// The `[default]` stanza is no search, but gives its own to those that have none.
pub fn read(text: &str) -> Vec<Saved> {
    let mut stanzas: Vec<(String, Option<String>)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            stanzas.push((name.strip_suffix(']').unwrap_or(name).to_owned(), None));
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let mut value = value.trim_start().to_owned();
        while value.ends_with('\\') {
            value.pop();
            let Some(next) = lines.next() else { break };
            value.push('\n');
            value.push_str(next.trim_end());
        }
        if key.trim() == "search"
            && let Some((_, search)) = stanzas.last_mut()
        {
            *search = Some(value);
        }
    }
    let default = stanzas.iter().find(|(name, _)| name == "default").and_then(|(_, search)| search.clone());
    stanzas
        .into_iter()
        .filter(|(name, _)| name != "default")
        .filter_map(|(name, search)| Some(Saved { name, search: search.or_else(|| default.clone())? }))
        .filter(|saved| !saved.search.trim().is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(name: &str, search: &str) -> Saved {
        Saved { name: name.into(), search: search.into() }
    }

    #[test]
    fn stanzas_with_searches() {
        let text = "\
# a comment
[default]
cron_schedule = 0 * * * *

[One - Rule]
description = says [nothing] = \\
  search = not this
search = index=main EventCode=1 \\
| stats count by host \\
# part of the value
disabled = 1
[Two]
search=| tstats count
[No search]
description = x
[Empty]
search =
[Last]
search = a \\";
        assert_eq!(
            read(text),
            [
                saved("One - Rule", "index=main EventCode=1 \n| stats count by host \n# part of the value"),
                saved("Two", "| tstats count"),
                saved("Last", "a "),
            ]
        );
    }

    #[test]
    fn the_default_stanza_gives_its_search() {
        assert_eq!(read("[default]\nsearch = a\n[One]\nx = y\n"), [saved("One", "a")]);
    }
}
