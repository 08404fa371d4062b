//! Textbook methods for commands whose vendor publishes none: numbers and texts in, numbers out. They know nothing
//! of plans and frames. Each names the paper or book that it follows.

pub mod coded;
pub mod decomposition;
pub mod induction;
pub mod kalman;
pub mod kmeans;
pub mod normal;
pub mod quantiles;
pub mod rules;
pub mod series;
pub mod similarity;
