//! Edge cases of verdicts: values given by the user, all kinds of checksum files, references that contradict each
//! other, manifests of other objects, and servers with contradictory responses.

mod contradiction;
mod given;
mod left;
mod manifest;
mod parts;
mod rig;
mod sums;
mod unconfirmed;
