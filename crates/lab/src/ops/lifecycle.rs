//! The lifecycle configuration of a bucket: stored, returned, and reported in `x-amz-expiration`. It never
//! removes anything.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{lookup, no_content};
use crate::record::ObjectRecord;
use crate::shared::Shared;
use crate::store::Bucket;
use crate::wire::{Code, Reply, S3Error, S3Request, dates, percent, xml};

/// GetBucketLifecycleConfiguration: the document as it was put.
pub(super) fn get(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let document = lookup::bucket(&store, &request.bucket)?.options.lifecycle.clone();
    let none = || S3Error::new(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist");
    let body = document.ok_or_else(none)?.into_bytes();
    Ok(Reply::bytes(StatusCode::OK, body.into()).header("content-type", "application/xml"))
}

/// PutBucketLifecycleConfiguration.
pub(super) fn put(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let rules = xml::read::<Configuration>(body)?.rule;
    let document = String::from_utf8(body.to_vec()).map_err(|_| Code::MalformedXml.error())?;
    if rules.is_empty() {
        return Err(Code::MalformedXml.error());
    }
    lookup::bucket(&shared.store(), &request.bucket)?;
    shared.store().change_bucket(&request.bucket, |bucket| bucket.options.lifecycle = Some(document))?;
    Ok(Reply::empty(StatusCode::OK))
}

/// DeleteBucketLifecycle.
pub(super) fn delete(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    lookup::bucket(&shared.store(), &request.bucket)?;
    shared.store().change_bucket(&request.bucket, |bucket| bucket.options.lifecycle = None)?;
    Ok(no_content())
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(rename = "Rule", default)]
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    #[serde(rename = "ID", default)]
    id: String,
    status: String,
    prefix: Option<String>,
    filter: Option<Filter>,
    expiration: Option<Expiration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    prefix: Option<String>,
    #[serde(default)]
    tag: Vec<Tag>,
    object_size_greater_than: Option<u64>,
    object_size_less_than: Option<u64>,
    and: Option<Box<Filter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Expiration {
    days: Option<u32>,
    date: Option<String>,
}

impl Filter {
    fn fits(&self, record: &ObjectRecord) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| record.key.starts_with(prefix))
            && self.tag.iter().all(|tag| record.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value))
            && self.object_size_greater_than.is_none_or(|bytes| record.size > bytes)
            && self.object_size_less_than.is_none_or(|bytes| record.size < bytes)
            && self.and.as_ref().is_none_or(|all| all.fits(record))
    }
}

impl Rule {
    /// When it removes an object.
    fn expires(&self, record: &ObjectRecord) -> Option<Timestamp> {
        let fits = self.status == "Enabled"
            && self.prefix.as_ref().is_none_or(|prefix| record.key.starts_with(prefix))
            && self.filter.as_ref().is_none_or(|filter| filter.fits(record));
        let expiration = self.expiration.as_ref().filter(|_| fits)?;
        if let Some(date) = &expiration.date {
            return date.parse().ok();
        }
        let age = SignedDuration::from_hours(24 * i64::from(expiration.days?));
        let due = record.last_modified.checked_add(age).ok()?;
        const DAY: i64 = 86_400;
        Timestamp::from_second((due.as_second() / DAY + i64::from(due.as_second() % DAY > 0)) * DAY).ok()
    }
}

/// `x-amz-expiration` of an object, by the first rule to remove it.
pub(super) fn expiration(bucket: &Bucket, record: &ObjectRecord) -> Option<String> {
    let rules = xml::read::<Configuration>(bucket.options.lifecycle.as_ref()?.as_bytes()).ok()?.rule;
    let due = rules.iter().filter_map(|rule| Some((rule.expires(record)?, rule)));
    let (at, rule) = due.min_by_key(|(at, _)| *at)?;
    Some(format!("expiry-date=\"{}\", rule-id=\"{}\"", dates::http(at), percent::encode_key(&rule.id)))
}
