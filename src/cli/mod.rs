//! Turns arguments into requests, and reports into output and an exit code. Only this module uses the terminal.

mod again;
mod args;
#[cfg(feature = "s3")]
mod audit;
#[cfg(feature = "batch")]
mod batch;
mod bench;
#[cfg(feature = "ebs")]
mod blocks;
mod command;
#[cfg(feature = "s3")]
mod compare;
mod completion;
mod connect;
#[cfg(feature = "ec2")]
mod copy;
mod cost;
#[cfg(all(feature = "s3", feature = "lab"))]
mod demo;
#[cfg(feature = "ec2")]
mod doctor;
#[cfg(feature = "ebs")]
mod drill;
#[cfg(feature = "s3")]
mod ends;
#[cfg(feature = "s3")]
mod facts_file;
mod generate;
mod global;
mod help;
#[cfg(feature = "ec2")]
mod images;
#[cfg(feature = "ec2")]
mod journal;
#[cfg(feature = "lab")]
mod lab;
mod listed;
mod output;
mod page;
mod parse;
mod paths;
mod progress;
mod reach;
mod replaced;
mod resolve;
mod results;
mod run;
mod runner;
mod selection;
mod settings;
mod signals;
#[cfg(feature = "s3")]
mod starting;
mod sums;
mod targets;
mod terminal;
#[cfg(feature = "s3")]
mod thaw;
mod trace;
mod usage;
mod values;
mod written;

pub use command::Cli;
pub use run::run;
