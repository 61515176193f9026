//! A server between the program and the lab that modifies requests and responses.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Modifies the head of a request.
type ChangeHead = Box<dyn Fn(String) -> String + Send + Sync>;
/// Modifies the response to a request with this body; the number counts the responses to the same action.
type ChangeAnswer = Box<dyn Fn(&str, u64, String) -> String + Send + Sync>;

struct Changes {
    head: ChangeHead,
    action: String,
    answer: ChangeAnswer,
    seen: AtomicU64,
}

/// A running proxy.
pub struct Between {
    pub endpoint: String,
    changes: Arc<Changes>,
}

impl Between {
    /// Modifies the responses to EC2 and STS calls whose body contains `action`, and to S3 requests whose URL does.
    pub fn answers(
        lab: &str,
        action: &str,
        change: impl Fn(&str, u64, String) -> String + Send + Sync + 'static,
    ) -> Self {
        let changes = Changes {
            head: Box::new(|head| head),
            action: action.to_owned(),
            answer: Box::new(change),
            seen: AtomicU64::new(0),
        };
        Self::with(lab, changes)
    }

    /// Removes header lines with this prefix from requests.
    pub fn without_header(lab: &str, name: &'static str) -> Self {
        let head = move |head: String| {
            let kept = head.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with(name));
            kept.collect()
        };
        let changes = Changes {
            head: Box::new(head),
            action: "no action".to_owned(),
            answer: Box::new(|_, _, answer| answer),
            seen: AtomicU64::new(0),
        };
        Self::with(lab, changes)
    }

    fn with(lab: &str, changes: Changes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let lab = lab.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let changes = Arc::new(changes);
        let shared = Arc::clone(&changes);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (lab, shared) = (lab.clone(), Arc::clone(&shared));
                // A client that disconnects early is not an error.
                std::thread::spawn(move || drop(exchange(client, &lab, &shared)));
            }
        });
        Between { endpoint, changes }
    }

    /// Number of modified responses.
    pub fn seen(&self) -> u64 {
        self.changes.seen.load(Ordering::SeqCst)
    }
}

fn length(head: &str) -> usize {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    line.map_or(0, |line| line.split(':').nth(1).unwrap().trim().parse().unwrap())
}

/// Allows one request per connection, so that its response ends with the connection.
fn closing(head: &str) -> String {
    let kept: String =
        head.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:")).collect();
    kept.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1)
}

fn without_token(body: &str) -> String {
    let kept: Vec<&str> = body.split('&').filter(|pair| !pair.starts_with("NextToken=")).collect();
    kept.join("&")
}

fn exchange(mut client: TcpStream, lab: &str, changes: &Changes) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap();
    let mut body = vec![0; length(&head)];
    client.read_exact(&mut body)?;
    // The lab rejects page tokens that it did not issue.
    let told = without_token(&String::from_utf8_lossy(&body));
    let length = format!("content-length: {}\r\n", told.len());
    let announced = |line: &str| {
        if line.to_ascii_lowercase().starts_with("content-length:") { length.clone() } else { line.to_owned() }
    };
    let announced: String = head.split_inclusive("\r\n").map(announced).collect();
    let mut server = TcpStream::connect(lab)?;
    server.write_all(closing(&(changes.head)(announced)).as_bytes())?;
    server.write_all(told.as_bytes())?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let line = head.lines().next().unwrap_or_default();
    let asked = if line.starts_with("POST / ") { &body } else { line };
    if !asked.contains(&changes.action) {
        return client.write_all(&answer);
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let number = changes.seen.fetch_add(1, Ordering::SeqCst);
    let text = (changes.answer)(&body, number, text.to_owned());
    let head: String = head
        .split("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    client.write_all(format!("{head}content-length: {}\r\n\r\n", text.len()).as_bytes())?;
    client.write_all(text.as_bytes())
}
