use std::collections::BTreeMap;

use serde_json::Value;

use super::ChecksumScope;
use super::plan::parse_value;
use crate::checksum::{Algorithm, Digest};
use crate::ident::ETag;

/// Characters of a message of S3 that are kept.
const MOST_SHOWN: usize = 300;

/// A row of a completion report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Name of the bucket.
    pub bucket: String,
    /// Key as it is written. It is not documented whether it is URL-encoded.
    pub key: String,
    /// Version id; `None` if the field is empty.
    pub version: Option<String>,
    /// What became of the object.
    pub outcome: RowOutcome,
}

/// What a row says of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// S3 computed a checksum.
    Succeeded(ComputedChecksum),
    /// S3 could not, for this reason.
    Failed {
        /// HTTP status, if stated.
        status: Option<u16>,
        /// Error code, if stated.
        code: Option<String>,
        /// The message, shortened.
        message: String,
    },
    /// The row names an object, and its result cannot be read; the text is for the report.
    Unreadable(String),
}

/// A checksum that S3 computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedChecksum {
    /// The algorithm, if stated.
    pub algorithm: Option<Algorithm>,
    /// What it was computed over, if stated.
    pub scope: Option<ChecksumScope>,
    /// The values as text: base64, hexadecimal, or both.
    values: Vec<String>,
    /// ETag of the object, if stated.
    pub etag: Option<ETag>,
}

impl ComputedChecksum {
    /// The value and the number of parts, if they are of this algorithm; `None` if they cannot be read, or if base64 and
    /// hexadecimal are of different values.
    pub fn digest(&self, algorithm: Algorithm) -> Option<(Digest, Option<u32>)> {
        let mut values = self.values.iter().map(|value| parse_value(algorithm, value));
        let first = values.next()??;
        let agrees = |other: Option<(Digest, Option<u32>)>| other.is_some_and(|(digest, _)| digest == first.0);
        values.all(agrees).then_some(first)
    }
}

/// A line that is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// Its number, counted from 1.
    pub line: u64,
    /// What is wrong, for the report.
    pub problem: &'static str,
}

/// Reads a file of a completion report. Each line is read for itself, because the quotes in messages of failed rows do
/// not nest, so that a message could hide the rows after it.
pub fn parse_report(bytes: &[u8]) -> (Vec<ReportRow>, Vec<UnreadableRow>) {
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let row = std::str::from_utf8(line).map_err(|_| "is not UTF-8").and_then(row);
        match row {
            Ok(row) => rows.push(row),
            Err(problem) => unreadable.push(UnreadableRow { line: number, problem }),
        }
    }
    (rows, unreadable)
}

fn row(line: &str) -> Result<ReportRow, &'static str> {
    let mut rest = Some(line);
    let mut next = || -> Result<String, &'static str> {
        let (field, behind) = field(rest.ok_or("has too few columns")?).ok_or("has a quote without an end")?;
        rest = behind;
        Ok(field)
    };
    let (bucket, key, version, task) = (next()?, next()?, next()?, next()?);
    let (one, other) = (next()?, next()?);
    if bucket.is_empty() || key.is_empty() {
        return Err("names no object");
    }
    let message = rest.unwrap_or_default();
    let outcome = match task.trim().to_ascii_lowercase().as_str() {
        "succeeded" => computed(message).map_or_else(RowOutcome::Unreadable, RowOutcome::Succeeded),
        "failed" => failed(&one, &other, message),
        _ => RowOutcome::Unreadable(format!("its task status is `{}`", shortened(&task))),
    };
    Ok(ReportRow { bucket, key, version: Some(version).filter(|version| !version.is_empty()), outcome })
}

/// The first field of a line, and what follows its comma. `None` if its quote does not end.
fn field(text: &str) -> Option<(String, Option<&str>)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(match text.split_once(',') {
            Some((field, rest)) => (field.to_owned(), Some(rest)),
            None => (text.to_owned(), None),
        });
    };
    let mut field = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            field.push(c);
            continue;
        }
        match chars.peek() {
            None => return Some((field, None)),
            Some((_, ',')) => return Some((field, quoted.get(at + 2..))),
            Some((_, '"')) => {
                chars.next();
                field.push('"');
            }
            Some(_) => field.push('"'),
        }
    }
    None
}

