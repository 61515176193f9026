use std::borrow::Cow;

/// Removes secrets from every URL in a text: user and password, and the query, which in a presigned URL
/// contains the signature and a token. `s3:` and `file:` addresses are left unchanged, because a `?` in them
/// is part of the name, unless they contain a signature.
pub fn redact_urls(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !holds_signature(text) {
        return Cow::Borrowed(text);
    }
    let text = without_users(text);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let end = rest.find(ends_word).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        show_word(word, &mut shown);
        let next = behind.chars().next().map_or(0, char::len_utf8);
        let (stop, left) = behind.split_at(next);
        shown.push_str(stop);
        rest = left;
    }
    Cow::Owned(shown)
}

/// Parameters of presigned URLs in the current and the old format, in lower case.
const MARKS: [&str; 4] = ["x-amz-", "awsaccesskeyid", "signature", "security-token"];
/// Separators between a parameter and its value, and between parameters, plain or percent-encoded.
const EQUALS: [&str; 2] = ["=", "%3d"];
const BETWEEN: [&str; 8] = ["?", "&", ";", "#", "%3f", "%26", "%3b", "%23"];

/// Whether a text contains the signature of a presigned URL, with or without a scheme before it.
pub fn holds_signature(text: &str) -> bool {
    signature(text).is_some()
}

/// The position where the parameters of a presigned URL start, including the separator. A name may contain a
/// word such as `signature`, so only a parameter with a value counts.
fn signature(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let begins = |at: usize| {
        let before = lower.get(..at)?;
        let between = BETWEEN.iter().find(|between| before.ends_with(**between));
        match between {
            Some(between) => Some(at - between.len()),
            // A whole word, as in a message that quotes it.
            None if at == 0 => Some(0),
            None => None,
        }
    };
    let has_value = |at: usize, mark: &str| {
        let rest = lower.get(at + mark.len()..).unwrap_or_default();
        let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
        let of_mark = if mark.ends_with('-') { name } else { 0 };
        rest.get(of_mark..).is_some_and(|rest| EQUALS.iter().any(|equals| rest.starts_with(equals)))
    };
    let found = |mark: &'static str| {
        let all = lower.match_indices(mark).filter(move |(at, _)| has_value(*at, mark));
        all.filter_map(|(at, _)| begins(at).or_else(|| mark.starts_with("x-amz-").then_some(at))).min()
    };
    MARKS.iter().filter_map(|mark| found(mark)).min()
}

/// Removes the text between `://` and the host. A password may contain spaces, quotes and slashes, which
/// normally end the authority. If the text before them cannot be a host, everything up to the last `@` before
/// the next address or the end of the line is removed.
fn without_users(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        rest = behind;
        if is_name(before.get(..at).unwrap_or_default()) {
            continue;
        }
        let end = behind.find("://").unwrap_or(behind.len());
        let stretch = behind.get(..end).unwrap_or_default();
        let stretch = stretch.split('\n').next().unwrap_or_default();
        let word = stretch.find(ends_word).unwrap_or(stretch.len());
        let first = stretch.get(..word).unwrap_or_default();
        let authority = first.split(['/', '?', '#']).next().unwrap_or_default();
        let ended = authority.len() < first.len();
        // It can be a host if it has no colon, or only digits or nothing after the colon.
        let is_host = |last: usize| match authority.rsplit_once(':') {
            _ if authority.contains('@') => false,
            Some((_, port)) => port.bytes().all(|byte| byte.is_ascii_digit()),
            None => ended || !stretch.get(..last).unwrap_or_default().contains(':'),
        };
        if let Some(last) = stretch.rfind('@').filter(|last| !is_host(*last)) {
            shown.push_str("…@");
            rest = behind.get(last + 1..).unwrap_or_default();
        }
    }
    if shown.is_empty() {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Whether a text that ends in a scheme starts an address in which `?` and `@` are part of a name.
fn is_name(before: &str) -> bool {
    let scheme = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))).next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("s3") || scheme.eq_ignore_ascii_case("file"))
}

/// Characters that no URL contains unescaped and that messages put around a URL.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '`' | '\'' | '"' | '<' | '>' | '‘' | '’' | '“' | '”')
}

