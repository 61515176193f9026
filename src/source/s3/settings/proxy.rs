use super::{Environment, SettingError, values};

/// Refuses proxies that would be ignored silently. Their values are never shown, because they may contain a password.
pub(super) fn check(env: &Environment) -> Result<(), SettingError> {
    for (name, value) in env.proxies() {
        if value.is_empty() {
            continue;
        }
        let scheme = value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if scheme.as_deref().is_some_and(|scheme| scheme.starts_with("socks")) {
            let text = format!("{name}: SOCKS proxies are not supported; name an HTTP proxy, http://HOST:PORT");
            return Err(SettingError::new(text).of(name));
        }
        let uri: Option<http::Uri> = value.parse().ok();
        let usable = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), None | Some("http" | "https")) && values::has_host(&uri) && may_be_found(&uri)
        });
        if !usable {
            let text = format!(
                "{name} is no address of a proxy: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with \
                 reserved characters percent-encoded"
            );
            return Err(SettingError::new(text).of(name));
        }
    }
    Ok(())
}

/// Whether the host is an address or a name that a resolver may know.
fn may_be_found(uri: &http::Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    host.starts_with('[') || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_that_cannot_serve_are_refused_without_their_password() {
        let of = |value: &str| check(&Environment::of([("HTTPS_PROXY".into(), value.into())]).unwrap());
        for good in ["http://proxy:3128", "proxy:3128", "https://u:p@proxy", "", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert_eq!(of(good), Ok(()), "{good}");
        }
        for bad in [
            "socks5://u:hunter2@h:1080",
            "socks5h://h",
            "http://u:hunter2@",
            "http://u:hun ter2@h",
            "ftp://u:hunter2@h",
            "http:/u:hunter2@h",
            "http://u:hunter2@h:port",
            "http://u:hunter2@+P",
            "http://u@hunter2$:80",
            "http://u:hunter2#@h",
            "\u{1b}hunter2",
        ] {
            let problem = of(bad).unwrap_err().to_string();
            assert!(problem.starts_with("HTTPS_PROXY") && !problem.contains("hunter2"), "{bad}: {problem}");
        }
    }
}
