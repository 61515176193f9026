//! What servers state about two objects, compared without reading a byte.

use std::fmt;

use crate::checksum::{ChecksumKind, Digest};
use crate::facts::{ObjectFacts, Service};
use crate::ident::{ETag, ETagForm, Target};
use crate::plan::{Basis, Candidate, KnownLayout};
use crate::text::words;
use crate::units::ByteSize;

words! {
    /// What of two objects is compared.
    pub enum CompareCheck {
        /// Their sizes.
        Size = "size",
        /// Stored checksums over the full object.
        Checksum = "checksum",
        /// Their ETags.
        ETag = "etag",
        /// The bytes that were read.
        Bytes = "bytes",
    }
}

words! {
    /// What a comparison shows.
    pub enum Likeness {
        /// Both are the same.
        Same = "same",
        /// They differ.
        Different = "different",
        /// It shows neither.
        Unknown = "unknown",
    }
}

/// What one comparison shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareFinding {
    /// What was compared.
    pub check: CompareCheck,
    /// What it shows.
    pub likeness: Likeness,
    /// What was found, for the user. The objects have their [names](StatedObject::name).
    pub text: String,
}

/// One of two objects, as its server states it.
#[derive(Debug, Clone, Copy)]
pub struct StatedObject<'a> {
    /// What it is called in texts, such as `A` or `the source`.
    pub name: &'static str,
    /// What HEAD, or the file system, states.
    pub facts: &'a ObjectFacts,
    /// Its parts; `None` if they have not been asked for.
    pub layout: Option<&'a KnownLayout>,
}

/// What must be known of the parts for the ETags to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayoutNeed {
    /// Nothing more.
    Nothing,
    /// The parts, as far as one request tells.
    Layout,
    /// The size of every part.
    EveryPart,
}

/// What is stated about two objects, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedComparison {
    /// One finding for each comparison that was possible.
    pub findings: Vec<CompareFinding>,
    /// What would let the ETags decide.
    pub need: LayoutNeed,
}

/// Minimum length in bytes of a checksum whose equality counts.
pub(super) const LEAST_CHECKSUM: usize = 8;

/// Compares sizes, checksums over the full object, and ETags.
///
/// Equal values show the same bytes only if they are checksums over the full object of at least 64 bits, or ETags that
/// S3 documents as MD5s over the same parts. A difference shows other bytes only where it can have no other cause:
/// sizes, checksums over the full object by one algorithm, and such ETags over parts whose sizes are proved.
pub fn compare_stated(a: StatedObject<'_>, b: StatedObject<'_>) -> StatedComparison {
    let mut findings = Vec::new();
    let (of_a, of_b) = (a.facts.size, b.facts.size);
    let size = |likeness, text| CompareFinding { check: CompareCheck::Size, likeness, text };
    if of_a != of_b {
        let (of_a, of_b) = (ByteSize(of_a).grouped(), ByteSize(of_b).grouped());
        let text = format!("{} has {of_a} bytes, {} has {of_b}", a.name, b.name);
        return StatedComparison { findings: vec![size(Likeness::Different, text)], need: LayoutNeed::Nothing };
    }
    if of_a == 0 {
        findings.push(size(Likeness::Same, "both are empty".to_owned()));
    }
    let is_file = |object: StatedObject<'_>| matches!(object.facts.id.target, Target::File(_));
    if is_file(a) || is_file(b) {
        // A file has neither a checksum nor an ETag.
        return StatedComparison { findings, need: LayoutNeed::Nothing };
    }
    findings.extend(compare_checksums(a, b));
    let (etag, need) = compare_etags(a, b);
    findings.push(etag);
    StatedComparison { findings, need }
}

