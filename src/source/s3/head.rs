//! Reads facts about an object from response headers. Only the length is required; any other header that cannot be read
//! is left out, with a note.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;

use super::headers::{Headers, Told};
use super::parse;
use crate::checksum::Algorithm;
use crate::facts::{
    ContentRange, Encryption, Fact, FactsSource, LegalHold, LockEnd, LockFacts, LockMode, ObjectFacts, PartFacts,
    Service, SystemHeaders, decoded_words,
};
use crate::ident::{ETag, ETagForm, ObjectId, ObjectUri, Target, lasting_version};
use crate::source::{ErrorKind, SourceError};
use crate::units::PartNumber;

/// Facts about an object, and notes on headers that cannot be read.
pub(super) struct Head {
    /// The facts.
    pub facts: ObjectFacts,
    /// What is wrong with headers, for the user.
    pub notes: Vec<String>,
}

/// Reads headers, and collects notes on those that cannot be read.
struct Reader<'a> {
    headers: &'a Headers,
    notes: Vec<String>,
}

impl Reader<'_> {
    /// A header that should occur once. `None`, with a note, if its values differ.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.headers.told(name) {
            Told::Nothing => None,
            Told::One(value) => Some(value),
            Told::Several(values) => {
                self.notes.push(format!("{name} comes {} times with different values, and is left out", values.len()));
                None
            }
        }
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let number = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        if number.is_none() {
            self.notes.push(format!("{name} `{text}` is no number, and is left out"));
        }
        number
    }

    /// A time in `form`, the format that HTTP or S3 uses for this header. A time in the other format is accepted, with
    /// a note.
    fn time(&mut self, name: &str, form: Format) -> Option<Timestamp> {
        let text = self.text(name)?;
        let read = |form: Format| DateTime::from_str(&text, form).ok().and_then(|time| parse::timestamp(&time));
        if let Some(time) = read(form) {
            return Some(time);
        }
        let other = read(Format::HttpDate).or_else(|| text.parse().ok());
        self.notes.push(match other {
            Some(time) => format!("{name} `{text}` is in an unusual form, and is read as {time}"),
            None => format!("{name} `{text}` is no time, and is left out"),
        });
        other
    }

    /// A word that decides something. Values that differ are joined, which gives an unknown word.
    fn word(&mut self, name: &str) -> Option<String> {
        self.text(name).or_else(|| self.headers.joined(name))
    }

    /// The retain-until date of a lock. A date that cannot be read is kept as text, because a lock without a date means
    /// something else.
    fn lock_end(&mut self) -> Option<LockEnd> {
        const NAME: &str = "x-amz-object-lock-retain-until-date";
        let text = self.headers.joined(NAME)?;
        let beyond = |text: &str| {
            let date = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
            Some(parse::lock_end(&date)).filter(|end| *end == LockEnd::Beyond)
        };
        if let Some(end) = self.headers.one(NAME).and_then(|text| beyond(&text)) {
            return Some(end);
        }
        Some(self.time(NAME, Format::DateTimeWithOffset).map_or(LockEnd::NotKnown(text), LockEnd::At))
    }

    /// When a lifecycle rule will remove the object, or a message about values that differ.
    fn expiration(&mut self) -> Result<Option<String>, String> {
        const NAME: &str = "x-amz-expiration";
        match self.text(NAME) {
            None if self.headers.has(NAME) => {
                let all = self.headers.joined(NAME).unwrap_or_default();
                Err(format!("{NAME} comes several times with different values: {all}"))
            }
            stated => Ok(stated),
        }
    }

    fn etag(&mut self) -> Option<ETag> {
        let text = self.text("etag")?;
        let etag = ETag::told(&text);
        if etag.is_none() {
            self.notes.push("the ETag is empty, and is taken for none".to_owned());
        }
        etag
    }

    fn checksums(&mut self) -> Vec<(Algorithm, String)> {
        let names = CHECKSUMS.map(|(algorithm, name)| (algorithm, self.text(name)));
        names.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value?))).collect()
    }

    fn metadata(&mut self) -> std::collections::BTreeMap<String, String> {
        const PREFIX: &str = "x-amz-meta-";
        let mut all = std::collections::BTreeMap::new();
        for (name, readable) in self.headers.under(PREFIX) {
            let header = format!("{PREFIX}{name}");
            if !readable {
                self.notes.push(format!("{header} is no UTF-8, and is read as Latin-1"));
            }
            all.insert(name, decoded_words(&self.headers.joined(&header).unwrap_or_default()));
        }
        all
    }
}

