use crate::checks::preflight::SourceFacts;
use crate::journal::RestoreIdentity;
use crate::report::ObjectProofReport;
use crate::verdict::{CheckName, Finding};

/// An AMI to follow.
#[derive(Debug, Clone, Copy)]
pub struct FollowRequest<'a> {
    /// Id of the AMI.
    pub image: &'a str,
    /// Why the AMI is followed: this run created it, found it, or the user named it.
    pub origin: Origin<'a>,
    /// Facts about the source AMI, which the restored AMI is compared with.
    pub source: Option<&'a SourceFacts>,
    /// Finding of a verification of the object, to be added to the report.
    pub verified: Option<&'a Finding>,
    /// What is known of the bytes of the object.
    pub object_proof: Option<&'a ObjectProofReport>,
    /// SSM parameter to point at the AMI if it passes.
    pub alias: Option<&'a str>,
    /// Required checks that may be unknown.
    pub accept: &'a [CheckName],
    /// Options that a later run needs to end what this one began, for the note on a restore that is not followed to its
    /// end. Each is preceded by a space.
    pub options: &'a str,
}

/// Why an AMI is followed.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A call in this run created it.
    Started {
        /// The restore that created it.
        identity: &'a RestoreIdentity,
        /// Whether the response of EC2 named it.
        answered: bool,
    },
    /// It was identified as the AMI of this restore.
    TakenUp(&'a RestoreIdentity),
    /// The user named it. Its tags and the journal show which restore created it, if any.
    Named,
}

impl Origin<'_> {
    /// Whether a call in this run created it.
    pub fn started_here(self) -> bool {
        matches!(self, Origin::Started { .. })
    }
}
