//! `predict`: continues a time series.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};
use crate::{Code, Spanned};

/// `predict FIELD [AS NAME] ... OPTION ... [FIELD [AS NAME] ... OPTION ...] ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// Fields and the options behind them; never empty.
    pub groups: Vec<PredictGroup>,
}

/// Fields that are predicted in the same way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PredictGroup {
    /// The fields; never empty.
    pub fields: Vec<PredictField>,
    /// The options.
    pub options: PredictOptions,
}

/// A field and the name of its prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictField {
    /// The field.
    pub field: Name,
    /// The name; default `prediction(FIELD)`.
    pub alias: Option<Name>,
}

/// The options of a group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PredictOptions {
    /// The model; default [`Algorithm::Llp5`].
    pub algorithm: Option<Spanned<Algorithm>>,
    /// The field that helps to predict with [`Algorithm::Llb`].
    pub correlate: Option<Name>,
    /// How many values beyond the last one used; default 5.
    pub future_timespan: Option<Spanned<u64>>,
    /// How many values at the end are not used; default 0.
    pub holdback: Option<Spanned<u64>>,
    /// After how many rows the series repeats.
    pub period: Option<Spanned<u64>>,
    /// A field whose prediction is not shown.
    pub suppress: Option<Name>,
    /// Per cent and the name of the upper bound; default 95.
    pub upper: Option<(u8, Name)>,
    /// Per cent and the name of the lower bound; default 95.
    pub lower: Option<(u8, Name)>,
}

/// A model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Local level.
    Ll,
    /// Local level and trend.
    Llt,
    /// Seasonal local level.
    Llp,
    /// [`Algorithm::Llt`] and [`Algorithm::Llp`] together.
    Llp5,
    /// Local level with another series to go by.
    Llb,
    /// Two local levels together.
    BiLl,
}

/// The documentation of `predict`.
pub const DOC: CommandDoc = CommandDoc {
    name: "predict",
    summary: "Predicts the values of a time series, with bounds for each",
    syntax: "predict <field> [AS <name>] ... [algorithm=LL|LLT|LLP|LLP5|LLB|BiLL] [future_timespan=<count>] [holdback=<count>] [period=<count>] [correlate=<field>] [suppress=<field>] [upper<percent>=<name>] [lower<percent>=<name>] ...",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the series, in rows such as timechart makes: `_time` and numbers, in the order of time. Options hold for the fields before them; further fields with options of their own may follow" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the prediction; default prediction(<field>)" },
        ArgumentDoc { name: "algorithm=LL", meaning: "local level: no trend, no season; at least 2 values" },
        ArgumentDoc { name: "algorithm=LLT", meaning: "local level and trend; at least 3 values" },
        ArgumentDoc { name: "algorithm=LLP", meaning: "seasonal: a local level for each phase of the period (Harrison and Stevens, 1976); at least two periods of values; refused where no period is given and none is found" },
        ArgumentDoc { name: "algorithm=LLP5", meaning: "the default: LLT, and where there is a period LLP too, weighted by how well each did (Bates and Granger, 1969)" },
        ArgumentDoc { name: "algorithm=LLB", meaning: "local level with the field of `correlate` as a regressor; predicts no rows beyond the last; at least 2 values" },
        ArgumentDoc { name: "algorithm=BiLL", meaning: "two fields as local levels with the covariance of both; at least 2 values each" },
        ArgumentDoc { name: "future_timespan=<count>", meaning: "how many values to predict beyond the last one used; default 5, at most 10000" },
        ArgumentDoc { name: "holdback=<count>", meaning: "how many rows at the end are not used; default 0" },
        ArgumentDoc { name: "period=<count>", meaning: "after how many rows the series repeats, at least 2; by default found by autocorrelation" },
        ArgumentDoc { name: "correlate=<field>", meaning: "the series that LLB goes by" },
        ArgumentDoc { name: "suppress=<field>", meaning: "one of the fields before, whose prediction is not shown" },
        ArgumentDoc { name: "upper<percent>=<name>, lower<percent>=<name>", meaning: "how much of the values lies between the bounds, from 0 to 99 per cent, and the name of the bound; default upper95(<prediction>) and lower95(<prediction>); with several fields <name>(<prediction>)" },
        ArgumentDoc { name: "method", meaning: "state-space models by the Kalman filter with exact initialisation; variances by maximum likelihood of at most the last 2000 values (Durbin and Koopman, Time Series Analysis by State Space Methods, 2012, chapters 2 to 7). A value is predicted from those before it, the first ones, before the model is determined, backwards from those after them" },
    ],
    examples: &[
        "| makeresults count=5 | eval n=1 | accum n | eval _time=n*60 | predict n algorithm=LLT future_timespan=2",
    ],
};

const OPTIONS: &[&str] = &[
    "algorithm",
    "correlate",
    "future_timespan",
    "holdback",
    "period",
    "suppress",
    "upper95",
    "lower95",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Predict> {
    let place = b.span(&arguments);
    let mut groups: Vec<PredictGroup> = Vec::new();
    let mut group = PredictGroup::default();
    let mut after_options = false;
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                set(b, &mut group.options, option)?;
                after_options = !group.fields.is_empty();
            }
            Rule::predict_field => {
                if after_options {
                    groups.push(std::mem::take(&mut group));
                    after_options = false;
                }
                let mut names = part.into_inner().filter(|part| part.as_rule() != Rule::as_op);
                let field = words::name(b, &names.next()?);
                let alias = names.next().map(|name| words::name(b, &name));
                group.fields.push(PredictField { field, alias });
            }
            _ => {}
        }
    }
    groups.push(group);
    if groups.iter().any(|group| group.fields.is_empty()) {
        b.error(Code::InvalidArgument, "`predict` needs a field to predict", place);
        return None;
    }
    Some(Predict { groups })
}

