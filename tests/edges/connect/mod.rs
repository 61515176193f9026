//! How the program finds its endpoints and credentials: valid and invalid settings in the environment, configuration
//! files and flags.

mod account;
mod clear;
mod odd;
mod profiles;
mod recorder;
mod rig;
mod secrets;
mod servers;
