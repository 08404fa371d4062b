//! Which of the loaded events a stanza of `props.conf` is about.

use datafusion::logical_expr::{Expr, is_not_true, lit};

use crate::knowledge::apps::props::{Described, Props};
use crate::plan::frame::{Frame, column};

/// Which loaded events the stanzas of `props.conf` describe.
pub(super) struct Stanzas {
    pub(super) conditions: Vec<Option<Expr>>,
}

impl Stanzas {
    pub(super) fn of(props: &Props, frame: &Frame) -> Self {
        let of = |stanza: &Described| {
            let field = stanza.spec.field.name();
            let known = frame.metadata.get(field)?;
            let renamed = |value: &str| props.renamed(value).is_some_and(|new| stanza.spec.matches(new));
            let fits = |value: &&String| match props.renamed(value) {
                Some(_) if field == "sourcetype" => renamed(value),
                _ => stanza.spec.matches(value),
            };
            let found: Vec<&String> = known.iter().filter(fits).collect();
            match found.len() {
                0 => None,
                all if all == known.len() && field != "host" => Some(lit(true)),
                _ => Some(column(field).in_list(found.into_iter().map(|value| lit(value.as_str())).collect(), false)),
            }
        };
        let given = props.stanzas.iter().filter(|stanza| !stanza.own && stanza.particular).filter_map(of);
        let given = given.reduce(Expr::or);
        let conditions = props.stanzas.iter().map(|stanza| match (of(stanza), &given) {
            // Spelunk's own app is silent about events that another describes in particular.
            (Some(condition), Some(given)) if stanza.yields() => match given {
                given if *given == lit(true) => None,
                given if condition == lit(true) => Some(is_not_true(given.clone())),
                given => Some(condition.and(is_not_true(given.clone()))),
            },
            (condition, _) => condition,
        });
        Self { conditions: conditions.collect() }
    }

    /// For which events the stanza is; `None` if for none.
    pub(super) fn condition(&self, stanza: usize) -> Option<&Expr> {
        self.conditions.get(stanza).and_then(Option::as_ref)
    }
}
