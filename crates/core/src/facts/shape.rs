//! The form of a value, for documents that must not contain the value itself.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::Serialize;

use super::{Recognised, recognise};
use crate::ident::{AmiId, is_snapshot_id};
use crate::text::words;

words! {
    /// What the characters of a value look like.
    pub enum ValueForm {
        Empty = "empty",
        /// `true` or `false`; the length would say which.
        Boolean = "true_or_false",
        /// An account has twelve digits.
        TwelveDigits = "twelve_digits",
        /// Seconds or milliseconds of this century.
        UnixTime = "unix_time",
        Digits = "digits",
        IsoTime = "iso_8601_time",
        IsoDate = "iso_8601_date",
        /// A date as in HTTP headers and e-mails.
        HttpDate = "http_date",
        AmiId = "ami_id",
        /// The AMI id in the name of the object.
        SameAmiId = "ami_id_of_the_object",
        SnapshotId = "snapshot_id",
        Uuid = "uuid",
        Arn = "arn",
        Url = "url",
        Json = "json",
        Markup = "xml",
        Hexadecimal = "hexadecimal",
        Base64 = "base64",
        /// Numbers with dots, as in versions and addresses.
        Dotted = "dotted_numbers",
        /// Letters, digits, `-` and `_`.
        Word = "word",
        /// Printable ASCII.
        Text = "text",
        /// With other characters.
        Unicode = "unicode_text",
    }
}

/// Form and length of a value. The value cannot be recovered from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ValueShape {
    /// What the characters look like.
    pub form: ValueForm,
    /// Number of characters; absent where it would tell the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
}

impl ValueShape {
    /// The shape of a value. `ami` is the AMI id in the name of the object that it belongs to.
    pub fn of(value: &str, ami: Option<&AmiId>) -> Self {
        let value = value.trim();
        let form = form(value, ami);
        let length = (form != ValueForm::Boolean).then(|| value.chars().count());
        ValueShape { form, length }
    }
}

fn form(value: &str, ami: Option<&AmiId>) -> ValueForm {
    let all = |test: fn(&u8) -> bool| value.bytes().all(|byte| test(&byte));
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| value.starts_with(prefix));
    match recognise("", value) {
        _ if value.is_empty() => return ValueForm::Empty,
        Some(Recognised::Account) => return ValueForm::TwelveDigits,
        Some(Recognised::Date) if all(u8::is_ascii_digit) => return ValueForm::UnixTime,
        Some(Recognised::AmiId) if ami.is_some_and(|ami| ami.as_str() == value) => return ValueForm::SameAmiId,
        Some(Recognised::AmiId) => return ValueForm::AmiId,
        _ => {}
    }
    if all(u8::is_ascii_digit) {
        ValueForm::Digits
    } else if ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)) {
        ValueForm::Boolean
    } else if value.parse::<Timestamp>().is_ok() {
        ValueForm::IsoTime
    } else if value.len() == 10 && value.parse::<Date>().is_ok() {
        ValueForm::IsoDate
    } else if DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value).is_ok() {
        ValueForm::HttpDate
    } else if is_snapshot_id(value) {
        ValueForm::SnapshotId
    } else if is_uuid(value) {
        ValueForm::Uuid
    } else if begins(&["arn:"]) {
        ValueForm::Arn
    } else if begins(&["http://", "https://", "s3://"]) {
        ValueForm::Url
    } else if begins(&["{", "["]) && serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok() {
        ValueForm::Json
    } else if begins(&["<"]) {
        ValueForm::Markup
    } else if all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        ValueForm::Dotted
    } else if value.len() >= 8 && all(u8::is_ascii_hexdigit) {
        ValueForm::Hexadecimal
    } else if is_base64(value) {
        ValueForm::Base64
    } else if all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) {
        ValueForm::Word
    } else if all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        ValueForm::Text
    } else {
        ValueForm::Unicode
    }
}

fn is_uuid(value: &str) -> bool {
    let lengths: Vec<usize> = value.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Text of letters alone is more likely a word, so a sign of base64 is required.
fn is_base64(value: &str) -> bool {
    let body = value.trim_end_matches('=');
    let signs = value.len() > body.len() || body.contains('+') || body.contains('/');
    value.len() >= 8
        && value.len().is_multiple_of(4)
        && value.len() - body.len() <= 2
        && signs
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_a_form_and_a_length() {
        let ami: AmiId = "ami-0123456789abcdef0".parse().unwrap();
        for (value, form, length) in [
            ("", ValueForm::Empty, Some(0)),
            ("TRUE", ValueForm::Boolean, None),
            ("false", ValueForm::Boolean, None),
            ("123456789012", ValueForm::TwelveDigits, Some(12)),
            ("1651665600", ValueForm::UnixTime, Some(10)),
            ("8", ValueForm::Digits, Some(1)),
            ("2022-05-04T12:00:00.000Z", ValueForm::IsoTime, Some(24)),
            ("2022-05-04", ValueForm::IsoDate, Some(10)),
            ("Wed, 04 May 2022 12:00:00 GMT", ValueForm::HttpDate, Some(29)),
            ("ami-0123456789abcdef0", ValueForm::SameAmiId, Some(21)),
            ("ami-056a6742115906e8c", ValueForm::AmiId, Some(21)),
            ("snap-056a6742115906e8c", ValueForm::SnapshotId, Some(22)),
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", ValueForm::Uuid, Some(36)),
            ("arn:aws:kms:x", ValueForm::Arn, Some(13)),
            ("https://x", ValueForm::Url, Some(9)),
            ("{\"a\":1}", ValueForm::Json, Some(7)),
            ("{a}", ValueForm::Text, Some(3)),
            ("<a/>", ValueForm::Markup, Some(4)),
            ("10.0.0.1", ValueForm::Dotted, Some(8)),
            ("deadbeef", ValueForm::Hexadecimal, Some(8)),
            ("y/Q5Jg==", ValueForm::Base64, Some(8)),
            ("golden-image", ValueForm::Word, Some(12)),
            ("web server (2022)", ValueForm::Text, Some(17)),
            ("größe", ValueForm::Unicode, Some(5)),
        ] {
            assert_eq!(ValueShape::of(value, Some(&ami)), ValueShape { form, length }, "{value}");
        }
    }
}
