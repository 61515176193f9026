//! Checks that an XML response is complete. The SDK's parser accepts a truncated document as a shorter one.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

/// Limit of nesting; responses of AWS have at most a dozen levels.
const DEEPEST: u64 = 64;

/// Limits of a document. An empty element takes a few bytes on the wire and hundreds in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    /// All elements.
    pub elements: u64,
    /// Entries of the outermost list, which EC2 names `item`.
    pub entries: u64,
    /// Entries of inner lists.
    pub inner: u64,
}

impl Most {
    /// Limits the number of elements only.
    pub(crate) const fn elements(elements: u64) -> Self {
        Most { elements, entries: u64::MAX, inner: u64::MAX }
    }
}

/// Content of a complete document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Whole {
    /// Name of the root element, without its prefix.
    pub root: String,
    /// Entries of the outermost list.
    pub entries: u64,
    /// Entries of inner lists.
    pub inner: u64,
}

/// Why a document cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("it is cut off: its XML ends before its first element is closed")]
    Cut,
    #[error("it is an HTML page")]
    Html,
    #[error("it is not well-formed XML")]
    Malformed,
    #[error("its XML is nested deeper than {DEEPEST} elements")]
    TooDeep,
    #[error("it has more elements or list entries than any honest answer")]
    TooMany,
}

/// Reads a document to its end.
///
/// # Errors
///
/// The document is cut off, malformed or HTML, or it exceeds a limit.
pub(crate) fn whole(body: &[u8], most: Most) -> Result<Whole, Broken> {
    let mut reader = Reader::from_reader(body);
    let mut scan = Scan { most, found: Whole::default(), elements: 0, depth: 0, ended: false };
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                scan.open(&tag)?;
                scan.depth += 1;
            }
            Ok(Event::Empty(tag)) => {
                scan.open(&tag)?;
                scan.close();
            }
            Ok(Event::End(_)) => {
                scan.depth = scan.depth.saturating_sub(1);
                scan.close();
            }
            Ok(Event::Text(text)) => scan.outside_is_blank(&text)?,
            Ok(Event::CData(_) | Event::GeneralRef(_)) => scan.outside_is_blank(b"&")?,
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
            Ok(Event::DocType(name)) => return Err(if is_html(&name) { Broken::Html } else { Broken::Malformed }),
            Ok(Event::Eof) if scan.ended => return Ok(scan.found),
            Ok(Event::Eof) if scan.depth > 0 => return Err(scan.refuse(Broken::Cut)),
            Ok(Event::Eof) => return Err(Broken::Malformed),
            // The body ends inside a tag, a comment or a reference.
            Err(error) => {
                let cut = scan.depth > 0 && (matches!(error, Error::Syntax(_)) || ends_open(body));
                return Err(scan.refuse(if cut { Broken::Cut } else { Broken::Malformed }));
            }
        }
    }
}

struct Scan {
    most: Most,
    found: Whole,
    elements: u64,
    depth: u64,
    ended: bool,
}

impl Scan {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Broken> {
        if self.ended {
            return Err(Broken::Malformed);
        }
        if self.depth >= DEEPEST {
            return Err(Broken::TooDeep);
        }
        self.elements += 1;
        let name = tag.local_name();
        match (self.depth, name.as_ref()) {
            (0, name) => {
                self.found.root = String::from_utf8_lossy(name).into_owned();
                if is_html(name) {
                    return Err(Broken::Html);
                }
            }
            (2, b"item") => self.found.entries += 1,
            (_, b"item") => self.found.inner += 1,
            _ => {}
        }
        let Most { elements, entries, inner } = self.most;
        let fits = self.elements <= elements && self.found.entries <= entries && self.found.inner <= inner;
        if fits { Ok(()) } else { Err(Broken::TooMany) }
    }

    fn close(&mut self) {
        self.ended = self.depth == 0;
    }

    fn outside_is_blank(&self, text: &[u8]) -> Result<(), Broken> {
        let blank = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii().is_empty();
        if self.depth > 0 || blank { Ok(()) } else { Err(Broken::Malformed) }
    }

    /// An HTML page of a gateway is rarely well-formed XML.
    fn refuse(&self, broken: Broken) -> Broken {
        if is_html(self.found.root.as_bytes()) { Broken::Html } else { broken }
    }
}

fn is_html(name: &[u8]) -> bool {
    name.trim_ascii().get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"html"))
}

/// Whether a tag or a reference is still open at the end.
fn ends_open(body: &[u8]) -> bool {
    let last = |byte| body.iter().rposition(|found| *found == byte);
    last(b'<') > last(b'>') || last(b'&') > last(b'>').max(last(b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<?xml version=\"1.0\"?>\n<!-- > --><R xmlns=\"urn:x\"><set><item><a>1 &amp; 2</a><tags><item/></tags>\
        </item><item/></set><t><![CDATA[<x>]]></t><n/></R>\n";

    fn of(text: &str) -> Result<Whole, Broken> {
        whole(text.as_bytes(), Most { elements: 100, entries: 10, inner: 10 })
    }

    #[test]
    fn only_all_of_an_answer_is_whole() {
        assert_eq!(of(ANSWER), Ok(Whole { root: "R".into(), entries: 2, inner: 1 }));
        let end = ANSWER.trim_end().len();
        for cut in 0..end {
            assert!(of(&ANSWER[..cut]).is_err(), "{}", &ANSWER[..cut]);
        }
        let begin = ANSWER.find("<set>").unwrap();
        for cut in begin..end {
            assert_eq!(of(&ANSWER[..cut]), Err(Broken::Cut), "{}", &ANSWER[..cut]);
        }
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (text, broken) in [
            ("", Broken::Malformed),
            ("no XML", Broken::Malformed),
            ("<R/>x", Broken::Malformed),
            ("<R/><R/>", Broken::Malformed),
            ("<R></S></R>", Broken::Malformed),
            ("</R>", Broken::Malformed),
            ("<!DOCTYPE R><R/>", Broken::Malformed),
            ("<!DOCTYPE html><html></html>", Broken::Html),
            ("<!doctype html>\n<html>", Broken::Html),
            ("<HTML><body><br></body></HTML>", Broken::Html),
            ("<R><a></R>", Broken::Malformed),
        ] {
            assert_eq!(of(text), Err(broken), "{text}");
        }
    }

    #[test]
    fn elements_and_entries_are_bounded() {
        let deep = format!("<R>{}{}</R>", "<a>".repeat(64), "</a>".repeat(64));
        assert_eq!(of(&deep), Err(Broken::TooDeep));
        assert_eq!(of(&format!("<R>{}</R>", "<a/>".repeat(100))), Err(Broken::TooMany));
        assert!(of(&format!("<R>{}</R>", "<a/>".repeat(99))).is_ok());
        assert_eq!(of(&format!("<R><set>{}</set></R>", "<item/>".repeat(11))), Err(Broken::TooMany));
        let inner = format!("<R><set><item><tags>{}</tags></item></set></R>", "<item/>".repeat(11));
        assert_eq!(of(&inner), Err(Broken::TooMany));
        // Counting stops at the limit, not at the end of the document.
        assert_eq!(of(&format!("<R><set>{}", "<item/>".repeat(11))), Err(Broken::TooMany));
    }
}
