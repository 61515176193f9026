use std::time::Duration;

use jiff::Timestamp;

use super::{ArchiveState, ArchiveTier, ThawCheck, ThawFinding};
use crate::price::RetrievalTier;
use crate::units::{ByteSize, MIB};

/// Largest size in bytes for which S3 documents 1 to 5 minutes for Expedited (S3 API Reference, `RestoreObject`).
const EXPEDITED_UP_TO: u64 = 250_000_000;
const DAY: Duration = Duration::from_secs(86_400);
/// Assumed rate of `verify` in bytes per second, if none was measured: about what a link of 1 Gbit/s delivers.
const ASSUMED_READ: u64 = 100 * MIB;
/// Assumed rate in bytes per second at which EC2 reads the object during a restore. AWS publishes none.
const ASSUMED_RESTORE: u64 = 50 * MIB;
/// The largest number of days in a request, which is a signed 32-bit number there.
const MOST_DAYS: u128 = i32::MAX as u128;

/// How fast this machine reads the object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReadingRate {
    /// `bench` measured this many bytes per second.
    Measured(f64),
    /// Not measured.
    Assumed,
}

impl ReadingRate {
    fn bytes_per_second(self) -> f64 {
        match self {
            ReadingRate::Measured(rate) if rate >= 1.0 => rate,
            _ => ASSUMED_READ as f64,
        }
    }
}

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThawRequest {
    /// The tier.
    pub tier: RetrievalTier,
    /// The days that the copy stays; `None` for those that are needed.
    pub days: Option<u32>,
    /// How fast this machine reads.
    pub rate: ReadingRate,
}

/// How long everything takes, by documented, measured and assumed figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThawTimes {
    /// Until the object can be read, at the longest.
    pub tier: Duration,
    /// Reading every byte once.
    pub verify: Duration,
    /// Restoring the AMI.
    pub restore: Duration,
}

impl ThawTimes {
    /// The times for an object of `size` bytes; `None` if there is no such tier.
    pub fn of(archive: ArchiveTier, size: u64, request: &ThawRequest) -> Option<Self> {
        // For larger objects Expedited takes longer; how much longer is not documented.
        let documented = request.tier != RetrievalTier::Expedited || size <= EXPEDITED_UP_TO;
        let tier = archive.takes(request.tier)?;
        let tier = if documented { tier } else { archive.takes(RetrievalTier::Standard)? };
        let at = |rate: f64| Duration::try_from_secs_f64(size as f64 / rate).unwrap_or(Duration::MAX);
        Some(ThawTimes { tier, verify: at(request.rate.bytes_per_second()), restore: at(ASSUMED_RESTORE as f64) })
    }

    /// All of them, one after another.
    pub fn total(&self) -> Duration {
        self.tier.saturating_add(self.verify).saturating_add(self.restore)
    }

    /// The days that the copy must stay: the total, rounded up. They count from the request, which is the earlier of
    /// the two ends that they could have.
    pub fn days(&self) -> u32 {
        let days = self.total().as_nanos().div_ceil(DAY.as_nanos()).clamp(1, MOST_DAYS);
        u32::try_from(days).unwrap_or(u32::MAX)
    }
}

/// A time as hours or days, rounded up.
fn shown(time: Duration) -> String {
    let of = |unit: u128| u64::try_from(time.as_nanos().div_ceil(unit * 1_000_000_000)).unwrap_or(u64::MAX);
    let (minutes, hours) = (of(60), of(3_600));
    match hours {
        _ if minutes < 100 => format!("{minutes} min"),
        0..72 => format!("{hours} h"),
        _ => format!("{} days", hours.div_ceil(24)),
    }
}

/// Checks whether a copy may be asked for, and for how many days. Returns the days to ask for; `None` if the class takes
/// none, or a check failed.
pub fn judge_thaw(
    state: &ArchiveState,
    size: u64,
    request: &ThawRequest,
    now: Timestamp,
) -> (Vec<ThawFinding>, Option<u32>) {
    let archive = match state {
        ArchiveState::Readable => {
            return (vec![ThawFinding::pass(ThawCheck::State, "not archived: it can be read now")], None);
        }
        ArchiveState::Unclear(why) => return (vec![ThawFinding::open(ThawCheck::State, why)], None),
        ArchiveState::Restoring(archive) => {
            let text = format!("{archive}: a restore from the archive is in progress");
            return (vec![ThawFinding::open(ThawCheck::State, text)], None);
        }
        ArchiveState::Restored(archive, until) => return restored((*archive, *until), size, request, now),
        ArchiveState::Archived(archive) => *archive,
    };
    let state = ThawFinding::pass(ThawCheck::State, format!("archived: {archive}"));
    let Some(times) = ThawTimes::of(archive, size, request) else {
        let text = format!("S3 has no {} retrieval from {archive}; Standard or Bulk", request.tier.name());
        return (vec![state, ThawFinding::fail(ThawCheck::Tier, text)], None);
    };
    let tier = tier_finding(archive, size, request, times);
    let (days, wanted) = days_finding(archive, request, times);
    (vec![state, tier, days], wanted)
}

