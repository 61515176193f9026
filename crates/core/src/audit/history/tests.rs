//! For random sequences of examinations, no state is reported as proved whose last complete read did not
//! match.

use proptest::prelude::*;

use super::*;
use crate::audit::{Acceptance, Gone, Word};
use crate::verdict::{Doubt, ProofKind};

/// An event for an object with two states.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Pass,
    Fail,
    InDoubt(Doubt),
    /// Everything was read and nothing matched, as an entry of format 1 states it.
    Unproved,
    /// A pass that does not cover every byte.
    Hollow,
    /// A proof that read nothing, or says so and states that every byte was read.
    Unread(ProofKind, bool),
    Sample,
    Facts,
    /// Not everything was read, for a reason unrelated to the bytes.
    Stopped,
    Gone,
    Accept,
}

fn happens() -> impl Strategy<Value = Happens> {
    use Happens::*;
    let doubt = prop_oneof![Just(Doubt::Mismatch), Just(Doubt::Unstable), Just(Doubt::Contradiction)];
    prop_oneof![
        3 => Just(Pass),
        1 => Just(Fail),
        2 => doubt.prop_map(InDoubt),
        1 => Just(Unproved),
        1 => Just(Hollow),
        2 => (prop_oneof![Just(ProofKind::Written), Just(ProofKind::StatedByS3)], any::<bool>())
            .prop_map(|(kind, covers)| Unread(kind, covers)),
        1 => Just(Sample),
        1 => Just(Facts),
        1 => Just(Stopped),
        1 => Just(Gone),
        1 => Just(Accept),
    ]
}

fn seen(state: u8, time: u8) -> ObjectIdentity {
    ObjectIdentity {
        object_bytes: Some(5),
        etag: Some(ETag::kept(&format!("e{state}"))),
        last_modified: Some(format!("t{time}")),
        version_id: None,
    }
}

/// An examination of a state, whose HEAD states this time beside a listing that always states the same time.
fn look(what: Happens, state: u8, time: u8) -> Proof {
    let (level, verdict, covered) = match what {
        Happens::Pass => ("bytes", "pass", 5),
        Happens::Hollow => ("bytes", "pass", 0),
        Happens::Fail => ("bytes", "fail", 5),
        Happens::InDoubt(_) => ("bytes", "unknown", 3),
        Happens::Unproved => ("bytes", "unknown", 5),
        Happens::Sample => ("sample", "unknown", 3),
        Happens::Facts => ("facts", "unknown", 0),
        Happens::Unread(_, covers) => {
            if covers {
                ("bytes", "pass", 5)
            } else {
                ("facts", "pass", 0)
            }
        }
        _ => ("bytes", "unknown", 2),
    };
    Proof {
        at: "2026-01-01T00:00:00Z".into(),
        tool: "test".into(),
        target: "s3://b/k".into(),
        level: Word::of(level.into()),
        verdict: Word::of(verdict.into()),
        settled: verdict == "pass" || level != "bytes",
        object: seen(state, time),
        listed: (time != 0).then(|| seen(state, 0)),
        version_id: None,
        storage_class: None,
        covered_bytes: covered,
        doubt: if let Happens::InDoubt(doubt) = what { Some(doubt) } else { None },
        failed: if verdict == "fail" { vec![Word::of("etag".into())] } else { Vec::new() },
        damage: None,
        proved_by: if verdict == "pass" { vec![Word::of("etag".into())] } else { Vec::new() },
        etag_parts: Vec::new(),
        content: vec![ContentFingerprint("etag:x".into())],
        proof_kind: if let Happens::Unread(kind, _) = what { Some(kind.into()) } else { None },
        copied_from: None,
        from_elsewhere: false,
        restored: None,
    }
}

fn says_proved(history: &History, seen: &ObjectIdentity) -> bool {
    let always = ValidityWindow { since: None, until: jiff::Timestamp::MAX };
    history.proof_of(seen).is_some() || history.still_good(seen, Level::Bytes, always).is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn nothing_is_proved_whose_last_full_reading_did_not_match(
        steps in proptest::collection::vec((happens(), 0..2_u8, 0..3_u8), 1..24),
    ) {
        let mut history = History::default();
        let mut matched = [None, None];
        let (at, tool, target) = ("2026-01-01T00:00:00Z", "test", "s3://b/k");
        for (what, state, time) in steps {
            let entry = match what {
                Happens::Gone => Entry::Gone(Gone { at: at.into(), tool: tool.into(), target: target.into() }),
                Happens::Accept => Entry::Acceptance(Acceptance {
                    at: at.into(),
                    tool: tool.into(),
                    target: target.into(),
                    object: history.state().cloned(),
                    reason: "meant so".into(),
                }),
                _ => {
                    let look = look(what, state, time);
                    let after = history.weighed(&look);
                    if matches!(what, Happens::Fail | Happens::InDoubt(_) | Happens::Unproved) {
                        prop_assert!(!says_proved(&after, &look.object), "what the run itself prints");
                    }
                    Entry::Proof(Box::new(look))
                }
            };
            history.add(entry);
            match what {
                Happens::Pass => matched[usize::from(state)] = Some(true),
                Happens::Fail | Happens::InDoubt(_) | Happens::Unproved => matched[usize::from(state)] = Some(false),
                _ => {}
            }
            for (state, time) in (0..2).flat_map(|state| (0..3).map(move |time| (state, time))) {
                let seen = seen(state, time);
                let proved = says_proved(&history, &seen);
                prop_assert!(!proved || matched[usize::from(state)] == Some(true), "{what:?} {seen:?}");
                let doubted = history.damage_of(&seen).is_some() || history.doubt_of(&seen).is_some();
                prop_assert!(!(proved && doubted));
                let unread = history.unread_proof_of(&seen);
                prop_assert!(!(unread.is_some() && doubted), "{what:?} {seen:?}");
                prop_assert!(unread.is_none_or(|proof| !proof.proves()));
            }
        }
    }
}
