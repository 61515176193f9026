use aws_config::profile::ProfileSet;

/// Maximum number of profile names in a message.
const SHOWN: usize = 20;

/// End of a message: the existing profiles.
pub(super) fn names(profiles: &ProfileSet) -> String {
    let mut names: Vec<&str> = profiles.profiles().collect();
    names.sort_unstable();
    match names.len() {
        0 => "they define no profiles: `aws configure --profile NAME` creates one".to_owned(),
        count if count > SHOWN => {
            let shown = names.get(..SHOWN).unwrap_or_default().join(", ");
            format!("existing profiles: {shown} and {} more", count - SHOWN)
        }
        _ => format!("existing profiles: {}", names.join(", ")),
    }
}

/// A key of a nested section, such as the one that `s3 =` starts.
pub(super) fn nested<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let mut found = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value.trim());
    found.next_back().filter(|value| !value.is_empty())
}

/// Whether a URI has a host and a valid port; the parser of URIs accepts any text as a port.
pub(super) fn has_host(uri: &http::Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let host = authority.host();
    let after = authority.as_str().rsplit('@').next().and_then(|rest| rest.strip_prefix(host));
    let port = after.map(|after| after.strip_prefix(':').unwrap_or(after));
    !host.is_empty() && port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok())
}

/// Whether a malformed URL may contain a password or a signature and must not be shown.
pub(super) fn may_hold_a_secret(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let after_colon = host.split_once(':').map(|(_, port)| port.trim_end_matches('/'));
    after_colon.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) || url.contains(['@', '?', '#'])
}

/// A text without URLs that may contain a password or a signature: everything from the first suspicious word to the
/// last one is replaced.
pub(super) fn without_secrets(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let odd = |word: &&str| word.contains(['@', '?', '#']);
    if !words.iter().any(odd) {
        return words.join(" ");
    }
    let suspect = |word: &&str| odd(word) || word.contains("://");
    let first = words.iter().position(suspect).unwrap_or_default();
    let last = words.iter().rposition(suspect).unwrap_or_default();
    let kept = [words.get(..first).unwrap_or_default(), &["…"], words.get(last + 1..).unwrap_or_default()];
    kept.concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_is_secret() {
        for (text, shown) in [
            ("bad URI http://u:hunter2@h/x?sig=hunter2 given", "bad URI … given"),
            ("bad URI http://user:hun?ter2@h given", "bad URI … given"),
            ("bad URI http://user:hun ter 2@h given", "bad URI … given"),
            ("bad URI http://user:hun#ter2/@h", "bad URI …"),
            ("no answer from http://169.254.170.2/x in time", "no answer from http://169.254.170.2/x in time"),
            ("http:/u:hunter2@h", "…"),
            ("path?token=hunter2: refused", "… refused"),
            ("no answer", "no answer"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
