//! `xpath`: what an XPath expression selects.
//!
//! Source: Splunk Search Reference, "xpath".

use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;
use spelunk_grammar::spl::commands::xpath::Xpath;
use spelunk_grammar::{Code, Diagnostic};

use super::PlanResult;
use super::expression::{Kind, Typed};
use super::frame::Frame;
use super::spath;
use crate::documents::xpath::XPath;
use crate::functions::extraction;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Xpath) -> PlanResult<()> {
    let Xpath { expression, outfield, field, default } = command;
    XPath::compile(&expression.node).map_err(|reason| {
        Diagnostic::error(
            Code::InvalidPattern,
            format!("the XPath expression cannot be used: {reason}"),
            expression.span,
        )
        .with_help(
            "supported are steps such as `//a/b`, `/a/*`, `//a/@b`, and `[@b='c']`, `[b='c']`, `[2]` after a step",
        )
    })?;
    let source = spath::source(frame, field.as_ref(), expression.span);
    let default = lit(ScalarValue::Utf8(default.clone()));
    let found = extraction::xpath().call(vec![source.text(), lit(expression.node.clone()), default]);
    let name = outfield.as_ref().map_or("xpath", |field| &field.text);
    spath::assign(frame, name, Typed::new(found, Kind::Many, expression.span))
}
