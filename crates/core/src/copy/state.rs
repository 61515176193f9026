use serde::{Deserialize, Serialize};

use super::UploadChecksum;
use crate::ident::{ETag, ObjectIdentity, ObjectUri};
use crate::plan::{LayoutShape, PartLayout};
use crate::sealed::{SealError, open, seal};

/// Name of the document.
const NAME: &str = "copy_state";

/// An upload that another process can go on with or abort. The document is sealed; see [`crate::sealed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyState {
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// Time of writing, RFC 3339.
    pub written_at: String,
    /// The source, as a URI or a path.
    pub source: String,
    /// The state of the source.
    pub source_identity: SourceState,
    /// The object that is written.
    pub destination: ObjectUri,
    /// The URL of S3 at the destination, if a setting names one.
    pub endpoint: Option<String>,
    /// Id of the upload.
    pub upload_id: String,
    /// The value of the metadata that marks the object as that of this copy.
    pub copy_id: String,
    /// Number of parts.
    pub parts: u64,
    /// Bytes of the largest part.
    pub largest_part_bytes: u64,
    /// Name of the algorithm of the stored checksum.
    pub checksum: String,
    /// Whether the checksum is over the values of the parts.
    pub is_composite: bool,
    /// Storage class, key, lock, metadata, tags and headers of the object, as given to the server when the upload began.
    pub properties: String,
    /// Whether the object may be made although nothing proves the bytes of the source.
    pub unproved: bool,
}

/// The state of an object, as the document keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceState {
    /// Size in bytes.
    pub object_bytes: u64,
    /// ETag of the object.
    pub etag: Option<String>,
    /// Version id.
    pub version_id: Option<String>,
    /// Time of last modification, RFC 3339.
    pub last_modified: Option<String>,
}

impl From<&ObjectIdentity> for SourceState {
    fn from(identity: &ObjectIdentity) -> Self {
        SourceState {
            object_bytes: identity.object_bytes.unwrap_or_default(),
            etag: identity.etag.as_ref().map(ToString::to_string),
            version_id: identity.version_id.clone(),
            last_modified: identity.last_modified.clone(),
        }
    }
}

impl SourceState {
    fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(self.object_bytes),
            etag: self.etag.as_deref().map(ETag::kept),
            version_id: self.version_id.clone(),
            last_modified: self.last_modified.clone(),
        }
    }
}

/// The state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CopyStateError {
    /// The file is not a valid sealed document.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// It is of another copy.
    #[error("is of another copy: {what} was {then} and is {now}")]
    Other {
        /// The property that differs.
        what: &'static str,
        /// Its value in the state.
        then: String,
        /// Its value now.
        now: String,
    },
}

/// The largest part in bytes, which together with their number identifies the parts of an object.
fn largest_part(layout: &PartLayout) -> u64 {
    match layout.shape() {
        LayoutShape::Uniform { part, .. } => part,
        LayoutShape::Uneven { largest, .. } => largest,
    }
}

impl CopyState {
    /// The state of an upload with these parts and this checksum. The other fields are those of the caller.
    pub fn of_parts(self, layout: &PartLayout, checksum: UploadChecksum) -> Self {
        CopyState {
            parts: layout.count() as u64,
            largest_part_bytes: largest_part(layout),
            checksum: checksum.algorithm.name().to_owned(),
            is_composite: checksum.is_composite,
            ..self
        }
    }

