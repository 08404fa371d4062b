//! One file a command.

pub mod check;
pub mod cluster;
pub mod compare;
pub mod coverage;
pub mod demo;
pub mod explain;
pub mod generate;
pub mod generated;
pub mod help;
pub mod hunt;
pub mod index;
pub mod inputs;
pub mod run;
pub mod test;
pub mod validate;
