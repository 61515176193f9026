//! Names that S3 refuses (S3 User Guide, *General purpose bucket naming rules*; *Naming Amazon S3 objects*).

use std::net::Ipv4Addr;

use crate::wire::{Code, S3Error};

/// Longest key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1_024;

/// Beginnings and ends of names that S3 keeps for itself.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Whether a new general purpose bucket may have this name.
pub(crate) fn check_bucket(name: &str) -> Result<(), S3Error> {
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    let legal = (3..=63).contains(&name.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(byte))
        && ends(bytes.first())
        && ends(bytes.last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if legal { Ok(()) } else { Err(Code::InvalidBucketName.error()) }
}

/// Whether an object may have this key.
pub(crate) fn check_key(key: &str) -> Result<(), S3Error> {
    if key.len() > LONGEST_KEY { Err(Code::KeyTooLong.error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets() {
        let longest = "b".repeat(63);
        for legal in ["abc", "a-b.c", "1ab", "a.1", "my-archive-2026", &longest] {
            assert!(check_bucket(legal).is_ok(), "{legal}");
        }
        let too_long = "b".repeat(64);
        let illegal = [
            "ab",
            &too_long,
            "Abc",
            "a_b",
            ".incoming",
            "-ab",
            "ab-",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "a b",
            "a/b",
            "é12",
            "abc-s3alias",
            "abc--x-s3",
            "abc--ol-s3",
            "..",
            "",
            "sthree-a",
        ];
        for illegal in illegal {
            assert!(check_bucket(illegal).is_err(), "{illegal}");
        }
    }

    #[test]
    fn keys_are_counted_in_bytes() {
        assert!(check_key(&"é".repeat(512)).is_ok());
        assert!(check_key(&"é".repeat(513)).is_err());
    }
}
