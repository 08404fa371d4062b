//! `anomalydetection`: rows whose values are improbable together.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::anomalousvalue::{self, Action, Support};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};
use crate::{Code, Span};

/// `anomalydetection [method=METHOD] OPTION ... [FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomalydetection {
    /// The method with its options.
    pub method: Method,
    /// The fields; may hold wildcards; empty for all.
    pub fields: Vec<Name>,
}

/// How rows are judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// `method=histogram`, the default: by the product of the frequencies of a row's values.
    Histogram {
        /// What becomes of the rows; default [`Action::Filter`].
        action: Option<Action>,
        /// A row is anomalous if its probability is smaller; by default computed.
        pthresh: Option<f64>,
        /// Whether the computed threshold lies further out; default true.
        cutoff: Option<bool>,
    },
    /// `method=zscore`: as `anomalousvalue`.
    Zscore {
        /// What becomes of the rows; default [`Action::Filter`].
        action: Option<Action>,
        /// How improbable an anomalous value is; default 0.01.
        pthresh: Option<f64>,
        /// Which fields count.
        support: Support,
    },
    /// `method=iqr`: as `outlier`.
    Iqr {
        /// Whether rows with an outlier are removed, rather than the outlier moved to the threshold; default false.
        remove: Option<bool>,
        /// Whether `000` is put before a moved value; default false.
        mark: Option<bool>,
        /// How many interquartile ranges from the quartiles an outlier lies; default 2.5.
        param: Option<f64>,
        /// Whether values below the lower threshold are outliers; default false.
        uselower: Option<bool>,
    },
}

/// The documentation of `anomalydetection`.
pub const DOC: CommandDoc = CommandDoc {
    name: "anomalydetection",
    summary: "Finds rows whose values are improbable together",
    syntax: "anomalydetection [method=histogram|zscore|iqr] [action=<action>] [pthresh=<number>] [cutoff=<bool>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "method=histogram", meaning: "the default: a row's probability is the product of the frequencies of its values, for a numeric field of the bin of its histogram (bins by Freedman and Diaconis, 1981, or by Sturges, 1926, where the quartiles are equal)" },
        ArgumentDoc { name: "method=zscore", meaning: "as the command anomalousvalue, with its options" },
        ArgumentDoc { name: "method=iqr", meaning: "move values beyond the quartiles by more than param interquartile ranges to that threshold, or remove their rows (Tukey, Exploratory Data Analysis, 1977)" },
        ArgumentDoc { name: "action=annotate|filter|summary", meaning: "with histogram and zscore: keep all rows, the anomalous ones (the default), or give statistics; log_event_prob and max_freq are added to every row, probable_cause and probable_cause_freq to anomalous ones" },
        ArgumentDoc { name: "action=remove|transform", meaning: "with iqr, also rm and tf: remove rows with an outlier, or move the outlier (the default)" },
        ArgumentDoc { name: "pthresh=<number>", meaning: "the probability below which a row or value is anomalous; default with zscore 0.01, with histogram by the quartiles of the logarithms of all probabilities" },
        ArgumentDoc { name: "cutoff=<bool>", meaning: "with histogram: whether the threshold lies three interquartile ranges below the first quartile (Tukey's outer fence) rather than one and a half; default true" },
        ArgumentDoc { name: "param=<number>, uselower=<bool>, mark=<bool>", meaning: "with iqr: the factor (default 2.5), whether low values count (default false), whether moved values get the prefix 000 (default false)" },
        ArgumentDoc { name: "<field>", meaning: "the fields to look at, with `*` every field of that form; default all but internal ones" },
    ],
    examples: &[
        "| makeresults count=20 | eval n=1 | accum n | eval user=if(n=7, \"eve\", \"alice\") | anomalydetection user | table user, probable_cause",
    ],
};

/// All options as they were found, before it is known which method they belong to.
#[derive(Default)]
struct Found {
    method: Option<String>,
    action: Option<OptionPair>,
    pthresh: Option<f64>,
    cutoff: Option<bool>,
    support: Support,
    mark: Option<bool>,
    param: Option<f64>,
    uselower: Option<bool>,
    /// The options and their places.
    given: Vec<(String, Span)>,
}

const HISTOGRAM: &[&str] = &["method", "action", "pthresh", "cutoff"];
const ZSCORE: &[&str] =
    &["method", "action", "pthresh", "maxanofreq", "minnormfreq", "minsupcount", "minsupfreq"];
