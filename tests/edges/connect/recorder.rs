use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// The target of the request line: a path, or a full URL at a proxy.
    pub target: String,
    pub head: String,
    pub body: String,
}

impl Seen {
    /// The id of the key that signed the request.
    pub fn access_key(&self) -> Option<&str> {
        self.head.split_once("Credential=")?.1.split('/').next()
    }
}

/// An HTTP server that records requests and sends given responses. As a proxy, it responds by itself.
pub struct Recorder {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Status line and headers without the blank line, and the body.
pub type Answer = (String, String);

pub fn plain(status: u16, body: &str) -> Answer {
    (format!("HTTP/1.1 {status} X\r\ncontent-type: text/xml"), body.to_owned())
}

impl Recorder {
    pub fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &*answer, &log));
            }
        });
        Recorder { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Seen) -> Answer, log: &Mutex<Vec<Seen>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let seen = Seen { method, target, head: head.clone(), body: String::from_utf8_lossy(&body).into_owned() };
    log.lock().unwrap().push(seen.clone());
    let (start, body) = answer(&seen);
    let sent = if seen.method == "HEAD" { "" } else { &body };
    let length = body.len();
    write!(writer, "{start}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{sent}").ok()
}
