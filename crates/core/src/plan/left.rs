//! Values that other programs left with an object, in its tags or its user metadata.

use std::collections::BTreeMap;

use super::{Claim, Reference, References};
use crate::checksum::{Algorithm, Digest};
use crate::verdict::{CheckId, Finding, Origin, Outcome, Reason, Subject};

/// Names under which other programs keep the digest of a whole object: Serverless Fixity for Digital Preservation
/// (`computed-…`), Fixity of Media Exchange on AWS (`Content-…`), rclone (`md5chksum`), and scripts.
const NAMES: [(&str, Algorithm, Where); 8] = [
    ("computed-md5", Algorithm::Md5, Where::Both),
    ("computed-sha256", Algorithm::Sha256, Where::Both),
    ("Content-MD5", Algorithm::Md5, Where::Both),
    ("Content-SHA1", Algorithm::Sha1, Where::Both),
    ("md5chksum", Algorithm::Md5, Where::Metadata),
    ("md5", Algorithm::Md5, Where::Metadata),
    ("sha1", Algorithm::Sha1, Where::Metadata),
    ("sha256", Algorithm::Sha256, Where::Metadata),
];

/// Where a name has this meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Both,
    Metadata,
}

/// The references that other programs left in the tags or the metadata of an object, by the origin. A value that is no
/// digest, and values of one algorithm that differ, become findings without a result.
pub fn left_references(origin: Origin, pairs: &BTreeMap<String, String>) -> References {
    let mut left = References::default();
    for algorithm in [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256] {
        let check = CheckId::Reference(origin, Subject::Checksum(algorithm));
        let mut found: Vec<(String, Digest)> = Vec::new();
        for (name, value) in pairs.iter().filter(|(name, _)| means(origin, name) == Some(algorithm)) {
            let source = format!("{} `{name}`", place(origin));
            match Digest::parse(algorithm, value.trim()) {
                Ok(digest) => found.push((source, digest)),
                Err(error) => left.unusable.push(open(check, format!("the {source}: {error}"))),
            }
        }
        let Some((_, digest)) = found.first().cloned() else { continue };
        let sources: Vec<&str> = found.iter().map(|(source, _)| source.as_str()).collect();
        let source = sources.join(" and ");
        match found.iter().all(|(_, other)| *other == digest) {
            true => {
                let source = format!("{source}, left by another program");
                left.references.push(Reference::new(check, source, Claim::Whole(digest)));
            }
            false => left.unusable.push(open(check, format!("the {source} state different values"))),
        }
    }
    left
}

/// The algorithm that a name stands for. S3 keeps the names of metadata in lower case.
fn means(origin: Origin, name: &str) -> Option<Algorithm> {
    let known = NAMES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    (known.2 == Where::Both || origin == Origin::Metadata).then_some(known.1)
}

fn place(origin: Origin) -> &'static str {
    if origin == Origin::Tags { "tag" } else { "metadata" }
}

fn open(check: CheckId, detail: String) -> Finding {
    Finding { check, required: false, outcome: Outcome::Unknown(Reason::NotStated { detail }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const MD5_BASE64: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";
    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn left(origin: Origin, pairs: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let left = left_references(origin, &pairs);
        let known = |reference: &Reference| format!("{}: {}", reference.check, reference.source);
        let open = |finding: &Finding| match &finding.outcome {
            Outcome::Unknown(reason) => format!("{}: {reason}", finding.check),
            other => panic!("{other:?}"),
        };
        (left.references.iter().map(known).collect(), left.unusable.iter().map(open).collect())
    }

    #[test]
    fn each_known_name_is_a_reference_where_it_is_used() {
        for (name, value, in_tags, in_metadata) in [
            ("computed-md5", MD5, "tags-md5", "metadata-md5"),
            ("computed-sha256", SHA256, "tags-sha256", "metadata-sha256"),
            ("Content-MD5", MD5_BASE64, "tags-md5", "metadata-md5"),
            ("content-md5", MD5, "tags-md5", "metadata-md5"),
            ("Content-SHA1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "tags-sha1", "metadata-sha1"),
            ("md5chksum", MD5_BASE64, "", "metadata-md5"),
            ("md5", MD5, "", "metadata-md5"),
            ("sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "", "metadata-sha1"),
            ("sha256", SHA256, "", "metadata-sha256"),
            ("checksum", MD5, "", ""),
        ] {
            for (origin, what, check) in [(Origin::Tags, "tag", in_tags), (Origin::Metadata, "metadata", in_metadata)] {
                let known = match check {
                    "" => Vec::new(),
                    check => vec![format!("{check}: {what} `{name}`, left by another program")],
                };
                assert_eq!(left(origin, &[(name, value)]), (known, Vec::new()), "{name} in {what}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_said() {
        let (known, open) = left(Origin::Metadata, &[("md5", "soon"), ("sha256", MD5), ("computed-md5", "")]);
        assert!(known.is_empty());
        assert_eq!(open.len(), 3, "{open:?}");
        assert!(open[0].starts_with("metadata-md5: the metadata `computed-md5`: `` is not a md5 value"), "{open:?}");
        assert!(open[1].contains("`md5`: `soon` is not a md5 value"), "{open:?}");
        assert!(open[2].contains("metadata-sha256: the metadata `sha256`") && open[2].contains("16 bytes"), "{open:?}");
    }

    #[test]
    fn equal_values_are_one_reference_and_different_ones_are_none() {
        let same = left(Origin::Tags, &[("Content-MD5", MD5_BASE64), ("computed-md5", MD5)]);
        let both = "tags-md5: tag `Content-MD5` and tag `computed-md5`, left by another program".to_owned();
        assert_eq!(same, (vec![both], Vec::new()));
        let other = left(Origin::Tags, &[("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="), ("computed-md5", MD5)]);
        let open = "tags-md5: the tag `Content-MD5` and tag `computed-md5` state different values".to_owned();
        assert_eq!(other, (Vec::new(), vec![open]));
    }
}
