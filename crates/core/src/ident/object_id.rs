use super::{ETag, Target};

/// The target and the ETag that identify the bytes to read.
///
/// All reads of a run use the identity that was found first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectId {
    /// Where the object is, with the version to read if one is pinned.
    pub target: Target,
    /// `None` if the server sends no ETag. For a local file, it is made from inode and change time.
    pub etag: Option<ETag>,
}
