//! Turns arguments into requests, and reports into output and an exit code. Only this module uses the terminal.

mod args;
#[cfg(feature = "s3")]
mod audit;
mod bench;
mod command;
mod connect;
#[cfg(feature = "ec2")]
mod copy;
mod cost;
#[cfg(all(feature = "s3", feature = "lab"))]
mod demo;
mod generate;
#[cfg(feature = "ec2")]
mod images;
#[cfg(feature = "lab")]
mod lab;
mod output;
mod page;
mod paths;
mod resolve;
mod results;
mod run;
mod runner;
mod signals;
mod sums;
mod terminal;
mod usage;

pub use command::Cli;
pub use run::run;