    /// The document as text.
    ///
    /// # Errors
    ///
    /// It cannot be serialised.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal(NAME, self)
    }

    /// Reads the document.
    ///
    /// # Errors
    ///
    /// The text is not such a document.
    pub fn from_json(text: &str) -> Result<Self, CopyStateError> {
        Ok(open(NAME, text)?)
    }

    /// Checks that the upload is one for this copy. `copy` holds the values of now; its upload and copy id do not count.
    ///
    /// # Errors
    ///
    /// The source changed, or the copy would be another one.
    pub fn check(&self, copy: &CopyState) -> Result<(), CopyStateError> {
        let endpoint = |state: &CopyState| state.endpoint.clone().unwrap_or_else(|| "that of AWS".to_owned());
        let checksum = |state: &CopyState| format!("{} (composite: {})", state.checksum, state.is_composite);
        let pairs = [
            ("the source", self.source.clone(), copy.source.clone()),
            ("the destination", self.destination.to_string(), copy.destination.to_string()),
            ("the endpoint", endpoint(self), endpoint(copy)),
            ("the number of parts", self.parts.to_string(), copy.parts.to_string()),
            ("the largest part", self.largest_part_bytes.to_string(), copy.largest_part_bytes.to_string()),
            ("the checksum", checksum(self), checksum(copy)),
            ("--unproved", self.unproved.to_string(), copy.unproved.to_string()),
            ("the class, key, lock, metadata or tags of the copy", self.properties.clone(), copy.properties.clone()),
        ];
        for (what, then, now) in pairs {
            if then != now {
                return Err(CopyStateError::Other { what, then, now });
            }
        }
        self.check_source(&copy.source_identity.identity())
    }

    /// Checks that the upload is one of the source in this state.
    ///
    /// # Errors
    ///
    /// The source changed, or nothing shows that it is the same.
    pub fn check_source(&self, now: &ObjectIdentity) -> Result<(), CopyStateError> {
        let then = self.source_identity.identity();
        let etag = |identity: &ObjectIdentity| identity.etag.as_ref().map(ETag::to_string).unwrap_or_default();
        if then.same_as(now).agrees() && then.object_bytes == now.object_bytes {
            return Ok(());
        }
        let (then, now) = (etag(&then), etag(now));
        Err(CopyStateError::Other { what: "the ETag, version or time of the source", then, now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;

    fn state() -> CopyState {
        let identity = ObjectIdentity {
            object_bytes: Some(100),
            last_modified: Some("2026-01-02T03:04:05Z".into()),
            ..ObjectIdentity::of_etag(Some(ETag::new("e")))
        };
        let state = CopyState {
            tool: String::new(),
            written_at: "2026-01-02T03:04:05Z".into(),
            source: "s3://b/k".into(),
            source_identity: SourceState::from(&identity),
            destination: "s3://c/k".parse().unwrap(),
            endpoint: None,
            upload_id: "u".into(),
            copy_id: "i".into(),
            parts: 0,
            largest_part_bytes: 0,
            checksum: String::new(),
            is_composite: false,
            properties: "STANDARD".into(),
            unproved: false,
        };
        let checksum = UploadChecksum { algorithm: Algorithm::Crc64Nvme, is_composite: false };
        state.of_parts(&PartLayout::uniform(100, 30), checksum)
    }

    #[test]
    fn it_is_read_as_it_was_written_and_not_after_a_change() {
        let text = state().to_json().unwrap();
        assert_eq!(CopyState::from_json(&text).unwrap(), state());
        assert!(CopyState::from_json(&text.replace("\"u\"", "\"v\"")).is_err());
    }

    #[test]
    fn it_is_of_one_copy() {
        let now = state();
        assert!(state().check(&CopyState { upload_id: String::new(), copy_id: String::new(), ..now.clone() }).is_ok());
        let mut changed = now.clone();
        changed.source_identity.etag = Some("f".into());
        for other in [
            CopyState { source: "s3://b/l".into(), ..now.clone() },
            CopyState { destination: "s3://c/l".parse().unwrap(), ..now.clone() },
            CopyState { endpoint: Some("http://h".into()), ..now.clone() },
            CopyState { parts: 3, ..now.clone() },
            CopyState { is_composite: true, ..now.clone() },
            CopyState { properties: "GLACIER".into(), ..now.clone() },
            changed,
        ] {
            assert!(state().check(&other).is_err(), "{other:?}");
        }
    }
}
