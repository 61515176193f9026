//! The properties that the fuzz targets check, as plain functions, so that ordinary tests can replay the
//! seeds.
//!
//! Each function takes arbitrary bytes and panics if a property is violated. It returns whether the bytes
//! were valid input for the target. The test that replays the seeds requires `true`, because a seed that is
//! rejected at once tests nothing.

mod batch_report;
mod checkpoint;
mod policy;
mod prices;
mod stream;
mod sums;

use std::fmt::Debug;
use std::str::FromStr;

use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use crate::checksum::{
    Algorithm, ChecksumKind, Digest, Hasher, LaneScheduler, Md5Lanes, StoredChecksum, fold as fold_digests,
};
use crate::facts::{ContentRange, ReplyHead, ReplyProblem, RestoreState, check_reply};
use crate::ident::{ETag, ETagForm, ObjectUri, Target};
use crate::manifest::Manifest;
use crate::plan::{Budget, Limits, PartLayout, ReadPlan, Sample, Tuning};
use crate::sealed::seal;
use crate::units::{ByteRange, KIB, PartNumber};
use crate::verdict::{CheckId, CheckName, Condition, Origin, PolicyCheck, Subject};

pub use batch_report::batch_report;
pub use checkpoint::checkpoint;
pub use policy::policy;
pub use prices::prices;
pub use stream::stream;
pub use sums::sums;

/// A fuzz target; returns whether the bytes were valid input.
pub type Entry = fn(&[u8]) -> bool;

/// All targets with their names.
pub const TARGETS: [(&str, Entry); 19] = [
    ("object_uri", object_uri),
    ("object_arn", object_arn),
    ("etag", etag),
    ("checksum", checksum),
    ("content_range", content_range),
    ("restore", restore),
    ("manifest", manifest),
    ("stream", stream),
    ("prices", prices),
    ("policy", policy),
    ("sums", sums),
    ("sample", sample),
    ("check_name", check_name),
    ("read_plan", read_plan),
    ("fold", fold),
    ("lanes", lanes),
    ("tuning", tuning),
    ("checkpoint", checkpoint),
    ("batch_report", batch_report),
];

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Checks that parsing the printed form of a value gives the same value.
fn reads_what_it_prints<T: FromStr<Err: Debug> + ToString + PartialEq + Debug>(value: &T) {
    let printed = value.to_string();
    match printed.parse::<T>() {
        Ok(again) => assert_eq!(again, *value, "printed as `{printed}`"),
        Err(error) => panic!("{value:?} is printed as `{printed}`, which is refused: {error:?}"),
    }
}

/// Input: the text after `s3://`.
pub fn object_uri(data: &[u8]) -> bool {
    text(data).is_some_and(|rest| uri(&format!("s3://{rest}")))
}

/// Input: the text after `arn:`.
pub fn object_arn(data: &[u8]) -> bool {
    text(data).is_some_and(|rest| uri(&format!("arn:{rest}")))
}

fn uri(text: &str) -> bool {
    let parsed = text.parse::<ObjectUri>();
    assert_eq!(text.parse::<Target>(), parsed.clone().map(Target::Object), "a target is read as its URI is");
    let Ok(uri) = parsed else { return false };
    assert!(!uri.bucket.is_empty() && !uri.key.is_empty() && uri.version.as_deref() != Some(""));
    reads_what_it_prints(&uri);
    true
}

/// Checks that adding and removing quotes is lossless, and that a form agrees with the text. Input: an ETag.
pub fn etag(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let etag = ETag::new(text);
    assert_eq!(ETag::new(&etag.if_match().unwrap_or_else(|| etag.to_string())), etag);
    let (digest, parts) = match etag.form() {
        ETagForm::Opaque => return false,
        ETagForm::Md5 { digest } => (digest, None),
        ETagForm::Multipart { digest, parts } => (digest, Some(parts)),
    };
    let (left, right) = etag.as_str().split_at(32);
    assert!(left.eq_ignore_ascii_case(&hex::encode(digest)));
    match parts {
        None => assert!(right.is_empty()),
        Some(parts) => {
            assert!(PartNumber::new(parts).is_some());
            assert_eq!(right.trim_start_matches(['-', '0']), parts.to_string());
        }
    }
    true
}

