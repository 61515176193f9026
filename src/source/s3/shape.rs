//! Whether a document of an operation holds what the API documents, so that an object that only begins like one is not
//! taken for it.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The elements that stand directly under the root of the documents that tell of an object's bytes. Other documents
/// are not held against a list.
fn documented(operation: &str) -> Option<&'static [&'static str]> {
    match operation {
        "GetObjectAttributes" => Some(&["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]),
        "GetObjectTagging" | "GetBucketTagging" => Some(&["TagSet"]),
        _ => None,
    }
}

/// Whether a body is one complete document whose root holds nothing but documented elements, each once.
pub(super) fn fits(operation: &str, body: &[u8]) -> bool {
    documented(operation).is_none_or(|names| {
        children(body).is_some_and(|found| {
            let once = |at: usize, name: &String| found.iter().skip(at + 1).all(|other| other != name);
            found.iter().enumerate().all(|(at, name)| names.contains(&name.as_str()) && once(at, name))
        })
    })
}

/// The names of the elements under the root, without prefixes. `None` where the body is not one complete document, or
/// holds text beside them.
fn children(body: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::from_reader(body);
    let mut found = Vec::new();
    let (mut depth, mut roots) = (0u32, 0u32);
    loop {
        let event = reader.read_event().ok()?;
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            match depth {
                0 => roots += 1,
                1 => found.push(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned()),
                _ => {}
            }
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::Text(text) if depth < 2 && !blank(&text) => return None,
            Event::CData(_) | Event::GeneralRef(_) if depth < 2 => return None,
            Event::DocType(_) => return None,
            Event::Eof => return (depth == 0 && roots == 1).then_some(found),
            _ => {}
        }
    }
}

/// White space, or the byte order mark before a document.
fn blank(text: &[u8]) -> bool {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documented_elements_stand_under_the_root() {
        let attributes = |body: &str| fits("GetObjectAttributes", body.as_bytes());
        for fine in [
            "<R/>",
            "\u{feff}<?xml version=\"1.0\"?>\n<R xmlns=\"urn:x\">\n <ETag>e</ETag><!-- x --><ObjectSize>1</ObjectSize>\n</R>\n",
            "<R><Checksum><Any>1</Any></Checksum><ObjectParts/><StorageClass>STANDARD</StorageClass></R>",
            "<s:R xmlns:s=\"urn:x\"><s:ETag>e</s:ETag></s:R>",
        ] {
            assert!(attributes(fine), "{fine}");
        }
        for other in [
            "",
            "<R>",
            "<R><ETag>e</R>",
            "<R/><R/>",
            "<R/>behind",
            "<R>text<ETag>e</ETag></R>",
            "<R><![CDATA[x]]></R>",
            "<R><Padding/></R>",
            "<R><ETag>a</ETag><ETag>b</ETag></R>",
            "<!DOCTYPE R><R/>",
        ] {
            assert!(!attributes(other), "{other}");
        }
        assert!(fits("GetObjectTagging", b"<Tagging><TagSet><Tag/></TagSet></Tagging>"));
        assert!(!fits("GetObjectTagging", b"<Tagging><Note/></Tagging>"));
        assert!(fits("GetObjectAcl", b"<X><Y/></X>"), "not held against a list");
    }
}
