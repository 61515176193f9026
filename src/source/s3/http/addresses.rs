use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

/// The system's resolver does not know a name, or cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UnknownName(#[source] io::Error);

/// Resolves names with the system's resolver, and starts with another address each time: a host name of S3 stands for
/// many servers, and one server is slower than all of them together.
#[derive(Clone, Default)]
pub(super) struct Addresses {
    /// Number of lookups so far.
    turn: Arc<AtomicUsize>,
}

impl Service<Name> for Addresses {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let found: Vec<SocketAddr> = {
                let found = tokio::net::lookup_host((name.as_str(), 0)).await;
                found.map_err(|error| io::Error::other(UnknownName(error)))?.collect()
            };
            Ok(in_turn(found, turn).into_iter())
        })
    }
}

/// Rotates the addresses of each family. The system decides which family comes first.
fn in_turn(found: Vec<SocketAddr>, turn: usize) -> Vec<SocketAddr> {
    let Some(first) = found.first().map(SocketAddr::is_ipv6) else { return found };
    let (mut preferred, mut others): (Vec<_>, Vec<_>) = found.into_iter().partition(|a| a.is_ipv6() == first);
    for family in [&mut preferred, &mut others] {
        family.sort_unstable();
        family.dedup();
        let shift = turn.checked_rem(family.len()).unwrap_or_default();
        family.rotate_left(shift);
    }
    preferred.append(&mut others);
    preferred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_comes_first_in_its_turn() {
        let found: Vec<SocketAddr> =
            ["[::1]:0", "10.0.0.2:0", "10.0.0.1:0", "[::2]:0", "10.0.0.3:0"].map(|a| a.parse().unwrap()).into();
        let of = |turn| in_turn(found.clone(), turn).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(of(0), "[::1]:0 [::2]:0 10.0.0.1:0 10.0.0.2:0 10.0.0.3:0");
        assert_eq!(of(1), "[::2]:0 [::1]:0 10.0.0.2:0 10.0.0.3:0 10.0.0.1:0");
        assert_eq!(of(5), "[::2]:0 [::1]:0 10.0.0.3:0 10.0.0.1:0 10.0.0.2:0");
        assert!(in_turn(Vec::new(), 7).is_empty());
    }
}
