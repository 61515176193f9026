//! How targets are named: as typed, in lists, and by patterns of keys.

mod args;
mod hint;
#[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "without S3 nothing is listed"))]
mod pattern;

pub(super) use args::{SelectionArgs, Word};
pub(super) use hint::hinted;
pub(super) use pattern::{KeyPattern, MOST_TARGETS};