/// Input: a byte for the algorithm, a byte for the stated type and whether the object is multipart, then the
/// value.
pub fn checksum(data: &[u8]) -> bool {
    let mut input = Input(data);
    let algorithm = input.algorithm();
    let choice = input.byte();
    let multipart = choice & 1 == 1;
    let stated = [None, Some("FULL_OBJECT"), Some("COMPOSITE"), Some("SOMETHING_NEW")][usize::from(choice >> 1) % 4];
    if let Some(digest) = Digest::new(algorithm, input.0) {
        assert_eq!(Digest::parse(algorithm, &digest.base64()), Ok(digest));
        assert_eq!(Digest::parse(algorithm, &digest.hex()), Ok(digest));
    }
    let Some(value) = text(input.0) else { return false };
    let Ok(stored) = StoredChecksum::parse(algorithm, value, stated, multipart) else { return false };
    assert_eq!(StoredChecksum::parse(algorithm, &stored.to_string(), stated, multipart), Ok(stored));
    assert_eq!(stored.algorithm(), algorithm);
    match (value.rsplit_once('-'), stored.kind) {
        (Some((_, count)), ChecksumKind::Composite { parts: Some(parts) }) => {
            assert!(stated != Some("FULL_OBJECT") && count.bytes().all(|b| b.is_ascii_digit()), "`{value}`");
            assert_eq!(count.parse(), Ok(parts));
        }
        (Some(_), kind) => panic!("`{value}` has a part count and is taken for {kind:?}"),
        (None, ChecksumKind::FullObject) => assert!(stated != Some("COMPOSITE")),
        (None, ChecksumKind::Composite { parts }) => assert!(parts.is_none() && stated != Some("FULL_OBJECT")),
        (None, ChecksumKind::Unstated) => {
            assert!(multipart && algorithm.multipart_full_object() && algorithm.multipart_composite());
        }
    }
    true
}

/// Checks that a parsed header fits the request it names and no other. Input: a `Content-Range` header.
pub fn content_range(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let Ok(got) = text.parse::<ContentRange>() else { return false };
    reads_what_it_prints(&got);
    let size = got.total.unwrap_or(got.range.end());
    assert!(!got.range.is_empty() && got.range.end() <= size);
    let head = ReplyHead {
        partial: true,
        content_range: Some(text.to_owned()),
        content_length: Some(got.range.len()),
        etag: None,
    };
    assert_eq!(check_reply(&head, got.range, size, None), Ok(()));
    for (start, end) in [(1, 0), (0, -1)] {
        let moved = (got.range.start().checked_add(start), got.range.end().checked_add_signed(end));
        let (Some(start), Some(end)) = moved else { continue };
        if let Some(asked) = ByteRange::new(start, end) {
            let answer = check_reply(&head, asked, size, None);
            assert!(matches!(answer, Err(ReplyProblem::WrongContentRange { .. })), "{answer:?} to {asked}");
        }
    }
    if let (Some(_), Some(other)) = (got.total, size.checked_add(1)) {
        assert!(check_reply(&head, got.range, other, None).is_err(), "the total is compared too");
    }
    true
}

/// Checks that a parsed header, written in the format of S3, parses to the same state. Input: an
/// `x-amz-restore` header.
pub fn restore(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let Ok(state) = text.parse::<RestoreState>() else { return false };
    let mut written = format!("ongoing-request=\"{}\"", state.ongoing);
    if let Some(expires) = state.expires {
        // RFC 2822 cannot express times before the year 0.
        let Ok(date) = rfc2822::to_string(&expires.to_zoned(TimeZone::UTC)) else { return true };
        written += &format!(", expiry-date=\"{date}\"");
    }
    assert_eq!(written.parse(), Ok(state), "written as `{written}`");
    true
}

