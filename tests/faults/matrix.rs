//! Every kind of fault × place × once or always × object × intact or damaged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stored_ami_lab::{PartSizes, SyntheticSpec};

use crate::crew;
use crate::expected::{Effect, effect, ending, words};
use crate::kinds::{KINDS, Kind, Site};
use crate::object::{DAMAGED, Object};
use crate::rig::{Ran, Rig};

const PAGE: &str = include_str!("../../docs/lab.md");

/// Consecutive attempts of one request.
const ATTEMPTS: usize = 8;

#[derive(Debug, Clone)]
struct Case {
    kind: Kind,
    site: Site,
    always: bool,
    object: Object,
    damaged: bool,
    effect: Effect,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in KINDS {
        for site in Site::ALL {
            for always in [false, true] {
                let Some(effect) = effect(kind.class, site, always) else { continue };
                // Before the first request, a connection can only be dropped.
                if site == Site::Connect && kind.json != r#""dropped""# {
                    continue;
                }
                for object in Object::ALL.into_iter().filter(|object| site.is_asked_of(*object)) {
                    for damaged in [false, true] {
                        cases.push(Case { kind, site, always, object, damaged, effect: effect.clone() });
                    }
                }
            }
        }
    }
    cases
}

/// The problems with the result of a case.
fn wrong(case: &Case, ran: &Ran) -> Option<String> {
    let expected = ending(&case.effect, case.site, case.object, case.damaged);
    let struck = ran.calls.iter().filter(|call| call.fault.is_some()).count();
    let verdict = ran.ending.verdict.as_str();
    let mut wrong = Vec::new();
    if ran.ending != expected {
        wrong.push(format!("ended with {:?}, expected {expected:?}", ran.ending));
    }
    // Independent of the table.
    if case.damaged && verdict == "pass" {
        wrong.push("a false pass".to_owned());
    }
    if !case.damaged && verdict == "fail" && case.effect != Effect::Damage {
        wrong.push("a false fail".to_owned());
    }
    if struck == 0 || (!case.always && struck != 1) {
        wrong.push(format!("{struck} requests were struck"));
    }
    // Part 1 is requested at the start, and all parts once more; each range is read at most twice.
    let (most_struck, most) = ((1 + 5) * ATTEMPTS, 40);
    if struck > most_struck || ran.calls.len() - struck > most {
        wrong.push(format!("{} requests, {struck} of them struck", ran.calls.len()));
    }
    // Seven waits that double from 200 ms.
    let most = Duration::from_millis(200 * 127) * (1 + 5);
    if ran.waited > most {
        wrong.push(format!("{:?} of waiting", ran.waited));
    }
    (!wrong.is_empty()).then(|| format!("{case:?}: {}\n", wrong.join("; ")))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_comes_to_what_is_expected_of_it() {
    let (cases, started) = (cases(), Instant::now());
    let count = cases.len();
    let wrong = crew::play(cases, |rig: Arc<Rig>, case: Case| async move {
        rig.put(case.object.spec(), case.damaged.then_some(DAMAGED)).await;
        let ran = rig.verify(&case.kind.rules(case.site, case.always), case.object.connections()).await;
        wrong(&case, &ran)
    })
    .await;
    println!("{count} cases of faults in {:.0} s", started.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fault_the_bytes_decide_and_each_is_read_once() {
    let rig = Rig::new().await;
    for object in Object::ALL {
        for damaged in [false, true] {
            rig.put(object.spec(), damaged.then_some(DAMAGED)).await;
            let ran = rig.verify("[]", object.connections()).await;
            assert_eq!(ran.ending, ending(&Effect::Overcome, Site::Head, object, damaged), "{object:?}");
            let reads = ran.calls.iter().filter(|call| call.range.is_some()).count();
            // Digests of parts locate the damage; without them, everything is read again.
            let again = if object == Object::ByPart { 1 } else { 5 };
            assert_eq!(reads, if damaged { 5 + again } else { 5 }, "{object:?}");
        }
    }
}

/// The start of such a response is examined; its announced body never arrives.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_fit_need_not_come_to_its_end() {
    let rig = Rig::new().await;
    rig.put(SyntheticSpec { size: 1_000, parts: PartSizes::None, ..Object::Whole.spec() }, None).await;
    let ran = rig.verify(r#"[{"operation": "GetObject", "always": true, "fault": {"length_lies": 7}}]"#, 1).await;
    assert_eq!(ran.ending.verdict, "unknown: unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_that_no_second_reading_confirms_is_no_fail() {
    let rig = Rig::new().await;
    let rules = format!(
        r#"[{{"operation": "GetObject", "at_byte": {DAMAGED}, "skip": 1, "always": true, "fault": "dropped"}}]"#
    );
    for (damaged, expected) in [(false, "pass"), (true, "unknown: read_failed")] {
        rig.put(Object::ByPart.spec(), damaged.then_some(DAMAGED)).await;
        let ran = rig.verify(&rules, 1).await;
        assert_eq!(ran.ending.verdict, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_lab_says_what_is_expected() {
    for kind in KINDS {
        let of = |always| effect(kind.class, Site::Get(0), always).map(|effect| words(&effect));
        let (Some(once), Some(always)) = (of(false), of(true)) else { continue };
        let line = format!("| `{}` | {once} | {always} |", kind.json);
        assert!(PAGE.contains(&line), "docs/lab.md lacks this line:\n{line}");
    }
}
