//! The document of `inspect --facts-file`, which a user may publish.
//!
//! AWS does not publish which headers and metadata a stored AMI object has. Its types cannot hold a value that the
//! server stated: they contain numbers, words of this program, and names that passed [`PublicName::of`].

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::{ChecksumType, ETagKind, LayoutBasis, LayoutKind, LayoutReport, TOOL};
use crate::checksum::Algorithm;
use crate::facts::{ClassWord, Encryption, EncryptionWord, Fact, ObjectFacts, Service, ValueForm, ValueShape};
use crate::ident::{AmiId, ETag, ETagForm, Target};
use crate::plan::KnownLayout;
use crate::text::words;

/// Value of `schema` in the document.
const FACTS_SCHEMA: &str = "stored-ami/facts/1";

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactsFile {
    schema: &'static str,
    tool: &'static str,
    objects: Vec<PublicFacts>,
}

/// What may be published about one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicFacts {
    server: ServerWord,
    /// The API call behind the facts.
    source: &'static str,
    key: KeyForm,
    object_bytes: u64,
    /// A class of S3, or `other`.
    storage_class: &'static str,
    /// A kind of S3, or `other`.
    encryption: &'static str,
    etag: ETagKind,
    parts: PublicParts,
    checksums: PublicChecksums,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_count: Option<u32>,
    /// Number of metadata entries that headers cannot carry.
    missing_metadata: u32,
    metadata: Vec<PublicField>,
    headers: Vec<PublicField>,
}

words! {
    /// Who answered.
    pub enum ServerWord {
        Aws = "aws",
        Other = "other",
    }
}

words! {
    /// What the key of an object looks like.
    pub enum KeyForm {
        AmiId = "AMI_ID.bin",
        PathAndAmiId = "PATH/AMI_ID.bin",
        Other = "other",
    }
}

words! {
    /// Whether something was asked, and with which result.
    pub enum AnswerWord {
        Known = "known",
        Absent = "absent",
        NotPermitted = "not_permitted",
        Unavailable = "unavailable",
        NotApplicable = "not_applicable",
    }
}

impl<T> From<&Fact<T>> for AnswerWord {
    fn from(fact: &Fact<T>) -> Self {
        match fact {
            Fact::Known { .. } => AnswerWord::Known,
            Fact::Absent { .. } => AnswerWord::Absent,
            Fact::NotPermitted { .. } => AnswerWord::NotPermitted,
            Fact::Unavailable { .. } => AnswerWord::Unavailable,
            Fact::NotApplicable => AnswerWord::NotApplicable,
        }
    }
}

/// Number and sizes of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PublicParts {
    shape: LayoutKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<LayoutBasis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_part_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_part_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_part_bytes: Option<u64>,
}

impl From<&KnownLayout> for PublicParts {
    fn from(layout: &KnownLayout) -> Self {
        let report = LayoutReport::from(layout);
        PublicParts {
            shape: report.shape,
            basis: report.basis,
            count: report.parts,
            part_bytes: report.part_bytes,
            last_part_bytes: report.last_part_bytes,
            smallest_part_bytes: report.smallest_part_bytes,
            largest_part_bytes: report.largest_part_bytes,
        }
    }
}

/// The kinds of the stored checksums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PublicChecksums {
    answer: AnswerWord,
    stored: Vec<PublicChecksum>,
}

/// The kind of a stored checksum, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PublicChecksum {
    algorithm: Algorithm,
    kind: ChecksumType,
}

/// A header or an entry of the metadata, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PublicField {
    /// `null` if the name might identify something.
    name: Option<PublicName>,
    form: ValueForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
}

/// The name of a header or of an entry of the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct PublicName(String);

/// Longer names are withheld.
const LONGEST_NAME: usize = 64;
/// So many digits in a row may be an account.
const LONGEST_NUMBER: usize = 5;
/// So many hexadecimal digits with a decimal one among them may be an id.
const LONGEST_ID: usize = 7;

impl PublicName {
    /// A name, unless it has unusual characters, contains one of the `private` words, or something that may be an
    /// account or an id.
    fn of(name: &str, private: &[String]) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        // Accounts are also written with hyphens: 1234-5678-9012.
        let joined = lower.replace(['-', '_', '.'], "");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_usual = name.len() <= LONGEST_NAME && name.bytes().all(is_plain);
        let is_number = |run: &str| run.len() > LONGEST_NUMBER;
        let is_id = |run: &str| run.len() > LONGEST_ID && run.bytes().any(|byte| byte.is_ascii_digit());
        // Unique identifiers of access keys (IAM User Guide, *IAM identifiers*).
        let is_key = ["akia", "asia", "aroa", "aida"].iter().any(|prefix| lower.contains(prefix));
        let identifies = joined.split(|c: char| !c.is_ascii_digit()).any(is_number)
            || joined.split(|c: char| !c.is_ascii_hexdigit()).any(is_id)
            || is_key
            || private.iter().any(|word| lower.contains(word));
        (is_usual && !identifies).then(|| PublicName(name.to_owned()))
    }
}

