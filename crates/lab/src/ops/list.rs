use serde::Serialize;

use super::lookup;
use crate::checksum::{Algorithm, ChecksumType};
use crate::record::{ObjectRecord, RestoreState};
use crate::shared::Shared;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Reply, S3Error, S3Request, dates, percent};

/// Most entries of one page of any listing.
pub(super) const LONGEST_PAGE: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listing<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    name: &'a str,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    max_keys: usize,
    key_count: usize,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_continuation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_after: Option<String>,
    contents: Vec<Entry>,
    common_prefixes: Vec<CommonPrefix>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CommonPrefix {
    pub prefix: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    last_modified: String,
    #[serde(rename = "ETag", serialize_with = "xml::quoted")]
    etag: String,
    size: u64,
    storage_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<ChecksumType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_status: Option<RestoreStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreStatus {
    is_restore_in_progress: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_expiry_date: Option<String>,
}

/// Keys and prefixes of one page, in order.
pub(super) struct Page<'a, T> {
    pub entries: Vec<T>,
    pub prefixes: Vec<String>,
    /// The last name given out, when more would follow.
    pub next: Option<&'a str>,
}

/// Which page of a listing is asked for.
pub(super) struct PageRequest<'a> {
    pub prefix: &'a str,
    pub delimiter: &'a str,
    pub after: &'a str,
    /// `after` ended an earlier page, and the prefix it was rolled up into has been given out.
    pub resumes: bool,
    pub max: usize,
}

/// Cuts a page out of sorted names: those with the prefix, behind `after`,
/// rolled up at the delimiter.
pub(super) fn page<'a, T>(names: impl Iterator<Item = (&'a str, T)>, wanted: &PageRequest<'_>) -> Page<'a, T> {
    let PageRequest { prefix, delimiter, after, resumes, max } = *wanted;
    let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), next: None };
    let mut last = None;
    for (name, value) in names.filter(|(name, _)| *name > after) {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        let rolled = rest.find(delimiter).filter(|_| !delimiter.is_empty());
        let rolled = rolled.and_then(|at| name.get(..prefix.len() + at + delimiter.len()));
        // A page that ended in a prefix is followed by what lies behind it.
        if rolled.is_some_and(|rolled| {
            page.prefixes.iter().any(|known| known == rolled) || resumes && after.starts_with(rolled)
        }) {
            last = last.map(|_| name);
            continue;
        }
        if page.entries.len() + page.prefixes.len() == max {
            page.next = last;
            return page;
        }
        match rolled {
            Some(rolled) => page.prefixes.push(rolled.to_owned()),
            None => page.entries.push(value),
        }
        last = Some(name);
    }
    page
}

/// ListObjectsV2.
pub(super) fn objects(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let bucket = lookup::bucket(&store, &request.bucket)?;
    let text = |name: &str| request.query(name).unwrap_or_default();
    let max_keys = request.number("max-keys")?.unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE);
    let token = request.query("continuation-token");
    let decoded = token.map(|token| String::from_utf8_lossy(&hex::decode(token).unwrap_or_default()).into_owned());
    let after = decoded.unwrap_or_else(|| text("start-after").to_owned());
    let restores =
        request.header("x-amz-optional-object-attributes").is_some_and(|names| names.contains("RestoreStatus"));
    let encode = encoder(request);
    let newest = bucket.objects.iter().filter_map(|(key, versions)| {
        let record = &versions.last()?.record;
        (!record.delete_marker).then_some((key.as_str(), record))
    });
    let wanted = PageRequest {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        after: &after,
        resumes: token.is_some(),
        max: max_keys,
    };
    let page = page(newest, &wanted);
    let listing = Listing {
        xmlns: Namespace,
        name: &request.bucket,
        prefix: encode(text("prefix")),
        delimiter: request.query("delimiter").map(&encode),
        max_keys,
        key_count: page.entries.len() + page.prefixes.len(),
        is_truncated: page.next.is_some(),
        encoding_type: request.query("encoding-type"),
        continuation_token: token,
        next_continuation_token: page.next.map(hex::encode),
        start_after: request.query("start-after").map(&encode),
        contents: page.entries.iter().map(|record| entry(record, restores, &encode)).collect(),
        common_prefixes: page.prefixes.iter().map(|prefix| CommonPrefix { prefix: encode(prefix) }).collect(),
    };
    Reply::xml("ListBucketResult", &listing)
}

/// How keys are written in a listing: plain, or percent-encoded on request.
pub(super) fn encoder(request: &S3Request) -> impl Fn(&str) -> String + use<> {
    let url = request.query("encoding-type") == Some("url");
    move |key| if url { percent::encode_key(key) } else { key.to_owned() }
}

fn entry(record: &ObjectRecord, restores: bool, encode: impl Fn(&str) -> String) -> Entry {
    let restore_status = record.restore.as_ref().filter(|_| restores).map(|state| match state {
        RestoreState::Ongoing | RestoreState::Requested { .. } => {
            RestoreStatus { is_restore_in_progress: true, restore_expiry_date: None }
        }
        RestoreState::Done { expires } => {
            RestoreStatus { is_restore_in_progress: false, restore_expiry_date: Some(dates::iso(*expires)) }
        }
    });
    Entry {
        key: encode(&record.key),
        last_modified: dates::iso(record.last_modified),
        etag: record.etag.clone(),
        size: record.size,
        storage_class: record.storage_class.clone(),
        checksum_algorithm: record.checksum.as_ref().map(|stored| stored.algorithm),
        checksum_type: record.checksum.as_ref().map(|stored| stored.kind),
        restore_status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(delimiter: &str, max: usize) -> Vec<(Vec<&'static str>, Vec<String>)> {
        let names = ["a", "b/1", "b/2", "b/3", "c", "d/1"];
        let mut after = String::new();
        let mut pages = Vec::new();
        loop {
            let wanted = PageRequest { prefix: "", delimiter, after: &after, resumes: !pages.is_empty(), max };
            let page = page(names.iter().map(|name| (*name, *name)), &wanted);
            pages.push((page.entries, page.prefixes));
            match page.next {
                Some(next) => after = next.to_owned(),
                None => return pages,
            }
        }
    }

    #[test]
    fn a_start_inside_a_prefix_still_shows_it() {
        let names = ["b/1", "b/2"].into_iter().map(|name| (name, name));
        let wanted = PageRequest { prefix: "", delimiter: "/", after: "b/1", resumes: false, max: 9 };
        assert_eq!(page(names, &wanted).prefixes, ["b/"]);
    }

    #[test]
    fn pages_meet_without_gap_or_overlap() {
        for max in 1..=7 {
            let names: Vec<&str> = walk("", max).into_iter().flat_map(|(names, _)| names).collect();
            assert_eq!(names, ["a", "b/1", "b/2", "b/3", "c", "d/1"], "{max} a page");
            let pages = walk("/", max);
            let names: Vec<&str> = pages.iter().flat_map(|(names, _)| names.clone()).collect();
            let prefixes: Vec<&String> = pages.iter().flat_map(|(_, prefixes)| prefixes).collect();
            assert_eq!((names, prefixes), (vec!["a", "c"], vec![&"b/".to_owned(), &"d/".to_owned()]), "{max} a page");
        }
    }
}
