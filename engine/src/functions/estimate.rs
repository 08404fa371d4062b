//! `estdc()`: how many distinct values there are, exactly up to a thousand, and beyond that as HyperLogLog estimates.
//!
//! Source: Splunk Search Reference, "Aggregate functions"; P. Flajolet and others, "HyperLogLog" (2007).

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};

use crate::values::Value;

static COUNT: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Estimate::udaf("spl_estdc"));
static ERROR: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Estimate::udaf("spl_estdc_error"));

/// The aggregates of this file.
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::clone(&COUNT), Arc::clone(&ERROR)]
}

/// How many distinct values there are, about.
pub fn distinct(values: Expr) -> Expr {
    COUNT.call(vec![values])
}

/// The relative error that is to be expected of [`distinct`]; 0 where it is exact.
pub fn error(values: Expr) -> Expr {
    ERROR.call(vec![values])
}

/// Up to so many distinct values are counted exactly (`approx_dc_threshold` of `limits.conf`).
const EXACT: usize = 1_000;
/// How many bits of a hash choose a register.
const BITS: u32 = 14;
const REGISTERS: usize = 1 << BITS;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Estimate {
    name: &'static str,
    signature: Signature,
}

impl Estimate {
    fn udaf(name: &'static str) -> Arc<AggregateUDF> {
        let signature = Signature::any(1, Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Self { name, signature }))
    }

    fn is_error(&self) -> bool {
        self.name == "spl_estdc_error"
    }
}

impl AggregateUDFImpl for Estimate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.is_error() { DataType::Float64 } else { DataType::Int64 })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sketch"), DataType::Binary, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(EstimateAccumulator { error: self.is_error(), sketch: Sketch::Exact(BTreeSet::new()) }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct EstimateAccumulator {
    error: bool,
    sketch: Sketch,
}

#[derive(Debug)]
enum Sketch {
    /// The hashes of the values.
    Exact(BTreeSet<u64>),
    /// The most leading zeros, and one, that the hashes of each register have.
    Registers(Vec<u8>),
}

impl Sketch {
    fn add(&mut self, hash: u64) {
        match self {
            Sketch::Exact(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT {
                    let hashes = std::mem::take(hashes);
                    *self = Sketch::Registers(vec![0; REGISTERS]);
                    hashes.into_iter().for_each(|hash| self.add(hash));
                }
            }
            Sketch::Registers(registers) => {
                let (register, rank) = ((hash >> (64 - BITS)) as usize, ((hash << BITS).leading_zeros() + 1) as u8);
                if let Some(known) = registers.get_mut(register) {
                    *known = rank.min((64 - BITS + 1) as u8).max(*known);
                }
            }
        }
    }

    /// The state: eight bytes for each hash, or a byte for each register and one more.
    fn bytes(&self) -> Vec<u8> {
        match self {
            Sketch::Exact(hashes) => hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
            Sketch::Registers(registers) => registers.iter().copied().chain([0]).collect(),
        }
    }

    fn merge(&mut self, state: &[u8]) {
        if state.len() == REGISTERS + 1 {
            if let Sketch::Exact(hashes) = self {
                let hashes = std::mem::take(hashes);
                *self = Sketch::Registers(vec![0; REGISTERS]);
                hashes.into_iter().for_each(|hash| self.add(hash));
            }
            if let Sketch::Registers(registers) = self {
                for (known, other) in registers.iter_mut().zip(state) {
                    *known = (*known).max(*other);
                }
            }
            return;
        }
        for hash in state.chunks_exact(8) {
            if let Ok(hash) = hash.try_into() {
                self.add(u64::from_le_bytes(hash));
            }
        }
    }

    fn count(&self) -> f64 {
        let registers = match self {
            Sketch::Exact(hashes) => return hashes.len() as f64,
            Sketch::Registers(registers) => registers,
        };
        let size = REGISTERS as f64;
        let harmonic: f64 = registers.iter().map(|rank| 2.0_f64.powi(-i32::from(*rank))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / size) * size * size / harmonic;
        let empty = registers.iter().filter(|rank| **rank == 0).count() as f64;
        // Few values leave registers empty, which says more than the ranks do.
        let estimate = if raw <= 2.5 * size && empty > 0.0 { size * (size / empty).ln() } else { raw };
        estimate.round()
    }
}

impl Accumulator for EstimateAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(column) = values.first() else { return exec_err!("an estimate needs a column") };
        for row in 0..column.len() {
            for text in Value::read(column.as_ref(), row).texts() {
                let mut hasher = DefaultHasher::new();
                text.as_bytes().hash(&mut hasher);
                self.sketch.add(hasher.finish());
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first().and_then(|states| states.as_binary_opt::<i32>()) else {
            return exec_err!("an estimate has one state column");
        };
        states.iter().flatten().for_each(|state| self.sketch.merge(state));
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.sketch.bytes()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(match (self.error, &self.sketch) {
            (false, sketch) => ScalarValue::Int64(Some(sketch.count() as i64)),
            (true, Sketch::Exact(_)) => ScalarValue::Float64(Some(0.0)),
            (true, Sketch::Registers(_)) => ScalarValue::Float64(Some(1.04 / (REGISTERS as f64).sqrt())),
        })
    }

    fn size(&self) -> usize {
        let kept = match &self.sketch {
            Sketch::Exact(hashes) => hashes.len() * 16,
            Sketch::Registers(registers) => registers.len(),
        };
        size_of_val(self) + kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    fn estimate(values: impl Iterator<Item = u32>) -> EstimateAccumulator {
        let mut accumulator = EstimateAccumulator { error: false, sketch: Sketch::Exact(BTreeSet::new()) };
        let texts: StringArray = values.map(|value| Some(value.to_string())).collect();
        accumulator.update_batch(&[Arc::new(texts)]).unwrap();
        accumulator
    }

    #[test]
    fn few_values_are_counted_exactly_and_many_nearly() {
        assert_eq!(estimate(0..1_000).sketch.count(), 1_000.0);
        for many in [2_000_u32, 50_000, 300_000] {
            let found = estimate(0..many).sketch.count();
            assert!((found - f64::from(many)).abs() < 0.03 * f64::from(many), "{many}: {found}");
        }
    }

    #[test]
    fn parts_can_be_put_together() {
        for (end, start) in [(600, 500), (5_000, 4_000), (600, 0)] {
            let mut whole = estimate(0..end).sketch;
            whole.merge(&estimate(start..9_000).sketch.bytes());
            assert_eq!(whole.count(), estimate(0..9_000).sketch.count());
        }
    }
}
