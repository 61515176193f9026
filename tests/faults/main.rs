//! Faults of every kind, at every place, for intact objects and for objects damaged at rest: the conclusion, and the
//! number of requests, time and memory that it takes.

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod command;
mod crew;
mod expected;
mod kinds;
mod matrix;
mod memory;
mod object;
mod rig;
