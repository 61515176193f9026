//! Copies of objects: how a copy is written so that it equals its source, and what shows that it does; and whether two
//! objects are the same.

mod checksum;
mod compare;
mod finding;
mod given;
mod layout;
mod lock;
mod preflight;
mod server;
mod state;
mod stated;
mod time;

pub use checksum::{ChecksumChange, ChosenChecksum, UploadChecksum, choose_checksum};
pub use compare::{ExpectedObject, compare_written};
pub use finding::{CopyCheck, CopyFinding, ParseCopyCheckError};
pub use given::{compare_expected, compare_reference};
pub use layout::{CopyLayout, LayoutChange, LayoutLimits, WriteMode, copy_layout, server_layout};
pub use lock::{LockRequest, RetentionRequest};
pub use preflight::{AccessSurvey, DestinationSurvey, PlannedObject, SameName, judge_destination};
pub use server::{StatedParts, proof_of_server, stated_by_parts};
pub use state::{CopyState, CopyStateError, SourceState};
pub use stated::{
    CompareCheck, CompareFinding, LayoutNeed, Likeness, StatedComparison, StatedObject, compare_stated, likeness_of,
};
pub use time::{ASSUMED_RATE, CopyTime, RateBasis};
