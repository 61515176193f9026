//! What the read of the source and the answers to the parts show.

use super::CopyRequest;
use crate::checks::Digests;
use crate::checksum::{Algorithm, Digest};
use crate::commands::verify::Verified;
use crate::copy::{CopyCheck, CopyFinding};
use crate::ident::ETagForm;
use crate::plan::PartLayout;
use crate::progress::Call;
use crate::source::{Context, PartReceipt, UploadService};
use crate::verdict::Verdict;

/// Whether the source is proved, and whether a copy may be written. `is_copy_of_unproved` is whether the source is a copy
/// of unproved bytes, and only values of its own matched.
pub(super) fn source_finding(
    verified: &Verified,
    is_copy_of_unproved: bool,
    request: &CopyRequest,
) -> (CopyFinding, bool) {
    let report = &verified.report;
    let check = CopyCheck::Source;
    let names = |verdict: Verdict| {
        let named = report.findings.iter().filter(|finding| finding.verdict == verdict && finding.blocks_pass());
        let detail = |finding: &crate::report::FindingReport| match &finding.reason {
            Some(reason) => format!("{}: {}", finding.check, reason.detail),
            None => finding.check.to_string(),
        };
        named.map(detail).collect::<Vec<_>>().join("; ")
    };
    // Every byte was read once, and nothing speaks against it.
    let is_whole = verified.finished && report.stats.covered_bytes == report.identity.object_bytes;
    match report.verdict {
        Verdict::Pass if is_copy_of_unproved => {
            let text = "the source is not proved: it is itself a copy of unproved bytes, and only its own values match";
            (CopyFinding::open(check, text), request.unproved && is_whole)
        }
        Verdict::Pass => {
            let by: Vec<String> = report.proved_by.iter().map(ToString::to_string).collect();
            (CopyFinding::pass(check, format!("every byte was read, and is proved by {}", by.join(", "))), true)
        }
        Verdict::Fail => {
            let text = match report.damage() {
                Some(damage) => format!("the source is damaged: {}", damage.sentence(report.parts_count())),
                None => format!("the source does not match: {}", names(Verdict::Fail)),
            };
            (CopyFinding::fail(check, text), false)
        }
        Verdict::Unknown => {
            let nothing_against = verified.doubt.is_none();
            let text = format!("the source is not proved: {}", names(Verdict::Unknown));
            (CopyFinding::open(check, text), request.unproved && is_whole && nothing_against)
        }
    }
}

/// What the answers to the parts show.
pub(super) struct Confirmed {
    /// The result.
    pub finding: CopyFinding,
    /// The number of parts that the server holds; `None` if a part is missing.
    pub receipts: Option<usize>,
}

/// Adds what ListParts states of parts whose answer stated no checksum. Without a listing, the answers alone count.
pub(super) async fn with_listed(
    (upload, context): (&dyn UploadService, &Context),
    id: &str,
    mut receipts: Vec<PartReceipt>,
) -> Vec<PartReceipt> {
    if receipts.iter().all(|receipt| receipt.checksum.is_some()) {
        return receipts;
    }
    let listed = context.retry(Call::Write, || upload.parts(id)).await.unwrap_or_default();
    for receipt in &mut receipts {
        let part = listed.iter().find(|part| part.number == receipt.number && part.etag == receipt.etag);
        if let Some(part) = part {
            receipt.size = part.size;
            receipt.checksum = receipt.checksum.or(part.checksum);
        }
    }
    receipts
}

/// Compares what the server stated about each part with the digests of the bytes that were read.
pub(super) fn confirm_parts(
    layout: &PartLayout,
    receipts: &[PartReceipt],
    digests: &Digests,
    algorithm: Algorithm,
) -> Confirmed {
    let check = CopyCheck::Parts;
    let complete = receipts.len() == layout.count()
        && receipts.iter().enumerate().all(|(index, receipt)| receipt.number.index() == index);
    if !complete {
        let text = format!("{} of {} parts were sent", receipts.len(), layout.count());
        return Confirmed { finding: CopyFinding::open(check, text), receipts: None };
    }
    let of = |algorithm| digests.parts(algorithm, layout).unwrap_or_default();
    let (md5, own) = (of(Algorithm::Md5), of(algorithm));
    let at = |list: &[Option<Digest>], index: usize| list.get(index).copied().flatten();
    let (mut by_checksum, mut by_etag, mut confirmed) = (0, 0, 0);
    for ((index, receipt), part) in receipts.iter().enumerate().zip(layout.parts()) {
        if let Some(size) = receipt.size.filter(|size| *size != part.len()) {
            let text = format!("part {}: the server states {size} bytes, {} were sent", receipt.number, part.len());
            return Confirmed { finding: CopyFinding::fail(check, text), receipts: Some(receipts.len()) };
        }
        let has_checksum = match (receipt.checksum, at(own, index)) {
            (Some(stated), Some(sent)) if stated == sent => true,
            (Some(stated), Some(sent)) => {
                let text = format!(
                    "part {}: the server states {} {}, the bytes have {}",
                    receipt.number,
                    algorithm.name(),
                    stated.base64(),
                    sent.base64()
                );
                return Confirmed { finding: CopyFinding::fail(check, text), receipts: Some(receipts.len()) };
            }
            _ => false,
        };
        let is_md5 = |digest: Digest| match receipt.etag.form() {
            ETagForm::Md5 { digest: stated } => stated == *digest.as_bytes(),
            ETagForm::Multipart { .. } | ETagForm::Opaque => false,
        };
        let has_etag = at(md5, index).is_some_and(is_md5);
        by_checksum += usize::from(has_checksum);
        by_etag += usize::from(has_etag);
        confirmed += usize::from(has_checksum || has_etag);
    }
    let count = receipts.len();
    let text = format!(
        "{count} parts were sent; the server confirmed {by_checksum} by {} and {by_etag} by their MD5",
        algorithm.name()
    );
    let finding = match confirmed == count {
        true => CopyFinding::pass(check, text),
        false => CopyFinding::open(
            check,
            format!(
                "{text}; the bytes of {} are not confirmed, and --accept parts makes the object nevertheless",
                count - confirmed
            ),
        ),
    };
    Confirmed { finding, receipts: Some(count) }
}
