//! Checks whether a response with status 200 is the requested document. A server that does not know a request may
//! answer with the object itself.

use super::headers::{Headers, Told};
use super::shape::{NAMESPACE, ShapeError};
use super::whole::{Broken, Most, whole};
use crate::ident::{ETag, ObjectIdentity};

/// Limit in bytes for a response that is not an object. The largest pages of listings stay below it.
pub(super) const LARGEST_ANSWER: usize = 4 << 20;

/// Limit of XML elements: a page of 1,000 parts or keys has about 15,000.
const MOST_ELEMENTS: u64 = 200_000;

/// The document that S3 sends for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document {
    /// Name of the operation in the SDK.
    pub operation: &'static str,
    root: &'static str,
    of: Of,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Object,
    Bucket,
    Listing,
}

const DOCUMENTS: [Document; 19] = {
    use Of::{Bucket, Listing, Object};
    const fn of(operation: &'static str, root: &'static str, of: Of) -> Document {
        Document { operation, root, of }
    }
    [
        of("GetObjectAttributes", "GetObjectAttributesResponse", Object),
        of("GetObjectTagging", "Tagging", Object),
        of("GetObjectRetention", "Retention", Object),
        of("GetObjectLegalHold", "LegalHold", Object),
        of("GetObjectAcl", "AccessControlPolicy", Object),
        of("GetBucketVersioning", "VersioningConfiguration", Bucket),
        of("GetBucketEncryption", "ServerSideEncryptionConfiguration", Bucket),
        of("GetPublicAccessBlock", "PublicAccessBlockConfiguration", Bucket),
        of("GetBucketPolicyStatus", "PolicyStatus", Bucket),
        of("GetBucketAcl", "AccessControlPolicy", Bucket),
        of("GetBucketLifecycleConfiguration", "LifecycleConfiguration", Bucket),
        of("GetObjectLockConfiguration", "ObjectLockConfiguration", Bucket),
        of("GetBucketLocation", "LocationConstraint", Bucket),
        of("GetBucketReplication", "ReplicationConfiguration", Bucket),
        of("GetBucketTagging", "Tagging", Bucket),
        of("ListObjectsV2", "ListBucketResult", Listing),
        of("ListObjectVersions", "ListVersionsResult", Listing),
        of("ListMultipartUploads", "ListMultipartUploadsResult", Listing),
        of("ListParts", "ListPartsResult", Listing),
    ]
};

/// Why a response with status 200 is not the requested document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    #[error("it answered with the object itself, by {0}")]
    Object(&'static str),
    #[error("it answered with Content-Type {0}, and not with XML")]
    NotXml(String),
    #[error("it answered with more than {0} bytes")]
    TooLong(usize),
    #[error("it answered with something that is no {0} document of S3")]
    OtherDocument(&'static str),
    /// It contradicts itself, or has unknown elements.
    #[error("the answer is not understood: {0}")]
    Odd(ShapeError),
    /// An error document with a success status; its code.
    #[error("it answered with success and {0} inside")]
    Error(String),
    /// The requested document, cut off or malformed.
    #[error("the answer cannot be read: {0}")]
    Broken(Broken),
}

impl Document {
    /// The document of an operation, if it is known.
    pub(super) fn of(operation: &str) -> Option<Self> {
        DOCUMENTS.into_iter().find(|document| document.operation == operation)
    }

    /// Limit of the body in bytes. A page of 1,000 parts with ten checksums each stays under 1 MiB; a page of 1,000
    /// keys in URL encoding does not.
    pub(super) fn limit(self) -> usize {
        if self.of == Of::Listing { LARGEST_ANSWER } else { 1 << 20 }
    }

    /// Checks a response by its headers. S3 often sends no Content-Type here, so a missing one proves nothing.
    ///
    /// # Errors
    ///
    /// The headers are those of the object, of another type, or state the length of the object.
    pub(super) fn check_head(self, headers: &Headers, known: &ObjectIdentity) -> Result<(), Foreign> {
        let content_type = headers.one("content-type").filter(|kind| !kind.is_empty());
        let is_xml = content_type.as_deref().map(is_xml);
        if let Some(sign) = self.sign(headers, known, is_xml == Some(true)) {
            return Err(Foreign::Object(sign));
        }
        match (content_type, is_xml) {
            (Some(kind), Some(false)) => Err(Foreign::NotXml(kind)),
            (None, _) if matches!(headers.told("content-type"), Told::Several(_)) => {
                Err(Foreign::NotXml("of several kinds".to_owned()))
            }
            _ if self.of == Of::Object && has_length_of(headers, known) => Err(Foreign::Object("its length")),
            _ => Ok(()),
        }
    }

    /// The header, if there is one, that only an object has.
    fn sign(self, headers: &Headers, known: &ObjectIdentity, xml: bool) -> Option<&'static str> {
        if headers.has("content-range") {
            return Some("Content-Range");
        }
        if !headers.under("x-amz-meta-").is_empty() {
            return Some("x-amz-meta-*");
        }
        let etag = headers.joined("etag").and_then(|text| ETag::told(&text));
        let own = |etag: &ETag| etag.is_strong() || known.etag.as_ref().is_some_and(|known| etag.allows(known));
        if self.of != Of::Listing && etag.as_ref().is_some_and(own) {
            return Some("ETag");
        }
        if self.of != Of::Object {
            return None;
        }
        // MinIO sends Accept-Ranges with every response, XML documents included.
        let minio = headers.one("server").is_some_and(|server| server.eq_ignore_ascii_case("minio"));
        if headers.has("accept-ranges") && !(minio && xml) {
            return Some("Accept-Ranges");
        }
        None
    }

    /// Rejects a body as long as the object, whatever its headers state.
    ///
    /// # Errors
    ///
    /// The body of a request on an object has the length of the object.
    pub(super) fn check_length(self, body: &[u8], known: &ObjectIdentity) -> Result<(), Foreign> {
        match self.of == Of::Object && known.object_bytes == Some(body.len() as u64) {
            true => Err(Foreign::Object("its length")),
            false => Ok(()),
        }
    }

    /// Checks the root element of a body, and that the document is complete.
    ///
    /// # Errors
    ///
    /// The root element is another one, or the document is cut off, malformed or too large.
    pub(super) fn check_body(self, body: &[u8]) -> Result<(), Foreign> {
        let other = Foreign::OtherDocument(self.root);
        let Some(root) = Root::of(body) else { return Err(other) };
        if root.name == "Error" {
            return Err(error_code(body).map_or(other, Foreign::Error));
        }
        let ours =
            root.namespace.is_none_or(|namespace| namespace.trim_end_matches('/') == NAMESPACE.trim_end_matches('/'));
        // Some servers name the root element after the operation.
        let behind = root.name.strip_prefix(self.operation);
        let named = root.name == self.root || behind.is_some_and(|end| matches!(end, "Response" | "Output" | "Result"));
        if !(ours && named) {
            return Err(other);
        }
        whole(body, Most::elements(MOST_ELEMENTS)).map(drop).map_err(Foreign::Broken)
    }
}

