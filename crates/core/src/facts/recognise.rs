use jiff::Timestamp;
use jiff::civil::Date;

use crate::text::words;

words! {
    /// What a metadata value looks like. The names of the entries that EC2 writes are
    /// not published, so a value can only be recognised, never looked up.
    pub enum Recognised {
        /// Twelve digits.
        Account = "account",
        /// An ISO 8601 date or time, or Unix seconds or milliseconds of this century.
        Date = "date",
        /// An AMI id.
        AmiId = "ami_id",
        /// Letters that an AMI name may have, 3 to 128 of them, with a letter among them
        /// (EC2 API reference, `CreateImage.Name`), under a metadata name that says `name`.
        Name = "ami_name",
    }
}

/// Recognises one entry of the user metadata.
pub fn recognise(key: &str, value: &str) -> Option<Recognised> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    if digits && value.len() == 12 {
        return Some(Recognised::Account);
    }
    // 2000-01-01 to 2100-01-01, in seconds or milliseconds.
    let epoch = value.parse::<u64>().ok().filter(|_| digits);
    if epoch
        .is_some_and(|n| (946_684_800..4_102_444_800).contains(&n) || (946_684_800_000..4_102_444_800_000).contains(&n))
    {
        return Some(Recognised::Date);
    }
    if value.parse::<Timestamp>().is_ok() || (value.len() == 10 && value.parse::<Date>().is_ok()) {
        return Some(Recognised::Date);
    }
    if value.parse::<crate::ident::AmiId>().is_ok() {
        return Some(Recognised::AmiId);
    }
    let legal = (3..=128).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"()[] ./-'@_".contains(&b))
        && value.bytes().any(|b| b.is_ascii_alphabetic());
    (legal && key.to_ascii_lowercase().contains("name")).then_some(Recognised::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_recognised_by_value() {
        for (key, value, expected) in [
            ("x", "123456789012", Some(Recognised::Account)),
            ("x", "2022-05-04T12:00:00.000Z", Some(Recognised::Date)),
            ("x", "2022-05-04", Some(Recognised::Date)),
            ("x", "1651665600", Some(Recognised::Date)),
            ("x", "1651665600000", Some(Recognised::Date)),
            ("x", "ami-056a6742115906e8c", Some(Recognised::AmiId)),
            ("ami-name", "web server (2022)", Some(Recognised::Name)),
            ("x", "web server (2022)", None),
            ("name", "a*b?c", None),
            ("x", "", None),
            ("x", "12345", None),
        ] {
            assert_eq!(recognise(key, value), expected, "{key}={value}");
        }
    }
}