/// Words that no published name may contain: the bucket, the segments of the key, and the words that they consist of.
/// Shorter ones occur in any name.
fn private_words(target: &Target) -> Vec<String> {
    const SHORTEST: usize = 3;
    let (bucket, key) = match target {
        Target::Object(uri) => (uri.bucket.as_str(), uri.key.as_str()),
        Target::Presigned(url) => (url.object().bucket.as_str(), url.object().key.as_str()),
        Target::File(_) => ("", ""),
    };
    const SHORTEST_WORD: usize = 4;
    let segments = key.split('/').map(|segment| segment.trim_end_matches(".bin"));
    let names: Vec<&str> = std::iter::once(bucket).chain(segments).collect();
    let words = names.iter().flat_map(|name| name.split(['-', '_', '.']).filter(move |word| word != name));
    let words = words.filter(|word| word.len() >= SHORTEST_WORD);
    let names = names.iter().copied().filter(|name| name.len() >= SHORTEST);
    names.chain(words).map(str::to_ascii_lowercase).collect()
}

impl PublicFacts {
    /// What may be published of these facts.
    pub fn of(facts: &ObjectFacts, layout: &KnownLayout) -> Self {
        let target = &facts.id.target;
        let (ami, private) = (target.ami_id(), private_words(target));
        let field = |name: &str, shape: ValueShape| PublicField {
            name: PublicName::of(name, &private),
            form: shape.form,
            length: shape.length,
        };
        let metadata = facts.metadata.iter().map(|(name, value)| field(name, ValueShape::of(value, ami.as_ref())));
        PublicFacts {
            server: match facts.service {
                Service::Aws => ServerWord::Aws,
                Service::Other => ServerWord::Other,
            },
            source: facts.source.name(),
            key: key_form(target, ami.as_ref()),
            object_bytes: facts.size,
            storage_class: known(facts.storage_class.as_deref().unwrap_or_default(), ClassWord::KNOWN),
            encryption: known(encryption(&facts.encryption), EncryptionWord::KNOWN),
            etag: match facts.id.etag.as_ref().map(ETag::form) {
                None => ETagKind::None,
                Some(ETagForm::Md5 { .. }) => ETagKind::Md5,
                Some(ETagForm::Multipart { .. }) => ETagKind::Multipart,
                Some(ETagForm::Opaque) => ETagKind::Opaque,
            },
            parts: PublicParts::from(layout),
            checksums: PublicChecksums {
                answer: AnswerWord::from(&facts.checksums),
                stored: facts.checksums.value().into_iter().flatten().map(checksum).collect(),
            },
            tag_count: facts.tag_count,
            missing_metadata: facts.missing_metadata,
            metadata: metadata.collect(),
            headers: facts.stated_headers.iter().map(|(name, shape)| field(name, *shape)).collect(),
        }
    }
}

fn checksum(stored: &crate::checksum::StoredChecksum) -> PublicChecksum {
    PublicChecksum { algorithm: stored.algorithm(), kind: stored.kind.into() }
}

fn key_form(target: &Target, ami: Option<&AmiId>) -> KeyForm {
    let key = match target {
        Target::Object(uri) => uri.key.as_str(),
        Target::Presigned(url) => url.object().key.as_str(),
        Target::File(_) => "",
    };
    match ami {
        None => KeyForm::Other,
        Some(_) if key.contains('/') => KeyForm::PathAndAmiId,
        Some(_) => KeyForm::AmiId,
    }
}

fn encryption(encryption: &Encryption) -> &str {
    match encryption {
        Encryption::None => "none stated",
        Encryption::S3Managed => "AES256",
        Encryption::Kms { kind, .. } | Encryption::Other(kind) => kind,
        Encryption::CustomerKey => "SSE-C",
    }
}

/// The word if it is one of the known ones.
fn known(word: &str, words: &'static [&'static str]) -> &'static str {
    words.iter().find(|known| **known == word).copied().unwrap_or("other")
}

impl FactsFile {
    /// A document about these objects.
    pub fn new(objects: Vec<PublicFacts>) -> Self {
        FactsFile { schema: FACTS_SCHEMA, tool: TOOL, objects }
    }

    /// The document as indented JSON.
    ///
    /// # Errors
    ///
    /// The serialiser fails.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut text = Vec::new();
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Lines::default()))?;
        text.push(b'\n');
        String::from_utf8(text).map_err(serde::ser::Error::custom)
    }
}

/// Writes each field of an object of S3 on a line of its own, so that a person can read all of them before they are
/// published.
#[derive(Default)]
struct Lines {
    depth: usize,
}

impl Lines {
    /// Depth of the fields of one object of S3, within the document and its list.
    const FIELDS: usize = 3;