/// What findings show together. What was read decides over what is stated; statements that contradict each other show
/// nothing.
pub fn likeness_of(findings: &[CompareFinding]) -> Likeness {
    let of = |check| findings.iter().find(|finding| finding.check == check).map(|finding| finding.likeness);
    let any = |likeness| findings.iter().any(|finding| finding.likeness == likeness);
    match (of(CompareCheck::Size), of(CompareCheck::Bytes)) {
        (Some(Likeness::Different), _) => Likeness::Different,
        (_, Some(read @ (Likeness::Same | Likeness::Different))) => read,
        _ if any(Likeness::Same) && any(Likeness::Different) => Likeness::Unknown,
        _ if any(Likeness::Different) => Likeness::Different,
        // The bytes could not be compared, although that was asked for.
        (_, Some(Likeness::Unknown)) => Likeness::Unknown,
        _ if any(Likeness::Same) => Likeness::Same,
        _ => Likeness::Unknown,
    }
}

/// The digests over the full object that are stored with it.
pub(super) fn full_object(facts: &ObjectFacts) -> impl Iterator<Item = Digest> {
    let stored = facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
    stored.iter().filter(|stored| stored.kind == ChecksumKind::FullObject).map(|stored| stored.digest)
}

fn compare_checksums(a: StatedObject<'_>, b: StatedObject<'_>) -> Vec<CompareFinding> {
    let finding = |likeness, text| CompareFinding { check: CompareCheck::Checksum, likeness, text };
    let mut findings = Vec::new();
    for of_a in full_object(a.facts) {
        let Some(of_b) = full_object(b.facts).find(|of_b| of_b.algorithm() == of_a.algorithm()) else { continue };
        let (name, bits) = (of_a.algorithm().name(), of_a.as_bytes().len() * 8);
        findings.push(match of_a == of_b {
            false => finding(
                Likeness::Different,
                format!("{name} over the full object: {}", each((a.name, of_a.base64()), (b.name, of_b.base64()))),
            ),
            true if of_a.as_bytes().len() >= LEAST_CHECKSUM => {
                finding(Likeness::Same, format!("both have the {name} {} over the full object", of_a.base64()))
            }
            true => finding(
                Likeness::Unknown,
                format!("both have the {name} {}, and {bits} bits are too few to show the same", of_a.base64()),
            ),
        });
    }
    if findings.is_empty() {
        let kinds = each((a.name, stored(a.facts)), (b.name, stored(b.facts)));
        let text = format!("no common checksum over the full object: {kinds}");
        findings.push(finding(Likeness::Unknown, text));
    }
    findings
}

/// A value of each object, for the user.
fn each((a, of_a): (&str, impl fmt::Display), (b, of_b): (&str, impl fmt::Display)) -> String {
    format!("{of_a} of {a}, {of_b} of {b}")
}

