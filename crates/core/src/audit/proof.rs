use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContentFingerprint, DamagePlace, Level, Word, joined};
use crate::ident::ObjectIdentity;
use crate::manifest::PartRun;
use crate::verdict::{CheckId, Doubt, ProofKind, Verdict};

/// The result of one examination of an object. [`Proof::standing`] decides whether it is a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Time of the examination, RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    /// The object as `s3://bucket/key`.
    pub target: String,
    /// `facts`, `sample` or `bytes`.
    pub level: Word<Level>,
    /// `pass`, `fail` or `unknown` for the object itself, without regard to earlier states.
    pub verdict: Word<Verdict>,
    /// Whether nothing that the level requires was left unknown.
    pub settled: bool,
    /// The state of the object by HEAD.
    pub object: ObjectIdentity,
    /// The state by a listing, if the listing states another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<ObjectIdentity>,
    /// Version id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Bytes that were read.
    pub covered_bytes: u64,
    /// The doubt that the read cast on the bytes without refuting them. Entries of format 1 lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Checks of the object itself that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Word<CheckId>>,
    /// Where the read found the damage, if a reference located it. Entries of older versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<DamagePlace>,
    /// References that matched over every byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proved_by: Vec<Word<CheckId>>,
    /// The parts under which a multipart ETag matched, as runs of equal sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etag_parts: Vec<PartRun>,
    /// Checksums of the content: those that were proved, or all that S3 states if none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentFingerprint>,
    /// How the bytes were proved; absent if they were not. Entries of formats 1 and 2 lack it: they prove only what
    /// was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_kind: Option<Word<ProofKind>>,
    /// What the object was copied from, if this entry is of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopiedFrom>,
    /// Whether a value matched that was neither computed when the object was written nor over the object since, so that
    /// the bytes of a copy are those of its source. Entries of older versions lack it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_elsewhere: bool,
    /// The restored AMI whose blocks were compared, if this entry is of a proof of a restore. Such an entry says nothing
    /// about the bytes of the object, and the history of the object leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Box<RestoredContent>>,
}

/// The comparison of a restored AMI with the content that it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestoredContent {
    /// Id of the restored AMI.
    pub image: String,
    /// Its Region.
    pub region: String,
    /// Id of the AMI that has, or had, the expected content.
    pub expected_image: String,
    /// `pass` if every block of every volume is the same, `fail` if one differs, otherwise `unknown`.
    pub verdict: Word<Verdict>,
    /// Blocks that are the same.
    pub same_blocks: u64,
    /// Blocks that differ in two reads.
    pub differing_blocks: u64,
}

/// The source of a copy, in the state that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopiedFrom {
    /// The object as `s3://bucket/key`, or the path of a file.
    pub target: String,
    /// Its state.
    pub object: ObjectIdentity,
    /// Whether a value that other programs did not leave proved its bytes, or makes up those of a copy by the server.
    /// Entries of older versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved: Option<bool>,
}

/// Failed checks for people: the references, without the check `proof`, which only follows from them.
pub fn failed_by(failed: &[Word<CheckId>]) -> String {
    let is_reference = |check: &&Word<CheckId>| check.known() != Some(&CheckId::Proof);
    let references: Vec<String> = failed.iter().filter(is_reference).map(ToString::to_string).collect();
    if references.is_empty() { joined(failed, ", ") } else { references.join(", ") }
}

/// What an examination shows about the state of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookResult {
    /// Every byte was compared with a reference and matched.
    Proved,
    /// The bytes are proved by other means than reading them.
    Attested(ProofKind),
    /// A check of the object failed.
    Damaged,
    /// The bytes are neither proved nor refuted, and there is evidence against them, for example two reads
    /// that differ.
    Doubted(Doubt),
    /// Nothing that the level requires was left unknown; the bytes are not proved.
    InOrder,
    /// Something that the level requires was left unknown.
    Open,
}

/// The time within which a proof must have been made to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityWindow {
    /// Proofs must be later than this. Times are kept in whole seconds, so a proof of this very second may be
    /// older.
    pub since: Option<Timestamp>,
    /// Proofs must not be later than this, so that a clock that was wrong once does not extend their
    /// validity.
    pub until: Timestamp,
}

