use std::io;
use std::sync::Arc;

use http::Method;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::calls::CallRecord;
use super::dispatch;
use super::fault::Seen;
use super::operation::Operation;
use super::shared::Shared;
use super::wire::{LabSocket, S3Request, Switch};

/// Accepts connections until `stop` is cancelled, then drops all connections.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // A client that left before it was accepted is not an error.
                let Ok((stream, _)) = accepted else { continue };
                match shared.script.next(&Seen::CONNECTION) {
                    None => {
                        let open = Open::count(shared.clone());
                        connections.spawn(connection(stream, open));
                    }
                    Some(fault) => {
                        // RST, so that the client does not take it for an answer without a head.
                        let _ = stream.set_zero_linger();
                        let mut call = CallRecord::of(&S3Request::unreadable(Method::CONNECT));
                        (call.operation, call.fault) = (Operation::Connect, Some(fault));
                        shared.calls.add(call, Arc::default());
                    }
                }
            }
        }
    }
}

/// A connection that is counted as long as it is open.
struct Open(Arc<Shared>);

impl Open {
    fn count(shared: Arc<Shared>) -> Self {
        shared.connections.send_modify(|count| *count += 1);
        Open(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.send_modify(|count| *count -= 1);
    }
}

async fn connection(stream: TcpStream, open: Open) {
    let shared = open.0.clone();
    // Without it small answers wait for the client's acknowledgements.
    let _ = stream.set_nodelay(true);
    let switch = Arc::new(Switch::default());
    let socket = TokioIo::new(LabSocket::new(stream, switch.clone()));
    let service = service_fn(move |request| {
        let (shared, switch) = (shared.clone(), switch.clone());
        async move {
            let answer = dispatch::answer(shared, request, switch).await;
            answer.ok_or_else(|| io::Error::other("the script leaves no answer"))
        }
    });
    // Fault rules end connections on purpose, and clients hang up.
    let _ = http1::Builder::new().serve_connection(socket, service).await;
}
