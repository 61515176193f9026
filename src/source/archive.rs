use async_trait::async_trait;

use super::SourceError;
use crate::ident::ObjectUri;
use crate::price::RetrievalTier;

/// A request to make an archived object readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreFromArchive {
    /// The tier; `None` to change only how long an existing copy stays.
    pub tier: Option<RetrievalTier>,
    /// Days that the copy stays; `None` for an object in Intelligent-Tiering.
    pub days: Option<u32>,
}

/// How the server took a request to make an archived object readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveAnswer {
    /// It begins (status 202).
    Accepted,
    /// A copy is there already, and stays as long as was asked for (status 200).
    Extended,
    /// It was asked for before (code `RestoreAlreadyInProgress`).
    InProgress,
    /// The object is not archived (code `ObjectAlreadyInActiveTierError`).
    NotArchived,
}

/// Makes one archived object readable.
#[async_trait]
pub trait ArchiveService: Send + Sync {
    /// The object.
    fn uri(&self) -> &ObjectUri;

    /// Sends one request (RestoreObject), without retries.
    ///
    /// # Errors
    ///
    /// The request failed. After an error that [may be done](SourceError::may_be_done), it may have been carried out;
    /// repeating it then gives [`ArchiveAnswer::InProgress`].
    async fn restore(&self, request: RestoreFromArchive) -> Result<ArchiveAnswer, SourceError>;
}
