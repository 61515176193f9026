use std::borrow::Cow;

/// The text with every URL in it cut down to what may be shown: without user and password, and without its query, which
/// in a presigned URL holds the signature and a token. `s3:` and `file:` addresses stay as they are, for what follows
/// a `?` there is part of a name; unless it is a signature all the same.
pub fn redact_urls(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !holds_signature(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
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

/// Whether a text holds the signature of a presigned URL, whether or not a scheme stands before it.
pub fn holds_signature(text: &str) -> bool {
    const MARKS: [&str; 5] =
        ["x-amz-signature=", "x-amz-security-token=", "x-amz-credential=", "awsaccesskeyid=", "?signature="];
    let lower = text.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.contains(mark)) || lower.contains("&signature=")
}

/// What no URL holds unescaped, and messages put around one.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '`' | '\'' | '"' | '<' | '>' | '‘' | '’' | '“' | '”')
}

fn show_word(word: &str, shown: &mut String) {
    let Some(at) = word.find("://") else {
        match (holds_signature(word), word.split_once('?')) {
            (true, Some((before, _))) => [before, "?…"].iter().for_each(|piece| shown.push_str(piece)),
            (true, None) => shown.push('…'),
            (false, _) => shown.push_str(word),
        }
        return;
    };
    let (scheme, address) = (word.get(..at).unwrap_or_default(), word.get(at + 3..).unwrap_or_default());
    let name = scheme.rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))).next();
    let is_name = name.is_some_and(|name| name.eq_ignore_ascii_case("s3") || name.eq_ignore_ascii_case("file"));
    if is_name && !holds_signature(address) {
        shown.push_str(word);
        return;
    }
    // A password may hold what ends the authority of a well-formed URL, so everything before the last `@` goes.
    let (place, cut) = match address.find(['?', '#']) {
        Some(at) => (address.get(..at).unwrap_or_default(), "?…"),
        None => (address, ""),
    };
    // A `?` or `#` in the password of a malformed URL leaves its `@` behind the cut.
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
            ("http://user:se?cret@host", "http://…@?…"),
            ("socks5://u:p@host", "socks5://…@host"),
            ("(https://host/k#frag)", "(https://host/k?…"),
            ("b.s3.amazonaws.com/k?X-Amz-Signature=abc", "b.s3.amazonaws.com/k?…"),
            ("k?AWSAccessKeyId=A&Signature=b&Expires=1", "k?…"),
            ("s3://b/k?x-amz-signature=abc", "s3://b/k?…"),
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
        ] {
            assert_eq!(redact_urls(text), text);
        }
    }
}
