//! The words of the languages, out of the registries of commands and functions.

use std::sync::LazyLock;

use spelunk_engine::reference;
use spelunk_grammar::spl::commands::{self, CommandDoc};

/// What is called with brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    pub syntax: String,
    pub summary: &'static str,
    /// The names of its arguments, where it has such.
    pub parameters: &'static [&'static str],
}

/// The functions of `eval` and `where`, by name.
pub static EVAL: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let function = |known: &reference::Function| Function {
        name: known.name,
        syntax: known.syntax.to_owned(),
        summary: known.summary,
        parameters: &[],
    };
    sorted(reference::eval_functions().map(function).collect())
});

/// The functions of `stats` and its like, by name.
pub static STATISTICS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let function = |known: &reference::Statistic| Function {
        name: known.name,
        syntax: known.syntax.to_owned(),
        summary: known.summary,
        parameters: &[],
    };
    sorted(reference::STATISTICS.iter().map(function).collect())
});

/// The functions of LogScale, by name.
pub static LOGSCALE: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let function = |known: reference::Doc| Function {
        name: known.name,
        syntax: known.syntax(),
        summary: known.summary,
        parameters: known.parameters,
    };
    sorted(reference::logscale_functions().into_iter().map(function).collect())
});

fn sorted(mut functions: Vec<Function>) -> Vec<Function> {
    functions.sort_by_key(|function| function.name);
    functions
}

/// The function of that name, in any letter case.
pub fn find<'f>(functions: &'f [Function], name: &str) -> Option<&'f Function> {
    functions.iter().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// Whether a word is a statistical function: a percentile has its number behind its name.
pub fn is_statistic(name: &str) -> bool {
    reference::is_statistic(&name.to_ascii_lowercase())
}

/// Whether the language has a command of that name.
pub fn is_command(name: &str) -> bool {
    commands::is_known(name)
}

/// An option of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOption {
    pub name: String,
    /// How its values are described: `<bool>`, `csv|json`.
    pub values: String,
    pub meaning: &'static str,
}

/// The options and keywords in the syntax of a command.
pub fn options(doc: &CommandDoc) -> (Vec<CommandOption>, Vec<String>) {
    let (mut options, mut keywords) = (Vec::<CommandOption>::new(), Vec::new());
    for piece in doc.syntax.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | ',')) {
        if let Some((before, values)) = piece.split_once('=') {
            let name = before.rsplit('|').next().unwrap_or(before);
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if is_name && !options.iter().any(|known| known.name == name) {
                let of_it = |argument: &&commands::ArgumentDoc| {
                    argument.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
                };
                let meaning = doc.arguments.iter().find(of_it).map_or("", |argument| argument.meaning);
                options.push(CommandOption { name: name.to_owned(), values: values.to_owned(), meaning });
            }
        } else {
            let is_keyword = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
            keywords.extend(piece.split('|').filter(is_keyword).map(str::to_owned));
        }
    }
    keywords.sort_unstable();
    keywords.dedup();
    (options, keywords)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_keywords_are_in_the_syntax() {
        let (known, keywords) = options(commands::doc("streamstats").unwrap());
        assert!(
            known
                .iter()
                .any(|option| option.name == "window" && option.values == "<count>" && !option.meaning.is_empty())
        );
        assert_eq!(keywords, ["AS", "BY"]);
        let (known, _) = options(commands::doc("sort").unwrap());
        assert_eq!(known.iter().map(|option| option.name.as_str()).collect::<Vec<_>>(), ["limit"]);
        assert_eq!(options(commands::doc("lookup").unwrap()).1, ["AS", "OUTPUT", "OUTPUTNEW"]);
    }

    #[test]
    fn functions_have_names() {
        assert!(
            find(&EVAL, "MVINDEX").is_some()
                && find(&STATISTICS, "dc").is_some()
                && find(&LOGSCALE, "groupby").is_some()
        );
        assert!(is_statistic("perc95") && is_command("stats") && !is_command("stast"));
    }
}
