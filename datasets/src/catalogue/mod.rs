//! What a Windows network is made of: programs, what people and services do with them, and the things they touch.

pub(crate) mod artifacts;
pub(crate) mod habits;
pub(crate) mod programs;
