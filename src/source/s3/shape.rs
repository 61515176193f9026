//! Checks which elements a settings document has, and how often. The SDK ignores unknown elements and keeps the last of
//! repeated ones; both would be wrong in documents that decide whether an object is kept.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The namespace of all S3 documents; other servers omit it.
pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// How often an element occurs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    Once,
    AtMostOnce,
    Many,
}

/// Content of an element.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    /// These elements and no others.
    Only(&'static [Field]),
    /// These elements, and others that do not change their meaning.
    AtLeast(&'static [Field]),
    Anything,
}

type Field = (&'static str, Count, Holds);

use Count::{AtMostOnce, Many, Once};
use Holds::{Anything, AtLeast, Only, Text};

const TAG: Holds = Only(&[("Key", Once, Text), ("Value", Once, Text)]);
const TAGGING: Holds = Only(&[("TagSet", Once, Only(&[("Tag", Many, TAG)]))]);
const RETENTION: Holds = Only(&[("Mode", AtMostOnce, Text), ("RetainUntilDate", AtMostOnce, Text)]);
const LEGAL_HOLD: Holds = Only(&[("Status", AtMostOnce, Text)]);
const VERSIONING: Holds = Only(&[("Status", AtMostOnce, Text), ("MfaDelete", AtMostOnce, Text)]);
const DEFAULT_ENCRYPTION: Holds = AtLeast(&[("SSEAlgorithm", Once, Text), ("KMSMasterKeyID", AtMostOnce, Text)]);
const ENCRYPTION: Holds = AtLeast(&[(
    "Rule",
    AtMostOnce,
    AtLeast(&[("ApplyServerSideEncryptionByDefault", AtMostOnce, DEFAULT_ENCRYPTION)]),
)]);
const PUBLIC_ACCESS: Holds = AtLeast(&[
    ("BlockPublicAcls", AtMostOnce, Text),
    ("IgnorePublicAcls", AtMostOnce, Text),
    ("BlockPublicPolicy", AtMostOnce, Text),
    ("RestrictPublicBuckets", AtMostOnce, Text),
]);
const POLICY_STATUS: Holds = Only(&[("IsPublic", Once, Text)]);
const DEFAULT_RETENTION: Holds =
    Only(&[("Mode", AtMostOnce, Text), ("Days", AtMostOnce, Text), ("Years", AtMostOnce, Text)]);
const BUCKET_LOCK: Holds = Only(&[
    ("ObjectLockEnabled", AtMostOnce, Text),
    ("Rule", AtMostOnce, Only(&[("DefaultRetention", AtMostOnce, DEFAULT_RETENTION)])),
]);
const LIFECYCLE: Holds = Only(&[("Rule", Many, Anything), ("TransitionDefaultMinimumObjectSize", AtMostOnce, Text)]);

const AND: Holds = Only(&[
    ("Prefix", AtMostOnce, Text),
    ("Tag", Many, TAG),
    ("ObjectSizeGreaterThan", AtMostOnce, Text),
    ("ObjectSizeLessThan", AtMostOnce, Text),
]);
const FILTER: Holds = Only(&[
    ("Prefix", AtMostOnce, Text),
    ("Tag", AtMostOnce, TAG),
    ("ObjectSizeGreaterThan", AtMostOnce, Text),
    ("ObjectSizeLessThan", AtMostOnce, Text),
    ("And", AtMostOnce, AND),
]);
const NONCURRENT: [Field; 3] = [
    ("NoncurrentDays", AtMostOnce, Text),
    ("NewerNoncurrentVersions", AtMostOnce, Text),
    ("StorageClass", AtMostOnce, Text),
];
/// S3 API reference, `LifecycleRule`.
const RULE: Holds = Only(&[
    ("ID", AtMostOnce, Text),
    ("Status", Once, Text),
    ("Prefix", AtMostOnce, Text),
    ("Filter", AtMostOnce, FILTER),
    (
        "Expiration",
        AtMostOnce,
        Only(&[
            ("Days", AtMostOnce, Text),
            ("Date", AtMostOnce, Text),
            ("ExpiredObjectDeleteMarker", AtMostOnce, Text),
        ]),
    ),
    (
        "NoncurrentVersionExpiration",
        AtMostOnce,
        Only(&[("NoncurrentDays", AtMostOnce, Text), ("NewerNoncurrentVersions", AtMostOnce, Text)]),
    ),
    (
        "Transition",
        Many,
        Only(&[("Days", AtMostOnce, Text), ("Date", AtMostOnce, Text), ("StorageClass", AtMostOnce, Text)]),
    ),
    ("NoncurrentVersionTransition", Many, Only(&NONCURRENT)),
    ("AbortIncompleteMultipartUpload", AtMostOnce, Only(&[("DaysAfterInitiation", AtMostOnce, Text)])),
]);

/// S3 API reference, `GetObjectAttributes`.
const ATTRIBUTES: Holds = Only(&[
    ("ETag", AtMostOnce, Text),
    ("Checksum", AtMostOnce, Anything),
    ("ObjectParts", AtMostOnce, Anything),
    ("StorageClass", AtMostOnce, Text),
    ("ObjectSize", AtMostOnce, Text),
]);

/// The content of the root element; `None` for operations that are not checked.
fn of(operation: &str) -> Option<Holds> {
    Some(match operation {
        "GetObjectAttributes" => ATTRIBUTES,
        "GetObjectTagging" => TAGGING,
        "GetObjectRetention" => RETENTION,
        "GetObjectLegalHold" => LEGAL_HOLD,
        "GetBucketVersioning" => VERSIONING,
        "GetBucketEncryption" => ENCRYPTION,
        "GetPublicAccessBlock" => PUBLIC_ACCESS,
        "GetBucketPolicyStatus" => POLICY_STATUS,
        "GetObjectLockConfiguration" => BUCKET_LOCK,
        "GetBucketLifecycleConfiguration" => LIFECYCLE,
        _ => return None,
    })
}

/// Why a document is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ShapeError {
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    #[error("the document is empty")]
    Empty,
    #[error("the document breaks off")]
    BreaksOff,
    #[error("a second document follows the first")]
    SecondDocument,
    #[error("its elements are nested too deep")]
    TooDeep,
    #[error("a text stands outside of the document")]
    TextOutside,
    #[error("the document holds what no answer of S3 does")]
    NotOfS3,
    #[error("the element `{0}` is of another kind than those of S3")]
    ForeignElement(String),
    #[error("{0} holds more than a text")]
    MoreThanText(String),
    #[error("{0} holds a text between its elements")]
    TextBetween(String),
    #[error("{within} holds an element `{name}`, which is not known")]
    UnknownElement { within: String, name: String },
    #[error("{within} has no {name}")]
    Missing { within: String, name: &'static str },
    #[error("{within} has {times} elements {name}")]
    Repeated { within: String, name: &'static str, times: usize },
}

/// Checks the document of an operation. Documents of other operations are accepted.
///
/// # Errors
///
/// The first element or text that is not understood.
pub(super) fn check(operation: &str, body: &[u8]) -> Result<(), ShapeError> {
    match of(operation) {
        Some(holds) => tree(body)?.fits(holds),
        None => Ok(()),
    }
}

/// For each rule of a lifecycle configuration, in order: why it is not understood, or `None`.
pub(super) fn rules(body: &[u8]) -> Vec<Option<String>> {
    let rules = tree(body).map(|root| root.children).unwrap_or_default();
    rules
        .iter()
        .filter(|child| child.name == "Rule")
        .map(|rule| rule.fits(RULE).err().map(|error| error.to_string()))
        .collect()
}

/// Limit of nesting; documents of S3 are less deep.
const DEEPEST: usize = 16;

/// The shape of an element.
#[derive(Debug, Default)]
struct Element {
    name: String,
    /// It has text other than white space.
    text: bool,
    /// Its text is in several pieces, of which a parser may take only one.
    pieces: bool,
    children: Vec<Element>,
}

impl Element {
    fn fits(&self, holds: Holds) -> Result<(), ShapeError> {
        let (fields, open) = match holds {
            Anything => return Ok(()),
            Text if self.children.is_empty() && !self.pieces => return Ok(()),
            Text => return Err(ShapeError::MoreThanText(self.name.clone())),
            Only(fields) => (fields, false),
            AtLeast(fields) => (fields, true),
        };
        if self.text {
            return Err(ShapeError::TextBetween(self.name.clone()));
        }
        for child in &self.children {
            match fields.iter().find(|(name, ..)| *name == child.name) {
                Some((.., holds)) => child.fits(*holds)?,
                None if open && !fields.iter().any(|(name, ..)| name.eq_ignore_ascii_case(&child.name)) => {}
                None => {
                    return Err(ShapeError::UnknownElement { within: self.name.clone(), name: child.name.clone() });
                }
            }
        }
        for (name, count, _) in fields {
            match self.children.iter().filter(|child| child.name == *name).count() {
                0 if *count == Once => return Err(ShapeError::Missing { within: self.name.clone(), name }),
                0 | 1 => {}
                _ if *count == Many => {}
                times => return Err(ShapeError::Repeated { within: self.name.clone(), name, times }),
            }
        }
        Ok(())
    }
}

/// Parses a document to its root element.
fn tree(body: &[u8]) -> Result<Element, ShapeError> {
    let mut reader = Reader::from_reader(body);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut prefix = None;
    loop {
        let event = reader.read_event().map_err(|error| ShapeError::Unreadable(error.to_string()))?;
        let closed = match event {
            Event::Eof if open.is_empty() => return root.ok_or(ShapeError::Empty),
            Event::Eof => return Err(ShapeError::BreaksOff),
            Event::Start(_) | Event::Empty(_) if root.is_some() => {
                return Err(ShapeError::SecondDocument);
            }
            Event::Start(start) => {
                open.push(element(&start, &mut prefix)?);
                if open.len() > DEEPEST {
                    return Err(ShapeError::TooDeep);
                }
                None
            }
            Event::Empty(start) => Some(element(&start, &mut prefix)?),
            Event::End(_) => open.pop(),
            Event::Decl(_) => None,
            Event::Text(text) => {
                let blank = text.iter().all(u8::is_ascii_whitespace);
                match open.last_mut() {
                    Some(element) => element.text |= !blank,
                    None if blank || is_mark(&text) => {}
                    None => return Err(ShapeError::TextOutside),
                }
                None
            }
            Event::GeneralRef(_) => {
                open.last_mut().ok_or(ShapeError::TextOutside)?.text = true;
                None
            }
            Event::Comment(_) => {
                if let Some(element) = open.last_mut() {
                    element.pieces = true;
                }
                None
            }
            Event::CData(_) | Event::PI(_) | Event::DocType(_) => {
                return Err(ShapeError::NotOfS3);
            }
        };
        if let Some(closed) = closed {
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => root = Some(closed),
            }
        }
    }
}

/// A byte order mark, possibly followed by white space.
fn is_mark(text: &[u8]) -> bool {
    text.strip_prefix(b"\xef\xbb\xbf").is_some_and(|rest| rest.iter().all(u8::is_ascii_whitespace))
}

/// An element without its content. Elements below the root must have its prefix and the S3 namespace.
fn element(start: &BytesStart<'_>, prefix: &mut Option<String>) -> Result<Element, ShapeError> {
    let full = String::from_utf8_lossy(start.name().as_ref()).into_owned();
    let (own, name) = full.split_once(':').unwrap_or(("", &full));
    match prefix {
        None => *prefix = Some(own.to_owned()),
        Some(of_root) => {
            let foreign = start.attributes().any(|attribute| {
                let names_it = |attribute: &quick_xml::events::attributes::Attribute<'_>| {
                    let value = attribute.value.strip_suffix(b"/").unwrap_or(&attribute.value);
                    attribute.key.as_ref().starts_with(b"xmlns")
                        && (value.is_empty() || value == NAMESPACE.trim_end_matches('/').as_bytes())
                };
                !attribute.as_ref().is_ok_and(names_it)
            });
            if own != of_root || foreign {
                return Err(ShapeError::ForeignElement(full));
            }
        }
    }
    Ok(Element { name: name.to_owned(), ..Element::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "GetBucketLifecycleConfiguration";

    fn rule(inside: &str) -> Option<String> {
        let document = format!("<LifecycleConfiguration><Rule>{inside}</Rule></LifecycleConfiguration>");
        assert_eq!(check(RULES, document.as_bytes()), Ok(()), "{inside}");
        rules(document.as_bytes()).remove(0)
    }

    #[test]
    fn rules_of_s3_are_understood() {
        for fine in [
            "<ID>a&amp;b</ID><Filter/><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>",
            "<Prefix/><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>1\
             </DaysAfterInitiation></AbortIncompleteMultipartUpload>",
            "\n <Filter><And><Prefix>p</Prefix><Tag><Key>a</Key><Value/></Tag><Tag><Key>b</Key><Value>1</Value></Tag>\
             <ObjectSizeLessThan>5</ObjectSizeLessThan></And></Filter>\n<Status>Enabled</Status><!-- x -->",
            "<Status>Disabled</Status><Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>\
             <Transition><Days>2</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>\
             <NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER</StorageClass>\
             </NoncurrentVersionTransition>",
        ] {
            assert_eq!(rule(fine), None, "{fine}");
        }
    }

    #[test]
    fn what_is_twice_or_not_known_is_not_understood() {
        let on = "<Status>Enabled</Status>";
        for odd in [
            "<Filter/>",
            "<Filter/><Status>Disabled</Status><Status>Enabled</Status>",
            "<Filter/><Filter><Prefix>q</Prefix></Filter><Status>Enabled</Status>",
            &format!("<Prefix>p</Prefix><Prefix>q</Prefix>{on}"),
            &format!("<Filter><Prefix>p</Prefix><Prefix>q</Prefix></Filter>{on}"),
            &format!("<Filter><And/><And/></Filter>{on}"),
            &format!("<Filter><Not><Prefix>q</Prefix></Not></Filter>{on}"),
            &format!("<Filter><Tag><Key>a</Key></Tag></Filter>{on}"),
            &format!("<Filter><Tag><Key>a</Key><Key>b</Key><Value/></Tag></Filter>{on}"),
            &format!("{on}<Purge><Days>1</Days></Purge>"),
            &format!("{on}<expiration><Days>1</Days></expiration>"),
            &format!("{on}<Expiration><Days>3</Days></Expiration><Expiration><Days>900</Days></Expiration>"),
            &format!("{on}<Expiration><Days>3</Days><Days>900</Days></Expiration>"),
            &format!("{on}<Expiration><Days>900</Days><Hours>1</Hours></Expiration>"),
            &format!("{on}<Expiration><Days>9<!-- x -->00</Days></Expiration>"),
            &format!("{on}<Expiration><Days><x/>900</Days></Expiration>"),
            &format!("{on} or not"),
        ] {
            assert!(rule(odd).is_some(), "{odd}");
        }
    }

    #[test]
    fn documents_are_whole_and_alone() {
        let one = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LifecycleConfiguration>";
        assert_eq!(check(RULES, one.as_bytes()), Ok(()));
        assert_eq!(check(RULES, format!("\u{feff}<?xml version=\"1.0\"?>\n{one}\n<!-- x -->\n").as_bytes()), Ok(()));
        assert_eq!(check("ListObjectsV2", b"<"), Ok(()));
        for odd in [
            "",
            "<LifecycleConfiguration>",
            "<LifecycleConfiguration><Rules><Rule/></Rules></LifecycleConfiguration>",
            "<LifecycleConfiguration><rule/></LifecycleConfiguration>",
            "<LifecycleConfiguration><x:Rule xmlns:x=\"urn:x\"/></LifecycleConfiguration>",
            "<LifecycleConfiguration><Rule xmlns=\"urn:x\"/></LifecycleConfiguration>",
            "<LifecycleConfiguration><![CDATA[<Rule/>]]></LifecycleConfiguration>",
            "<LifecycleConfiguration>none</LifecycleConfiguration>",
            "<LifecycleConfiguration></LifecycleConfiguratio>",
            &format!("{one}{one}"),
            &format!("{one}x"),
            &format!("{one}&amp;"),
            &format!("{}<a>{}", one.replace("</LifecycleConfiguration>", ""), "<a>".repeat(100)),
        ] {
            assert!(check(RULES, odd.as_bytes()).is_err(), "{odd}");
        }
    }

    #[test]
    fn settings_come_once() {
        for (operation, fine, odd) in [
            ("GetObjectTagging", "<T><TagSet/></T>", "<T/>"),
            (
                "GetObjectTagging",
                "<T><TagSet><Tag><Key>a</Key><Value/></Tag></TagSet></T>",
                "<T><TagSet/><TagSet/></T>",
            ),
            ("GetObjectRetention", "<R><Mode>A</Mode></R>", "<R><Mode>A</Mode><Mode>B</Mode></R>"),
            ("GetObjectLegalHold", "<L><Status>ON</Status></L>", "<L><Status>OFF</Status><Status>ON</Status></L>"),
            ("GetBucketVersioning", "<V/>", "<V><Status>Suspended</Status><Status>Enabled</Status></V>"),
            (
                "GetBucketEncryption",
                "<E><Rule><New/></Rule></E>",
                "<E><Rule><ApplyServerSideEncryptionByDefault/></Rule></E>",
            ),
            ("GetBucketEncryption", "<E/>", "<E><Rule/><Rule/></E>"),
            (
                "GetPublicAccessBlock",
                "<P><BlockPublicAcls>true</BlockPublicAcls><New>false</New></P>",
                "<P><BlockPublicAcls>true</BlockPublicAcls><blockpublicacls>false</blockpublicacls></P>",
            ),
            (
                "GetBucketPolicyStatus",
                "<P><IsPublic>false</IsPublic></P>",
                "<P><IsPublic>false</IsPublic><IsPublic>true</IsPublic></P>",
            ),
            (
                "GetObjectLockConfiguration",
                "<O><ObjectLockEnabled>Enabled</ObjectLockEnabled></O>",
                "<O><ObjectLockEnabled>Enabled</ObjectLockEnabled><New/></O>",
            ),
        ] {
            assert_eq!(check(operation, fine.as_bytes()), Ok(()), "{fine}");
            assert!(check(operation, odd.as_bytes()).is_err(), "{odd}");
        }
    }
}
