//! Pages of listings, read leniently. An unreadable field affects only its entry.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::translate;
use crate::facts::{RawEntry, RawPage};
use crate::source::{ErrorKind, SourceError};
use crate::sync::lock;

/// Requests one page and returns it as the server wrote it.
pub(super) async fn page(request: ListObjectsV2FluentBuilder, subject: &str) -> Result<RawPage, SourceError> {
    let answer = Answer::default();
    let sent = request.customize().interceptor(answer.clone()).send().await;
    match (answer.take(), sent) {
        // The SDK's parser rejects the whole page for one unreadable date.
        (Some(body), _) => raw(&body, subject),
        (None, Err(error)) => Err(translate(error, subject, "s3:ListBucket")),
        (None, Ok(_)) => Err(SourceError::new(ErrorKind::Protocol, subject, "a page of the listing has no text")),
    }
}

/// Keeps the body of a successful response.
#[derive(Debug, Clone, Default)]
struct Answer(Arc<Mutex<Option<Vec<u8>>>>);

impl Answer {
    fn take(&self) -> Option<Vec<u8>> {
        lock(&self.0).take()
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "ListingAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if response.status().is_success() {
            *lock(&self.0) = response.body().bytes().map(<[u8]>::to_vec);
        }
        Ok(())
    }
}

/// Known root elements.
#[derive(Deserialize)]
enum Document {
    ListBucketResult(Listing),
    /// Some servers send an error document with a success status.
    Error(Wrapped),
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "Code", default)]
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    name: Option<String>,
    prefix: Option<String>,
    encoding_type: Option<String>,
    key_count: Option<String>,
    is_truncated: Option<String>,
    next_continuation_token: Option<String>,
    #[serde(default)]
    contents: Vec<Entry>,
    #[serde(default)]
    common_prefixes: Vec<IgnoredAny>,
}

/// Texts of an entry, with their names. A name may occur several times, which affects only this entry.
struct Entry(Vec<(String, String)>);

/// The elements of an entry that are read.
const READ: [&str; 5] = ["Key", "Size", "LastModified", "ETag", "StorageClass"];

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry of a listing")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
                let mut texts = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    match READ.contains(&name.as_str()) {
                        true => texts.push((name, map.next_value()?)),
                        false => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Entry(texts))
            }
        }
        input.deserialize_map(Texts)
    }
}

impl From<Entry> for RawEntry {
    fn from(Entry(texts): Entry) -> Self {
        let mut contradiction = None;
        let mut one = |name: &str| {
            let mut all: Vec<&str> =
                texts.iter().filter(|(have, _)| have == name).map(|(_, text)| text.as_str()).collect();
            all.dedup();
            if all.len() > 1 {
                let why = format!("its {name} in the listing comes several times: `{}`", all.join("`, `"));
                contradiction.get_or_insert(why);
                return None;
            }
            all.first().map(|text| (*text).to_owned())
        };
        let (key, size, modified) = (one("Key"), one("Size"), one("LastModified"));
        let (etag, storage_class) = (one("ETag"), one("StorageClass"));
        RawEntry { key, size, modified, etag, storage_class, contradiction }
    }
}

fn raw(body: &[u8], subject: &str) -> Result<RawPage, SourceError> {
    let document: Document = quick_xml::de::from_reader(body).map_err(|error| {
        let detail = format!("a page of the listing cannot be read: {error}");
        SourceError::new(ErrorKind::Protocol, subject, detail).caused_by(error)
    })?;
    let listing = match document {
        Document::ListBucketResult(listing) => listing,
        Document::Error(Wrapped { code }) => {
            let kind = match code.as_str() {
                "SlowDown" => ErrorKind::Throttled,
                "InternalError" | "ServiceUnavailable" => ErrorKind::Transient,
                _ => ErrorKind::Protocol,
            };
            let detail = format!("the server answered with success and {code} inside");
            return Err(SourceError { code: Some(code.into()), ..SourceError::new(kind, subject, detail) });
        }
    };
    Ok(RawPage {
        bucket: listing.name,
        prefix: listing.prefix,
        encoded: listing.encoding_type.as_deref() == Some("url"),
        key_count: listing.key_count,
        truncated: listing.is_truncated,
        next_token: listing.next_continuation_token,
        entries: listing.contents.into_iter().map(RawEntry::from).collect(),
        rolled_up: listing.common_prefixes.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">"#;

    fn of(inside: &str) -> Result<RawPage, SourceError> {
        raw(format!("{HEAD}{inside}</ListBucketResult>").as_bytes(), "bucket b")
    }

    #[test]
    fn what_is_odd_is_kept_as_it_came() {
        let page = of("<Name>b</Name><Prefix/><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents>\
                       <Key> a&amp;b </Key><LastModified>yesterday</LastModified><ETag>&quot;x&quot;</ETag>\
                       <Size>-5</Size><Owner><ID>1</ID></Owner></Contents><New>1</New>")
        .unwrap();
        assert_eq!((page.bucket.as_deref(), page.prefix.as_deref()), (Some("b"), Some("")));
        let entry = &page.entries[0];
        assert_eq!((entry.key.as_deref(), entry.size.as_deref()), (Some(" a&b "), Some("-5")));
        assert_eq!((entry.modified.as_deref(), entry.etag.as_deref()), (Some("yesterday"), Some("\"x\"")));
    }

    #[test]
    fn what_comes_twice_costs_its_entry_alone() {
        let page = of("<Contents><Key>a</Key><Size>1</Size><ETag>x</ETag><Size>2</Size></Contents>\
                       <Contents><Key>b</Key><Size>1</Size><Size>1</Size><Key>b</Key></Contents>\
                       <Contents><Key>c</Key><Key>d</Key></Contents>")
        .unwrap();
        let why = page.entries[0].contradiction.as_deref();
        assert_eq!(why, Some("its Size in the listing comes several times: `1`, `2`"));
        assert_eq!(page.entries[1], RawEntry { key: Some("b".into()), size: Some("1".into()), ..RawEntry::default() });
        assert_eq!(page.entries[2].key, None);
    }

    #[test]
    fn what_is_no_listing_is_none() {
        for body in ["", "<", "<html/>", "<ListBucketResult>", "<VersioningConfiguration/>", "\u{0}"] {
            assert_eq!(raw(body.as_bytes(), "bucket b").unwrap_err().kind, ErrorKind::Protocol, "{body}");
        }
        assert_eq!(of("<KeyCount>1</KeyCount><KeyCount>2</KeyCount>").unwrap_err().kind, ErrorKind::Protocol);
        let slow = raw(b"<Error><Code>SlowDown</Code></Error>", "bucket b").unwrap_err();
        assert_eq!(slow.kind, ErrorKind::Throttled);
    }
}
