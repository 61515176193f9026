use super::*;
use crate::price::{Amount, CostItem};

const GIB: u64 = 1 << 30;
const GB: u64 = 1_000_000_000;

fn subject(class: Option<&str>) -> Subject {
    Subject {
        bytes: Some(100 * GB),
        class: class.map(str::to_owned),
        archive_status: None,
        volumes: Some(600 * GIB),
        written: Some(100 * GIB),
        no_size: String::new(),
        requests: Some(6000),
        parts: Some(998),
        modified: Some("2026-10-26T00:00:00Z".parse().unwrap()),
        now: "2026-11-25T00:00:00Z".parse().unwrap(),
    }
}

fn line(subject: &Subject, item: CostItem, of: &str) -> CostLine {
    let lines = estimate(subject, &PriceTable::built_in());
    let found = lines.iter().find(|line| line.item == item && line.of == of);
    found.unwrap_or_else(|| panic!("no {item:?} of {of} in {lines:#?}")).clone()
}

fn assert_amount(line: &CostLine, least: f64, most: f64) {
    let Ok(Amount { least: Some(low), most: Some(high) }) = line.amount else { panic!("{line:?}") };
    assert!((low - least).abs() < 1e-6 && (high - most).abs() < 1e-6, "{least} to {most}: {line:?}");
    assert!(!line.basis.is_empty() && !line.sources.is_empty(), "{line:?}");
}

#[test]
fn a_month_goes_by_decimal_gb() {
    let subject = subject(Some("STANDARD_IA"));
    for (class, dollars) in [
        ("STANDARD", 2.3),
        ("STANDARD_IA", 1.25),
        ("ONEZONE_IA", 1.0),
        ("GLACIER_IR", 0.4),
        ("GLACIER", 0.36),
        ("DEEP_ARCHIVE", 0.099),
        ("INTELLIGENT_TIERING, frequent", 2.300_002_5),
        ("INTELLIGENT_TIERING, archive instant", 0.400_002_5),
    ] {
        let line = line(&subject, CostItem::Keep, class);
        assert_amount(&line, dollars, dollars);
        assert_eq!(line.here, class == "STANDARD_IA");
    }
    let small = Subject { bytes: Some(1000), ..subject };
    assert_amount(&line(&small, CostItem::Keep, "STANDARD_IA"), 0.0125 * 131_072e-9, 0.0125 * 131_072e-9);
}

#[test]
fn reading_counts_requests_and_what_is_retrieved() {
    let subject = subject(Some("STANDARD"));
    assert_amount(&line(&subject, CostItem::Read, "STANDARD"), 0.0024, 0.0024);
    assert_amount(&line(&subject, CostItem::Read, "STANDARD_IA"), 1.006, 1.006);
    assert_amount(&line(&subject, CostItem::Read, "GLACIER_IR"), 3.06, 3.06);
    assert_amount(&line(&subject, CostItem::CopyOut, "to the internet"), 9.0, 9.0);
    let lines = estimate(&subject, &PriceTable::built_in());
    assert!(!lines.iter().any(|line| line.item == CostItem::Read && line.of == "GLACIER"));
    assert!(lines.iter().all(|line| line.amount.is_ok()), "{lines:#?}");
}

#[test]
fn bringing_back_by_tier_with_its_time() {
    let subject = subject(Some("GLACIER"));
    for (of, dollars, takes) in [
        ("GLACIER, Expedited", 3.0, Some("1–5 min, for objects up to some 250 MB")),
        ("GLACIER, Standard", 1.0, Some("3–5 h")),
        ("GLACIER, Bulk", 0.0, Some("5–12 h")),
        ("DEEP_ARCHIVE, Standard", 2.0001, Some("within 12 h")),
        ("DEEP_ARCHIVE, Bulk", 0.250_025, Some("within 48 h")),
    ] {
        let line = line(&subject, CostItem::BringBack, of);
        assert_amount(&line, dollars, dollars);
        assert_eq!(line.takes.as_deref(), takes);
    }
    let tiering = Subject {
        class: Some("INTELLIGENT_TIERING".into()),
        archive_status: Some("DEEP_ARCHIVE_ACCESS".into()),
        ..subject
    };
    let line = line(&tiering, CostItem::BringBack, "DEEP_ARCHIVE_ACCESS, Standard");
    assert_amount(&line, 0.0, 0.0);
    assert_eq!(line.takes, None);
}