/// Maximum clock skew.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

impl ValidityWindow {
    /// The window that reaches back for `age`; `None` for any age.
    pub fn back_to(age: Option<SignedDuration>, now: Timestamp) -> Self {
        ValidityWindow {
            since: age.map(|age| now.checked_sub(age).unwrap_or(Timestamp::MIN)),
            until: now.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX),
        }
    }
}

impl Proof {
    /// An examination that read nothing and decided nothing. `tool` is the name and version of the program; `object` is
    /// the state that was examined. The caller sets what else is known of it.
    pub fn new(at: Timestamp, tool: &str, target: String, level: Level, object: ObjectIdentity) -> Self {
        Proof {
            at: at.to_string(),
            tool: tool.to_owned(),
            target,
            level: level.into(),
            verdict: Verdict::Unknown.into(),
            settled: false,
            object,
            listed: None,
            version_id: None,
            storage_class: None,
            covered_bytes: 0,
            doubt: None,
            failed: Vec::new(),
            damage: None,
            proved_by: Vec::new(),
            etag_parts: Vec::new(),
            content: Vec::new(),
            proof_kind: None,
            copied_from: None,
            from_elsewhere: false,
            restored: None,
        }
    }

    /// The result of the examination. An entry that contradicts itself counts as the worst that it states: a
    /// pass beside a failed check is damage, and a pass that does not cover every byte is not a proof.
    pub fn standing(&self) -> LookResult {
        if self.verdict == Verdict::Fail || !self.failed.is_empty() {
            return LookResult::Damaged;
        }
        if let Some(doubt) = self.doubt {
            return LookResult::Doubted(doubt);
        }
        match self.proof_kind {
            None | Some(Word::Known(ProofKind::Read)) => {}
            Some(Word::Known(kind)) if self.is_pass_by_a_check() => return LookResult::Attested(kind),
            Some(_) => return LookResult::Open,
        }
        let covers_all = Some(self.covered_bytes) == self.object.object_bytes && self.covered_bytes > 0;
        match self.level {
            Word::Known(Level::Bytes) if covers_all && self.is_pass_by_a_check() => LookResult::Proved,
            // An audit reads all of an object only where there is something to hold it against, so nothing matched.
            // Entries of format 1 say no more than that.
            Word::Known(Level::Bytes) if covers_all => LookResult::Doubted(Doubt::Unproved),
            Word::Known(Level::Facts | Level::Sample) if self.settled && self.verdict == Verdict::Unknown => {
                LookResult::InOrder
            }
            _ => LookResult::Open,
        }
    }

    /// Whether it says that the object passed by a check that this version knows and that proves the bytes.
    fn is_pass_by_a_check(&self) -> bool {
        let proves = |by: &Word<CheckId>| by.known().is_some_and(|check| check.proves());
        self.verdict == Verdict::Pass && self.settled && self.proved_by.iter().any(proves)
    }

    /// Whether every byte was compared with a reference and matched.
    pub fn proves(&self) -> bool {
        self.standing() == LookResult::Proved
    }

    /// How the bytes are proved; `None` if the entry proves nothing.
    pub fn kind(&self) -> Option<ProofKind> {
        match self.standing() {
            LookResult::Proved => Some(ProofKind::Read),
            LookResult::Attested(kind) => Some(kind),
            LookResult::Damaged | LookResult::Doubted(_) | LookResult::InOrder | LookResult::Open => None,
        }
    }

    /// Whether only values that other programs left with the object matched.
    pub fn is_by_others_alone(&self) -> bool {
        !self.proved_by.iter().filter_map(Word::known).any(|check| check.proves_without_others())
    }

    /// Whether it shows that the bytes are those of the source from which the object was copied: by a value from
    /// elsewhere, or as the copy of proved bytes.
    pub fn is_of_source(&self) -> bool {
        self.from_elsewhere || self.copied_from.as_ref().is_some_and(|from| from.proved == Some(true))
    }

