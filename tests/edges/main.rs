//! Odd, wrong and hostile input: connections and profiles, files, objects and their records, answers of servers.

#[path = "../common/aws.rs"]
mod aws;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod files;
mod part_count;
#[path = "../common/signals.rs"]
mod signals;
mod verify;
mod wire;