/// Input: a manifest file, or the document inside one, which is then sealed with a correct digest.
pub fn manifest(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let inner = serde_json::from_str::<serde_json::Value>(text).ok();
    let sealed = inner.and_then(|inner| seal("manifest", &inner).ok());
    let read = |text: &str| Manifest::from_json(text).ok();
    let Some(manifest) = read(text).or_else(|| read(&sealed?)) else { return false };
    let again = manifest.to_json().map(|text| read(&text));
    assert!(matches!(&again, Ok(Some(again)) if *again == manifest), "{again:?}");
    let references = manifest.references().map(|references| references.len());
    assert!(matches!(references, Ok(count) if count == manifest.whole.len() + manifest.parts.len()));
    for list in &manifest.parts {
        let sum: u128 = list.layout.iter().map(|run| u128::from(run.part_bytes) * u128::from(run.parts)).sum();
        assert_eq!(sum, u128::from(manifest.object_bytes), "the parts make up the object");
    }
    true
}

/// Input: two bytes for the number of ranges, a byte for the random draws, then a sample as text.
pub fn sample(data: &[u8]) -> bool {
    let mut input = Input(data);
    let count = usize::from(input.u16());
    let draw = f64::from(input.byte()) / 256.0;
    let Some(text) = text(input.0) else { return false };
    let Ok(sample) = text.parse::<Sample>() else { return false };
    reads_what_it_prints(&sample);
    let chosen = sample.choose(count, || draw);
    assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]), "rising");
    assert!(chosen.last().is_none_or(|last| *last < count));
    match sample {
        Sample::Percent(percent) => {
            let share = chosen.len() as f64 / 1f64.max(count as f64) * 100.0;
            assert!(count == 0 || (share >= percent - 1e-9 && !chosen.is_empty()), "{share} of {percent}");
        }
        Sample::Slice { slice, of } => {
            assert!(chosen.iter().all(|index| index % of as usize == slice as usize - 1));
            assert_eq!(chosen.len(), (count + of as usize - slice as usize) / of as usize);
        }
    }
    true
}

/// Checks that a parsed name survives printing and matches only the checks it names. Input: the name of a
/// check.
pub fn check_name(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let Ok(name) = text.parse::<CheckName>() else { return false };
    reads_what_it_prints(&name);
    match name {
        CheckName::One(check) => assert!(name.matches(check)),
        CheckName::AllOf(origin) => assert!(name.matches(CheckId::Reference(origin, Subject::ETag))),
    }
    // `stored-` is not a prefix, so a name cannot match checks of two origins.
    let all: Vec<CheckId> = Origin::ALL
        .into_iter()
        .flat_map(|origin| {
            let of = move |subject| CheckId::Reference(origin, subject);
            let both = move |algorithm| [of(Subject::Checksum(algorithm)), of(Subject::Parts(algorithm))];
            Algorithm::ALL.into_iter().flat_map(both).chain([of(Subject::ETag), of(Subject::Size)])
        })
        .chain([CheckId::Identity, CheckId::Size, CheckId::Proof, CheckId::Stream])
        .chain(Condition::ALL.map(|(condition, _)| CheckId::Condition(condition)))
        .chain(PolicyCheck::ALL.map(|(upkeep, _)| CheckId::PolicyCheck(upkeep)))
        .collect();
    let matched = all.iter().filter(|check| name.matches(**check)).count();
    let expected = match name {
        // A baseline is a manifest, or the values of `--like`.
        CheckName::One(CheckId::Reference(Origin::Manifest | Origin::Like, _)) => 2,
        CheckName::One(_) => 1,
        CheckName::AllOf(Origin::Manifest | Origin::Like) => 44,
        CheckName::AllOf(_) => 22,
    };
    assert_eq!(matched, expected, "{name}");
    true
}

