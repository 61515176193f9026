use super::left::add_left;
use super::{VerifyError, VerifyOptions, unknown};
use crate::checksum::{Algorithm, ChecksumKind, StoredChecksum};
use crate::commands::discover::unreadable_checksums;
use crate::commands::{Discovery, discover};
use crate::ident::{ETag, ETagForm, Target};
use crate::manifest::{Manifest, SumLine, SumValue};
use crate::plan::{
    AlgorithmCertainty, Claim, KnownLayout, PartLayout, Reference, References, checksum_claim, etag_claim,
    stored_references,
};
use crate::report::{Note, VerifyNote};
use crate::source::Session;
use crate::units::ByteSize;
use crate::verdict::{CheckId, Coverage, Evidence, Failure, Finding, Origin, Outcome, Reads, Reason, Subject};

/// Collects all references for the object: stored values, given values, manifest, checksum file, `--like`,
/// and what other programs left.
pub(super) async fn collect(
    session: &Session,
    request: &VerifyOptions,
    found: &mut Discovery,
) -> Result<References, VerifyError> {
    if found.facts.is_unproved_copy() {
        found.notes.push(VerifyNote::UnprovedCopy.into());
    }
    let mut all = stored_references(&found.facts, &found.layout, Origin::Stored, None);
    found.notes.extend(unreadable_checksums(&found.facts));
    add_given(&mut all, request, found);
    if let Some(sums) = &request.sums {
        found.notes.extend(sums.notes.iter().cloned().map(Note::from));
        sums.values.iter().for_each(|line| add_sum(&mut all, &sums.file, line));
    }
    if let Some((file, manifest)) = &request.manifest {
        add_manifest(&mut all, request, found, (file, manifest))?;
    }
    if let Some(like) = &request.like {
        let other = Session::new(like.clone(), session.context().clone());
        add_like(&mut all, session, &other, found).await?;
    }
    add_left(&mut all, session, request, found).await;
    Ok(all)
}

/// Adds the values of `--expect` and `--etag`.
fn add_given(all: &mut References, request: &VerifyOptions, found: &Discovery) {
    let size = found.facts.size;
    for expected in &request.expect {
        let check = CheckId::Reference(Origin::Expect, Subject::Checksum(expected.0.algorithm()));
        let claim = checksum_claim(&expected.0, &given(&found.layout, parts_of(&expected.0), size), size);
        add(all, check, "value given with --expect".to_owned(), claim);
    }
    if let Some(etag) = &request.etag {
        let check = CheckId::Reference(Origin::Expect, Subject::ETag);
        let claim = etag_claim(etag, &given(&found.layout, etag_parts(etag), size), size);
        add(all, check, "ETag given with --etag".to_owned(), claim);
    }
}

/// Adds the values of a manifest. The manifest of another object is rejected, unless ETag, size and parts are the same.
fn add_manifest(
    all: &mut References,
    request: &VerifyOptions,
    found: &mut Discovery,
    (file, manifest): (&str, &Manifest),
) -> Result<(), VerifyError> {
    if manifest.target != found.facts.id.target.to_string() {
        if let Some(how) = manifest.is_of_another(&found.facts, &found.layout) {
            return Err(VerifyError::Request(format!(
                "--manifest {file} describes another object, {}: {how}; name the manifest of this object",
                manifest.target
            )));
        }
        found.notes.push(VerifyNote::ManifestElsewhere { target: manifest.target.clone() }.into());
    }
    if !manifest.is_proved() {
        found.notes.push(VerifyNote::Baseline { written_at: manifest.written_at.clone() }.into());
    }
    let mut references = manifest.references().unwrap_or_default();
    if let Some(signed) = &request.manifest_signature {
        let by = format!("signed by minisign key {}", signed.key_id);
        references.iter_mut().for_each(|reference| reference.source = format!("{}, {by}", reference.source));
        // minisign separates the fields of its default comment by tabs.
        let comment = signed.trusted_comment.replace('\t', " ");
        found.notes.push(VerifyNote::ManifestSigned { key_id: signed.key_id.clone(), comment }.into());
    }
    if references.is_empty() {
        let detail = format!("manifest {file} holds no value");
        all.unusable.push(unknown(CheckId::Reference(manifest.origin(), Subject::Value), Reason::NotStated { detail }));
    }
    let size = manifest.object_bytes;
    add_all(
        all,
        found.facts.size,
        Theirs { origin: manifest.origin(), size, references, source: format!("manifest {file}") },
    );
    Ok(())
}