const CHECKSUMS: [(Algorithm, &str); 10] = [
    (Algorithm::Crc32, "x-amz-checksum-crc32"),
    (Algorithm::Crc32c, "x-amz-checksum-crc32c"),
    (Algorithm::Crc64Nvme, "x-amz-checksum-crc64nvme"),
    (Algorithm::Sha1, "x-amz-checksum-sha1"),
    (Algorithm::Sha256, "x-amz-checksum-sha256"),
    (Algorithm::Sha512, "x-amz-checksum-sha512"),
    (Algorithm::Md5, "x-amz-checksum-md5"),
    (Algorithm::Xxh64, "x-amz-checksum-xxhash64"),
    (Algorithm::Xxh3, "x-amz-checksum-xxhash3"),
    (Algorithm::Xxh128, "x-amz-checksum-xxhash128"),
];

/// The length that a response states. No other header can replace it.
///
/// # Errors
///
/// The header is missing, unreadable, or has values that differ.
pub(super) fn length(headers: &Headers, subject: &str) -> Result<u64, SourceError> {
    let wrong = |problem: String| SourceError::new(ErrorKind::Protocol, subject, problem);
    let text = match headers.told("content-length") {
        Told::One(text) => text,
        Told::Nothing => return Err(wrong("the server states no size (no Content-Length)".to_owned())),
        Told::Several(values) => {
            return Err(wrong(format!("the server states several sizes (Content-Length {})", values.join(", "))));
        }
    };
    // One header may hold a list of equal values (RFC 9110 §8.6).
    let mut sizes =
        text.split(',').map(|size| size.trim().parse::<i64>().ok().and_then(|size| u64::try_from(size).ok()));
    let first = sizes.next().flatten();
    first
        .filter(|_| sizes.all(|size| size == first) && !text.contains('+'))
        .ok_or_else(|| wrong(format!("the server states no usable size (Content-Length `{text}`)")))
}

/// Facts from the response to a HEAD. `checksum_mode` says whether checksums were requested.
///
/// # Errors
///
/// There is no usable length.
pub(super) fn head_facts(uri: &ObjectUri, headers: &Headers, checksum_mode: bool) -> Result<Head, SourceError> {
    let size = length(headers, &uri.to_string())?;
    Ok(facts_of(uri, headers, size, checksum_mode))
}

/// Facts from headers of an object of `size` bytes. `checksum_mode` says whether checksums were requested.
pub(super) fn facts_of(uri: &ObjectUri, headers: &Headers, size: u64, checksum_mode: bool) -> Head {
    let mut read = Reader { headers, notes: Vec::new() };
    let etag = read.etag();
    let multipart = matches!(etag.as_ref().map(ETag::form), Some(ETagForm::Multipart { .. }));
    let kind = read.text("x-amz-checksum-type");
    let values = read.checksums();
    let values = values.iter().map(|(algorithm, value)| (*algorithm, Some(value.as_str())));
    let (checksums, unreadable_checksums) = parse::stored(values, kind.as_deref(), multipart);
    let checksums = match checksum_mode {
        false => Fact::NotPermitted { needs: "kms:Decrypt" },
        true if checksums.is_empty() => Fact::Absent { source: "HeadObject" },
        true => Fact::Known { value: checksums, source: "HeadObject" },
    };
    let version = read.text("x-amz-version-id").filter(|version| !version.is_empty());
    let pinned = uri.version.clone().or_else(|| lasting_version(version.as_deref()).map(str::to_owned));
    let facts = ObjectFacts {
        id: ObjectId { target: Target::Object(uri.at_version(pinned)), etag },
        source: FactsSource::HeadObject,
        service: Service::Other,
        size,
        last_modified: read.time("last-modified", Format::HttpDate),
        checksums,
        unreadable_checksums,
        storage_class: Some(storage_class(&mut read)),
        archive_status: read.text("x-amz-archive-status"),
        restore: read.text("x-amz-restore").map(|restore| restore.parse().map_err(|_| restore)),
        encryption: encryption(&mut read),
        version,
        lock: LockFacts {
            mode: read.word("x-amz-object-lock-mode").map(|word| LockMode::of(&word)),
            retain_until: read.lock_end(),
            legal_hold: read.word("x-amz-object-lock-legal-hold").map(|word| LegalHold::of(&word)),
        },
        replication: read.text("x-amz-replication-status"),
        expiration: read.expiration(),
        content_type: read.text("content-type"),
        headers: SystemHeaders {
            content_encoding: read.text("content-encoding").and_then(|encoding| without_framing(&encoding)),
            content_disposition: read.text("content-disposition"),
            content_language: read.text("content-language"),
            cache_control: read.text("cache-control"),
            expires: read.text("expires"),
        },
        metadata: read.metadata(),
        missing_metadata: read.number("x-amz-missing-meta").unwrap_or(0),
        tag_count: read.number("x-amz-tagging-count"),
        stated_headers: headers.shapes(),
    };
    Head { facts, notes: read.notes }
}

