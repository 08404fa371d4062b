//! What a search means beyond its own text: definitions that sites and apps bring, in Splunk's own file formats.

pub mod conf;
mod evaluate;
mod expand;
pub mod macros;
pub mod yaml;

pub use conf::Conf;
pub use expand::Expanded;
pub use macros::Macros;
