use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use super::ListedObject;
use crate::ident::{ETag, decoded_key};

/// Answers that show an alias of the bucket in place of the name that was asked for.
const ALIASES: [&str; 2] = ["-s3alias", "--ol-s3"];
/// Directory buckets list their keys in no order (S3 User Guide, *Directory buckets*).
const UNORDERED: &str = "--x-s3";

/// One page of a listing as it came. Nothing of it has been believed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawPage {
    pub bucket: Option<String>,
    pub prefix: Option<String>,
    /// Keys are in URL encoding.
    pub encoded: bool,
    pub key_count: Option<String>,
    pub truncated: Option<String>,
    pub next_token: Option<String>,
    pub entries: Vec<RawEntry>,
    /// Prefixes that keys were rolled up into; they count as keys.
    pub rolled_up: u64,
}

/// An entry of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawEntry {
    pub key: Option<String>,
    pub size: Option<String>,
    pub modified: Option<String>,
    pub etag: Option<String>,
    pub storage_class: Option<String>,
    /// In words, which of its values come several times and differ.
    pub contradiction: Option<String>,
}

/// A page of which no statement contradicts another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedPage {
    pub objects: Vec<ListedObject>,
    /// Entries that cannot be read; the objects may be there all the same.
    pub odd: Vec<OddEntry>,
    /// Keys that are not under the prefix that was asked for; they are left out.
    pub outside: Vec<String>,
    /// The keys came out of order, in a listing of one page.
    pub unordered: bool,
}

/// An entry of which more than the key could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddEntry {
    pub key: String,
    pub why: String,
}

/// A walk over the pages of one listing, up to an end that the server's statements agree on.
///
/// The number of pages has no limit. Each must bring a new key, and no token may come twice, so the walk ends.
#[derive(Debug, Clone)]
pub struct Walk {
    bucket: String,
    prefix: String,
    token: Option<String>,
    over: bool,
    /// Digests of the tokens that were given out.
    tokens: BTreeSet<u64>,
    /// The greatest key so far; of directory buckets, digests of all.
    last: Option<String>,
    keys: BTreeSet<u64>,
}

impl Walk {
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

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where the next page begins; `None` for the first one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether the last page was taken.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes the next page.
    ///
    /// # Errors
    ///
    /// In words, what in the page contradicts itself, the request, or the pages before it. Nothing of such a page is
    /// to be believed, and the listing cannot be finished.
    pub fn take(&mut self, page: RawPage) -> Result<ListedPage, String> {
        let asked = (self.bucket.as_str(), self.prefix.as_str());
        is_of_the_request(asked, (page.bucket.as_deref(), page.prefix.as_deref()), page.encoded)?;
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
        let unordered = self.order(&read, first && next.is_none())?;
        let mut listed = ListedPage { unordered, ..ListedPage::default() };
        if next.is_some() && read.is_empty() {
            return Err("a page of the listing has no key, and says that more follow".to_owned());
        }
        if next.as_deref().is_some_and(|next| !self.tokens.insert(digest(next))) {
            return Err("the listing repeats a continuation token, and would never end".to_owned());
        }
        for (entry, key) in page.entries.into_iter().zip(keys) {
            self.place(entry, key, &mut listed);
        }
        self.over = next.is_none();
        self.token = next;
        Ok(listed)
    }

    /// Keys come in order and once, or what a page leaves out cannot be known. Whether they do not, where that is of no
    /// consequence: in a page that is `alone`.
    fn order(&mut self, keys: &[&str], alone: bool) -> Result<bool, String> {
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

    /// Puts an entry where it belongs.
    fn place(&self, entry: RawEntry, key: Result<String, OddEntry>, listed: &mut ListedPage) {
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

/// A listing of another bucket or under another prefix is no answer; in words which. Both are bucket and prefix.
pub fn is_of_the_request(
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

/// Where the next page begins, if what is said of that agrees.
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

/// The key of an entry, or the entry as an odd one, under the key as it came: no listing is believed that has an entry
/// without one.
fn key_of(entry: &RawEntry, encoded: bool) -> Result<Result<String, OddEntry>, String> {
    let key = entry.key.as_deref().filter(|key| !key.is_empty()).ok_or("the listing has an entry without a key")?;
    if !encoded {
        return Ok(Ok(key.to_owned()));
    }
    let why = || "its key in the listing is not in URL encoding".to_owned();
    Ok(decoded_key(key).ok_or_else(|| OddEntry { key: key.to_owned(), why: why() }))
}

/// The object of an entry; in words which of its values cannot be read.
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