/// Some servers keep the framing of an upload as the encoding of the object.
fn without_framing(encoding: &str) -> Option<String> {
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|one| !one.is_empty() && *one != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// S3 sends no header for STANDARD. If values differ, no class can be named.
fn storage_class(read: &mut Reader<'_>) -> String {
    const NAME: &str = "x-amz-storage-class";
    match read.text(NAME) {
        Some(class) if !class.is_empty() => class,
        None if read.headers.has(NAME) => "of several kinds".to_owned(),
        _ => "STANDARD".to_owned(),
    }
}

/// Values that differ must not be read as no encryption, under which an ETag may be an MD5.
fn encryption(read: &mut Reader<'_>) -> Encryption {
    const KIND: &str = "x-amz-server-side-encryption";
    let kind = read.text(KIND);
    if kind.is_none() && read.headers.has(KIND) {
        return Encryption::Other("several kinds at once".to_owned());
    }
    let key = read.text("x-amz-server-side-encryption-aws-kms-key-id");
    let customer = read.headers.joined("x-amz-server-side-encryption-customer-algorithm");
    parse::encryption(kind.as_deref(), key.as_deref(), customer.as_deref())
}

/// Facts about one part, from the response to a HEAD with its number.
///
/// # Errors
///
/// There is no usable length, or Content-Range contradicts it.
pub(super) fn part_facts(number: PartNumber, headers: &Headers, subject: &str) -> Result<PartFacts, SourceError> {
    let size = length(headers, subject)?;
    let range = headers.one("content-range").and_then(|range| range.parse::<ContentRange>().ok());
    if let Some(odd) = range.filter(|stated| stated.range.len() != size) {
        let detail = format!("part {number} has {size} bytes by Content-Length, and {odd} by Content-Range");
        return Err(SourceError::new(ErrorKind::Protocol, subject, detail));
    }
    let mut read = Reader { headers, notes: Vec::new() };
    let values = read.checksums();
    Ok(PartFacts {
        number,
        size,
        checksums: parse::part_digests(values.iter().map(|(algorithm, value)| (*algorithm, Some(value.as_str())))),
        of: read.number("x-amz-mp-parts-count"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Head {
        let raw: Vec<(&str, &[u8])> = pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let uri = "s3://b/k".parse().unwrap();
        head_facts(&uri, &Headers::from_pairs(&[&raw[..], &[("content-length", b"7")]].concat()), true).unwrap()
    }

    /// An unreadable header affects only itself and adds a note; length, ETag and checksum stay.
    #[test]
    fn an_odd_header_costs_no_more_than_itself() {
        let fine = [("etag", "\"e\""), ("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-type", "FULL_OBJECT")];
        for odd in [
            &[("last-modified", "2026-01-02T03:04:05Z")][..],
            &[("last-modified", "yesterday")],
            &[("last-modified", "Fri, 02 Jan 2026 03:04:05 GMT"), ("last-modified", "Fri, 02 Jan 2026 03:04:06 GMT")],
            &[("x-amz-object-lock-retain-until-date", "Fri, 02 Jan 2026 03:04:05 GMT")],
            &[("x-amz-object-lock-retain-until-date", "never")],
            &[("x-amz-missing-meta", "some")],
            &[("x-amz-tagging-count", "-1")],
            &[("x-amz-tagging-count", "99999999999999999999")],
            &[("x-amz-version-id", "a"), ("x-amz-version-id", "b")],
            &[("content-type", "a/b"), ("content-type", "c/d")],
            &[("x-amz-storage-class", "STANDARD"), ("x-amz-storage-class", "GLACIER")],
            &[("x-amz-server-side-encryption", "AES256"), ("x-amz-server-side-encryption", "aws:kms")],
        ] {
            let head = read(&[&fine[..], odd].concat());
            assert_eq!(head.notes.len(), 1, "{odd:?}: {:?}", head.notes);
            assert!(head.notes[0].contains(odd[0].0), "{:?}", head.notes);
            assert_eq!((head.facts.size, head.facts.id.etag), (7, ETag::told("e")));
            assert_eq!(head.facts.checksums.value().map(Vec::len), Some(1));
        }
        assert_eq!(read(&fine).notes, Vec::<String>::new());
        // Repeated equal values are accepted.
        let twice = read(&[("etag", "\"e\""), ("etag", "\"e\""), ("x-amz-storage-class", "GLACIER_IR")]);
        assert_eq!((twice.notes.len(), twice.facts.storage_class.as_deref()), (0, Some("GLACIER_IR")));
    }

    #[test]
    fn times_in_the_other_form_are_read() {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for form in ["2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00", "Fri, 02 Jan 2026 03:04:05 GMT"] {
            let facts = read(&[("last-modified", form), ("x-amz-object-lock-retain-until-date", form)]).facts;
            assert_eq!((facts.last_modified, facts.lock.retain_until), (Some(at), Some(LockEnd::At(at))), "{form}");
        }
    }

    #[test]
    fn contradictions_do_not_come_out_as_harmless() {
        let both = read(&[("x-amz-server-side-encryption", "AES256"), ("x-amz-server-side-encryption", "aws:kms")]);
        assert!(both.facts.encryption.hides_md5().is_some());
        let classes = read(&[("x-amz-storage-class", "STANDARD"), ("x-amz-storage-class", "GLACIER")]);
        assert_ne!(classes.facts.storage_class.as_deref(), Some("STANDARD"));
        let etags = read(&[("etag", "\"a\""), ("etag", "\"b\"")]);
        assert_eq!((etags.facts.id.etag, etags.notes.len()), (None, 1));
    }

    /// A lock or an expiration with differing values is neither absent nor one of the two.
    #[test]
    fn what_decides_and_comes_twice_is_not_known() {
        let soon = "expiry-date=\"Tue, 01 Dec 2026 00:00:00 GMT\"";
        let head = read(&[("x-amz-expiration", soon), ("x-amz-expiration", "rule-id=\"x\"")]);
        assert!(head.facts.expiration.is_err());
        assert_eq!(read(&[("x-amz-expiration", soon)]).facts.expiration, Ok(Some(soon.to_owned())));
        assert_eq!(read(&[]).facts.expiration, Ok(None));
        const UNTIL: &str = "x-amz-object-lock-retain-until-date";
        let lock = read(&[
            ("x-amz-object-lock-mode", "GOVERNANCE"),
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            (UNTIL, "2027-01-01T00:00:00Z"),
            (UNTIL, "2030-01-01T00:00:00Z"),
            ("x-amz-object-lock-legal-hold", "ON"),
            ("x-amz-object-lock-legal-hold", "OFF"),
        ])
        .facts
        .lock;
        assert_eq!(lock.mode, Some(LockMode::Other("GOVERNANCE, COMPLIANCE".into())));
        assert_eq!(lock.legal_hold, Some(LegalHold::Other("ON, OFF".into())));
        assert!(matches!(lock.retain_until, Some(LockEnd::NotKnown(_))), "{:?}", lock.retain_until);
        for (text, end) in [
            ("9999-12-31T23:59:59Z", LockEnd::Beyond),
            ("soon", LockEnd::NotKnown("soon".into())),
            ("", LockEnd::NotKnown(String::new())),
        ] {
            assert_eq!(read(&[(UNTIL, text)]).facts.lock.retain_until, Some(end), "{text}");
        }
        assert_eq!(LockEnd::Beyond.to_string(), "9999-12-31 or later");
    }

    #[test]
    fn metadata_is_read_as_it_was_meant() {
        let uri = "s3://b/k".parse().unwrap();
        let headers = Headers::from_pairs(&[
            ("content-length", b"7"),
            ("x-amz-meta-a", b"=?UTF-8?B?w7xiZXI=?="),
            ("x-amz-meta-b", b"\xfcber"),
            ("x-amz-meta-c", b"1"),
            ("x-amz-meta-c", b"2"),
        ]);
        let head = head_facts(&uri, &headers, true).unwrap();
        let all: Vec<_> = head.facts.metadata.into_iter().collect();
        let meant = [("a", "über"), ("b", "über"), ("c", "1, 2")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(all, meant);
        assert_eq!(head.notes, ["x-amz-meta-b is no UTF-8, and is read as Latin-1"]);
    }

    #[test]
    fn the_length_must_be_one_number() {
        let of = |values: &[&str]| {
            let pairs: Vec<(&str, &[u8])> = values.iter().map(|value| ("content-length", value.as_bytes())).collect();
            length(&Headers::from_pairs(&pairs), "s").map_err(|error| error.detail)
        };
        for fine in [&["7"][..], &["7", "7"], &["7, 7"], &[" 7 "]] {
            assert_eq!(of(fine), Ok(7), "{fine:?}");
        }
        for wrong in [&[][..], &["7", "8"], &["7, 8"], &["-1"], &["+7"], &["7.0"], &["9223372036854775808"], &[""]] {
            let detail = of(wrong).unwrap_err();
            assert!(!detail.contains("None") && !detail.contains("Some("), "{wrong:?}: {detail}");
        }
    }
}
