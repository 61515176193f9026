use super::*;
use crate::facts::Transition;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rule() -> LifecycleRule {
    LifecycleRule {
        id: Some("r".into()),
        status: RuleStatus::Enabled,
        filter: RuleFilter::default(),
        expiration: None,
        noncurrent: None,
        transitions: Vec::new(),
        abort_uploads_after_days: None,
        odd: None,
    }
}

fn days(days: u32) -> LifecycleRule {
    LifecycleRule { expiration: Some(Expiration::After(Age::Days(days))), ..rule() }
}

fn tags(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn subject() -> LifecycleSubject<'static> {
    LifecycleSubject {
        key: "p/ami-1.bin",
        size: 1_000,
        made: Some(at("2026-01-15T10:30:00Z")),
        tags: None,
        standing: VersionState::Current,
        lock: None,
    }
}

fn now() -> Timestamp {
    at("2026-01-16T00:00:01Z")
}

fn of(rules: &[LifecycleRule], subject: &LifecycleSubject<'_>) -> Removals {
    removals(rules, subject, now())
}

fn first(rules: &[LifecycleRule], subject: &LifecycleSubject<'_>) -> Option<String> {
    of(rules, subject).first.map(|first| first.at.to_string())
}

#[test]
fn days_end_at_the_next_midnight() {
    for (made, after, expected) in [
        // The example in the S3 User Guide.
        ("2026-01-15T10:30:00Z", 3, "2026-01-19T00:00:00Z"),
        ("2026-01-15T00:00:00Z", 3, "2026-01-18T00:00:00Z"),
        ("2026-01-15T23:59:59Z", 3, "2026-01-19T00:00:00Z"),
        ("2026-01-15T00:00:01Z", 1, "2026-01-17T00:00:00Z"),
        // A due action may take place at any moment.
        ("2020-01-01T00:00:00Z", 1, "2026-01-16T00:00:01Z"),
    ] {
        let subject = LifecycleSubject { made: Some(at(made)), ..subject() };
        assert_eq!(first(&[days(after)], &subject).unwrap(), expected, "{made} + {after}");
    }
    assert_eq!(of(&[days(u32::MAX)], &subject()).first.unwrap().at, Timestamp::MAX);
    let unknown = of(&[days(1)], &LifecycleSubject { made: None, ..subject() });
    assert_eq!((unknown.first, unknown.unclear.len()), (None, 1));
}

#[test]
fn dates_that_have_passed_count_as_now() {
    for (date, expected) in
        [("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"), ("2019-01-01T00:00:00Z", "2026-01-16T00:00:01Z")]
    {
        let rule = LifecycleRule { expiration: Some(Expiration::After(Age::Date(at(date)))), ..rule() };
        // The time of creation does not matter for a date.
        for made in [None, Some(at("2026-01-15T00:00:00Z"))] {
            assert_eq!(first(std::slice::from_ref(&rule), &LifecycleSubject { made, ..subject() }).unwrap(), expected);
        }
    }
}

#[test]
fn only_rules_that_reach_the_object_act() {
    let mine = tags(&[("team", "a"), ("keep", "no")]);
    let own = || LifecycleSubject { tags: Some(&mine), ..subject() };
    let prefix = |prefix: &str| RuleFilter { prefix: Some(prefix.into()), ..RuleFilter::default() };
    let tagged = |all: &[(&str, &str)]| RuleFilter { tags: tags(all), ..RuleFilter::default() };
    for (name, filter, reaches) in [
        ("all", RuleFilter::default(), true),
        ("an empty prefix", prefix(""), true),
        ("its prefix", prefix("p/"), true),
        ("its whole key", prefix("p/ami-1.bin"), true),
        ("another prefix", prefix("q/"), false),
        ("a longer one", prefix("p/ami-1.bin/x"), false),
        ("its tag", tagged(&[("team", "a")]), true),
        ("both tags", tagged(&[("team", "a"), ("keep", "no")]), true),
        ("one of two tags", tagged(&[("team", "a"), ("keep", "yes")]), false),
        ("a tag with another value", tagged(&[("team", "A")]), false),
        ("a tag it lacks", tagged(&[("x", "y")]), false),
        ("larger", RuleFilter { larger_than: Some(999), ..RuleFilter::default() }, true),
        ("as large", RuleFilter { larger_than: Some(1_000), ..RuleFilter::default() }, false),
        ("smaller", RuleFilter { smaller_than: Some(1_001), ..RuleFilter::default() }, true),
        ("as small", RuleFilter { smaller_than: Some(1_000), ..RuleFilter::default() }, false),
        ("prefix and tag", RuleFilter { tags: tags(&[("team", "a")]), ..prefix("p/") }, true),
        ("prefix, and another tag", RuleFilter { tags: tags(&[("team", "b")]), ..prefix("p/") }, false),
        ("another prefix, and its tag", RuleFilter { tags: tags(&[("team", "a")]), ..prefix("q/") }, false),
        ("a size, and another prefix", RuleFilter { larger_than: Some(1), ..prefix("q/") }, false),
    ] {
        let found = of(&[LifecycleRule { filter, ..days(3) }], &own());
        assert_eq!(found.first.is_some(), reaches, "{name}");
        assert!(found.unclear.is_empty() && !found.wants_tags, "{name}: {found:?}");
    }
}

