//! `.conf` files: stanzas of settings, in layers.
//!
//! Source: Splunk Admin Manual, "How to edit a configuration file", "Configuration file precedence".

use std::collections::{BTreeMap, HashMap};

/// The stanza whose settings all others have unless they say otherwise.
const DEFAULT: &str = "default";

/// One `.conf` file, or several laid over each other.
#[derive(Debug, Clone, Default)]
pub struct Conf {
    defaults: BTreeMap<String, String>,
    stanzas: Vec<(String, BTreeMap<String, String>)>,
    positions: HashMap<String, usize>,
    /// The file and line where each stanza was last opened, as far as files have names.
    places: HashMap<String, String>,
}

/// A stanza with the defaults behind it.
#[derive(Debug, Clone, Copy)]
pub struct Stanza<'a> {
    /// What stands in its brackets.
    pub name: &'a str,
    /// The file and line where it stands; empty if the file has no name.
    pub place: &'a str,
    settings: &'a BTreeMap<String, String>,
    defaults: &'a BTreeMap<String, String>,
}

impl<'a> Stanza<'a> {
    /// The value of a setting; the letter case of keys counts.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.settings.get(key).or_else(|| self.defaults.get(key)).map(String::as_str)
    }

    /// Its own settings, without the defaults, by key.
    pub fn settings(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl Conf {
    /// Reads a file. Lines that are no header, no comment and no setting say nothing.
    pub fn read(text: &str) -> Self {
        Self::read_file(text, "", &mut Vec::new())
    }

    /// Reads a file that has a name; headers without their end are told as problems.
    pub fn read_file(text: &str, file: &str, problems: &mut Vec<String>) -> Self {
        let mut conf = Self::default();
        let mut stanza = DEFAULT;
        let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().zip(1_usize..);
        while let Some((line, number)) = lines.next() {
            let start = line.trim_start();
            if start.is_empty() || start.starts_with(['#', ';']) {
                continue;
            }
            if let Some(header) = start.strip_prefix('[') {
                // A name may hold brackets itself.
                stanza = match header.rsplit_once(']') {
                    Some((name, _)) => name,
                    None => {
                        problems.push(format!("{file}:{number}: the header of the stanza has no `]`"));
                        header.trim_end()
                    }
                };
                conf.settings(stanza);
                if !file.is_empty() {
                    conf.places.insert(stanza.to_owned(), format!("{file}:{number}"));
                }
                continue;
            }
            let mut whole = start.to_owned();
            while whole.ends_with('\\') {
                whole.pop();
                let Some((next, _)) = lines.next() else { break };
                whole.push('\n');
                whole.push_str(next);
            }
            if let Some((key, value)) = whole.split_once('=') {
                conf.set(stanza, key.trim(), value.trim());
            }
        }
        conf
    }

    /// Sets what a stanza says of a key.
    pub fn set(&mut self, stanza: &str, key: &str, value: &str) {
        self.settings(stanza).insert(key.to_owned(), value.to_owned());
    }

    /// Lays another file over this one: setting by setting, what it says counts.
    pub fn overlay(&mut self, other: Conf) {
        let Conf { defaults, stanzas, positions: _, places } = other;
        self.defaults.extend(defaults);
        self.places.extend(places);
        for (name, settings) in stanzas {
            self.settings(&name).extend(settings);
        }
    }

    /// The stanzas in the order in which they were first seen, without `[default]`.
    pub fn stanzas(&self) -> impl Iterator<Item = Stanza<'_>> {
        self.stanzas.iter().map(|(name, settings)| {
            let place = self.places.get(name).map_or("", String::as_str);
            Stanza { name, place, settings, defaults: &self.defaults }
        })
    }

    fn settings(&mut self, stanza: &str) -> &mut BTreeMap<String, String> {
        if stanza == DEFAULT {
            return &mut self.defaults;
        }
        let next = self.stanzas.len();
        let position = *self.positions.entry(stanza.to_owned()).or_insert(next);
        if position == next {
            self.stanzas.push((stanza.to_owned(), BTreeMap::new()));
        }
        // The position is that of a stanza; the defaults only satisfy the type.
        self.stanzas.get_mut(position).map_or(&mut self.defaults, |(_, settings)| settings)
    }
}

/// A truth value as `.conf` files write it.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "enabled" => Some(true),
        "0" | "false" | "f" | "no" | "disabled" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(conf: &Conf) -> Vec<String> {
        conf.stanzas().map(|stanza| format!("{} {:?}", stanza.name, stanza.settings)).collect()
    }

    #[test]
    fn stanzas_and_settings() {
        let text = "\u{feff}[One - Rule]\r\n  a =  b = c  \r\n# d = \\\r\n; e = f\r\n g=#h # i\r\nno setting\r\n\r\n [two]three] # four\r\nA = 1\r\n[\n";
        assert_eq!(
            shown(&Conf::read(text)),
            [r##"One - Rule {"a": "b = c", "g": "#h # i"}"##, r#"two]three {"A": "1"}"#, " {}"]
        );
    }

    #[test]
    fn values_over_several_lines() {
        let text = "[a]\nx = one \\\n  two = 2\\\n# three\ny = no\\ \nz = end\\";
        assert_eq!(shown(&Conf::read(text)), [r##"a {"x": "one \n  two = 2\n# three", "y": "no\\", "z": "end"}"##]);
    }

    #[test]
    fn the_last_setting_counts_and_defaults_count_least() {
        let mut conf = Conf::read("g = 0\n[a]\nx = 1\ny = 1\n[b]\n[a]\ny = 2\n[default]\nx = 9\n[default]\nz = 8\n");
        let of = |conf: &Conf, key| conf.stanzas().map(|s| s.get(key).map(str::to_owned)).collect::<Vec<_>>();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&conf, "x"), [some("1"), some("9")]);
        assert_eq!(of(&conf, "y"), [some("2"), None]);
        assert_eq!(of(&conf, "z"), [some("8"), some("8")]);
        assert_eq!(of(&conf, "g"), [some("0"), some("0")]);
        conf.overlay(Conf::read("[default]\nx = 7\n[b]\ny = 5\n[c]\n"));
        assert_eq!(of(&conf, "x"), [some("1"), some("7"), some("7")]);
        assert_eq!(of(&conf, "y"), [some("2"), some("5"), None]);
    }

    #[test]
    fn broken_headers_and_places() {
        let mut problems = Vec::new();
        let conf = Conf::read_file("[a]\nx = 1\n\n[b\ny = 2\n", "props.conf", &mut problems);
        assert_eq!(problems, ["props.conf:4: the header of the stanza has no `]`"]);
        assert_eq!(conf.stanzas().map(|stanza| stanza.place).collect::<Vec<_>>(), ["props.conf:1", "props.conf:4"]);
    }

    #[test]
    fn truth_values() {
        assert_eq!(
            ["1", "True", "enabled", "0", "No", "maybe"].map(truth),
            [Some(true), Some(true), Some(true), Some(false), Some(false), None]
        );
    }
}
