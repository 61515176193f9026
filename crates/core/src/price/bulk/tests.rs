use super::*;
use crate::price::{RetrievalTier, StorageClass, blocks};

const S3: &str = include_str!("../../../../../tests/fixtures/prices/s3.json");
const EC2: &str = include_str!("../../../../../tests/fixtures/prices/ec2.json");

fn read(text: &str) -> BulkPrices {
    BulkPrices::read("prices.json", text.as_bytes()).unwrap()
}

fn table(text: &str) -> PriceTable {
    PriceTable::from_bulk(&[read(text)], None).unwrap()
}

fn why(text: &str, item: Item) -> String {
    table(text).charge(item, 1.0).unwrap_err()
}

#[test]
fn figures_of_two_files_with_region_and_date() {
    let table = PriceTable::from_bulk(&[read(S3), read(EC2)], None).unwrap();
    assert_eq!(table.region, "eu-central-1");
    let storage = table.charge(Item::Storage(StorageClass::Standard), 60_000.0).unwrap();
    assert!((storage.dollars - (51_200.0 * 0.0245 + 8_800.0 * 0.0235)).abs() < 1e-6, "{storage:?}");
    assert!(storage.stepped);
    assert_eq!(storage.source.date.as_deref(), Some("2026-10-01T12:00:00Z"));
    assert_eq!(storage.source.region, "eu-central-1");
    let get = table.charge(Item::Get(StorageClass::Standard), 1000.0).unwrap();
    assert!((get.dollars - 0.00043).abs() < 1e-12, "{get:?}");
    let store = table.charge(Item::GetBlock, blocks(1 << 30) as f64).unwrap();
    assert!((store.dollars - 2048.0 * 0.000_003_6).abs() < 1e-9, "{store:?}");
    let tier = |class, tier| table.charge(Item::BringBack(class, tier), 1.0).unwrap().dollars;
    assert_eq!(tier(StorageClass::Glacier, RetrievalTier::Standard), 0.012);
    assert_eq!(tier(StorageClass::DeepArchive, RetrievalTier::Standard), 0.024);
}

#[test]
fn what_the_file_lacks_is_not_taken_from_elsewhere() {
    assert_eq!(why(S3, Item::PutBlock), "the price files have no price of PutSnapshotBlock in eu-central-1");
    let other = PriceTable::from_bulk(&[read(S3)], Some("us-east-1")).unwrap();
    assert!(other.figures.is_empty());
}

#[test]
fn a_figure_that_is_not_clear_is_not_known() {
    let item = Item::Storage(StorageClass::Standard);
    for (from, to, expected) in [
        ("\"GB-Mo\"", "\"Bananas\"", "it is for `Bananas`, and not by GB-MO"),
        ("\"0.0245000000\"", "\"lots\"", "is not an amount of US dollars"),
        ("\"0.0245000000\"", "\"-1\"", "is not an amount of US dollars"),
        ("{\"USD\": \"0.0245000000\"}", "{\"CNY\": \"1\"}", "it is not in US dollars"),
        ("\"51200\", \"endRange\": \"Inf\"", "\"51201\", \"endRange\": \"Inf\"", "its steps do not join"),
        ("\"endRange\": \"51200\"", "\"endRange\": \"0\"", "`endRange` is no number above the begin"),
    ] {
        assert!(S3.contains(from), "{from}");
        let why = why(&S3.replacen(from, to, 1), item);
        assert!(why.contains(expected), "{from} → {to}: {why}");
    }
    let twice = S3.replace("EUC1-TimedStorage-SIA-ByteHrs", "EUC1-TimedStorage-ByteHrs");
    assert!(why(&twice, item).contains("stated twice, and not alike"));
}

/// Some files state the price of one block, others of a thousand.
#[test]
fn one_or_a_thousand() {
    let thousand = EC2.replace("\"SnapshotAPIUnits\"", "\"per 1000 SnapshotAPIUnits\"");
    assert!(why(&thousand, Item::GetBlock).contains("for one or for a thousand is not clear"));
    let both = thousand.replace("0.0000036000", "0.0036000000");
    assert!((table(&both).charge(Item::GetBlock, 1.0).unwrap().dollars - 0.000_003_6).abs() < 1e-12);
    let neither = EC2.replace("0.0000036000", "0.0036000000");
    assert!(why(&neither, Item::GetBlock).contains("for one or for a thousand is not clear"));
}

#[test]
fn a_file_that_is_none_says_why() {
    for (text, expected) in [
        ("", "EOF"),
        ("[]", "expected an object with `offerCode`"),
        ("{}", "missing field `products`"),
        ("{\"products\": {}}", "missing field `terms`"),
        ("{\"terms\": {}, \"products\": {}}", "`terms` come before `products`"),
        ("{\"products\": []}", "`products` as an object by SKU"),
        ("{\"products\": {}, \"terms\": {\"OnDemand\": 1}}", "`OnDemand` as an object by SKU"),
        ("{\"offerCode\": \"AmazonGlacier\", \"products\": {}, \"terms\": {}}", "offer `AmazonGlacier`"),
    ] {
        let error = BulkPrices::read("x", text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    for cut in 0..S3.trim_end().len() {
        if S3.is_char_boundary(cut) {
            assert!(BulkPrices::read("x", &S3.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
    }
    assert!(BulkPrices::read("x", "[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn several_regions_want_one_named() {
    let two = S3.replacen("\"regionCode\": \"eu-central-1\"", "\"regionCode\": \"eu-west-1\"", 1);
    let error = PriceTable::from_bulk(&[read(&two)], None).unwrap_err();
    assert!(error.contains("prices of 2 Regions; give --region"), "{error}");
    assert!(PriceTable::from_bulk(&[read(&two)], Some("eu-central-1")).is_ok());
    let none = "{\"offerCode\": \"AmazonS3\", \"products\": {}, \"terms\": {}}";
    assert!(PriceTable::from_bulk(&[read(none)], None).unwrap_err().contains("no price in it"));
}