fn tier_finding(archive: ArchiveTier, size: u64, request: &ThawRequest, times: ThawTimes) -> ThawFinding {
    let name = request.tier.name();
    match request.tier == RetrievalTier::Expedited && size > EXPEDITED_UP_TO {
        true => ThawFinding::aside(
            ThawCheck::Tier,
            format!(
                "{name}: S3 documents 1–5 min for objects up to some {} only, and this one has {}; {} are assumed",
                ByteSize(EXPEDITED_UP_TO),
                ByteSize(size),
                shown(times.tier)
            ),
        ),
        false => ThawFinding::pass(
            ThawCheck::Tier,
            format!("{name} retrieval from {archive} takes up to {}", shown(times.tier)),
        ),
    }
}

fn days_finding(archive: ArchiveTier, request: &ThawRequest, times: ThawTimes) -> (ThawFinding, Option<u32>) {
    let needed = times.days();
    let basis = match request.rate {
        ReadingRate::Measured(rate) => format!("at {}/s, as measured", ByteSize(rate as u64)),
        ReadingRate::Assumed => format!("at an assumed {}/s", ByteSize(ASSUMED_READ)),
    };
    let reckoned = format!(
        "{} until it can be read, {} to verify it {basis}, {} to restore the AMI at an assumed {}/s",
        shown(times.tier),
        shown(times.verify),
        shown(times.restore),
        ByteSize(ASSUMED_RESTORE)
    );
    match (archive.is_tiering(), request.days) {
        (true, None) => {
            let text =
                "the object returns to the frequent access tier, and stays there until it is not read for months";
            (ThawFinding::pass(ThawCheck::Days, text), None)
        }
        (true, Some(_)) => {
            let text = "an object in Intelligent-Tiering takes no --days: it returns to the frequent access tier";
            (ThawFinding::fail(ThawCheck::Days, text), None)
        }
        (false, None) => (ThawFinding::pass(ThawCheck::Days, format!("{needed}: {reckoned}")), Some(needed)),
        (false, Some(days)) if days < needed => {
            let text = format!("{days} end too early, at least {needed} are needed: {reckoned}");
            (ThawFinding::fail(ThawCheck::Days, text), None)
        }
        (false, Some(days)) => (ThawFinding::pass(ThawCheck::Days, format!("{days}: {reckoned}")), Some(days)),
    }
}

