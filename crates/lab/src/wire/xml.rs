//! XML documents of the S3 API.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::{Code, S3Error};

/// The namespace of every answer but errors.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Stands for that namespace as the attribute `xmlns` of a root element.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Namespace;

impl Serialize for Namespace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(NAMESPACE)
    }
}

pub(crate) fn write<T: Serialize>(root: &str, value: &T) -> Result<Bytes, S3Error> {
    let body = quick_xml::se::to_string_with_root(root, value)
        .map_err(|error| Code::InternalError.because(error.to_string()))?;
    Ok(Bytes::from(["<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", &body].concat()))
}

pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, S3Error> {
    quick_xml::de::from_reader(body).map_err(|_| Code::MalformedXml.error())
}

/// An ETag in XML keeps its quotes.
pub(crate) fn quoted<S: Serializer>(etag: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("\"{etag}\""))
}

/// The body of an error answer; errors have no namespace.
pub(crate) fn error(error: &S3Error, request_id: &str, host_id: &str) -> Result<Bytes, S3Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct ErrorDocument<'a> {
        code: &'a str,
        message: &'a str,
        #[serde(flatten)]
        detail: &'a super::Detail,
        request_id: &'a str,
        host_id: &'a str,
    }
    let detail = error.detail.as_ref();
    write("Error", &ErrorDocument { code: error.code, message: &error.message, detail, request_id, host_id })
}