const IQR: &[&str] = &["method", "action", "mark", "param", "uselower"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Anomalydetection> {
    let (mut found, mut fields) = (Found::default(), Vec::new());
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => set(b, &mut found, words::option(b, part)?)?,
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    let Found { method, action, pthresh, cutoff, support, mark, param, uselower, given } = found;
    let name = method.as_deref().unwrap_or("histogram");
    let known = match name {
        "zscore" => ZSCORE,
        "iqr" => IQR,
        _ => HISTOGRAM,
    };
    if let Some((option, place)) = given.iter().find(|(option, _)| !known.contains(&option.as_str())) {
        b.error(Code::InvalidOption, format!("`{option}` means nothing with `method={name}`"), *place);
        return None;
    }
    let method = match name {
        "iqr" => Method::Iqr { remove: action.map(|option| remove(b, &option)).transpose_option()?, mark, param, uselower },
        "zscore" => {
            let action = action.map(|option| anomalousvalue::action(b, &option)).transpose_option()?;
            Method::Zscore { action, pthresh, support }
        }
        _ => {
            let action = action.map(|option| anomalousvalue::action(b, &option)).transpose_option()?;
            Method::Histogram { action, pthresh, cutoff }
        }
    };
    Some(Anomalydetection { method, fields })
}

fn set(b: &mut Builder<'_>, found: &mut Found, option: OptionPair) -> Option<()> {
    found.given.push((option.name.clone(), option.name_span));
    match option.name.as_str() {
        "method" => {
            let method = option.value.to_ascii_lowercase();
            match method.as_str() {
                "histogram" | "zscore" | "iqr" => found.method = Some(method),
                _ => return option.invalid(b, "histogram, zscore or iqr"),
            }
        }
        "action" => found.action = Some(option),
        "pthresh" => found.pthresh = Some(option.fraction(b)?),
        "cutoff" => found.cutoff = Some(option.boolean(b)?),
        "mark" => found.mark = Some(option.boolean(b)?),
        "param" => match option.decimal(b)? {
            param if param >= 0.0 => found.param = Some(param),
            _ => return option.invalid(b, "a number from 0"),
        },
        "uselower" => found.uselower = Some(option.boolean(b)?),
        _ => match anomalousvalue::support(b, &mut found.support, &option)? {
            true => {}
            false => return option.unknown(b, HISTOGRAM),
        },
    }
    Some(())
}

fn remove(b: &mut Builder<'_>, option: &OptionPair) -> Option<bool> {
    match option.value.to_ascii_lowercase().as_str() {
        "remove" | "rm" => Some(true),
        "transform" | "tf" => Some(false),
        _ => option.invalid(b, "remove or transform with `method=iqr`"),
    }
}

/// `None` where there was something and it was wrong.
trait TransposeOption<T> {
    fn transpose_option(self) -> Option<Option<T>>;
}

impl<T> TransposeOption<T> for Option<Option<T>> {
    fn transpose_option(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(None) => None,
            Some(Some(value)) => Some(Some(value)),
        }
    }
}

impl Display for Anomalydetection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("anomalydetection")?;
        match &self.method {
            Method::Histogram { action, pthresh, cutoff } => {
                option(f, "action", action.as_ref())?;
                option(f, "pthresh", *pthresh)?;
                option(f, "cutoff", *cutoff)?;
            }
            Method::Zscore { action, pthresh, support } => {
                f.write_str(" method=zscore")?;
                option(f, "action", action.as_ref())?;
                option(f, "pthresh", *pthresh)?;
                support.fmt(f)?;
            }
            Method::Iqr { remove, mark, param, uselower } => {
                f.write_str(" method=iqr")?;
                option(f, "action", remove.map(|remove| if remove { "remove" } else { "transform" }))?;
                option(f, "mark", *mark)?;
                option(f, "param", *param)?;
                option(f, "uselower", *uselower)?;
            }
        }
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn every_method_has_its_options() {
        assert_eq!(
            canonical("| anomalydetection \"count\" \"user_type\" action=annotate"),
            "| anomalydetection action=annotate count, user_type"
        );
        assert_eq!(
            canonical("| anomalydetection method=iqr action=tf param=4 uselower=true mark=true"),
            "| anomalydetection method=iqr action=transform mark=true param=4 uselower=true"
        );
        assert_eq!(
            canonical("| anomalydetection method=zscore action=filter pthresh=0.05 minsupcount=3"),
            "| anomalydetection method=zscore action=filter pthresh=0.05 minsupcount=3"
        );
    }

    #[test]
    fn options_of_other_methods_are_refused() {
        assert!(errors("| anomalydetection method=iqr pthresh=0.1").contains("`pthresh` means nothing with `method=iqr`"));
        assert!(errors("| anomalydetection param=2").contains("`param` means nothing with `method=histogram`"));
        assert!(errors("| anomalydetection method=iqr action=filter").contains("`action` takes remove or transform"));
        assert!(errors("| anomalydetection method=magic").contains("`method` takes histogram, zscore or iqr"));
    }
}
