//! How the program comes to its endpoints and credentials: the environment, the configuration files and the flags, as
//! they are and as they go wrong.

mod account;
mod clear;
#[path = "../common/mod.rs"]
mod common;
mod odd;
mod profiles;
mod recorder;
mod rig;
mod secrets;
mod servers;
