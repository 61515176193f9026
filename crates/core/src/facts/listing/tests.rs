use proptest::prelude::*;

use super::*;

fn entry(key: &str) -> RawEntry {
    RawEntry {
        key: Some(key.to_owned()),
        size: Some("7".to_owned()),
        modified: Some("2026-01-01T00:00:00.000Z".to_owned()),
        etag: Some("\"a\"".to_owned()),
        storage_class: None,
        contradiction: None,
    }
}

fn page(keys: &[&str], next: Option<&str>) -> RawPage {
    RawPage {
        bucket: Some("b".to_owned()),
        prefix: Some("p/".to_owned()),
        key_count: Some(keys.len().to_string()),
        truncated: Some(next.is_some().to_string()),
        next_token: next.map(str::to_owned),
        entries: keys.iter().map(|key| entry(key)).collect(),
        ..RawPage::default()
    }
}

fn walk() -> Walk {
    Walk::new("b", "p/")
}

#[test]
fn pages_that_agree_lead_to_the_end() {
    let mut walk = walk();
    for (keys, next) in [(&["p/1", "p/2"][..], Some("x")), (&["p/3"], Some("y")), (&[], None)] {
        assert!(!walk.is_over());
        assert_eq!(walk.take(page(keys, next)).unwrap().objects.len(), keys.len());
        assert_eq!(walk.token(), next);
    }
    assert!(walk.is_over());
}

/// Statements that contradict another one, the request, or an earlier page.
#[test]
fn contradictions_are_refused() {
    let two = || page(&["p/1", "p/2"], None);
    let more = || page(&["p/1", "p/2"], Some("x"));
    let some = |text: &str| Some(text.to_owned());
    let table: [(&str, RawPage, &str); 16] = [
        ("too high a count", RawPage { key_count: some("3"), ..two() }, "says that it has 3 keys, and has 2"),
        ("too low a count", RawPage { key_count: some("1"), ..two() }, "says that it has 1 keys, and has 2"),
        ("no number", RawPage { key_count: some("two"), ..two() }, "says that it has two keys"),
        ("a count, and nothing", RawPage { key_count: some("1"), ..page(&[], None) }, "has 1 keys, and has 0"),
        ("false beside a token", RawPage { next_token: some("x"), ..two() }, "that it is the last, and where"),
        ("no word beside a token", RawPage { truncated: None, ..more() }, "does not say whether more follow"),
        ("no word at all", RawPage::default(), "does not say whether more follow"),
        ("another word", RawPage { truncated: some("maybe"), ..two() }, "says `maybe`"),
        ("true without a token", RawPage { next_token: None, ..more() }, "that more follow, and not where"),
        ("true and an empty token", RawPage { next_token: some(""), ..more() }, "that more follow, and not where"),
        ("another bucket", RawPage { bucket: some("c"), ..two() }, "of another bucket: c"),
        ("another prefix", RawPage { prefix: some("q/"), ..two() }, "of another prefix: `q/`"),
        ("no key, and more", page(&[], Some("x")), "has no key, and says that more follow"),
        ("a key twice", page(&["p/1", "p/1"], None), "the key `p/1` twice"),
        ("out of order, and more", page(&["p/2", "p/1"], Some("x")), "out of order"),
        ("without a key", RawPage { entries: vec![RawEntry::default()], ..page(&["p/1"], None) }, "without a key"),
    ];
    for (name, page, why) in table {
        let refused = walk().take(page).unwrap_err();
        assert!(refused.contains(why), "{name}: {refused}");
    }
}

#[test]
fn a_walk_that_does_not_get_on_ends() {
    for (name, second, why) in [
        ("the same page", page(&["p/1", "p/2"], Some("y")), "goes back to the key"),
        ("a key again", page(&["p/2", "p/3"], Some("y")), "goes back to the key"),
        ("the same token", page(&["p/3"], Some("x")), "repeats a continuation token"),
        ("nothing new", page(&[], Some("y")), "has no key"),
    ] {
        let mut walk = walk();
        walk.take(page(&["p/1", "p/2"], Some("x"))).unwrap();
        let refused = walk.take(second).unwrap_err();
        assert!(refused.contains(why), "{name}: {refused}");
    }
    // Tokens A, B, A, with new keys on each page.
    let mut walk = walk();
    walk.take(page(&["p/1"], Some("a"))).unwrap();
    walk.take(page(&["p/2"], Some("b"))).unwrap();
    assert!(walk.take(page(&["p/3"], Some("a"))).unwrap_err().contains("repeats"));
}