#[test]
fn tags_that_are_not_known_matter_only_where_the_rest_fits() {
    let filter =
        |prefix: &str| RuleFilter { prefix: Some(prefix.into()), tags: tags(&[("a", "b")]), ..RuleFilter::default() };
    let found = of(&[LifecycleRule { filter: filter("p/"), ..days(3) }], &subject());
    assert_eq!((found.first, found.unclear.len(), found.wants_tags), (None, 1, true));
    for harmless in [
        LifecycleRule { filter: filter("q/"), ..days(3) },
        LifecycleRule { filter: filter("p/"), status: RuleStatus::Disabled, ..days(3) },
        LifecycleRule { filter: filter("p/"), expiration: Some(Expiration::LoneMarkers), ..rule() },
        LifecycleRule { filter: filter("p/"), ..rule() },
    ] {
        assert_eq!(of(&[harmless], &subject()), Removals::default());
    }
}

#[test]
fn disabled_rules_do_nothing_and_others_are_not_guessed() {
    assert_eq!(
        of(&[LifecycleRule { status: RuleStatus::Disabled, odd: Some("x".into()), ..days(3) }], &subject()),
        Removals::default()
    );
    let found = of(&[LifecycleRule { status: RuleStatus::Other("enabled".into()), ..days(3) }], &subject());
    assert_eq!((found.first, found.unclear.len()), (None, 1));
    // The valid parts of a rule apply all the same.
    let found = of(&[LifecycleRule { odd: Some("x".into()), ..days(3) }], &subject());
    assert_eq!((found.first.is_some(), found.unclear.len()), (true, 1));
    let markers = LifecycleRule { expiration: Some(Expiration::LoneMarkers), ..rule() };
    assert_eq!(of(&[markers, rule()], &subject()), Removals::default());
}

#[test]
fn the_first_of_several_counts() {
    let rules = [days(90), days(5), LifecycleRule { id: None, ..days(30) }];
    let found = of(&rules, &subject()).first.unwrap();
    assert_eq!((found.at.to_string().as_str(), found.by.contains("Days=5")), ("2026-01-21T00:00:00Z", true));
}

fn noncurrent(days: u32, keeps: u32) -> LifecycleRule {
    LifecycleRule { noncurrent: Some(Noncurrent { days, keeps }), ..rule() }
}

#[test]
fn rules_for_noncurrent_versions_leave_the_current_one_alone() {
    assert_eq!(of(&[noncurrent(1, 0)], &subject()), Removals::default());
    let old = |newer| LifecycleSubject {
        standing: VersionState::Noncurrent { since: at("2026-01-20T12:00:00Z"), newer },
        ..subject()
    };
    for (keeps, newer, expected) in [
        (0, 0, Some("2026-01-31T00:00:00Z")),
        (2, 0, None),
        (2, 1, None),
        (2, 2, Some("2026-01-31T00:00:00Z")),
        (2, 9, Some("2026-01-31T00:00:00Z")),
    ] {
        assert_eq!(first(&[noncurrent(10, keeps)], &old(newer)).as_deref(), expected, "{keeps} {newer}");
    }
    // Whether a version named by its id is current is not known.
    let named = LifecycleSubject { standing: VersionState::NotKnown, ..subject() };
    let found = of(&[noncurrent(10, 0)], &named);
    assert_eq!((found.first, found.unclear.len()), (None, 1));
}

#[test]
fn no_locked_version_is_removed_before_its_lock_ends() {
    let lock = |mode: &str, hold: Option<LegalHold>| LockFacts {
        mode: Some(LockMode::of(mode)),
        retain_until: Some(crate::facts::LockEnd::At(at("2027-01-01T00:00:00Z"))),
        legal_hold: hold,
    };
    let standing = VersionState::Noncurrent { since: at("2026-01-20T12:00:00Z"), newer: 0 };
    for (name, lock, expected) in [
        ("governance", lock("GOVERNANCE", None), Some("2027-01-01T00:00:00Z")),
        ("compliance", lock("COMPLIANCE", Some(LegalHold::Off)), Some("2027-01-01T00:00:00Z")),
        ("a mode that is not known", lock("BOGUS", None), Some("2026-01-31T00:00:00Z")),
        ("a hold", lock("GOVERNANCE", Some(LegalHold::On)), None),
        ("no lock", LockFacts::default(), Some("2026-01-31T00:00:00Z")),
    ] {
        let subject = LifecycleSubject { standing, lock: Some(&lock), ..subject() };
        assert_eq!(first(&[noncurrent(10, 0)], &subject).as_deref(), expected, "{name}");
        // The current version gets a delete marker in spite of its lock, and a restore then no longer finds
        // it.
        let current = LifecycleSubject { standing: VersionState::Current, ..subject };
        assert_eq!(first(&[days(3)], &current).as_deref(), Some("2026-01-19T00:00:00Z"), "{name}");
    }
    let lock = lock("COMPLIANCE", None);
    let named = LifecycleSubject { standing: VersionState::NotKnown, lock: Some(&lock), ..subject() };
    assert_eq!(of(&[noncurrent(10, 0)], &named).unclear[0].at, at("2027-01-01T00:00:00Z"));
}

#[test]
fn moves_into_archives_are_reported() {
    let to = |class: &str| Transition { age: Age::Days(30), class: class.into() };
    let rule = LifecycleRule {
        transitions: ["STANDARD_IA", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE", "NEW"].map(to).into(),
        ..rule()
    };
    let found = of(&[rule], &subject());
    let moves: Vec<&str> = found.archived.iter().map(|moved| moved.by.as_str()).collect();
    assert_eq!(moves, ["lifecycle rule `r`, to GLACIER", "lifecycle rule `r`, to DEEP_ARCHIVE"]);
    assert_eq!(found.archived[0].at, at("2026-02-15T00:00:00Z"));
    assert_eq!((found.first, found.unclear.len()), (None, 0));
}
