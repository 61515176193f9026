//! PUT, multipart, HEAD, GET, attributes.

use stored_ami_lab::checksum::{Algorithm, Hasher};

use super::rig::{Rig, base64, bytes};

#[test]
fn a_plain_put_comes_back() {
    let rig = Rig::new();
    let data = bytes(1, 700_001);
    let put = rig.send("PUT", "/b/k", &[], &data);
    assert_eq!(put.status, 200, "{}", put.text());
    let etag = format!("\"{}\"", hex::encode(Hasher::of(Algorithm::Md5, &data)));
    assert_eq!(put.header("etag"), Some(&etag[..]));

    let get = rig.send("GET", "/b/k", &[], b"");
    assert_eq!((get.status, get.body == data, get.header("etag")), (200, true, Some(&etag[..])));
    assert_eq!(get.header("x-amz-checksum-crc64nvme"), None, "only in checksum mode");
    assert!(get.header("x-amz-request-id").is_some() && get.header("x-amz-id-2").is_some());

    let head = rig.send("HEAD", "/b/k", &[("x-amz-checksum-mode", "ENABLED")], b"");
    assert_eq!(head.header("content-length"), Some("700001"));
    assert_eq!(head.header("x-amz-checksum-crc64nvme"), Some(&base64(&Hasher::of(Algorithm::Crc64Nvme, &data))[..]));
    assert_eq!(head.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    assert_eq!(head.header("x-amz-storage-class"), None, "absent means STANDARD");
}

#[test]
fn ranges() {
    let rig = Rig::new();
    let data = bytes(2, 600_011);
    rig.send("PUT", "/b/k", &[], &data);
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=262140-262150", 262_140, 262_151),
        ("bytes=600000-", 600_000, 600_011),
        ("bytes=-7", 600_004, 600_011),
        ("bytes=10-99999999", 10, 600_011),
    ] {
        let get = rig.send("GET", "/b/k", &[("range", range)], b"");
        assert_eq!(get.status, 206, "{range}");
        assert!(get.body == data[from..to], "{range}");
        assert_eq!(get.header("content-range"), Some(&format!("bytes {from}-{}/600011", to - 1)[..]));
    }
    let beyond = rig.send("GET", "/b/k", &[("range", "bytes=600011-")], b"");
    assert_eq!((beyond.status, &beyond.code()[..]), (416, "InvalidRange"));
    assert_eq!(beyond.element("ActualObjectSize").as_deref(), Some("600011"));
}

#[test]
fn a_multipart_object_has_the_default_full_object_crc() {
    let rig = Rig::new();
    let parts = [bytes(3, 300_007), bytes(4, 300_007), bytes(5, 11)];
    rig.multipart("/b/m", &[], &parts);
    let whole = parts.concat();
    let joined: Vec<u8> = parts.iter().flat_map(|part| Hasher::of(Algorithm::Md5, part)).collect();
    let etag = format!("\"{}-3\"", hex::encode(Hasher::of(Algorithm::Md5, &joined)));

    let get = rig.send("GET", "/b/m", &[("x-amz-checksum-mode", "ENABLED")], b"");
    assert!(get.body == whole);
    assert_eq!(get.header("etag"), Some(&etag[..]));
    let crc = base64(&Hasher::of(Algorithm::Crc64Nvme, &whole));
    assert_eq!(get.header("x-amz-checksum-crc64nvme"), Some(&crc[..]));
    assert_eq!(get.header("x-amz-mp-parts-count"), None, "only with partNumber");

    let part = rig.send("HEAD", "/b/m?partNumber=2", &[("x-amz-checksum-mode", "ENABLED")], b"");
    assert_eq!((part.status, part.header("content-length")), (206, Some("300007")));
    assert_eq!(part.header("content-range"), Some("bytes 300007-600013/600025"));
    assert_eq!(part.header("x-amz-mp-parts-count"), Some("3"));
    assert_eq!(part.header("x-amz-checksum-crc64nvme"), None, "FULL_OBJECT parts have no checksum to show");

    let attributes = rig.attributes("/b/m", &[]);
    assert_eq!(attributes.element("PartsCount").as_deref(), Some("3"));
    assert_eq!(attributes.element("PartNumber"), None);
    assert_eq!(attributes.element("ChecksumCRC64NVME"), Some(crc));
    assert_eq!(attributes.element("ETag"), Some(etag.replace('"', "")));
    assert_eq!(attributes.element("StorageClass"), None);
}

#[test]
fn a_composite_object_lists_its_parts() {
    let rig = Rig::new();
    let parts = [bytes(6, 100_003), bytes(7, 50_001), bytes(8, 3)];
    rig.multipart("/b/c", &[("x-amz-checksum-algorithm", "SHA256")], &parts);
    let digests: Vec<Vec<u8>> = parts.iter().map(|part| Hasher::of(Algorithm::Sha256, part)).collect();
    let value = base64(&Hasher::of(Algorithm::Sha256, &digests.concat()));

    let mode = ("x-amz-checksum-mode", "ENABLED");
    let head = rig.send("HEAD", "/b/c", &[mode], b"");
    assert_eq!(head.header("x-amz-checksum-sha256"), Some(&format!("{value}-3")[..]));
    assert_eq!(head.header("x-amz-checksum-type"), Some("COMPOSITE"));
    let own = Some(base64(&digests[1]));
    let part = rig.send("GET", "/b/c?partNumber=2", &[mode], b"");
    assert!(part.body == parts[1]);
    assert_eq!(part.header("x-amz-checksum-sha256"), own.as_deref());
    let exact = rig.send("GET", "/b/c", &[mode, ("range", "bytes=100003-150003")], b"");
    assert_eq!(exact.header("x-amz-checksum-sha256"), own.as_deref());
    let other = rig.send("GET", "/b/c", &[mode, ("range", "bytes=100003-150002")], b"");
    assert_eq!(other.header("x-amz-checksum-sha256"), None);

    let first = rig.attributes("/b/c", &[("x-amz-max-parts", "2")]);
    assert_eq!(first.element("ChecksumSHA256"), Some(value), "without -N");
    assert_eq!(first.text().matches("<Part>").count(), 2);
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(first.element("NextPartNumberMarker").as_deref(), Some("2"));
    let rest = rig.attributes("/b/c", &[("x-amz-part-number-marker", "2")]);
    assert_eq!(rest.element("PartNumber").as_deref(), Some("3"));
    assert_eq!(rest.element("IsTruncated").as_deref(), Some("false"));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let rig = Rig::new();
    for (name, value) in [("x-amz-checksum-crc32", "AAAAAA=="), ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")] {
        let put = rig.send("PUT", "/b/bad", &[(name, value)], b"hello");
        assert_eq!((put.status, &put.code()[..]), (400, "BadDigest"), "{name}");
    }
    assert_eq!(rig.send("HEAD", "/b/bad", &[], b"").status, 404);
}
