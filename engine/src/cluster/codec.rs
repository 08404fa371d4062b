//! spelunk's operators in written form, beside those of Ballista.
//!
//! An operator begins with a byte that no operator of Ballista's begins with, then its kind, then what it holds as JSON.

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::{Files, FilesExec};
use super::{VERSION, finding, lookups, said};
use crate::operators::compact::{Compact, CompactExec};
use crate::operators::leading;

/// No message of protobuf begins so: it would be of a kind that does not exist.
const OWN: u8 = 0xff;
const FILES: u8 = 1;
const COMPACT: u8 = 2;
const LEADING: u8 = 3;
/// No operator: whoever reads it answers with the version that it is.
const GREETING: u8 = 4;

/// What stands before the version in an answer to a greeting.
pub(super) const ANSWER: &str = "spelunk ";

/// Whether a scheduler says no more with that than that it was greeted, which is no problem.
pub fn is_greeting(message: &str) -> bool {
    said::message(message).strip_prefix(ANSWER) == Some(VERSION)
}

/// spelunk's operators, and Ballista's.
#[derive(Debug)]
pub(super) struct Codec {
    version: String,
    ballista: BallistaPhysicalExtensionCodec,
}

impl Codec {
    pub(super) fn new() -> Self {
        Self { version: VERSION.to_owned(), ballista: BallistaPhysicalExtensionCodec::default() }
    }

    /// What asks for the version of whoever reads it.
    pub(super) fn greeting() -> Vec<u8> {
        vec![OWN, GREETING]
    }
}

/// What an operator holds.
fn read<T: DeserializeOwned>(held: &[u8]) -> Result<T> {
    serde_json::from_slice(held).map_err(|error| DataFusionError::External(Box::new(error)))
}

fn write(buffer: &mut Vec<u8>, held: &impl Serialize) -> Result<()> {
    serde_json::to_writer(buffer, held).map_err(|error| DataFusionError::External(Box::new(error)))
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [OWN, kind, held @ ..] = buffer else {
            return self.ballista.try_decode(buffer, inputs, context, converter);
        };
        if *kind == GREETING {
            return exec_err!("{}", finding(&format!("{ANSWER}{}", self.version)));
        }
        let [input] = inputs else { return exec_err!("an operator of spelunk has {} inputs", inputs.len()) };
        let input = Arc::clone(input);
        match *kind {
            FILES => Ok(FilesExec::over(input, Files)),
            COMPACT => Ok(CompactExec::over(input, read::<Compact>(held)?)),
            LEADING => Ok(leading::execution(input, read(held)?)),
            kind => exec_err!("spelunk {} knows no operator of the kind {kind}", self.version),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if node.is::<FilesExec>() {
            buffer.extend([OWN, FILES]);
        } else if let Some(compact) = node.downcast_ref::<CompactExec>() {
            buffer.extend([OWN, COMPACT]);
            write(buffer, compact.passing())?;
        } else if let Some(choice) = leading::choice(node.as_ref()) {
            buffer.extend([OWN, LEADING]);
            write(buffer, choice)?;
        } else {
            return self.ballista.try_encode(node, buffer, converter);
        }
        Ok(())
    }

    fn try_encode_udf(&self, function: &ScalarUDF, buffer: &mut Vec<u8>) -> Result<()> {
        if let Some(written) = lookups::written(function)? {
            buffer.extend(written);
        }
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, buffer: &[u8]) -> Result<Arc<ScalarUDF>> {
        match buffer {
            [] => exec_err!("spelunk {} has no function {name}", self.version),
            written => lookups::read(written),
        }
    }
}
