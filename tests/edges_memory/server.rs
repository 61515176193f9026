//! A server that states arbitrary facts about its only object.

use std::io::{BufRead as _, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::common::bare_command;

/// The facts.
#[derive(Clone, Default)]
pub struct Stated {
    pub size: u64,
    pub etag: String,
    /// Additional headers of a HEAD without a part number.
    pub headers: String,
    /// Size and number of parts in the HEAD of any part; `None` to reject such requests.
    pub part: Option<(u64, u32)>,
    /// Response to GetObjectAttributes; `None` if the server does not support it.
    pub attributes: Option<String>,
    /// Accepts requests and never responds.
    pub silent: bool,
}

/// A running server.
pub struct Hostile {
    endpoint: String,
}

impl Hostile {
    /// Serves until the test process ends.
    pub fn start(stated: Stated) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let stated = Arc::new(stated);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let stated = Arc::clone(&stated);
                // A client that disconnects is not an error.
                thread::spawn(move || drop(serve(&stated, stream)));
            }
        });
        Hostile { endpoint }
    }

    /// A command for the object of this server.
    pub fn command(&self, what: &[&str]) -> std::process::Command {
        let mut command = bare_command();
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .args(what);
        command
    }
}

fn serve(stated: &Stated, stream: TcpStream) -> std::io::Result<()> {
    let mut to = stream.try_clone()?;
    let mut from = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if from.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut range = None;
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(bytes) = line.strip_prefix("range: bytes=") {
                range = bytes.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            }
        }
        if stated.silent {
            thread::park();
        }
        answer(stated, &first, range, &mut to)?;
    }
}

fn answer(stated: &Stated, first: &str, range: Option<(u64, u64)>, to: &mut TcpStream) -> std::io::Result<()> {
    let Stated { size, etag, headers, .. } = stated;
    let etag = format!("ETag: \"{etag}\"\r\nLast-Modified: Mon, 05 Jan 2026 10:00:00 GMT\r\n");
    let refused = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";
    if first.starts_with("HEAD") && first.contains("partNumber=") {
        let Some((bytes, parts)) = stated.part else { return to.write_all(refused.as_bytes()) };
        let last = bytes - 1;
        return write!(
            to,
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {bytes}\r\nContent-Range: bytes 0-{last}/{size}\r\n\
             x-amz-mp-parts-count: {parts}\r\n{etag}\r\n"
        );
    }
    if first.starts_with("HEAD") {
        return write!(to, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{etag}{headers}\r\n");
    }
    if first.contains("?attributes") {
        let Some(body) = &stated.attributes else { return to.write_all(refused.as_bytes()) };
        write!(to, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
        return to.write_all(body.as_bytes());
    }
    let Some((from, until)) = range else { return to.write_all(refused.as_bytes()) };
    let length = until - from + 1;
    write!(
        to,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{until}/{size}\r\n{etag}\r\n"
    )?;
    let zeros = [0; 65_536];
    let mut left = length;
    while left > 0 {
        let now = left.min(65_536);
        to.write_all(&zeros[..now as usize])?;
        left -= now;
    }
    Ok(())
}