/// The schema names the error code before the HTTP status, and the documented example has them the other way: the
/// number is the status.
fn failed(one: &str, other: &str, message: &str) -> RowOutcome {
    let status = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..600).contains(status));
    let (status, code) = match (status(one), status(other)) {
        (Some(status), _) => (Some(status), other),
        (None, status) => (status, one),
    };
    let message = message.strip_prefix('"').unwrap_or(message);
    let message = message.strip_suffix('"').unwrap_or(message);
    RowOutcome::Failed {
        status,
        code: Some(shortened(code.trim())).filter(|code| !code.is_empty()),
        message: shortened(message.trim()),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MOST_SHOWN).collect()
}

/// The JSON of a succeeded row, in each way in which it may be quoted.
fn computed(message: &str) -> Result<ComputedChecksum, String> {
    let message = message.trim();
    let inner = message.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let spellings = [
        Some(message.to_owned()),
        inner.map(|text| text.replace("\"\"", "\"")),
        inner.map(|text| text.replace("\\\"", "\"")),
        inner.map(str::to_owned),
    ];
    let object = |text: String| match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    };
    let Some(fields) = spellings.into_iter().flatten().find_map(object) else {
        return Err("its result is no JSON document".to_owned());
    };
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in fields {
        let Value::String(value) = value else { continue };
        // `etag` and `ETag`, `checksumType` and `checksum_type`.
        let name: String = name.chars().filter(|c| *c != '_').collect::<String>().to_ascii_lowercase();
        if known.get(&name).is_some_and(|earlier| *earlier != value) {
            return Err(format!("its result states `{}` twice", shortened(&name)));
        }
        known.insert(name, value);
    }
    let algorithm = match known.get("checksumalgorithm") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| format!("its algorithm is `{}`", shortened(text)))?),
    };
    let scope = match known.get("checksumtype") {
        None => None,
        Some(text) => {
            let unknown = || format!("its checksum type is `{}`", shortened(text));
            Some(ChecksumScope::of_s3(text).ok_or_else(unknown)?)
        }
    };
    let values: Vec<String> =
        ["checksumbase64", "checksumhex"].iter().filter_map(|name| known.get(*name).cloned()).collect();
    if values.is_empty() {
        return Err("its result states no checksum".to_owned());
    }
    let etag = known.get("etag").and_then(|etag| ETag::told(etag));
    Ok(ComputedChecksum { algorithm, scope, values, etag })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUE: &str = "rosUhgp5mIg=";

    fn one(line: &str) -> ReportRow {
        let (mut rows, unreadable) = parse_report(line.as_bytes());
        assert_eq!((rows.len(), unreadable.len()), (1, 0), "{line}: {unreadable:?}");
        rows.remove(0)
    }

    fn checksum(line: &str) -> ComputedChecksum {
        match one(line).outcome {
            RowOutcome::Succeeded(computed) => computed,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn each_spelling_of_a_result_is_read() {
        let json = r#"{"checksum_base64":"rosUhgp5mIg\u003d","etag":"\"e-2\"","checksumAlgorithm":"CRC64NVME","checksumType":"FULL_OBJECT"}"#;
        let hex = r#"{"checksum_hex":"AE8B14860A799888","ETag":"e-2","checksumAlgorithm":"CRC64NVME","checksumType":"FULL_OBJECT"}"#;
        let both = r#"{"checksum_base64":"rosUhgp5mIg=","checksum_hex":"AE8B14860A799888","ETag":"e-2","checksum_algorithm":"CRC64NVME","checksum_type":"FULL_OBJECT"}"#;
        let doubled = |json: &str| format!("\"{}\"", json.replace('"', "\"\""));
        for message in [
            json.to_owned(),
            hex.to_owned(),
            both.to_owned(),
            doubled(json),
            doubled(hex),
            doubled(both),
            format!("\"{hex}\""),
            format!("\"{}\"", hex.replace('"', "\\\"")),
        ] {
            for columns in ["200,", ",200", "200,\"\"", "\"\",\"200\""] {
                let line = format!("b,k,v1,succeeded,{columns},{message}\r\n");
                let found = checksum(&line);
                assert_eq!(found.digest(Algorithm::Crc64Nvme).unwrap().0.base64(), VALUE, "{line}");
                assert_eq!(
                    (found.algorithm, found.scope),
                    (Some(Algorithm::Crc64Nvme), Some(ChecksumScope::FullObject))
                );
                assert_eq!(found.etag, Some(ETag::new("e-2")), "{line}");
            }
        }
    }

    #[test]
    fn a_failed_row_is_read_in_both_orders_of_columns() {
        let message = r#""error details: {"code": "x", "why": "a "quote", and a comma"}""#;
        for columns in ["400,InvalidRequest", "InvalidRequest,400"] {
            let row = one(&format!("b,\"a,\"\"k\",,failed,{columns},{message}"));
            assert_eq!((row.key.as_str(), &row.version), ("a,\"k", &None));
            let RowOutcome::Failed { status, code, message } = row.outcome else { panic!() };
            assert_eq!((status, code.as_deref()), (Some(400), Some("InvalidRequest")));
            assert!(message.starts_with("error details: {\"code\"") && message.ends_with("comma\"}"), "{message}");
        }
        // A quote that does not end hides no row after it.
        let (rows, unreadable) = parse_report(b"b,\"k,,failed,400,X,m\nb,l,,failed,400,X,m\n");
        assert_eq!((rows.len(), unreadable[0].line), (1, 1));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (line, problem) in [
            ("b,k", "has too few columns"),
            ("b,\"k", "has a quote without an end"),
            (",k,,succeeded,200,,{}", "names no object"),
        ] {
            let (rows, unreadable) = parse_report(line.as_bytes());
            assert_eq!((rows.len(), unreadable[0].problem), (0, problem), "{line}");
        }
        assert_eq!(parse_report(b"b,\xff,,succeeded,200,,x").1[0].problem, "is not UTF-8");
        for (message, problem) in [
            ("", "no JSON"),
            ("[]", "no JSON"),
            ("{}", "no checksum"),
            (r#"{"checksum_hex":"00","checksumAlgorithm":"BLAKE"}"#, "algorithm is `BLAKE`"),
            (r#"{"checksum_hex":"00","checksumType":"SOME"}"#, "type is `SOME`"),
            (r#"{"checksum_hex":"00","etag":"a","ETag":"b"}"#, "`etag` twice"),
        ] {
            let row = one(&format!("b,k,,succeeded,200,,{message}"));
            assert!(matches!(&row.outcome, RowOutcome::Unreadable(text) if text.contains(problem)), "{row:?}");
        }
        assert!(matches!(one("b,k,,pending,,,").outcome, RowOutcome::Unreadable(_)));
        let contradictory = r#"{"checksum_base64":"rosUhgp5mIg=","checksum_hex":"0000000000000000"}"#;
        assert_eq!(checksum(&format!("b,k,,succeeded,200,,{contradictory}")).digest(Algorithm::Crc64Nvme), None);
        assert_eq!(checksum(r#"b,k,,succeeded,200,,{"checksum_hex":"00"}"#).digest(Algorithm::Crc64Nvme), None);
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let lines = bytes.split(|byte| *byte == b'\n');
            let filled = lines.filter(|line| !line.strip_suffix(b"\r").unwrap_or(line).is_empty()).count();
            let (rows, unreadable) = parse_report(&bytes);
            prop_assert_eq!(rows.len() + unreadable.len(), filled);
        }

        #[test]
        fn no_text_of_a_row_hides_another(
            message in "[\"{},:\\\\ a-z0-9]{0,60}", key in "[\"{},%+ a-z]{1,20}", task in "succeeded|failed|other"
        ) {
            let quoted = key.replace('"', "\"\"");
            let text = format!("b,\"{quoted}\",,{task},200,,{message}\nb,next,,failed,400,X,m\n");
            let (rows, unreadable) = parse_report(text.as_bytes());
            prop_assert!(unreadable.is_empty());
            prop_assert_eq!((rows[0].key.as_str(), rows[1].key.as_str()), (key.as_str(), "next"));
        }
    }
}