    /// Whether the elements of a container at the current depth have lines of their own. Below the fields, only lists
    /// have.
    fn breaks(&self, is_list: bool) -> bool {
        self.depth <= Self::FIELDS || is_list && self.depth == Self::FIELDS + 1
    }

    fn next<W: ?Sized + io::Write>(&self, out: &mut W, is_first: bool, is_list: bool) -> io::Result<()> {
        match (self.breaks(is_list), is_first) {
            (true, true) => write!(out, "\n{:1$}", "", 2 * self.depth),
            (true, false) => write!(out, ",\n{:1$}", "", 2 * self.depth),
            (false, true) => Ok(()),
            (false, false) => out.write_all(b", "),
        }
    }

    fn end<W: ?Sized + io::Write>(&mut self, out: &mut W, mark: u8, is_list: bool) -> io::Result<()> {
        let breaks = self.breaks(is_list);
        self.depth -= 1;
        if breaks {
            write!(out, "\n{:1$}", "", 2 * self.depth)?;
        }
        out.write_all(&[mark])
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b']', true)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.next(out, is_first, true)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        out.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b'}', false)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.next(out, is_first, false)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ident::ObjectId;

    #[test]
    fn names_that_may_identify_something_are_withheld() {
        let private = private_words(&"s3://Corp-Backups/team-x/golden.bin".parse().unwrap());
        assert_eq!(private, ["corp-backups", "team-x", "golden", "corp", "backups", "team"]);
        let published = |name: &str| PublicName::of(name, &private).is_some();
        for name in ["ami-name", "x-amz-id-2", "x-amz-checksum-crc64nvme", "x-amz-checksum-xxhash128", "etag", "A_b.c"]
        {
            assert!(published(name), "{name}");
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        for name in [
            "owner-123456789012",
            "of-ami-056a6742115906e8c",
            "snap-1a2b3c4d",
            "Golden-owner",
            "corp-backups-id",
            "a b",
            "größe",
            &long,
        ] {
            assert!(!published(name), "{name}");
        }
    }

    #[test]
    fn nothing_of_the_object_is_in_the_document() {
        let target: Target = "s3://corp-backups/team-x/ami-0123456789abcdef0.bin".parse().unwrap();
        let id = ObjectId { target, etag: Some(ETag::new("d41d8cd98f00b204e9800998ecf8427e")) };
        let secrets =
            ["ami-0123456789abcdef0", "golden image", "team-x", "corp-backups", "d41d8cd9", "SECRET", "key/1"];
        let facts = ObjectFacts {
            storage_class: Some("SECRET".to_owned()),
            encryption: Encryption::Kms { kind: "SECRET".to_owned(), key: Some("key/1".to_owned()) },
            metadata: BTreeMap::from([
                ("ami-name".to_owned(), "golden image".to_owned()),
                ("source".to_owned(), "ami-0123456789abcdef0".to_owned()),
                ("team-x-id".to_owned(), "SECRET".to_owned()),
            ]),
            stated_headers: vec![("etag".to_owned(), ValueShape::of("SECRET", None))],
            replication: Some("SECRET".to_owned()),
            ..ObjectFacts::new(id, crate::facts::FactsSource::HeadObject, 20)
        };
        let text = FactsFile::new(vec![PublicFacts::of(&facts, &KnownLayout::single(20))]).to_json().unwrap();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let object = &json["objects"][0];
        assert_eq!((&object["storage_class"], &object["encryption"]), (&"other".into(), &"other".into()));
        assert_eq!(object["key"], "PATH/AMI_ID.bin");
        let fields = object["metadata"].as_array().unwrap();
        assert_eq!(fields[0], serde_json::json!({"name": "ami-name", "form": "text", "length": 12}));
        assert_eq!(fields[1], serde_json::json!({"name": "source", "form": "ami_id_of_the_object", "length": 21}));
        assert_eq!(fields[2]["name"], serde_json::Value::Null);
        let line = "\n        {\"name\": \"ami-name\", \"form\": \"text\", \"length\": 12},\n";
        assert!(text.contains(line), "a line for each field: {text}");
        assert!(text.ends_with("      ]\n    }\n  ]\n}\n"), "{text}");
    }

    #[test]
    fn names_that_may_identify_somebody_are_withheld() {
        let uri = "s3://acmecorp-images/backup/ami-0123456789abcdef0.bin".parse().unwrap();
        let private = private_words(&uri);
        for (name, kept) in [
            ("ami-name", true),
            ("content-length", true),
            ("x-amz-checksum-crc64nvme", true),
            ("x-amz-server-side-encryption", true),
            ("account-1234-5678-9012", false),
            ("account-123456", false),
            ("AKIAIOSFODNN7EXAMPLE", false),
            ("snap-0123.4567", false),
            ("owner-acmecorp", false),
            ("ami-backup-time", false),
        ] {
            assert_eq!(PublicName::of(name, &private).is_some(), kept, "{name}");
        }
    }
}
