use crate::checks::preflight::SourceFacts;
use crate::journal::RestoreIdentity;
use crate::verdict::{CheckName, Finding};

/// An AMI to follow.
#[derive(Debug, Clone, Copy)]
pub struct FollowRequest<'a> {
    pub image: &'a str,
    pub origin: Origin<'a>,
    /// What the AMI is held against.
    pub source: Option<&'a SourceFacts>,
    /// Finding of a verification of the object, to be added to the report.
    pub verified: Option<&'a Finding>,
    /// SSM parameter that is pointed at an AMI that passes.
    pub alias: Option<&'a str>,
    /// Required checks that may be unknown.
    pub accept: &'a [CheckName],
}

/// Why an AMI is followed.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A call in this run made it; `answered` where EC2's answer named it.
    Started { identity: &'a RestoreIdentity, answered: bool },
    /// It was found to be the AMI of this restore.
    TakenUp(&'a RestoreIdentity),
    /// A person named it; which restore made it, if one did, is for its tags and the journal to show.
    Named,
}

impl Origin<'_> {
    pub fn started_here(self) -> bool {
        matches!(self, Origin::Started { .. })
    }
}
