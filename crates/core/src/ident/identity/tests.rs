use proptest::prelude::*;

use super::*;

/// `etag version size time`, with `-` for what is not stated.
fn identity(text: &str) -> ObjectIdentity {
    let mut fields = text.split(' ').map(|field| (field != "-").then(|| field.to_owned()));
    let mut next = || fields.next().flatten();
    ObjectIdentity {
        etag: next().map(|etag| ETag::kept(&etag)),
        version_id: next(),
        object_bytes: next().map(|size| size.parse().unwrap()),
        last_modified: next(),
    }
}

#[test]
fn whether_two_identities_are_of_one_state() {
    use IdentityField::{ETag as Tag, LastModified, Size, VersionId};
    use Same::{CannotTell, Yes};
    let no = |fields: &[IdentityField]| {
        let has = |field| fields.contains(&field);
        Same::No(Difference {
            etag: has(Tag),
            version_id: has(VersionId),
            size: has(Size),
            last_modified: has(LastModified),
        })
    };
    let once = |field| CannotTell(Why::StatedOnce(field));
    let (time_only, nothing, strength) =
        (CannotTell(Why::TimeOnly), CannotTell(Why::Unidentified), CannotTell(Why::OtherStrength));
    let table = [
        // A strong ETag decides.
        ("a - 5 -", "a - 5 -", Yes),
        ("a - - -", "a - - -", Yes),
        ("a v1 5 2026-01-01T00:00:00Z", "a v1 5 2026-01-01T00:00:00Z", Yes),
        ("a - 5 -", "b - 5 -", no(&[Tag])),
        // A version id decides, unless it is the one that is overwritten in place.
        ("- v1 5 -", "- v1 5 -", Yes),
        ("W/\"a\" v1 5 -", "W/\"a\" v1 5 -", Yes),
        ("a v1 5 -", "a v2 5 -", no(&[VersionId])),
        ("a v1 5 -", "b v1 5 -", no(&[Tag])),
        ("- null 5 -", "- null 5 -", nothing),
        // An object without versioning has no version id, or `null` once its bucket keeps versions.
        ("a - 5 -", "a null 5 -", Yes),
        ("a null 5 -", "a v1 5 -", no(&[VersionId])),
        // What differs, in the order in which it is named.
        ("a - 5 -", "a - 6 -", no(&[Size])),
        ("a - 5 t", "a - 5 u", no(&[LastModified])),
        ("a v1 5 t", "b v2 6 u", no(&[Tag, VersionId, Size, LastModified])),
        ("- - 5 t", "- - 5 u", no(&[LastModified])),
        ("- - 5 -", "- - 6 -", no(&[Size])),
        // A difference weighs more than a field that is not stated.
        ("a - 5 -", "- - 6 -", no(&[Size])),
        ("a - 5 -", "- - 5 -", once(Tag)),
        ("a - 5 -", "a v1 5 -", once(VersionId)),
        ("a - 5 -", "a - - -", once(Size)),
        ("a - 5 t", "a - 5 -", once(LastModified)),
        ("- v1 5 t", "- - 5 t", once(VersionId)),
        // Weak and empty ETags identify nothing.
        ("W/\"a\" - 5 t", "W/\"a\" - 5 t", time_only),
        ("W/\"a\" - 5 -", "W/\"a\" - 5 -", nothing),
        ("W/\"a\" - 5 t", "W/\"b\" - 5 t", no(&[Tag])),
        ("W/\"a\" - 5 t", "a - 5 t", strength),
        ("W/\"a\" v1 5 t", "a v1 5 t", strength),
        ("W/\"a\" - 5 t", "b - 5 t", no(&[Tag])),
        (" - 5 t", "- - 5 t", time_only),
        ("W/\"\" - 5 t", "- - 5 t", time_only),
        // Nor do a size and a time.
        ("- - 5 t", "- - 5 t", time_only),
        ("- - 5 -", "- - 5 -", nothing),
        ("- - - -", "- - - -", nothing),
        // A whole second is any time in it; other texts are compared as they are.
        ("a - 5 2026-01-01T00:00:07Z", "a - 5 2026-01-01T00:00:07.123Z", Yes),
        ("a - 5 2026-01-01T00:00:07.5Z", "a - 5 2026-01-01T00:00:07.123Z", no(&[LastModified])),
        ("a - 5 2026-01-01T00:00:07Z", "a - 5 2026-01-01T00:00:08Z", no(&[LastModified])),
        ("a - 5 2026-01-01T00:00:07Z", "a - 5 2026-01-01T01:00:07+01:00", Yes),
    ];
    for (one, other, expected) in table {
        let (first, second) = (identity(one), identity(other));
        assert_eq!(first.same_as(&second), expected, "{one} | {other}");
        assert_eq!(second.same_as(&first), expected, "{other} | {one}");
    }
}

