use super::{CopyCheck, CopyFinding, ExpectedObject, UploadChecksum};
use crate::checksum::{Algorithm, ChecksumKind, Digest, StoredChecksum, composite, fold, multipart_etag};
use crate::facts::ObjectFacts;
use crate::ident::{ETag, ETagForm};
use crate::plan::PartLayout;
use crate::units::ByteRange;
use crate::verdict::Verdict;

/// What a server states about the parts of a copy that it made itself.
#[derive(Debug, Clone, Copy)]
pub struct StatedParts<'a> {
    /// The parts.
    pub layout: &'a PartLayout,
    /// The ETags of all parts, in order.
    pub etags: &'a [ETag],
    /// The checksum of the upload.
    pub checksum: UploadChecksum,
    /// The values of all parts, in order; `None` if one is not stated.
    pub digests: Option<&'a [Digest]>,
}

/// Whether the values that a server stated about the parts make up those of the source: the MD5s of the parts its ETag, or
/// their checksums its stored checksum. Also what the copy must state then.
pub fn stated_by_parts(source: &ObjectFacts, parts: StatedParts<'_>) -> (CopyFinding, ExpectedObject) {
    let digest = parts.digests.and_then(|digests| combined(parts, digests));
    let expected = ExpectedObject {
        size: parts.layout.size(),
        parts: Some(u32::try_from(parts.layout.count()).unwrap_or(u32::MAX)),
        etag: md5s(parts.etags).map(|md5s| multipart_etag(&md5s)),
        checksum: digest.map(|digest| (parts.checksum, digest)),
    };
    (judge(source, parts, digest), expected)
}

/// The MD5s of the parts; `None` if an ETag has another form.
fn md5s(etags: &[ETag]) -> Option<Vec<Digest>> {
    let md5 = |etag: &ETag| match etag.form() {
        ETagForm::Md5 { digest } => Digest::new(Algorithm::Md5, &digest),
        ETagForm::Multipart { .. } | ETagForm::Opaque => None,
    };
    etags.iter().map(md5).collect()
}

fn combined(parts: StatedParts<'_>, digests: &[Digest]) -> Option<Digest> {
    let algorithm = parts.checksum.algorithm;
    match (parts.checksum.is_composite, digests) {
        (true, digests) => Some(composite(algorithm, digests)),
        (false, [one]) => Some(*one),
        (false, digests) => {
            let pieces: Vec<(ByteRange, Digest)> = parts.layout.parts().zip(digests.iter().copied()).collect();
            fold(algorithm, ByteRange::whole(parts.layout.size()), &pieces)
        }
    }
}

fn judge(source: &ObjectFacts, parts: StatedParts<'_>, digest: Option<Digest>) -> CopyFinding {
    let check = CopyCheck::Parts;
    let count = parts.layout.count();
    let stored = source.checksums.value().map(Vec::as_slice).unwrap_or_default();
    let same_kind = |stored: &&StoredChecksum| {
        stored.algorithm() == parts.checksum.algorithm
            && matches!(stored.kind, ChecksumKind::Composite { .. }) == parts.checksum.is_composite
    };
    let by_checksum = stored.iter().find(same_kind).zip(digest);
    if let Some((stored, digest)) = by_checksum {
        // Composites depend on the parts, and those may be others.
        if stored.digest != digest && !parts.checksum.is_composite {
            let text = format!(
                "the {} that the server states of the parts make up {}, and that of the source is {}",
                parts.checksum.algorithm.name(),
                digest.base64(),
                stored.digest.base64()
            );
            return CopyFinding::fail(check, text);
        }
    }
    let matches_checksum = by_checksum.is_some_and(|(stored, digest)| stored.digest == digest);
    let matches_etag = has_etag(source, parts.etags);
    let by = match (matches_checksum, matches_etag) {
        (true, true) => format!("{} and ETag", parts.checksum),
        (true, false) => parts.checksum.to_string(),
        (false, true) => "ETag".to_owned(),
        (false, false) => {
            let text = format!("what the server states of the {count} parts does not make up a value of the source");
            return CopyFinding::open(check, text);
        }
    };
    CopyFinding::pass(check, format!("what the server states of the {count} parts makes up the {by} of the source"))
}

fn has_etag(source: &ObjectFacts, etags: &[ETag]) -> bool {
    let Some(own) = source.id.etag.as_ref().filter(|_| source.encryption.hides_md5().is_none()) else { return false };
    let Some(md5s) = md5s(etags) else { return false };
    match own.form() {
        ETagForm::Multipart { .. } => multipart_etag(&md5s).as_str() == own.as_str(),
        ETagForm::Md5 { .. } => matches!(etags, [one] if one.as_str() == own.as_str()),
        ETagForm::Opaque => false,
    }
}

/// What a copy is worth that only the server has seen.
pub fn proof_of_server(read_back: Option<Verdict>) -> CopyFinding {
    match read_back {
        Some(Verdict::Pass) => {
            CopyFinding::pass(CopyCheck::Proof, "the copy was read, and has the values of the source")
        }
        _ => CopyFinding::open(
            CopyCheck::Proof,
            "stated by S3: the server copied the bytes, and nobody else has read them; --verify-destination reads the copy",
        ),
    }
}