fn show_word(word: &str, shown: &mut String) {
    let signed = signature(word);
    let Some(at) = word.find("://") else {
        let cut = signed.map(|signed| word.find('?').map_or(signed, |query| query.min(signed)));
        match cut.map(|cut| word.get(..cut).unwrap_or_default()) {
            Some("") => shown.push('…'),
            Some(before) => [before, "?…"].iter().for_each(|piece| shown.push_str(piece)),
            None => shown.push_str(word),
        }
        return;
    };
    let (scheme, address) = (word.get(..at).unwrap_or_default(), word.get(at + 3..).unwrap_or_default());
    let is_name = is_name(scheme);
    if is_name && signed.is_none() {
        shown.push_str(word);
        return;
    }
    // A password may contain characters that end the authority of a well-formed URL, so everything before the
    // last `@` is removed.
    let signed = signed.map(|signed| signed.saturating_sub(at + 3));
    let cut = [address.find(['?', '#']), signed].into_iter().flatten().min();
    let (place, cut) = match cut {
        Some(at) => (address.get(..at).unwrap_or_default(), "?…"),
        None => (address, ""),
    };
    // A `?` or `#` in the password of a malformed URL leaves its `@` after the cut.
    let hidden = !is_name && address.contains('@') && !place.contains('@');
    let place = if hidden { "" } else { place.rsplit_once('@').map_or(place, |(_, host)| host) };
    for piece in [scheme, "://", if hidden || address.contains('@') { "…@" } else { "" }, place, cut] {
        shown.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_only_scheme_host_and_path_are_shown() {
        for (text, shown) in [
            ("https://b.s3.amazonaws.com/k?X-Amz-Signature=abc&x=1: no", "https://b.s3.amazonaws.com/k?… no"),
            ("`https://b/k?X-Amz-Signature=abc` is none", "`https://b/k?…` is none"),
            ("HTTPS://b/k?a=b", "HTTPS://b/k?…"),
            ("http://user:secret@host:9000/x", "http://…@host:9000/x"),
            ("http://user:se@cret@host", "http://…@host"),
            ("http://user:se/cret@host", "http://…@host"),
            ("http://user:se?cret@host", "http://…@host"),
            ("socks5://u:p@host", "socks5://…@host"),
            ("(https://host/k#frag)", "(https://host/k?…"),
            ("b.s3.amazonaws.com/k?X-Amz-Signature=abc", "b.s3.amazonaws.com/k?…"),
            ("k?AWSAccessKeyId=A&Signature=b&Expires=1", "k?…"),
            ("s3://b/k?x-amz-signature=abc", "s3://b/k?…"),
            ("https://b/k&X-Amz-Signature=abc&x=1", "https://b/k?…"),
            ("https://b/k;X-Amz-Signature=abc", "https://b/k?…"),
            ("b/k;X-Amz-Signature=abc: none", "b/k?… none"),
            ("s3://b/k%3FX-Amz-Signature=abc", "s3://b/k?…"),
            ("s3://b/k%3fAWSAccessKeyId%3DA%26Signature%3Db", "s3://b/k?…"),
            ("s3://b/kX-Amz-Signature=abc", "s3://b/k?…"),
            ("X-Amz-Signature=abc", "…"),
            ("`http://b/k?AWSAccessKeyId=A&Signature=b` is none", "`http://b/k?…` is none"),
            ("https://user:se cret@host/x: no", "https://…@host/x: no"),
            ("https://user:s'ecret@host", "https://…@host"),
            ("https://user:a b@c d@host two", "https://…@host two"),
            ("https://user:s/e c'r\"et@host/x", "https://…@host/x"),
            ("https://user:p@ss word@host", "https://…@host"),
            ("https://us er:p@host and http://u:p q@h", "https://…@host and http://…@h"),
            ("--to=https://h/k?s=t two http://h/?q", "--to=https://h/k?… two http://h/?…"),
        ] {
            assert_eq!(redact_urls(text), shown, "{text}");
        }
    }

    #[test]
    fn names_stay() {
        for text in [
            "",
            "s3://b/k?versionId=v@1#x",
            "file:///a?b@c",
            "http://localhost:9000/base",
            "plain text: a?b=c, x@y",
            "arn:aws:s3:::b/k?versionId=1",
            "s3://b/signature=1/k",
            "http://localhost:9000 said no to me@home",
            "http://localhost said no to me@home",
            "s3://b/a b@c",
        ] {
            assert_eq!(redact_urls(text), text);
        }
    }
}
