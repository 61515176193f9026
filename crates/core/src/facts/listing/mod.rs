use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use super::ListedObject;
use crate::ident::{ETag, decoded_key};

/// Suffixes of access point aliases. S3 answers such requests with the alias or the name of the bucket.
const ALIASES: [&str; 2] = ["-s3alias", "--ol-s3"];
/// Directory buckets list their keys in no order (S3 User Guide, *Directory buckets*).
const UNORDERED: &str = "--x-s3";

/// One page of a listing as received. Nothing in it has been checked yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawPage {
    /// Name of the bucket, if stated.
    pub bucket: Option<String>,
    /// Prefix, if stated.
    pub prefix: Option<String>,
    /// Whether keys are URL-encoded.
    pub encoded: bool,
    /// Number of keys, as the server wrote it.
    pub key_count: Option<String>,
    /// Whether more pages follow, as the server wrote it.
    pub truncated: Option<String>,
    /// Continuation token of the next page.
    pub next_token: Option<String>,
    /// The objects of the page.
    pub entries: Vec<RawEntry>,
    /// Number of common prefixes, which S3 includes in the number of keys.
    pub rolled_up: u64,
}

/// An entry of a page, with its values as received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawEntry {
    /// Key of the object.
    pub key: Option<String>,
    /// Size in bytes.
    pub size: Option<String>,
    /// Time of last modification.
    pub modified: Option<String>,
    /// ETag of the object.
    pub etag: Option<String>,
    /// Storage class.
    pub storage_class: Option<String>,
    /// Which values are stated twice and differ, for the report.
    pub contradiction: Option<String>,
}

/// A page without contradictions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedPage {
    /// The objects of the page.
    pub objects: Vec<ListedObject>,
    /// Entries that could not be read. Their objects may exist all the same.
    pub odd: Vec<OddEntry>,
    /// Keys outside the requested prefix, which are left out of `objects`.
    pub outside: Vec<String>,
    /// Whether the keys are out of order, which is accepted only in a listing of one page.
    pub unordered: bool,
}

/// An entry of which only the key could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddEntry {
    /// Key of the object.
    pub key: String,
    /// What could not be read, for the report.
    pub why: String,
}

/// Reads the pages of one listing until the server's statements agree that it is complete.
///
/// The number of pages is unlimited. Every page must bring a new key, and no token may repeat, so the walk
/// terminates.
#[derive(Debug, Clone)]
pub struct Walk {
    bucket: String,
    prefix: String,
    token: Option<String>,
    over: bool,
    /// Digests of the tokens used so far.
    tokens: BTreeSet<u64>,
    /// The greatest key so far; for directory buckets, digests of all keys.
    last: Option<String>,
    keys: BTreeSet<u64>,
}

impl Walk {
    /// Starts a listing of `bucket` under `prefix`.
    pub fn new(bucket: &str, prefix: &str) -> Self {
        Walk {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            token: None,
            over: false,
            tokens: BTreeSet::new(),
            last: None,
            keys: BTreeSet::new(),
        }
    }

    /// The prefix that is listed.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The continuation token of the next request; `None` for the first one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether the last page was taken.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Checks and takes the next page.
    ///
    /// # Errors
    ///
    /// When the page contradicts itself, the request, or an earlier page; the text is for the report. The
    /// page must then be discarded, and the listing cannot be completed.
    pub fn take(&mut self, page: RawPage) -> Result<ListedPage, String> {
        let asked = (self.bucket.as_str(), self.prefix.as_str());
        check_listing_request(asked, (page.bucket.as_deref(), page.prefix.as_deref()), page.encoded)?;
        let count = page.entries.len() as u64 + page.rolled_up;
        if let Some(stated) = page.key_count.as_deref().filter(|stated| stated.trim().parse() != Ok(count)) {
            return Err(format!("a page of the listing says that it has {stated} keys, and has {count}"));
        }
        let next = next_token(&page)?;
        let first = self.token.is_none();
        let mut keys = Vec::with_capacity(page.entries.len());
        for entry in &page.entries {
            keys.push(key_of(entry, page.encoded)?);
        }
        let read: Vec<&str> = keys.iter().filter_map(|key| key.as_ref().ok()).map(String::as_str).collect();
        let unordered = self.check_order(&read, first && next.is_none())?;
        let mut listed = ListedPage { unordered, ..ListedPage::default() };
        if next.is_some() && read.is_empty() {
            return Err("a page of the listing has no key, and says that more follow".to_owned());
        }
        if next.as_deref().is_some_and(|next| !self.tokens.insert(digest(next))) {
            return Err("the listing repeats a continuation token, and would never end".to_owned());
        }
        for (entry, key) in page.entries.into_iter().zip(keys) {
            self.add_entry(entry, key, &mut listed);
        }
        self.over = next.is_none();
        self.token = next;
        Ok(listed)
    }

