//! Responses with sizes and part counts that are invalid or extremely large.

use std::fmt::Write as _;

use crate::peak::{Ended, GIVEN, watch};
use crate::server::{Hostile, Stated};

const TARGET: &str = "s3://archive/ami-0123456789abcdef0.bin";
const MD5: &str = "65247a1c5755517a32636c78de3d624a";
/// 10 TiB, the maximum signed length, and the maximum value.
const ABSURD: [u64; 3] = [10 << 40, (1 << 63) - 1, u64::MAX];

async fn verify(stated: &Stated, what: &[&str]) -> Ended {
    let mut all = vec!["verify", TARGET, "--max-memory", GIVEN, "--max-bytes", "8MiB"];
    all.extend(what);
    watch(Hostile::start(stated.clone()).command(&all)).await
}

/// A size that no client can handle is rejected; other sizes use no memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_stated_size_takes_no_memory() {
    for size in ABSURD {
        for etag in [MD5.to_owned(), format!("{MD5}-177")] {
            let stated = Stated { size, etag: etag.clone(), ..Stated::default() };
            let ended = verify(&stated, &["--digest", "sha256"]).await;
            let what = format!("{size} bytes under {etag}");
            if size == u64::MAX {
                ended.assert(&what, 4, "");
            } else {
                ended.assert(&what, 3, "ended it");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_checksum_of_an_absurd_size_takes_no_memory() {
    for checksum in [
        "x-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\nx-amz-checksum-type: FULL_OBJECT\r\n",
        "x-amz-checksum-sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=-10000\r\nx-amz-checksum-type: COMPOSITE\r\n",
    ] {
        let size = 10 << 40;
        let part = Some((size / 10_000, 10_001));
        let stated = Stated { size, etag: MD5.to_owned(), headers: checksum.to_owned(), part, ..Stated::default() };
        verify(&stated, &[]).await.assert_bounded(checksum);
    }
}

/// No object has this many parts; that is found without a layout.
#[tokio::test(flavor = "multi_thread")]
async fn a_stated_number_of_parts_takes_no_memory() {
    for parts in ["10001", "99999999", "4294967295", "99999999999999999999"] {
        let stated = Stated { size: 10 << 40, etag: format!("{MD5}-{parts}"), ..Stated::default() };
        verify(&stated, &[]).await.assert(parts, 3, "no byte was read");
    }
}

/// Guessed layouts are limited by the memory, or rejected.
#[tokio::test(flavor = "multi_thread")]
async fn guessed_layouts_of_very_many_parts_fit_or_are_refused() {
    for size in [84_000_000_000, 10 << 40, (1 << 63) - 1] {
        let stated = Stated { size, etag: format!("{MD5}-10000"), ..Stated::default() };
        verify(&stated, &[]).await.assert_bounded(&format!("{size} bytes in 10000 parts"));
    }
}

/// One layout with the maximum number of parts fits into the minimum memory.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_parts_of_a_known_size_fit() {
    let size = 5_000 << 30;
    let part = Some((size / 10_000, 10_000));
    let stated = Stated { size, etag: format!("{MD5}-10000"), part, ..Stated::default() };
    verify(&stated, &["--digest", "sha256"]).await.assert("5000 GiB in 10000 parts", 3, "ended it");
}

fn attributes(total: &str, parts: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <GetObjectAttributesResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>{MD5}-3</ETag>\
         <ObjectParts><TotalPartsCount>{total}</TotalPartsCount><IsTruncated>false</IsTruncated>{parts}</ObjectParts>\
         </GetObjectAttributesResponse>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_absurd_parts_take_no_memory() {
    let many = (1..=9_000).fold(String::new(), |mut all, number| {
        let _ = write!(all, "<Part><PartNumber>{number}</PartNumber><Size>1</Size></Part>");
        all
    });
    for (what, total, parts) in [
        ("a number of parts", "2147483647", ""),
        ("a number of parts beyond a number", "99999999999", ""),
        ("a part number", "3", "<Part><PartNumber>99999999</PartNumber><Size>5</Size></Part>"),
        ("a size", "3", "<Part><PartNumber>1</PartNumber><Size>9223372036854775807</Size></Part>"),
        ("more parts than asked for", "3", &many),
    ] {
        let page = Some(attributes(total, parts));
        let stated = Stated { size: 10 << 40, etag: format!("{MD5}-3"), attributes: page, ..Stated::default() };
        verify(&stated, &[]).await.assert(what, 3, "");
    }
}

/// Nothing is read before the object is discovered, and `--max-time` still applies.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_over_before_an_answer_came() {
    let stated = Stated { silent: true, ..Stated::default() };
    verify(&stated, &["--max-time", "1s"]).await.assert("silence", 3, "--max-time was over before");
}