#[test]
fn when_the_same_bytes_were_written_is_left_out_where_something_identifies_them() {
    for (one, other, expected) in [
        ("a - 5 t", "a - 5 u", true),
        ("a - 5 t", "a - 5 -", true),
        ("- v1 5 t", "- v1 5 u", true),
        ("a v1 5 t", "a v2 5 t", false),
        ("a - 5 t", "b - 5 t", false),
        ("W/\"a\" - 5 t", "W/\"a\" - 5 u", false),
        ("- - 5 t", "- - 5 -", false),
        ("- - 5 t", "- - 5 t", true),
    ] {
        let (one, other) = (identity(one), identity(other));
        let same = one.same_bytes_as(&other);
        assert_eq!((same.agrees(), same), (expected, other.same_bytes_as(&one)), "{one:?} {other:?}");
    }
}

#[test]
fn the_form_of_the_ledger_keeps_its_names_and_order() {
    let text = r#"{"object_bytes":5,"etag":"W/\"a\"","last_modified":"soon"}"#;
    let kept: ObjectIdentity = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&kept).unwrap(), text);
    assert!(!kept.is_identified());
    for odd in ["\"a\"", "W/\"a", "", "W/\"\""] {
        let kept = ObjectIdentity { etag: Some(ETag::kept(odd)), ..ObjectIdentity::of_size(5) };
        let again: ObjectIdentity = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        assert_eq!(again, kept, "{odd:?}");
    }
    assert!(serde_json::from_str::<ObjectIdentity>("{}").is_err(), "a size is always kept");
}

fn any_identity() -> impl Strategy<Value = ObjectIdentity> {
    let text = |values: &'static [&'static str]| proptest::option::of(proptest::sample::select(values));
    let etag = text(&["a", "b", "W/\"a\"", "W/\"b\"", "", "W/\"\""]);
    let version = text(&["null", "v1", "v2"]);
    let size = proptest::option::of(5..7_u64);
    let time = text(&["2026-01-01T00:00:07Z", "2026-01-01T00:00:07.5Z", "2026-01-01T00:00:08Z", "soon"]);
    (etag, version, size, time).prop_map(|(etag, version, object_bytes, time)| ObjectIdentity {
        object_bytes,
        etag: etag.map(ETag::kept),
        last_modified: time.map(Into::into),
        version_id: version.map(Into::into),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn it_is_reflexive_and_symmetric(one in any_identity(), other in any_identity()) {
        let own = one.same_as(&one);
        prop_assert!(own.agrees() && own.is_yes() == one.is_identified(), "{own:?}");
        prop_assert_eq!(one.same_as(&other), other.same_as(&one));
        prop_assert_eq!(one.same_bytes_as(&other), other.same_bytes_as(&one));
        prop_assert!(one.same_bytes_as(&other).agrees() || !one.same_as(&other).agrees());
    }

    #[test]
    fn nothing_is_the_same_that_nothing_identifies(one in any_identity(), other in any_identity()) {
        if one.same_as(&other).is_yes() {
            prop_assert!(one.is_identified() && other.is_identified());
            prop_assert_eq!(one.object_bytes, other.object_bytes);
            prop_assert_eq!(one.version(), other.version());
            prop_assert_eq!(one.last_modified.is_some(), other.last_modified.is_some());
        }
    }

    /// A field that only one of them states makes nothing the same, whatever the others say.
    #[test]
    fn a_missing_field_makes_nothing_the_same(one in any_identity(), other in any_identity(), field in 0..4_u8) {
        let mut less = one;
        let is_stated = match field {
            0 => { less.etag = None; other.stated_etag().is_some() }
            1 => { less.version_id = None; other.version().is_some() }
            2 => { less.object_bytes = None; other.object_bytes.is_some() }
            _ => { less.last_modified = None; other.last_modified.is_some() }
        };
        prop_assert!(!is_stated || !less.same_as(&other).agrees(), "{less:?} {other:?}");
    }

    #[test]
    fn two_that_are_the_same_differ_from_no_third_in_two_ways(
        one in any_identity(), same in any_identity(), third in any_identity(),
    ) {
        if one.same_as(&same).is_yes() && same.same_as(&third).is_yes() {
            let across = one.same_as(&third);
            let times = Difference { last_modified: true, ..Difference::default() };
            prop_assert!(across.is_yes() || across == Same::No(times), "two times within one second: {across:?}");
        }
    }
}
