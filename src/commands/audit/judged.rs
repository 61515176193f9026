pub(super) use crate::report::{exit_of as exit, verdict_of as verdict};