#[test]
fn stores_and_restores_are_ranges() {
    let subject = subject(Some("STANDARD"));
    let puts = 1000.0 * 0.000_005;
    assert_amount(&line(&subject, CostItem::Store, "GetSnapshotBlock"), 0.6144 + puts, 3.6864 + puts);
    assert_amount(&line(&subject, CostItem::Restore, "PutSnapshotBlock"), 1.2288, 7.3728);
    let stated = Subject { written: None, ..subject.clone() };
    let restore = line(&stated, CostItem::Restore, "PutSnapshotBlock").amount.unwrap();
    assert_eq!((restore.least, restore.describe().as_str()), (None, "at most $7.37"));
    let untold = Subject { written: None, volumes: None, no_size: "nobody told".into(), ..subject };
    let why = line(&untold, CostItem::Restore, "PutSnapshotBlock").amount.unwrap_err();
    assert_eq!(why, "the size before compression is not known: nobody told");
    let image = Subject { bytes: None, parts: None, ..self::subject(None) };
    let lines = estimate(&image, &PriceTable::built_in());
    assert_eq!(lines.len(), 2);
    assert_amount(&lines[0], 0.6144 + 3.0 * 0.000_005, 3.6864 + 10_002.0 * 0.000_005);
}

#[test]
fn into_another_class() {
    let mut subject = subject(Some("STANDARD_IA"));
    assert_amount(&line(&subject, CostItem::Move, "DEEP_ARCHIVE"), 0.000_05, 0.000_05);
    // 100 GB are 19 parts of 5 GiB. Retrieval from the source class is charged.
    let dollars = 21.0 * 0.000_02 + 1.0;
    assert_amount(&line(&subject, CostItem::Move, "GLACIER_IR"), dollars, dollars);
    subject.class = Some("DEEP_ARCHIVE".into());
    let up = line(&subject, CostItem::Move, "GLACIER");
    assert_amount(&up, 21.0 * 0.000_05, 21.0 * 0.000_05);
    assert!(up.basis.contains("once it is brought back"), "{up:?}");
    subject.class = None;
    assert_amount(&line(&subject, CostItem::Move, "STANDARD"), 21.0 * 0.000_005, 10_002.0 * 0.000_005);
}

#[test]
fn the_rest_of_the_minimum() {
    for (class, months) in [("STANDARD_IA", 0.0), ("GLACIER_IR", 2.0), ("DEEP_ARCHIVE", 5.0)] {
        let subject = subject(Some(class));
        let line = line(&subject, CostItem::EarlyDeletion, class);
        let Ok(Amount { most: Some(month), .. }) = self::line(&subject, CostItem::Keep, class).amount else { panic!() };
        assert_amount(&line, months * month, months * month);
    }
    let lines = estimate(&subject(Some("STANDARD")), &PriceTable::built_in());
    assert!(!lines.iter().any(|line| line.item == CostItem::EarlyDeletion));
    let untold = Subject { modified: None, ..subject(Some("GLACIER")) };
    assert!(line(&untold, CostItem::EarlyDeletion, "GLACIER").amount.is_err());
}

#[test]
fn what_has_no_price_is_unknown_where_it_was_asked_for() {
    let subject = subject(Some("EXPRESS_ONEZONE"));
    let other = line(&subject, CostItem::Keep, "EXPRESS_ONEZONE");
    assert!(other.here && other.amount.unwrap_err().contains("EXPRESS_ONEZONE"));
    let tiering = self::subject(Some("INTELLIGENT_TIERING"));
    assert!(line(&tiering, CostItem::Read, "INTELLIGENT_TIERING").amount.is_err());
    let empty = PriceTable { figures: Default::default(), built_in: false, ..PriceTable::built_in() };
    let lines = estimate(&self::subject(Some("STANDARD")), &empty);
    assert!(lines.len() > 20 && lines.iter().all(|line| line.amount.is_err()), "{lines:#?}");
}