/// The kinds of checksums that are stored, for the user.
fn stored(facts: &ObjectFacts) -> String {
    if let Some(why) = facts.checksums.why_not() {
        return format!("not known ({why})");
    }
    let all = facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = all
        .iter()
        .map(|stored| match stored.kind {
            ChecksumKind::FullObject => stored.algorithm().name().to_owned(),
            ChecksumKind::Composite { .. } => format!("{} over parts", stored.algorithm().name()),
            ChecksumKind::Unstated => format!("{} of an unknown type", stored.algorithm().name()),
        })
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Why the ETag of an object need not be an MD5.
fn not_md5(StatedObject { name, facts, .. }: StatedObject<'_>) -> Option<String> {
    if facts.id.etag.is_none() {
        return Some(format!("{name} has no ETag"));
    }
    if let Some(why) = facts.encryption.hides_md5() {
        return Some(format!("the ETag of {name} is not an MD5: {why}"));
    }
    match (facts.etag_is_documented(), facts.service) {
        (true, _) => None,
        (false, Service::Other) => {
            Some(format!("{name} is not on a server of AWS, and only AWS documents its ETags as MD5s"))
        }
        (false, Service::Aws) => Some(format!("AWS does not document the ETag of {name} as an MD5")),
    }
}

fn compare_etags(a: StatedObject<'_>, b: StatedObject<'_>) -> (CompareFinding, LayoutNeed) {
    let finding = |likeness, text| CompareFinding { check: CompareCheck::ETag, likeness, text };
    let open = |text: String| (finding(Likeness::Unknown, text), LayoutNeed::Nothing);
    if let Some(why) = not_md5(a).or_else(|| not_md5(b)) {
        return open(why);
    }
    let (Some(of_a), Some(of_b)) = (&a.facts.id.etag, &b.facts.id.etag) else {
        return open("there are no ETags to compare".to_owned());
    };
    let both = each((a.name, of_a), (b.name, of_b));
    match (of_a.form(), of_b.form()) {
        (ETagForm::Md5 { digest }, ETagForm::Md5 { digest: other }) => {
            let (likeness, text) = match digest == other {
                true => (Likeness::Same, format!("both have the ETag {of_a}, the MD5 of the bytes")),
                false => (Likeness::Different, format!("the ETags are MD5s of the bytes: {both}")),
            };
            (finding(likeness, text), LayoutNeed::Nothing)
        }
        (ETagForm::Multipart { digest, parts }, ETagForm::Multipart { digest: other, parts: count })
            if parts == count =>
        {
            let (likeness, text, need) = over_parts(a.layout, b.layout, digest == other, (of_a, &both));
            (finding(likeness, text), need)
        }
        (ETagForm::Opaque, _) | (_, ETagForm::Opaque) => {
            open(format!("the ETags are not in the form of an MD5: {both}"))
        }
        _ => {
            open(format!("the objects were written in different parts, which gives the same bytes other ETags: {both}"))
        }
    }
}

/// The only layout that is possible.
fn only(layout: &KnownLayout) -> Option<&Candidate> {
    match layout.candidates.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// What ETags over the same number of parts show.
fn over_parts(
    a: Option<&KnownLayout>,
    b: Option<&KnownLayout>,
    is_equal: bool,
    (etag, both): (&ETag, &str),
) -> (Likeness, String, LayoutNeed) {
    let open = |text: &str, need| (Likeness::Unknown, format!("{text}: {both}"), need);
    let (Some(a), Some(b)) = (a, b) else {
        return open("the sizes of the parts have not been asked for", LayoutNeed::Layout);
    };
    let (Some(a), Some(b)) = (only(a), only(b)) else {
        return open("the sizes of the parts are not known", LayoutNeed::EveryPart);
    };
    let is_proved = |candidate: &Candidate| matches!(candidate.basis, Basis::Proved { .. });
    match (a.layout == b.layout, is_equal, is_proved(a) && is_proved(b)) {
        (true, true, _) => {
            (Likeness::Same, format!("both have the ETag {etag}, over the same parts"), LayoutNeed::Nothing)
        }
        (true, false, true) => {
            (Likeness::Different, format!("the ETags are MD5s over the same parts: {both}"), LayoutNeed::Nothing)
        }
        (true, false, false) => open("the size of every part is not known", LayoutNeed::EveryPart),
        (false, true, true) => {
            open("the ETags are equal over parts of different sizes, which contradicts itself", LayoutNeed::Nothing)
        }
        (false, true, false) => open("the ETags are equal, and the parts seem to differ", LayoutNeed::EveryPart),
        (false, false, _) => {
            open("the parts have different sizes, which gives the same bytes other ETags", LayoutNeed::Nothing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Algorithm, Hasher, StoredChecksum};
    use crate::facts::{Encryption, Fact};
    use crate::ident::ObjectId;
    use crate::plan::PartLayout;
    use Likeness::{Different, Same, Unknown};

    const SIZE: u64 = 100;
    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const OTHER_MD5: &str = "0cc175b9c0f1b6a831c399e269772661";

    fn object(etag: &str) -> ObjectFacts {
        let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag: ETag::told(etag) };
        ObjectFacts {
            service: Service::Aws,
            storage_class: Some("STANDARD".to_owned()),
            checksums: Fact::Known { value: Vec::new(), source: "test" },
            ..ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), SIZE)
        }
    }

    fn stored(algorithm: Algorithm, bytes: &[u8], kind: &str) -> StoredChecksum {
        let value = Hasher::digest(algorithm, bytes).base64();
        StoredChecksum::parse(algorithm, &value, Some(kind), true).unwrap()
    }

    fn with(etag: &str, checksums: &[StoredChecksum]) -> ObjectFacts {
        ObjectFacts { checksums: Fact::Known { value: checksums.to_vec(), source: "test" }, ..object(etag) }
    }

    /// Without layouts.
    fn compared(a: &ObjectFacts, b: &ObjectFacts) -> (Likeness, LayoutNeed) {
        let known = |name, facts| StatedObject { name, facts, layout: None };
        let forth = compare_stated(known("A", a), known("B", b));
        let back = compare_stated(known("A", b), known("B", a));
        let likeness = |compared: &StatedComparison| likeness_of(&compared.findings);
        assert_eq!((likeness(&forth), forth.need), (likeness(&back), back.need), "the order does not matter");
        (likeness(&forth), forth.need)
    }

    fn likeness(a: &ObjectFacts, b: &ObjectFacts) -> Likeness {
        compared(a, b).0
    }

    #[test]
    fn sizes_and_checksums() {
        use Algorithm::{Crc32c, Crc64Nvme, Sha256};
        let full = |algorithm, bytes: &[u8]| stored(algorithm, bytes, "FULL_OBJECT");
        let parts = |bytes: &[u8]| stored(Crc32c, bytes, "COMPOSITE");
        let (x, y) = (b"x".as_slice(), b"y".as_slice());
        for (a, b, expected) in [
            (vec![full(Crc64Nvme, x)], vec![full(Crc64Nvme, x)], Same),
            (vec![full(Crc64Nvme, x)], vec![full(Crc64Nvme, y)], Different),
            (vec![full(Crc32c, x)], vec![full(Crc32c, x)], Unknown),
            (vec![full(Crc32c, x)], vec![full(Crc32c, y)], Different),
            (vec![full(Crc64Nvme, x)], vec![full(Sha256, x)], Unknown),
            (vec![parts(x)], vec![parts(x)], Unknown),
            (vec![parts(x)], vec![parts(y)], Unknown),
            (vec![parts(x)], vec![full(Crc32c, y)], Unknown),
            (vec![full(Crc64Nvme, x), full(Crc32c, x)], vec![full(Crc64Nvme, x), full(Crc32c, y)], Unknown),
            (vec![], vec![full(Crc64Nvme, x)], Unknown),
            (vec![], vec![], Unknown),
        ] {
            // Opaque ETags show nothing, even if they are equal.
            assert_eq!(likeness(&with("opaque", &a), &with("opaque", &b)), expected, "{a:?} {b:?}");
        }
        let longer = ObjectFacts { size: SIZE + 1, ..with(MD5, &[full(Crc64Nvme, x)]) };
        assert_eq!(likeness(&longer, &with(MD5, &[full(Crc64Nvme, x)])), Different, "whatever else is equal");
        let empty = ObjectFacts { size: 0, ..object("opaque") };
        assert_eq!(likeness(&empty, &empty.clone()), Same);
        let refused = ObjectFacts { checksums: Fact::NotPermitted { needs: "x" }, ..object("opaque") };
        assert_eq!(likeness(&refused, &with("opaque", &[full(Crc64Nvme, x)])), Unknown);
    }

    #[test]
    fn etags() {
        let crc = |bytes: &[u8]| stored(Algorithm::Crc64Nvme, bytes, "FULL_OBJECT");
        let multipart = |digest: &str, parts: u32| object(&format!("{digest}-{parts}"));
        assert_eq!(likeness(&object(MD5), &object(MD5)), Same);
        assert_eq!(likeness(&object(MD5), &object(OTHER_MD5)), Different);
        assert_eq!(likeness(&object(MD5), &multipart(MD5, 2)), Unknown);
        assert_eq!(likeness(&multipart(MD5, 3), &multipart(MD5, 2)), Unknown);
        assert_eq!(compared(&multipart(MD5, 2), &multipart(MD5, 2)), (Unknown, LayoutNeed::Layout));
        assert_eq!(likeness(&object("opaque"), &object("opaque")), Unknown);
        let kms = Encryption::Kms { kind: "aws:kms".into(), key: None };
        for (other, why) in [
            (ObjectFacts { encryption: kms, ..object(MD5) }, "KMS"),
            (ObjectFacts { encryption: Encryption::CustomerKey, ..object(MD5) }, "SSE-C"),
            (ObjectFacts { service: Service::Other, ..object(MD5) }, "another server"),
            (ObjectFacts { storage_class: Some("EXPRESS_ONEZONE".into()), ..object(MD5) }, "directory bucket"),
        ] {
            assert_eq!(likeness(&other, &object(MD5)), Unknown, "{why}");
            assert_eq!(likeness(&other, &object(OTHER_MD5)), Unknown, "{why}");
        }
        // Statements that contradict each other.
        let (a, b) = (with(MD5, &[crc(b"x")]), with(OTHER_MD5, &[crc(b"x")]));
        assert_eq!(likeness(&a, &b), Unknown);
        assert_eq!(likeness(&with(MD5, &[crc(b"x")]), &with(MD5, &[crc(b"y")])), Unknown);
    }

    #[test]
    fn etags_over_parts_need_the_same_parts() {
        use LayoutNeed::{EveryPart, Nothing};
        let assumed = |parts: &[u64]| {
            let layout = PartLayout::from_sizes(SIZE, parts.iter().copied()).unwrap();
            KnownLayout::assumed(parts.len() as u32, [layout], "test")
        };
        let proved = |parts: &[u64]| {
            let mut known = assumed(parts);
            known.candidates.iter_mut().for_each(|candidate| candidate.basis = Basis::Proved { by: "test" });
            known
        };
        let guessed = KnownLayout::assumed(2, [60, 70].map(|part| PartLayout::uniform(SIZE, part)), "test");
        let unknown = KnownLayout::unknown(Some(2), "test");
        let (even, uneven) = ([60, 40], [70, 30]);
        for (a, b, of_equal, of_other) in [
            (proved(&even), proved(&even), (Same, Nothing), (Different, Nothing)),
            (assumed(&even), proved(&even), (Same, Nothing), (Unknown, EveryPart)),
            (proved(&even), proved(&uneven), (Unknown, Nothing), (Unknown, Nothing)),
            (assumed(&even), proved(&uneven), (Unknown, EveryPart), (Unknown, Nothing)),
            (guessed.clone(), guessed, (Unknown, EveryPart), (Unknown, EveryPart)),
            (unknown.clone(), unknown, (Unknown, EveryPart), (Unknown, EveryPart)),
        ] {
            for (other, expected) in [(MD5, of_equal), (OTHER_MD5, of_other)] {
                let (one, two) = (object(&format!("{MD5}-2")), object(&format!("{other}-2")));
                let found = compare_stated(
                    StatedObject { name: "A", facts: &one, layout: Some(&a) },
                    StatedObject { name: "B", facts: &two, layout: Some(&b) },
                );
                assert_eq!((likeness_of(&found.findings), found.need), expected, "{a:?} {b:?} {other}");
            }
        }
    }

    #[test]
    fn bytes_that_were_read_decide() {
        let finding = |check, likeness| CompareFinding { check, likeness, text: String::new() };
        let of =
            |stated, read| likeness_of(&[finding(CompareCheck::Checksum, stated), finding(CompareCheck::Bytes, read)]);
        assert_eq!(of(Different, Same), Same);
        assert_eq!(of(Same, Different), Different);
        assert_eq!(of(Unknown, Same), Same);
        assert_eq!(of(Same, Unknown), Unknown, "reading was asked for");
        assert_eq!(of(Different, Unknown), Different);
        assert_eq!(likeness_of(&[]), Unknown);
    }

    #[test]
    fn a_file_states_its_size_only() {
        let file = ObjectFacts::new(
            ObjectId { target: Target::File("/f".into()), etag: None },
            crate::facts::FactsSource::Other("test"),
            SIZE,
        );
        assert_eq!(compared(&file, &object(MD5)), (Unknown, LayoutNeed::Nothing));
        assert_eq!(likeness(&ObjectFacts { size: 1, ..file }, &object(MD5)), Different);
    }
}
