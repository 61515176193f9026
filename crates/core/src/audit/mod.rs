//! Many stored AMI objects over time: selection, earlier results, policies, and observations across objects.
//!
//! The ledger keeps [`Entry`] values. A [`History`] is built from the entries of one object; it knows which
//! proofs are valid ([`History::still_good`]) and what changed ([`History::change`]). A proof is valid for
//! one state of an object. A failure or a doubt about the same state revokes it, until a read proves every
//! byte again. A [`Policy`] states what else must hold. Proofs that did not read the object
//! ([`History::unread_proof_of`]) count only where a policy accepts their kind.

mod bucket_list;
mod cross_object;
mod damaged;
mod engine;
mod entry;
mod history;
mod inventory;
mod judge_proof;
mod level;
mod lock;
mod objects;
mod origin;
mod partition;
mod parts;
mod policy;
mod proof;
mod rule;
mod run_plan;
mod seen;
mod split;
mod stays;
mod word;

pub use bucket_list::{BucketEntry, BucketList};
pub use cross_object::{ImageComparison, MOST_NAMES, Observation, ObservationKind, duplicate, tasks, uploads};
pub use damaged::{DamagePlace, DamagedRun};
pub use engine::{BatchEngine, EngineError, EngineShare, ShardSpec};
pub use entry::{Acceptance, Entry, Gone};
pub use history::{Histories, History, Superseding, Trouble, UnprovedCopy};
pub use inventory::{Inventory, InventoryFile};
pub use level::Level;
pub use lock::LockRequirement;
pub use objects::{Objects, objects_in};
pub use origin::{Origin, OriginSurvey, judge_origin, may_be_output};
pub use partition::{ParseShareError, Partition, PartitionSpec};
pub use parts::part_runs;
pub use policy::{BucketState, CopyState, ObjectPolicy, Policy, PolicySubject, age};
pub use proof::{CLOCK_SKEW, CopiedFrom, LookResult, Proof, RestoredContent, ValidityWindow, failed_by};
pub use run_plan::RunPlan;
pub use seen::{Change, ChangeKind, ContentFingerprint, comparable_names, listed_apart};
pub use split::{PartsRun, RunDigests, SplitPlan, joined_digests, judge_joined};
pub use word::{Word, joined};
