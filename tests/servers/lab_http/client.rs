//! A minimal HTTP/1.1 client over a socket: it retries, follows and checks nothing.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A response, and how its body ended.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Why the body ended before its announced length.
    pub broken: Option<io::ErrorKind>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first element with this name.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.replace("&quot;", "\""))
    }

    /// The code of an error document.
    pub fn code(&self) -> String {
        self.element("Code").unwrap_or_default()
    }
}

/// Sends one request over a new connection.
pub fn send(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).unwrap();
    // Long enough for a busy machine, short enough to detect a stalled body.
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {to}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    receive(BufReader::new(stream), method == "HEAD")
}

fn receive(mut stream: BufReader<TcpStream>, bodiless: bool) -> Answer {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new(), broken: None };
    if bodiless || status == 204 || status == 304 {
        return answer;
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = chunks(&mut stream);
        return answer;
    }
    let mut left: usize = answer.header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let want = left.min(buffer.len());
        match stream.read(&mut buffer[..want]) {
            Ok(0) => {
                answer.broken = Some(io::ErrorKind::UnexpectedEof);
                break;
            }
            Ok(read) => {
                answer.body.extend_from_slice(&buffer[..read]);
                left -= read;
            }
            Err(error) => {
                answer.broken = Some(error.kind());
                break;
            }
        }
    }
    answer
}

fn chunks(stream: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let size = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