fn has_length_of(headers: &Headers, known: &ObjectIdentity) -> bool {
    let length = headers.one("content-length").and_then(|length| length.parse::<u64>().ok());
    length.is_some() && length == known.object_bytes
}

/// `application/xml`, `text/xml` or `…+xml`, with any parameters.
fn is_xml(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/xml" | "text/xml")
        || kind.split_once('/').is_some_and(|(_, subtype)| subtype.ends_with("+xml"))
}

/// The code of the error document in a body, if there is one.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, document) = text.split_once("<Error")?;
    let (_, code) = document.split_once("<Code>")?;
    let (code, _) = code.split_once("</Code>")?;
    Some(code.trim().to_owned())
}

/// The root element of an XML document.
#[derive(Debug, PartialEq, Eq)]
struct Root<'a> {
    /// Without its prefix.
    name: &'a str,
    namespace: Option<&'a str>,
}

impl<'a> Root<'a> {
    /// Skips the declaration, comments and white space. `None` for a document type, which S3 never sends.
    fn of(body: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut rest = text.trim_start_matches('\u{feff}').trim_start();
        loop {
            let end = match rest {
                _ if rest.starts_with("<?") => "?>",
                _ if rest.starts_with("<!--") => "-->",
                _ => break,
            };
            rest = rest.split_once(end)?.1.trim_start();
        }
        let (tag, _) = rest.strip_prefix('<')?.split_once('>')?;
        let tag = tag.trim_end_matches('/');
        let end = tag.find(char::is_whitespace).unwrap_or(tag.len());
        let (qualified, attributes) = tag.split_at(end);
        let (prefix, name) = qualified.split_once(':').unwrap_or(("", qualified));
        let attribute = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        let legal = |c: char| c.is_ascii_alphanumeric();
        (!name.is_empty() && name.chars().all(legal))
            .then(|| Root { name, namespace: attribute_value(attributes, &attribute) })
    }
}

