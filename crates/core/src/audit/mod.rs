//! Many stored AMI objects at once: which of them are whose turn, what was known of each before, what must hold, and
//! what only shows when they are seen together.

mod entry;
mod history;
mod inventory;
mod joint;
mod level;
mod lock;
mod objects;
mod origin;
mod parts;
mod policy;
mod seen;
mod share;
mod standing;
mod stays;

pub use entry::{Acceptance, CLOCK_SKEW, Entry, Gone, Proof, Term};
pub use history::{Histories, History};
pub use inventory::{Inventory, InventoryFile};
pub use joint::{Joint, Observation, ObservationKind, tasks, uploads};
pub use level::Level;
pub use objects::{Objects, objects_in};
pub use origin::{Origin, OriginSurvey, judge_origin};
pub use parts::part_runs;
pub use policy::{BucketState, CopyState, LockWish, ObjectState, Policy, age};
pub use seen::{Change, Content, Seen, differs};
pub use share::{ParseShareError, Share, Turn};
pub use standing::Standing;