    /// Whether this entry is of a copy whose bytes nothing proved, or only values that other programs left.
    pub fn is_unproved_copy(&self) -> bool {
        let Some(from) = &self.copied_from else { return false };
        !from.proved.unwrap_or_else(|| self.kind().is_some() && !self.is_by_others_alone())
    }

    /// Whether it was made within a window.
    pub fn is_in(&self, term: ValidityWindow) -> bool {
        let since = term.since.unwrap_or(Timestamp::MIN);
        self.at.parse::<Timestamp>().is_ok_and(|at| at > since && at <= term.until)
    }

    /// Whether the object needs no further examination at `level`. A sample never satisfies a later one,
    /// because each sample reads other bytes.
    pub fn satisfies(&self, level: Level) -> bool {
        match self.standing() {
            LookResult::Proved => true,
            LookResult::InOrder => level == Level::Facts,
            LookResult::Attested(_) | LookResult::Damaged | LookResult::Doubted(_) | LookResult::Open => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::ETag;

    fn look(level: &str, verdict: &str, covered: u64) -> Proof {
        let object = ObjectIdentity { object_bytes: Some(5), etag: Some(ETag::kept("e")), ..ObjectIdentity::default() };
        Proof {
            level: Word::of(level.into()),
            verdict: Word::of(verdict.into()),
            settled: true,
            covered_bytes: covered,
            proved_by: vec![Word::of("crc32".into())],
            ..Proof::new("2026-01-01T00:00:00Z".parse().unwrap(), "test", "s3://b/k".into(), Level::Facts, object)
        }
    }

    #[test]
    fn a_new_examination_proves_and_settles_nothing() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        for &level in Level::ALL {
            let look = Proof::new(now, "test", "s3://b/k".into(), level, ObjectIdentity::of_size(5));
            assert_eq!((look.standing(), look.kind()), (LookResult::Open, None), "{level}");
            assert!(Level::ALL.iter().all(|&wanted| !look.satisfies(wanted)), "{level}");
        }
    }

    /// An entry of another kind is never a proof by reading, even if it states that every byte was read.
    #[test]
    fn a_proof_that_read_nothing_is_of_its_own_kind() {
        let of = |kind: &str, look: Proof| Proof { proof_kind: Some(Word::of(kind.into())), ..look };
        let pass = || look("bytes", "pass", 5);
        let facts = || look("facts", "pass", 0);
        let (written, stated) = (LookResult::Attested(ProofKind::Written), LookResult::Attested(ProofKind::StatedByS3));
        for (what, look, standing, kind) in [
            ("read", of("read", pass()), LookResult::Proved, Some(ProofKind::Read)),
            ("an entry of format 2", pass(), LookResult::Proved, Some(ProofKind::Read)),
            ("written", of("written", facts()), written, Some(ProofKind::Written)),
            ("stated", of("stated-by-s3", facts()), stated, Some(ProofKind::StatedByS3)),
            ("written, and all covered", of("written", pass()), written, Some(ProofKind::Written)),
            ("of a kind that is not known", of("believed", pass()), LookResult::Open, None),
            ("read, of facts", of("read", facts()), LookResult::Open, None),
            ("written, not passed", of("written", look("facts", "unknown", 0)), LookResult::Open, None),
            ("written, left open", of("written", Proof { settled: false, ..facts() }), LookResult::Open, None),
            ("stated, by nothing", of("stated-by-s3", Proof { proved_by: vec![], ..facts() }), LookResult::Open, None),
            ("written, failed", of("written", look("facts", "fail", 0)), LookResult::Damaged, None),
            (
                "written, in doubt",
                of("written", Proof { doubt: Some(Doubt::Unstable), ..facts() }),
                LookResult::Doubted(Doubt::Unstable),
                None,
            ),
        ] {
            assert_eq!((look.standing(), look.kind()), (standing, kind), "{what}");
            assert_eq!(look.satisfies(Level::Bytes), standing == LookResult::Proved, "{what}");
            assert_eq!(look.satisfies(Level::Facts), standing == LookResult::Proved, "{what}");
        }
    }

    #[test]
    fn entries_keep_their_form() {
        let plain = serde_json::to_value(look("bytes", "pass", 5)).unwrap();
        assert_eq!((plain.get("proof_kind"), plain.get("copied_from")), (None, None));
        let copy = Proof {
            proof_kind: Some(ProofKind::StatedByS3.into()),
            copied_from: Some(CopiedFrom {
                target: "s3://a/k".into(),
                object: ObjectIdentity::of_size(5),
                proved: None,
            }),
            ..look("facts", "pass", 0)
        };
        let json = serde_json::to_value(&copy).unwrap();
        assert_eq!((&json["proof_kind"], &json["copied_from"]["target"]), (&"stated-by-s3".into(), &"s3://a/k".into()));
        assert_eq!(serde_json::from_value::<Proof>(json).unwrap(), copy);
        for (by, alone) in
            [(&["tags-md5"][..], true), (&["tags-md5", "metadata-sha256"], true), (&["tags-md5", "etag"], false)]
        {
            let proved_by = by.iter().map(|by| Word::of((*by).to_owned())).collect();
            assert_eq!(Proof { proved_by, ..look("bytes", "pass", 5) }.is_by_others_alone(), alone, "{by:?}");
        }
    }

    #[test]
    fn only_a_pass_over_every_byte_that_nothing_contradicts_is_a_proof() {
        let pass = || look("bytes", "pass", 5);
        let unproved = LookResult::Doubted(Doubt::Unproved);
        for (what, look, standing) in [
            ("a proof", pass(), LookResult::Proved),
            ("nothing covered", look("bytes", "pass", 0), LookResult::Open),
            ("not all covered", look("bytes", "pass", 4), LookResult::Open),
            ("more covered than there is", look("bytes", "pass", 6), LookResult::Open),
            (
                "an empty object",
                Proof { object: ObjectIdentity::of_size(0), ..look("bytes", "pass", 0) },
                LookResult::Open,
            ),
            (
                "matched by a baseline",
                Proof { proved_by: vec![Word::of("baseline-sha256".into())], ..pass() },
                unproved,
            ),
            ("matched by nothing", Proof { proved_by: Vec::new(), ..pass() }, unproved),
            ("matched by what is not known", Proof { proved_by: vec![Word::of("blake9".into())], ..pass() }, unproved),
            (
                "failed by what is not known",
                Proof { failed: vec![Word::of("blake9".into())], ..pass() },
                LookResult::Damaged,
            ),
            ("left open", Proof { settled: false, ..pass() }, unproved),
            (
                "a failed check beside a pass",
                Proof { failed: vec![Word::of("etag".into())], ..pass() },
                LookResult::Damaged,
            ),
            ("a fail", look("bytes", "fail", 5), LookResult::Damaged),
            ("a fail of facts", look("facts", "fail", 0), LookResult::Damaged),
            ("a doubt", Proof { doubt: Some(Doubt::Unstable), ..pass() }, LookResult::Doubted(Doubt::Unstable)),
            ("another verdict", look("bytes", "proved", 5), unproved),
            ("another level", look("everything", "pass", 5), LookResult::Open),
            ("a pass without bytes", look("facts", "pass", 0), LookResult::Open),
            ("a sample that passes", look("sample", "pass", 5), LookResult::Open),
            ("all read, and unknown", look("bytes", "unknown", 5), unproved),
            ("not all read, and unknown", look("bytes", "unknown", 3), LookResult::Open),
            ("another level, and unknown", look("everything", "unknown", 0), LookResult::Open),
            ("facts", look("facts", "unknown", 0), LookResult::InOrder),
            ("a sample", look("sample", "unknown", 5), LookResult::InOrder),
            ("facts that were left open", Proof { settled: false, ..look("facts", "unknown", 0) }, LookResult::Open),
        ] {
            assert_eq!(look.standing(), standing, "{what}");
            assert_eq!(look.proves(), standing == LookResult::Proved, "{what}");
            assert_eq!(look.satisfies(Level::Bytes), standing == LookResult::Proved, "{what}");
            let in_order = matches!(standing, LookResult::Proved | LookResult::InOrder);
            assert_eq!(look.satisfies(Level::Facts), in_order, "{what}");
        }
    }
}