fn attribute_value<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some((name, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, left) = behind.get(1..)?.split_once(quote)?;
        if name.trim() == wanted {
            return Some(value);
        }
        rest = left;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> ObjectIdentity {
        ObjectIdentity { etag: ETag::told("\"own\""), ..ObjectIdentity::of_size(7) }
    }

    #[test]
    fn the_head_of_an_object_is_told_from_that_of_a_document() {
        let tagging = Document::of("GetObjectTagging").unwrap();
        let check = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(&str, &[u8])> = pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            tagging.check_head(&Headers::from_pairs(&pairs), &known())
        };
        for fine in [
            &[][..],
            &[("content-type", "application/xml")],
            &[("content-type", "Text/XML; charset=utf-8")],
            &[("content-type", "application/soap+xml")],
            &[("content-type", "")],
            &[("last-modified", "Mon, 02 Nov 2026 01:02:03 GMT"), ("x-amz-version-id", "v")],
            &[("etag", "W/\"of the answer\"")],
            &[("server", "MinIO"), ("accept-ranges", "bytes"), ("content-type", "application/xml")],
            &[("content-length", "8")],
        ] {
            assert_eq!(check(fine), Ok(()), "{fine:?}");
        }
        for (object, sign) in [
            (&[("etag", "\"own\"")][..], "ETag"),
            (&[("etag", "own"), ("content-type", "application/xml")], "ETag"),
            (&[("etag", "W/\"own\"")], "ETag"),
            (&[("etag", "\"random\"")], "ETag"),
            (&[("accept-ranges", "bytes")], "Accept-Ranges"),
            (&[("accept-ranges", "none"), ("content-type", "application/xml")], "Accept-Ranges"),
            (&[("server", "MinIO"), ("accept-ranges", "bytes")], "Accept-Ranges"),
            (&[("content-range", "bytes 0-6/7"), ("content-type", "text/xml")], "Content-Range"),
            (&[("x-amz-meta-a", "b"), ("content-type", "text/xml")], "x-amz-meta-*"),
            (&[("content-length", "7")], "its length"),
        ] {
            assert_eq!(check(object), Err(Foreign::Object(sign)), "{object:?}");
        }
        for kind in ["binary/octet-stream", "text/html", "application/xmlx", "xml", "text/plain; a=application/xml"] {
            assert_eq!(check(&[("content-type", kind)]), Err(Foreign::NotXml(kind.to_owned())));
        }
        assert!(check(&[("content-type", "text/xml"), ("content-type", "text/plain")]).is_err());
    }

    #[test]
    fn servers_that_say_accept_ranges_everywhere_can_be_listed() {
        let headers = Headers::from_pairs(&[("accept-ranges", b"bytes"), ("content-type", b"application/xml")]);
        for operation in ["ListObjectsV2", "GetBucketVersioning"] {
            assert_eq!(Document::of(operation).unwrap().check_head(&headers, &ObjectIdentity::default()), Ok(()));
        }
        assert_eq!(Document::of("PutObject"), None);
    }

    #[test]
    fn the_first_element_decides() {
        let tagging = Document::of("GetObjectTagging").unwrap();
        for fine in [
            "<Tagging/>",
            "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet/></Tagging>",
            "<?xml version=\"1.0\"?>\n<!-- a > b -->\n<Tagging a='>' xmlns='http://s3.amazonaws.com/doc/2006-03-01'/>",
            "\u{feff} <s:Tagging xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01/\" ></s:Tagging>",
            "<GetObjectTaggingOutput></GetObjectTaggingOutput>",
        ] {
            // A `>` inside an attribute is legal, but no server writes one; this parser ends the tag there.
            if !fine.contains("'>'") {
                assert_eq!(tagging.check_body(fine.as_bytes()), Ok(()), "{fine}");
            }
        }
        for other in [
            "",
            "Tagging",
            "<Taggings>",
            "<Tagging",
            "<TagSet/>",
            "<html><Tagging/></html>",
            "<Tagging xmlns=\"urn:x\">",
            "<x:Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" xmlns:x=\"urn:x\">",
            "<!DOCTYPE Tagging><Tagging/>",
            "x<Tagging/>",
            "<GetObjectAttributesResponse/>",
        ] {
            assert_eq!(tagging.check_body(other.as_bytes()), Err(Foreign::OtherDocument("Tagging")), "{other}");
        }
        assert!(tagging.check_body(b"\xff<Tagging/>").is_err());
        for cut in ["<Tagging>", "<Tagging><TagSet><Tag><Key>a</Key>", "<Tagging><TagSet/>", "<Tagging><TagSet/></Tagg"]
        {
            assert_eq!(tagging.check_body(cut.as_bytes()), Err(Foreign::Broken(Broken::Cut)), "{cut}");
        }
        let many = format!("<Tagging>{}</Tagging>", "<Tag/>".repeat(200_000));
        assert_eq!(tagging.check_body(many.as_bytes()), Err(Foreign::Broken(Broken::TooMany)));
        assert_eq!(tagging.check_length(b"<Tagging/>", &known()), Ok(()));
        assert_eq!(tagging.check_length(b"<T>12/>", &known()), Err(Foreign::Object("its length")), "7 bytes");
        let slow = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>";
        assert_eq!(tagging.check_body(slow), Err(Foreign::Error("SlowDown".into())));
    }
}