/// A copy is there. It is extended if the days that are asked for gain more than one day, because S3 rounds the end up to
/// the next midnight.
fn restored(
    (archive, until): (ArchiveTier, Option<Timestamp>),
    size: u64,
    request: &ThawRequest,
    now: Timestamp,
) -> (Vec<ThawFinding>, Option<u32>) {
    let Some(end) = until else {
        let text = format!("{archive}: a copy can be read, and until when is not stated");
        return (vec![ThawFinding::pass(ThawCheck::State, text)], None);
    };
    let state = ThawFinding::pass(ThawCheck::State, format!("{archive}: a copy can be read until {end}"));
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    let at_once = ThawRequest { tier: RetrievalTier::Standard, ..*request };
    let needed = ThawTimes::of(archive, size, &at_once)
        .map_or(Duration::ZERO, |times| ThawTimes { tier: Duration::ZERO, ..times }.total());
    match request.days {
        Some(days) if DAY * days > left + DAY => match DAY * days < needed {
            true => {
                let text = format!("{days} end too early: verifying and restoring takes {}", shown(needed));
                (vec![state, ThawFinding::fail(ThawCheck::Days, text)], None)
            }
            false => (vec![state, ThawFinding::pass(ThawCheck::Days, format!("{days} from now"))], Some(days)),
        },
        _ if left < needed => {
            let text = format!(
                "{} are left, and verifying and restoring takes {}; --days N extends it",
                shown(left),
                shown(needed)
            );
            (vec![state, ThawFinding::aside(ThawCheck::Days, text)], None)
        }
        _ => (vec![state], None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;
    use ArchiveTier::{DeepArchive, Glacier, TieringArchive, TieringDeepArchive};
    use RetrievalTier::{Bulk, Expedited, Standard};

    const TB: u64 = 1_000_000_000_000;

    fn request(tier: RetrievalTier, days: Option<u32>) -> ThawRequest {
        ThawRequest { tier, days, rate: ReadingRate::Assumed }
    }

    fn now() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    /// The days to ask for, and the checks that did not pass.
    fn judged(state: ArchiveState, size: u64, request: &ThawRequest) -> (Option<u32>, Vec<(ThawCheck, Verdict)>) {
        let (findings, days) = judge_thaw(&state, size, request, now());
        let open = findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
        (days, open.map(|finding| (finding.check, finding.verdict)).collect())
    }

    #[test]
    fn days_cover_the_tier_the_verification_and_the_restore() {
        let days = |archive, tier, size| judged(ArchiveState::Archived(archive), size, &request(tier, None));
        // 5 h, and seconds for the rest.
        assert_eq!(days(Glacier, Standard, 1_000_000), (Some(1), vec![]));
        assert_eq!(days(DeepArchive, Bulk, 1_000_000), (Some(3), vec![]), "48 h and some seconds");
        // 1 TB: 2.65 h at 100 MiB/s, 5.3 h at 50 MiB/s.
        assert_eq!(days(DeepArchive, Standard, TB).0, Some(1), "12 + 2.7 + 5.3 h");
        assert_eq!(days(DeepArchive, Standard, 2 * TB).0, Some(2), "12 + 5.3 + 10.6 h");
        assert_eq!(days(Glacier, Bulk, 5 * TB).0, Some(3), "12 + 13.2 + 26.5 h");
        let measured = ThawRequest { rate: ReadingRate::Measured(1e9), ..request(Bulk, None) };
        assert_eq!(judged(ArchiveState::Archived(Glacier), 5 * TB, &measured).0, Some(2), "12 + 1.4 + 26.5 h");
        let nothing = ThawRequest { rate: ReadingRate::Measured(0.0), ..request(Standard, None) };
        assert_eq!(
            judged(ArchiveState::Archived(Glacier), u64::MAX, &nothing).0.map(|days| days > 6_000_000),
            Some(true)
        );
    }

    #[test]
    fn days_that_end_earlier_fail() {
        use ThawCheck::Days;
        let of = |days| judged(ArchiveState::Archived(DeepArchive), 2 * TB, &request(Standard, Some(days)));
        assert_eq!(of(1), (None, vec![(Days, Verdict::Fail)]));
        assert_eq!(of(2), (Some(2), vec![]));
        assert_eq!(of(30), (Some(30), vec![]));
    }

    #[test]
    fn tiers_that_a_class_has() {
        use ThawCheck::{Days, Tier};
        let of = |archive, tier, size| judged(ArchiveState::Archived(archive), size, &request(tier, None)).1;
        assert_eq!(of(DeepArchive, Expedited, 1), [(Tier, Verdict::Fail)]);
        assert_eq!(of(TieringDeepArchive, Expedited, 1), [(Tier, Verdict::Fail)]);
        assert_eq!(of(Glacier, Expedited, 1), []);
        assert_eq!(of(Glacier, Expedited, 300_000_000), [(Tier, Verdict::Unknown)], "its time is not documented");
        for tiering in [TieringArchive, TieringDeepArchive] {
            let archived = || ArchiveState::Archived(tiering);
            assert_eq!(judged(archived(), TB, &request(Standard, None)), (None, vec![]), "without days");
            assert_eq!(judged(archived(), TB, &request(Standard, Some(9))), (None, vec![(Days, Verdict::Fail)]));
        }
    }

    #[test]
    fn other_states_ask_for_nothing() {
        use ThawCheck::{Days, State};
        let hours = |hours: i64| Some(now() + jiff::SignedDuration::from_hours(hours));
        let of = |state, days| judged(state, TB, &request(Standard, days));
        assert_eq!(of(ArchiveState::Readable, Some(7)), (None, vec![]));
        assert_eq!(of(ArchiveState::Restoring(Glacier), Some(7)), (None, vec![(State, Verdict::Unknown)]));
        assert_eq!(of(ArchiveState::Unclear("x".into()), None), (None, vec![(State, Verdict::Unknown)]));
        // 1 TB needs 8 h.
        let restored = |left| ArchiveState::Restored(Glacier, hours(left));
        assert_eq!(of(restored(48), None), (None, vec![]));
        assert_eq!(of(restored(7), None), (None, vec![(Days, Verdict::Unknown)]), "it ends soon");
        assert_eq!(of(restored(-1), None), (None, vec![(Days, Verdict::Unknown)]));
        assert_eq!(of(restored(7), Some(7)), (Some(7), vec![]), "extended");
        assert_eq!(of(restored(7 * 24 - 1), Some(7)), (None, vec![]), "it was asked for already");
        assert_eq!(judged(restored(1), 5 * TB, &request(Standard, Some(2))).0, Some(2));
        assert_eq!(judged(restored(1), 9 * TB, &request(Standard, Some(2))).1, [(Days, Verdict::Fail)], "72 h");
        assert_eq!(of(ArchiveState::Restored(Glacier, None), Some(7)), (None, vec![]));
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in [(1, "1 min"), (300, "5 min"), (5_940, "99 min"), (18_000, "5 h"), (300_000, "4 days")] {
            assert_eq!(shown(Duration::from_secs(seconds)), text);
        }
    }
}
