//! `spath`: extracts fields from JSON or XML.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `spath [input=FIELD] [output=FIELD] [path=PATH|PATH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spath {
    /// The field to read; default `_raw`.
    pub input: Option<Name>,
    /// The field that receives what stands at the path; default the path.
    pub output: Option<Name>,
    /// The path; everything is extracted without one.
    pub path: Option<Spanned<String>>,
}

/// The documentation of `spath`.
pub const DOC: CommandDoc = CommandDoc {
    name: "spath",
    summary: "Extracts fields from JSON or XML: what stands at a path, or everything",
    syntax: "spath [input=<field>] [output=<field>] [path=<path>|<path>]",
    arguments: &[
        ArgumentDoc { name: "input=<field>", meaning: "the field to read; default _raw" },
        ArgumentDoc { name: "output=<field>", meaning: "the field for what stands at the path; default the path" },
        ArgumentDoc {
            name: "path=<path>",
            meaning: "steps with dots between them: `a.b`, `a{0}` for an element (XML counts from 1), `a{}` for all, `a{@b}` for an attribute; without a path every value becomes a field",
        },
    ],
    examples: &[r#"| makeresults | eval j="{\"user\":{\"name\":\"ann\"}}" | spath input=j path=user.name output=user"#],
};

const OPTIONS: &[&str] = &["input", "output", "path"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Spath> {
    let mut spath = Spath { input: None, output: None, path: None };
    for part in arguments.into_inner() {
        if part.as_rule() == Rule::option {
            let option = words::option(b, part)?;
            match option.name.as_str() {
                "input" => spath.input = Some(option.field()),
                "output" => spath.output = Some(option.field()),
                "path" => spath.path = Some(option.text()),
                _ => return option.unknown(b, OPTIONS),
            }
        } else if matches!(part.as_rule(), Rule::quoted | Rule::single_quoted | Rule::list_word) {
            let name = words::name(b, &part);
            if spath.path.is_some() {
                b.error(Code::InvalidArgument, "`spath` takes one path", name.span);
                return None;
            }
            spath.path = Some(Spanned::new(name.text, name.span));
        }
    }
    if let (Some(output), None) = (&spath.output, &spath.path) {
        b.error(Code::InvalidOption, "`output` needs a path whose value it receives", output.span);
        return None;
    }
    Some(spath)
}

impl Display for Spath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("spath")?;
        option(f, "input", self.input.as_ref())?;
        option(f, "output", self.output.as_ref())?;
        option(f, "path", self.path.as_ref().map(|path| Quoted(&path.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn the_path_may_stand_alone() {
        assert_eq!(
            canonical("| spath output=x a{}.b{@c} input=\"d e\""),
            "| spath input=\"d e\" output=x path=\"a{}.b{@c}\""
        );
        assert_eq!(canonical("| spath"), "| spath");
        assert!(errors("| spath a b").contains("`spath` takes one path"));
        assert!(errors("| spath output=x").contains("`output` needs a path"));
        assert!(errors("| spath paht=x").contains("did you mean `path`?"));
    }
}
