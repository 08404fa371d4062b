//! What spelunk is tried on.

mod detections;

pub use detections::{DCOM_CQL, DCOM_SPL, DETECTIONS, Detection, Language};
