//! The proxies that the environment names.

/// The variables that name a proxy.
pub(super) const PROXIES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The environment variables that are set and name a proxy.
pub(super) fn proxy_settings() -> Vec<&'static str> {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    PROXIES.into_iter().filter(set).collect()
}

/// End of a sentence that names the proxy settings, if there are any: the host that cannot be resolved or reached may
/// be the proxy.
pub(super) fn by_proxy() -> String {
    match proxy_settings().as_slice() {
        [] => String::new(),
        names => format!("; a proxy is set by {}", names.join(" and ")),
    }
}
