//! The pure part of `stored-ami`: it plans which bytes of a stored AMI object to read, hashes them, combines the
//! digests, and judges them against reference values.
//!
//! Nothing in this crate opens files or connections, reads a clock or starts a thread. Responses of servers and files
//! of users are untrusted input: no input may cause a panic, and the lints of the crate deny `unwrap`, `expect`,
//! indexing and `panic!`. The crate `stored-ami` adds access to S3 and EC2, the commands and their output.
//!
//! # Modules, from the ground up
//!
//! | module | content |
//! |---|---|
//! | [`units`] | byte counts, byte ranges, part numbers, throughput |
//! | [`ident`] | targets, AMI ids and names, ETags, object identities |
//! | [`checksum`] | the algorithms of S3, digests, incremental hashing, combining digests |
//! | [`verdict`] | results of checks: pass and fail with evidence, unknown with a reason |
//! | [`content`] | statistics of sampled windows, decoding of compressed streams |
//! | [`price`] | prices with their sources, cost estimates |
//! | [`facts`] | what servers state about objects, buckets, AMIs and tasks |
//! | [`plan`] | part layouts, references, memory budget, ranges to read |
//! | [`checks`] | judging digests and facts; conditions of stores and restores |
//! | [`sealed`] | JSON documents that contain their own digest |
//! | [`manifest`] | reference values in files: manifests, signatures, checksum files |
//! | [`record`] | what `store` records about the source AMI |
//! | [`audit`] | many objects over time: proofs, changes, policies |
//! | [`batch`] | checksums that S3 computes at rest: plan, completion report, findings |
//! | [`checkpoint`] | the state of an unfinished read |
//! | [`report`] | serialisable results |
//!
//! # From an object to a verdict
//!
//! 1. **Plan.** [`plan::stored_references`] turns the checksums and the ETag of an object into
//!    [`plan::Reference`]s. Each needs digests of some algorithm over the parts of some layout.
//!    [`plan::ReadPlan::new`] chooses the ranges to read and decides which digests can be computed per range, in any
//!    order, and which must be computed in order of offset.
//! 2. **Hash.** The caller reads the ranges and hashes each frame where it arrives: with a [`checksum::Hasher`] per
//!    range, with one per digest in order, or, for many MD5 streams, with a [`checksum::LaneScheduler`]. In
//!    `stored-ami`, the module `fetch` does this.
//! 3. **Fold.** [`plan::ReadPlan::fold_ranges`] combines the digests of ranges into those of parts and of the whole
//!    object, collected in [`checks::Digests`].
//! 4. **Judge.** [`checks::judge`] compares each reference with the digests. A mismatch is read a second time, unless
//!    the user chose `--no-reread`. If it is reproduced, the check fails; if the two reads differ, it is unknown with
//!    [`verdict::Reason::UnstableRead`]. Such a read is not a proof, and an audit then disregards earlier proofs of the
//!    same state of the object until every byte is proved again ([`verdict::Doubt`]).
//!    [`verdict::overall`] combines the findings.
//!
//! ```
//! use stored_ami_core::checks::{Digests, Judgement, judge};
//! use stored_ami_core::checksum::{Algorithm, Hasher};
//! use stored_ami_core::plan::{Claim, Limits, PartLayout, ReadPlan, Reference};
//! use stored_ami_core::verdict::{CheckId, Origin, Subject};
//!
//! let body = b"123456789";
//! let size = body.len() as u64;
//!
//! // The value to check: here, the CRC-64/NVME that S3 would store for these bytes.
//! let digest = Hasher::digest(Algorithm::Crc64Nvme, body);
//! let check = CheckId::Reference(Origin::Expect, Subject::Checksum(Algorithm::Crc64Nvme));
//! let reference = Reference::new(check, "expected value", Claim::Whole(digest));
//!
//! // Plan a read in ranges of 4 bytes.
//! let limits = Limits { range_bytes: Some(4), ..Limits::default() };
//! let budget = limits.budget()?;
//! let plan = ReadPlan::new(size, &[(Algorithm::Crc64Nvme, PartLayout::whole(size))], budget);
//! assert_eq!(plan.ranges().len(), 3);
//!
//! // Hash each range on its own.
//! let ranges: Vec<_> = plan.ranges().iter().collect();
//! let of_range = |index: usize, column: usize| {
//!     let range = ranges.get(index)?;
//!     let bytes = &body[range.start() as usize..range.end() as usize];
//!     Some(Hasher::digest(*plan.per_range().get(column)?, bytes))
//! };
//!
//! // Combine the digests of the ranges and judge.
//! let mut digests = Digests::default();
//! for (need, parts) in plan.fold_ranges(of_range) {
//!     let layout = plan.layout(need).expect("the need is of this plan").clone();
//!     digests.insert(need.algorithm, layout, parts);
//! }
//! assert!(matches!(judge(&reference, &digests, size), Judgement::Match(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When two states of an object are the same
//!
//! [`ident::ObjectIdentity`] holds what identifies a state: ETag, version id, size and time of last modification.
//! [`ident::ObjectIdentity::same_as`] is the only comparison of two states; its documentation lists the rules.
//!
//! # Where to add things
//!
//! - An algorithm: [`checksum::Algorithm`] lists the places.
//! - A check: a variant of [`verdict::CheckId`] or [`verdict::Condition`], and a function in [`checks`] that returns a
//!   [`verdict::Finding`].
//! - A reason why a check is undecided: a variant of [`verdict::Reason`], with its code, advice and text.

// What a server sends must never panic here.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod audit;
pub mod batch;
pub mod blocks;
pub mod checkpoint;
pub mod checks;
pub mod checksum;
pub mod content;
pub mod copy;
pub mod facts;
#[doc(hidden)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is the finding"
)]
pub mod fuzzing;
pub mod ident;
pub mod manifest;
pub mod plan;
pub mod price;
pub mod record;
pub mod report;
pub mod sealed;
mod text;
pub mod units;
pub mod verdict;
