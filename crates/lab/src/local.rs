//! Accepts requests from programs on this machine and refuses those of web pages.
//!
//! The lab checks no signatures. A page in a browser on the same machine can send requests to loopback, by DNS
//! rebinding (a foreign name that resolves to 127.0.0.1) or across origins (a form that posts `?delete`). The `Host`
//! and `Origin` headers of such requests name the page's host.

use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, Uri, header};

use super::wire::{Code, S3Error};

/// Refuses a request that is addressed to, or comes from, a host that is not loopback.
pub(crate) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), S3Error> {
    let foreign = |what: &str| {
        Err(Code::AccessDenied.because(format!("The lab takes requests for loopback hosts only; {what} names another")))
    };
    if uri.authority().is_some_and(|authority| !is_loopback(authority)) {
        return foreign("the request line");
    }
    let mut hosts = headers.get_all(header::HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
    if !headers.contains_key(header::HOST) || !hosts.all(|host| host.is_some_and(|host| is_loopback(&host))) {
        return foreign("the Host header");
    }
    // `null` is the origin of sandboxed frames and of files.
    let mut origins = headers.get_all(header::ORIGIN).iter().map(|origin| Uri::try_from(origin.as_bytes()).ok());
    if !origins.all(|origin| origin.is_some_and(|origin| origin.authority().is_some_and(is_loopback))) {
        return foreign("the Origin header");
    }
    Ok(())
}

/// `localhost` and the names below it (RFC 6761 §6.3), and loopback addresses; with a port or without, and nothing else.
fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let port = authority.as_str().strip_prefix(host);
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if !port.is_some_and(|port| port.is_empty() || is_port(port)) {
        return false;
    }
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(uri: &str, headers: &[(header::HeaderName, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        check(&uri.parse().unwrap(), &headers).is_ok()
    }

    #[test]
    fn only_loopback_hosts_are_served() {
        let host = |host: &str| allowed("/b/k", &[(header::HOST, host)]);
        for own in ["127.0.0.1", "127.0.0.1:9000", "127.8.9.1", "[::1]:9000", "localhost", "LOCALHOST:1", "b.localhost"]
        {
            assert!(host(own), "{own}");
        }
        let foreign = [
            "evil.example",
            "evil.example:9000",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "evillocalhost",
            "s3.amazonaws.com",
            "",
            "a@127.0.0.1@b",
            "127.0.0.1 evil.example",
            "localhost:evil.example",
            "evil.example@127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:99999",
        ];
        for foreign in foreign {
            assert!(!host(foreign), "{foreign}");
        }
        assert!(!allowed("/b/k", &[]), "every browser and every client sends a Host");
        assert!(!allowed("http://evil.example/b/k", &[(header::HOST, "127.0.0.1")]));
        assert!(allowed("http://127.0.0.1:9000/b/k", &[(header::HOST, "127.0.0.1:9000")]));
        let mut twice = HeaderMap::new();
        for host in ["127.0.0.1", "evil.example"] {
            twice.append(header::HOST, host.parse().unwrap());
        }
        assert!(check(&"/".parse().unwrap(), &twice).is_err());
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let origin = |origin: &str| allowed("/b?delete", &[(header::HOST, "127.0.0.1:9000"), (header::ORIGIN, origin)]);
        for own in ["http://127.0.0.1:9000", "http://localhost:3000", "https://app.localhost", "http://[::1]"] {
            assert!(origin(own), "{own}");
        }
        for foreign in [
            "https://evil.example",
            "http://127.0.0.1.evil.example",
            "null",
            "",
            "file://",
            "http://127.0.0.1:9000.evil.example",
            "http://a@127.0.0.1",
        ] {
            assert!(!origin(foreign), "{foreign}");
        }
    }
}
