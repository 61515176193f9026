use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::body::one_frame;
use super::{S3Error, xml};
use crate::content::Frames;
use crate::record::ObjectRecord;
use stored_ami_core::units::ByteRange;

/// An answer before faults and pacing are applied to it.
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub frames: Frames,
    /// Bytes of the body.
    pub len: u64,
    /// Set when the body is (part of) an object.
    pub served: Option<Served>,
}

/// Which bytes of which object a reply carries, for the fault scripts.
pub(crate) struct Served {
    pub record: ObjectRecord,
    pub range: ByteRange,
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Reply { status, headers: HeaderMap::new(), frames: one_frame(Bytes::new()), len: 0, served: None }
    }

    pub(crate) fn bytes(status: StatusCode, body: Bytes) -> Self {
        Reply { len: body.len() as u64, frames: one_frame(body), ..Reply::empty(status) }
    }

    pub(crate) fn xml(root: &str, value: &impl serde::Serialize) -> Result<Self, S3Error> {
        let reply = Reply::bytes(StatusCode::OK, xml::write(root, value)?);
        Ok(reply.header("content-type", "application/xml"))
    }

    /// The document of a subresource. S3 sends it without a Content-Type.
    pub(crate) fn subresource(root: &str, value: &impl serde::Serialize) -> Result<Self, S3Error> {
        Ok(Reply::bytes(StatusCode::OK, xml::write(root, value)?))
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.set(name, value);
        self
    }

    /// A value that HTTP cannot carry is left out, as S3 does with metadata.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_ref().as_bytes()))
        {
            self.headers.insert(name, value);
        }
    }
}