/// Checks, for arbitrary layouts and needs, that the ranges cover the object once and that combined digests
/// equal digests computed directly.
pub fn read_plan(data: &[u8]) -> bool {
    let mut input = Input(data);
    let sizes: Vec<u64> = (0..=input.byte() % 20).map(|_| u64::from(input.u16() % 700)).collect();
    let size: u64 = sizes.iter().sum();
    let mut cuts: Vec<u64> = (0..input.byte() % 8).map(|_| u64::from(input.u16()) % (size + 1)).collect();
    cuts.extend([0, size]);
    cuts.sort_unstable();
    let made = [sizes, cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()];
    // The cost of combining grows with the number of pieces, and a hundred pieces are sufficient.
    let least = size / 100;
    let even = PartLayout::uniform(size, u64::from(input.u16() % 2000).max(least));
    let mut layouts = vec![PartLayout::whole(size), even];
    layouts.extend(made.into_iter().filter_map(|sizes| PartLayout::from_sizes(size, sizes).ok()));
    assert_eq!(layouts.len(), 4, "sizes that add up are a layout");
    let wanted: Vec<(Algorithm, PartLayout)> = (0..input.byte() % 8)
        .map(|_| (input.algorithm(), layouts[usize::from(input.byte()) % layouts.len()].clone()))
        .collect();
    let concurrency = usize::from(input.byte()).max(1);
    let range_bytes = Some(u64::from(input.u16())).filter(|bytes| bytes % 3 != 0).map(|bytes| bytes.max(least));
    let waiting_room = (u64::from(input.u16()) << 12).max(concurrency as u64 * 64 * KIB);
    let limits = Limits::default();
    let budget = Budget { concurrency, grow_to: concurrency, range_bytes, waiting_room, lanes_room: 0, limits };
    let plan = ReadPlan::new(size, &wanted, budget);
    let at = plan.ranges().iter().fold(0, |at, range| {
        assert_eq!(range.start(), at, "no gap and no overlap");
        range.end()
    });
    assert_eq!(at, size);
    let mut distinct: Vec<_> = wanted.iter().collect();
    distinct.sort_by_key(|(algorithm, layout)| (*algorithm, layout.ends().collect::<Vec<_>>()));
    distinct.dedup();
    assert_eq!(plan.needs().count(), distinct.len(), "every wish is met once");
    for (algorithm, layout) in distinct {
        assert!(plan.needs().any(|need| need.algorithm == *algorithm && plan.layout(need) == Some(layout)));
    }
    if !plan.ordered().is_empty() {
        let waiting = concurrency as u64 * plan.ranges().iter().map(|r| r.len()).max().unwrap_or(0);
        assert!(waiting <= waiting_room, "{waiting} bytes may wait, {budget:?}");
    }
    let body: Vec<u8> = (0..size).map(|at| (at.wrapping_mul(0x9E37_79B9) >> 11) as u8).collect();
    let slice = |range: ByteRange| &body[range.start() as usize..range.end() as usize];
    let digests = |range: &ByteRange| plan.per_range().iter().map(|a| Hasher::digest(*a, slice(*range))).collect();
    let of_ranges: Vec<Vec<Digest>> = plan.ranges().iter().map(|range| digests(&range)).collect();
    let missing = usize::from(input.byte()) % plan.ranges().len();
    let of = |index: usize, column: usize| of_ranges.get(index)?.get(column).copied();
    let whole = plan.fold_ranges(of);
    let holed = plan.fold_ranges(|index, column| of(index, column).filter(|_| index != missing));
    for ((need, digests), (_, holed)) in whole.into_iter().zip(holed) {
        let parts: Vec<ByteRange> = plan.layout(need).into_iter().flat_map(PartLayout::parts).collect();
        assert_eq!(parts.len(), digests.len());
        for ((part, digest), holed) in parts.into_iter().zip(digests).zip(holed) {
            assert_eq!(digest, Some(Hasher::digest(need.algorithm, slice(part))), "{} of {part}", need.algorithm);
            let hit = plan.ranges_touching(part).contains(&missing);
            assert!(size == 0 || holed.is_none() == hit, "{part} without range {missing}: {holed:?}");
        }
    }
    true
}

