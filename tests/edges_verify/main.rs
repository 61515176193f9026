//! Verdicts at the edges: values a person gives, checksum files of all kinds, references that contradict each other,
//! manifests of another object, and servers whose answers contradict each other.

#[path = "../common/aws.rs"]
mod aws;
#[path = "../common/mod.rs"]
mod common;

mod contradiction;
mod given;
mod manifest;
mod parts;
mod rig;
mod sums;
mod unconfirmed;
