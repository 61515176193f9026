//! Faults of every kind, in every place where they can strike, against objects whose bytes are right and against
//! objects that are damaged at rest: what is concluded, after how many requests, in how much time and memory.

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