/// Checks that the CRCs of pieces in any order combine to the CRC of the whole, and that a missing or an
/// extra piece gives no result.
pub fn fold(data: &[u8]) -> bool {
    let mut input = Input(data);
    let algorithm = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme][usize::from(input.byte()) % 3];
    let origin = u64::from(input.u16()) << (input.byte() % 48);
    let turn = usize::from(input.byte());
    let cuts: Vec<usize> = (0..input.byte() % 12).map(|_| usize::from(input.u16())).collect();
    let body = input.0;
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    let range = |from: usize, to: usize| ByteRange::new(origin + from as u64, origin + to as u64);
    let mut pieces: Vec<(ByteRange, Digest)> = cuts
        .windows(2)
        .filter_map(|pair| Some((range(pair[0], pair[1])?, Hasher::digest(algorithm, &body[pair[0]..pair[1]]))))
        .collect();
    let Some(whole) = range(0, body.len()) else { return false };
    let turn = turn % pieces.len();
    pieces.rotate_left(turn);
    if turn % 2 == 1 {
        pieces.reverse();
    }
    assert_eq!(fold_digests(algorithm, whole, &pieces), Some(Hasher::digest(algorithm, body)));
    if let Some(index) = pieces.iter().position(|(range, _)| !range.is_empty()) {
        let piece = pieces.swap_remove(index);
        assert_eq!(fold_digests(algorithm, whole, &pieces), None, "without {}", piece.0);
        pieces.extend([piece, piece]);
        assert_eq!(fold_digests(algorithm, whole, &pieces), None, "with {} twice", piece.0);
    }
    body.len() > 1
}

/// Checks that streams hashed together have the same digests as streams hashed alone, for any frames, any
/// room and any order of ends, and that a stream without an end has no digest.
pub fn lanes(data: &[u8]) -> bool {
    let mut input = Input(data);
    let Some(kernel) = Md5Lanes::detect() else { return true };
    let pool = LaneScheduler::new(kernel, usize::from(input.byte() % 20), usize::from(input.u16()) << 4);
    let count = usize::from(input.byte() % 24);
    let lens: Vec<usize> = (0..count).map(|_| usize::from(input.u16())).collect();
    let mut frame = || usize::from(input.u16() % 40_000) + 1;
    let body: Vec<u8> = (0..70_000_u32).map(|at| (at.wrapping_mul(0x9E37_79B9) >> 11) as u8).collect();
    // Each stream has different bytes, also at odd addresses.
    let mut left: Vec<_> =
        lens.iter().enumerate().map(|(tag, len)| (tag, pool.open(tag), &body[tag..tag + len])).collect();
    while !left.is_empty() {
        left.retain_mut(|(tag, stream, bytes)| {
            let (now, later) = bytes.split_at(frame().min(bytes.len()));
            // No other thread is at work, so there is always room.
            let _ = pool.push(*stream, now);
            *bytes = later;
            if later.is_empty() && *tag != 13 {
                pool.end(*stream);
            }
            !later.is_empty()
        });
    }
    let mut done = pool.finish();
    done.sort_by_key(|(tag, _)| *tag);
    let alone = lens.iter().enumerate().filter(|(tag, _)| *tag != 13);
    let expected = alone.map(|(tag, len)| (tag, Hasher::digest(Algorithm::Md5, &body[tag..tag + len])));
    assert_eq!(done, expected.collect::<Vec<_>>());
    count > 0
}

/// Input: a tuning profile.
pub fn tuning(data: &[u8]) -> bool {
    let Some(Ok(tuning)) = text(data).map(Tuning::from_json) else { return false };
    let Ok(written) = tuning.to_json() else { panic!("{tuning:?} cannot be written") };
    assert_eq!(Tuning::from_json(&written), Ok(tuning));
    true
}

/// Interprets bytes as choices; zeros after the end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn algorithm(&mut self) -> Algorithm {
        Algorithm::ALL[usize::from(self.byte()) % Algorithm::ALL.len()]
    }
}