    /// Checks that keys are in order and do not repeat. Otherwise a page may have left keys out. Returns
    /// whether the keys are out of order, which does no harm if the page is `alone`.
    fn check_order(&mut self, keys: &[&str], alone: bool) -> Result<bool, String> {
        let twice = |key: &str| format!("the listing has the key `{key}` twice");
        let mut own = BTreeSet::new();
        if let Some(key) = keys.iter().find(|key| !own.insert(**key)) {
            return Err(twice(key));
        }
        if self.bucket.ends_with(UNORDERED) {
            return match keys.iter().find(|key| !self.keys.insert(digest(key))) {
                Some(key) => Err(twice(key)),
                None => Ok(false),
            };
        }
        let sorted = keys.is_sorted();
        if !sorted && !alone {
            return Err("the keys of the listing are out of order, so pages may leave some out".to_owned());
        }
        if let (Some(last), Some(key)) = (&self.last, keys.first())
            && *key <= last.as_str()
        {
            return Err(format!("a page of the listing goes back to the key `{key}`, which is behind it"));
        }
        if let Some(last) = keys.last() {
            self.last = Some((*last).to_owned());
        }
        Ok(!sorted)
    }

    /// Adds an entry to the list it belongs to.
    fn add_entry(&self, entry: RawEntry, key: Result<String, OddEntry>, listed: &mut ListedPage) {
        let key = match key {
            Ok(key) => key,
            Err(odd) => {
                listed.odd.push(odd);
                return;
            }
        };
        if !key.starts_with(&self.prefix) {
            listed.outside.push(key);
            return;
        }
        match object(&entry, &key) {
            Ok(object) => listed.objects.push(object),
            Err(why) => listed.odd.push(OddEntry { key, why }),
        }
    }
}

/// Checks that a listing is of the requested bucket and prefix. `asked` and `stated` are bucket and prefix.
///
/// # Errors
///
/// When the server states another bucket or prefix; the text is for the report.
pub fn check_listing_request(
    asked: (&str, &str),
    stated: (Option<&str>, Option<&str>),
    encoded: bool,
) -> Result<(), String> {
    let ((bucket, prefix), (stated_bucket, stated_prefix)) = (asked, stated);
    let aliased = bucket.contains(':') || ALIASES.iter().any(|alias| bucket.ends_with(alias));
    if let Some(other) = stated_bucket.filter(|name| *name != bucket && !aliased) {
        return Err(format!("the listing is of another bucket: {other}"));
    }
    let fits = |stated: &str| stated == prefix || encoded && decoded_key(stated).as_deref() == Some(prefix);
    match stated_prefix.filter(|stated| !fits(stated)) {
        Some(other) => Err(format!("the listing is of another prefix: `{other}`")),
        None => Ok(()),
    }
}

/// The continuation token of the next page, if the statements about it agree.
fn next_token(page: &RawPage) -> Result<Option<String>, String> {
    let token = page.next_token.clone().filter(|token| !token.is_empty());
    match (page.truncated.as_deref().map(str::trim), token) {
        (Some("true"), Some(token)) => Ok(Some(token)),
        (Some("true"), None) => Err("a page of the listing says that more follow, and not where".to_owned()),
        (Some("false"), None) => Ok(None),
        (Some("false"), Some(_)) => {
            Err("a page of the listing says that it is the last, and where the next one begins".to_owned())
        }
        (None, _) => Err("a page of the listing does not say whether more follow".to_owned()),
        (Some(other), _) => Err(format!("a page of the listing says `{other}` where it must say whether more follow")),
    }
}

/// The key of an entry. The inner result is an error if the key cannot be decoded. The outer one is an error
/// if there is no key, because such a listing is refused.
fn key_of(entry: &RawEntry, encoded: bool) -> Result<Result<String, OddEntry>, String> {
    let key = entry.key.as_deref().filter(|key| !key.is_empty()).ok_or("the listing has an entry without a key")?;
    if !encoded {
        return Ok(Ok(key.to_owned()));
    }
    let why = || "its key in the listing is not in URL encoding".to_owned();
    Ok(decoded_key(key).ok_or_else(|| OddEntry { key: key.to_owned(), why: why() }))
}

/// The object of an entry; the error text says which value could not be read.
fn object(entry: &RawEntry, key: &str) -> Result<ListedObject, String> {
    if let Some(why) = &entry.contradiction {
        return Err(why.clone());
    }
    let odd = |name: &str, value: Option<&str>| match value {
        Some(value) => format!("its {name} in the listing is `{value}`"),
        None => format!("the listing states no {name} of it"),
    };
    let size = entry.size.as_deref();
    let bytes = size.and_then(|size| size.trim().parse::<u64>().ok()).filter(|size| i64::try_from(*size).is_ok());
    let time = entry.modified.as_deref();
    let modified = time.and_then(|time| time.trim().parse::<Timestamp>().ok());
    if time.is_some() && modified.is_none() {
        return Err(odd("date", time));
    }
    Ok(ListedObject {
        key: key.to_owned(),
        size: Some(bytes.ok_or_else(|| odd("size", size))?),
        modified: modified.and_then(|time| Timestamp::from_second(time.as_second()).ok()),
        etag: entry.etag.as_deref().map(ETag::new).filter(|etag| !etag.as_str().is_empty()),
        storage_class: Some(entry.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())),
        version: None,
        latest: true,
    })
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
