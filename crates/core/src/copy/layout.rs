use crate::facts::ObjectFacts;
use crate::plan::{KnownLayout, LayoutShape, PartLayout};
use crate::units::{MIB, PartNumber};

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// In one request (PutObject).
    Put,
    /// In parts.
    Multipart,
}

/// Why a copy does not have the parts of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutChange {
    /// The source was written in one request, and is too large to be held in memory until it is proved.
    TooLargeForOneRequest,
    /// The parts of the source are not known; the reason, for the user.
    NotKnown(String),
    /// The source has more parts than S3 allows.
    TooMany(usize),
    /// A part other than the last is smaller than S3 allows; its size in bytes.
    TooSmall(u64),
    /// A part is larger than S3 allows; its size in bytes.
    TooLarge(u64),
    /// The source is a file and has no parts.
    File,
    /// The source was written in one request, and the server copies it in parts.
    ByServer,
}

/// The parts of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyLayout {
    /// The parts.
    pub layout: PartLayout,
    /// How the copy is written.
    pub mode: WriteMode,
    /// Why the parts are not those of the source; `None` if they are.
    pub change: Option<LayoutChange>,
}

/// Limits for the parts of a copy, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayoutLimits {
    /// Largest object that is written in one request.
    pub most_in_one_request: u64,
    /// Smallest part but the last.
    pub smallest_part: u64,
}

/// The parts for a copy that the server makes with UploadPartCopy: those of the source, also if it has one.
pub fn server_layout(facts: &ObjectFacts, known: &KnownLayout, limits: LayoutLimits) -> CopyLayout {
    let plan = copy_layout(facts, known, LayoutLimits { most_in_one_request: LARGEST_PART, ..limits });
    match plan.mode {
        WriteMode::Multipart => plan,
        WriteMode::Put => CopyLayout { mode: WriteMode::Multipart, change: Some(LayoutChange::ByServer), ..plan },
    }
}

/// Largest part (S3 User Guide, *Multipart upload limits*).
const LARGEST_PART: u64 = 5 << 30;
/// Size of parts where the source has none: small enough to hold several of them, large enough for few requests.
const USUAL_PART: u64 = 16 * MIB;

/// The parts for a copy of an object: those of the source, if S3 allows them.
pub fn copy_layout(facts: &ObjectFacts, known: &KnownLayout, limits: LayoutLimits) -> CopyLayout {
    let size = facts.size;
    let changed = |change| CopyLayout { layout: usual(size), mode: WriteMode::Multipart, change: Some(change) };
    let is_file = facts.storage_class.is_none();
    let Some(candidate) = known.candidates.first() else {
        return changed(LayoutChange::NotKnown(known.why_none.clone().unwrap_or_default()));
    };
    let layout = &candidate.layout;
    let in_parts = layout.count() > 1 || known.parts_count.is_some() || facts.etag_parts().is_some();
    if !in_parts {
        return match size <= limits.most_in_one_request {
            true => CopyLayout { layout: PartLayout::whole(size), mode: WriteMode::Put, change: None },
            false if is_file => changed(LayoutChange::File),
            false => changed(LayoutChange::TooLargeForOneRequest),
        };
    }
    match not_allowed(layout, limits) {
        Some(change) => changed(change),
        None => CopyLayout { layout: layout.clone(), mode: WriteMode::Multipart, change: None },
    }
}

fn not_allowed(layout: &PartLayout, limits: LayoutLimits) -> Option<LayoutChange> {
    let count = layout.count();
    if count > PartNumber::MAX as usize {
        return Some(LayoutChange::TooMany(count));
    }
    let largest = match layout.shape() {
        LayoutShape::Uniform { part, .. } => part,
        LayoutShape::Uneven { largest, .. } => largest,
    };
    if largest > LARGEST_PART {
        return Some(LayoutChange::TooLarge(largest));
    }
    let but_the_last = layout.parts().take(count.saturating_sub(1)).map(|part| part.len());
    but_the_last.min().filter(|smallest| *smallest < limits.smallest_part).map(LayoutChange::TooSmall)
}

/// Parts of equal size, no more than S3 allows.
fn usual(size: u64) -> PartLayout {
    let least = size.div_ceil(PartNumber::MAX.into());
    PartLayout::uniform(size, USUAL_PART.max(least.div_ceil(MIB).saturating_mul(MIB)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{ETag, ObjectId};

    const LIMITS: LayoutLimits = LayoutLimits { most_in_one_request: 64 * MIB, smallest_part: 5 * MIB };

    fn object(size: u64, etag: &str) -> ObjectFacts {
        let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag: Some(ETag::new(etag)) };
        ObjectFacts {
            storage_class: Some("STANDARD".to_owned()),
            ..ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), size)
        }
    }

    #[test]
    fn parts_of_the_source_are_kept_where_they_are_allowed() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        let multipart = format!("{md5}-3");
        let size = 20 * MIB;
        let of = |parts: &[u64]| {
            let layout = PartLayout::from_sizes(size, parts.iter().map(|mib| mib * MIB)).unwrap();
            let known = KnownLayout::assumed(parts.len() as u32, [layout.clone()], "test");
            (copy_layout(&object(size, &multipart), &known, LIMITS), layout)
        };
        let (kept, layout) = of(&[8, 8, 4]);
        assert_eq!((kept.layout, kept.mode, kept.change), (layout, WriteMode::Multipart, None));
        let (uneven, layout) = of(&[5, 11, 4]);
        assert_eq!((uneven.layout, uneven.change), (layout, None));
        let (changed, _) = of(&[4, 8, 8]);
        assert_eq!(changed.change, Some(LayoutChange::TooSmall(4 * MIB)));
        assert_eq!(changed.layout, PartLayout::uniform(size, 16 * MIB));
    }

    #[test]
    fn one_request_stays_one_request_while_it_fits_in_memory() {
        let facts = |size| object(size, "d41d8cd98f00b204e9800998ecf8427e");
        let small = copy_layout(&facts(MIB), &KnownLayout::single(MIB), LIMITS);
        assert_eq!((small.mode, small.change), (WriteMode::Put, None));
        let large = copy_layout(&facts(65 * MIB), &KnownLayout::single(65 * MIB), LIMITS);
        assert_eq!((large.mode, large.change), (WriteMode::Multipart, Some(LayoutChange::TooLargeForOneRequest)));
        let one_part = object(MIB, "d41d8cd98f00b204e9800998ecf8427e-1");
        let known = KnownLayout::assumed(1, [PartLayout::whole(MIB)], "test");
        assert_eq!(copy_layout(&one_part, &known, LIMITS).mode, WriteMode::Multipart);
    }

    #[test]
    fn unknown_parts_become_ones_that_fit_the_limit() {
        for size in [1, 100 * MIB, (5 << 40) + 1, 10_000 * (5 << 30)] {
            let layout = copy_layout(&object(size, "x-3"), &KnownLayout::unknown(None, "why"), LIMITS).layout;
            assert!(layout.count() <= 10_000 && layout.size() == size, "{size}");
        }
    }
}