proptest! {
    /// Whatever a server states, a walk ends at the latest at the first repeated token.
    #[test]
    fn no_walk_is_endless(
        pages in proptest::collection::vec((proptest::collection::vec("p/[a-z]{1,2}", 0..4), 0..6_u8, any::<bool>()), 1..40),
    ) {
        let mut walk = walk();
        let mut taken = 0;
        for (keys, token, more) in &pages {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let token = token.to_string();
            if walk.take(page(&keys, more.then_some(token.as_str()))).is_err() || walk.is_over() {
                break;
            }
            taken += 1;
        }
        prop_assert!(taken <= 6, "there are six tokens");
    }
}

#[test]
fn an_odd_entry_spoils_itself_alone() {
    for (size, modified, why) in [
        (Some("-1"), Some("2026-01-01T00:00:00Z"), "its size in the listing is `-1`"),
        (Some("many"), Some("2026-01-01T00:00:00Z"), "its size in the listing is `many`"),
        (Some("9223372036854775808"), None, "its size"),
        (None, Some("2026-01-01T00:00:00Z"), "states no size"),
        (Some("1"), Some("yesterday"), "its date in the listing is `yesterday`"),
    ] {
        let mut odd = page(&["p/1", "p/2"], None);
        odd.entries[0].size = size.map(str::to_owned);
        odd.entries[0].modified = modified.map(str::to_owned);
        let listed = walk().take(odd).unwrap();
        assert_eq!((listed.objects.len(), listed.odd[0].key.as_str()), (1, "p/1"));
        assert!(listed.odd[0].why.contains(why), "{:?}", listed.odd);
    }
}

#[test]
fn keys_under_another_prefix_are_left_out_and_said() {
    let listed = walk().take(page(&["other/1", "p/1"], None)).unwrap();
    assert_eq!((listed.objects.len(), listed.outside.as_slice()), (1, &["other/1".to_owned()][..]));
}

#[test]
fn servers_that_are_only_unusual_are_heard() {
    // One page in another order, as servers that list by time return it.
    let listed = walk().take(page(&["p/2", "p/1"], None)).unwrap();
    assert_eq!((listed.objects.len(), listed.unordered), (2, true));
    // Without a bucket, a prefix and a count.
    let bare = RawPage { bucket: None, prefix: None, key_count: None, ..page(&["p/1"], None) };
    assert_eq!(walk().take(bare).unwrap().objects.len(), 1);
    // URL-encoded, with the prefix encoded or not.
    for prefix in ["p%2F", "p/"] {
        let mut encoded = RawPage { prefix: Some(prefix.to_owned()), encoded: true, ..page(&["p%2F1"], None) };
        assert_eq!(walk().take(encoded.clone()).unwrap().objects[0].key, "p/1");
        encoded.entries[0].key = Some("p%2".to_owned());
        // A key that is not encoded is kept as received.
        encoded.entries.push(entry("p%2F2"));
        encoded.key_count = None;
        let listed = walk().take(encoded.clone()).unwrap();
        assert_eq!((listed.odd[0].key.as_str(), listed.objects[0].key.as_str()), ("p%2", "p/2"));
        encoded.entries[0] = RawEntry { contradiction: Some("why".to_owned()), ..entry("p%2F1") };
        let odd = OddEntry { key: "p/1".to_owned(), why: "why".to_owned() };
        assert_eq!(walk().take(encoded.clone()).unwrap().odd, [odd]);
        encoded.entries[0].key = None;
        assert!(walk().take(encoded).unwrap_err().contains("without a key"));
    }
    // Requested under an alias of the bucket.
    let mut walk = Walk::new("mine-s3alias", "p/");
    assert!(walk.take(page(&["p/1"], None)).is_ok());
    // A directory bucket, which lists in no order.
    let mut walk = Walk::new("d--x-s3", "p/");
    let of = |keys, next| RawPage { bucket: None, ..page(keys, next) };
    walk.take(of(&["p/2", "p/1"], Some("x"))).unwrap();
    walk.take(of(&["p/0"], Some("y"))).unwrap();
    assert!(walk.take(of(&["p/2"], None)).unwrap_err().contains("twice"));
}
