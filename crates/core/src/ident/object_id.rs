use super::{ETag, Target};

/// One identity of an object: where it is, and what marks its present bytes.
///
/// Everything that is read is read under the identity that was discovered first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectId {
    /// Where the object is; with the version to read, if one is pinned.
    pub target: Target,
    /// Absent where a server sends none. For a local file, its inode and change time.
    pub etag: Option<ETag>,
}