/// Adds the values that S3 stores with the object of `--like`.
async fn add_like(
    all: &mut References,
    session: &Session,
    like: &Session,
    found: &mut Discovery,
) -> Result<(), VerifyError> {
    let name = like.target().to_string();
    let is_itself = match (like.target(), session.target()) {
        (Target::Object(like), Target::Object(own)) => {
            let is_version =
                like.version.is_none() || like.version == own.version || like.version == found.facts.version;
            (&like.bucket, &like.key) == (&own.bucket, &own.key) && is_version
        }
        _ => false,
    };
    if is_itself {
        found.notes.push(VerifyNote::LikeItself.into());
    }
    let other = discover(like).await?;
    let origin = if other.facts.is_unproved_copy() { Origin::Baseline } else { Origin::Like };
    if origin == Origin::Baseline {
        found.notes.push(Note::from(VerifyNote::UnprovedCopy).of(&name));
    }
    let stored = stored_references(&other.facts, &other.layout, origin, Some(&name));
    found.notes.extend(other.notes.into_iter().map(|note| note.of(&name)));
    if stored.references.is_empty() {
        let note = VerifyNote::LikeUnusable { target: name.clone() };
        let detail = note.to_string();
        found.notes.push(note.into());
        all.unusable.push(unknown(CheckId::Reference(origin, Subject::Value), Reason::NotStated { detail }));
    }
    all.unusable.extend(stored.unusable);
    let (size, references) = (other.facts.size, stored.references);
    add_all(all, found.facts.size, Theirs { origin, size, references, source: name });
    Ok(())
}

/// The layouts for a value given by the user. The layout of the object is only an assumption for it.
fn given(layout: &KnownLayout, parts: Option<u32>, size: u64) -> KnownLayout {
    parts.map_or_else(|| KnownLayout::single(size), |parts| layout.as_assumption(size, parts))
}

fn parts_of(checksum: &StoredChecksum) -> Option<u32> {
    match checksum.kind {
        ChecksumKind::Composite { parts } => parts,
        ChecksumKind::FullObject | ChecksumKind::Unstated => None,
    }
}

fn etag_parts(etag: &ETag) -> Option<u32> {
    match etag.form() {
        ETagForm::Multipart { parts, .. } => Some(parts),
        ETagForm::Md5 { .. } | ETagForm::Opaque => None,
    }
}

fn add(all: &mut References, check: CheckId, source: String, claim: Result<Claim, Reason>) {
    match claim {
        Ok(claim) => all.references.push(Reference::new(check, source, claim)),
        Err(reason) => all.unusable.push(unknown(check, reason)),
    }
}

/// Adds a line of a checksum file that names the target.
fn add_sum(all: &mut References, file: &str, line: &SumLine) {
    let check = CheckId::Reference(Origin::Sums, line.value.subject());
    let source = format!("checksum file {file}, line {}", line.line);
    match &line.value {
        SumValue::Stated(digest) => all.references.push(Reference::new(check, source, Claim::Whole(*digest))),
        SumValue::Guessed { digest, may_be } => {
            let standing = AlgorithmCertainty::Guessed { may_be };
            let source = format!("{source} (algorithm guessed from the length)");
            all.references.push(Reference { standing, ..Reference::new(check, source, Claim::Whole(*digest)) });
        }
        SumValue::NotComputed { algorithm } => {
            let detail = format!("{source}: {algorithm} is not computed here");
            all.unusable.push(unknown(check, Reason::AlgorithmNotComputed { detail }));
        }
    }
}

/// References that were computed over another object or file.
struct Theirs {
    origin: Origin,
    /// Size of that object, in bytes.
    size: u64,
    references: Vec<Reference>,
    source: String,
}

/// Adds the references if the size they cover is that of the object. Otherwise adds one failed finding for all of them.
fn add_all(all: &mut References, size: u64, theirs: Theirs) {
    if theirs.size == size {
        all.references.extend(theirs.references);
        return;
    }
    let evidence = Evidence {
        source: theirs.source,
        expected: format!("{} bytes", ByteSize(theirs.size).grouped()),
        observed: format!("{} bytes", ByteSize(size).grouped()),
        coverage: Some(Coverage { bytes: size, of: size }),
    };
    all.unusable.push(Finding {
        check: CheckId::Reference(theirs.origin, Subject::Size),
        required: false,
        outcome: Outcome::Fail(Failure { evidence, reads: Some(Reads::One), damage: Vec::new() }),
    });
}

/// The digests needed to judge these references, each with its layout.
pub(super) fn needs(references: &[Reference], size: u64) -> Vec<(Algorithm, PartLayout)> {
    references
        .iter()
        .flat_map(|reference| {
            let algorithm = reference.claim.algorithm();
            reference.claim.layouts(size).into_iter().filter_map(move |layout| Some((algorithm?, layout)))
        })
        .collect()
}