fn set(b: &mut Builder<'_>, options: &mut PredictOptions, option: OptionPair) -> Option<()> {
    if let Some(percent) = option.name.strip_prefix("upper") {
        options.upper = Some((self::percent(b, &option, percent)?, option.field()));
        return Some(());
    }
    if let Some(percent) = option.name.strip_prefix("lower") {
        options.lower = Some((self::percent(b, &option, percent)?, option.field()));
        return Some(());
    }
    match option.name.as_str() {
        "algorithm" => {
            let algorithm = match option.value.to_ascii_lowercase().as_str() {
                "ll" => Algorithm::Ll,
                "llt" => Algorithm::Llt,
                "llp" => Algorithm::Llp,
                "llp5" => Algorithm::Llp5,
                "llb" => Algorithm::Llb,
                "bill" => Algorithm::BiLl,
                _ => return option.invalid(b, "LL, LLT, LLP, LLP5, LLB or BiLL"),
            };
            options.algorithm = Some(option.at(algorithm));
        }
        "correlate" | "correlate_field" => options.correlate = Some(option.field()),
        "future_timespan" => match option.number(b)? {
            count @ 0..=10_000 => options.future_timespan = Some(option.at(count)),
            _ => return option.invalid(b, "a count from 0 to 10000"),
        },
        "holdback" => options.holdback = Some(option.at(option.number(b)?)),
        "period" => match option.number(b)? {
            0 | 1 => return option.invalid(b, "a count from 2"),
            count => options.period = Some(option.at(count)),
        },
        "suppress" => options.suppress = Some(option.field()),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

/// The digits of `upper95`.
fn percent(b: &mut Builder<'_>, option: &OptionPair, digits: &str) -> Option<u8> {
    match digits.parse::<u8>() {
        Ok(percent @ 0..=99) => Some(percent),
        _ => {
            let message = format!("`{}` is not a bound such as `upper95`, with 0 to 99 per cent", option.name);
            b.error(Code::InvalidOption, message, option.name_span);
            None
        }
    }
}

impl Display for Predict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "predict {}", Separated(&self.groups, " "))
    }
}

impl Display for PredictGroup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let PredictOptions { algorithm, correlate, future_timespan, holdback, period, suppress, upper, lower } =
            &self.options;
        write!(f, "{}", Separated(&self.fields, ", "))?;
        option(f, "algorithm", algorithm.as_ref().map(|algorithm| algorithm.node))?;
        option(f, "correlate", correlate.as_ref())?;
        option(f, "future_timespan", future_timespan.as_ref().map(|count| count.node))?;
        option(f, "holdback", holdback.as_ref().map(|count| count.node))?;
        option(f, "period", period.as_ref().map(|count| count.node))?;
        option(f, "suppress", suppress.as_ref())?;
        for (side, bound) in [("upper", upper), ("lower", lower)] {
            if let Some((percent, name)) = bound {
                write!(f, " {side}{percent}={name}")?;
            }
        }
        Ok(())
    }
}

impl Display for PredictField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, " AS {alias}"))
    }
}

impl Display for Algorithm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Ll => "LL",
            Algorithm::Llt => "LLT",
            Algorithm::Llp => "LLP",
            Algorithm::Llp5 => "LLP5",
            Algorithm::Llb => "LLB",
            Algorithm::BiLl => "BiLL",
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_hold_for_the_fields_before_them() {
        assert_eq!(
            canonical("| predict foo1 algorithm=LL future_timespan=15 foo2 algorithm=llp period=7 future_timespan=7"),
            "| predict foo1 algorithm=LL future_timespan=15 foo2 algorithm=LLP future_timespan=7 period=7"
        );
        assert_eq!(
            canonical("| predict foo AS foobar algorithm=LL upper90=high lower97=low future_timespan=10 holdback=20"),
            "| predict foo AS foobar algorithm=LL future_timespan=10 holdback=20 upper90=high lower97=low"
        );
    }

    #[test]
    fn options_before_all_fields_belong_to_the_first() {
        assert_eq!(
            canonical("| predict future_timespan=1 Query_Count as Query_Prediction, CPU as CPU_Prediction"),
            "| predict Query_Count AS Query_Prediction, CPU AS CPU_Prediction future_timespan=1"
        );
        assert_eq!(canonical("| predict sum(bytes)"), "| predict \"sum(bytes)\"");
    }

    #[test]
    fn mistakes() {
        assert!(errors("| predict").contains("`predict` needs a field name"));
        assert!(errors("| predict algorithm=LL").contains("`predict` needs a field to predict"));
        assert!(errors("| predict x algorithm=ARIMA").contains("`algorithm` takes LL, LLT, LLP, LLP5, LLB or BiLL"));
        assert!(errors("| predict x upper100=a").contains("with 0 to 99 per cent"));
        assert!(errors("| predict x period=1").contains("`period` takes a count from 2"));
        assert!(errors("| predict x future_timespan=99999").contains("a count from 0 to 10000"));
    }
}
