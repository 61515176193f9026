//! Servers of other programs, from the Python virtual environment that `STORED_AMI_CLIENTS` names.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::print_stdout, reason = "a test that is left out says so")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const RCLONE_KEY: &str = "conformance";
pub const RCLONE_SECRET: &str = "secret-of-conformance";

/// A server that ends with this value.
pub struct Serving {
    pub url: String,
    child: Child,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of the environment; `None`, with a message, if it does not exist.
pub fn program(name: &str) -> Option<PathBuf> {
    let Some(clients) = std::env::var_os("STORED_AMI_CLIENTS") else {
        println!("skipped: STORED_AMI_CLIENTS names no virtualenv");
        return None;
    };
    Some(Path::new(&clients).join("bin").join(name))
}

/// Starts a server that takes a free port by itself, and returns when it has said which. A port that is chosen before the
/// server has it may be taken by a server of another test meanwhile.
fn serve(command: &mut Command) -> Serving {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    let url = loop {
        let Some(line) = lines.next() else { panic!("{command:?} does not come up: {said:?}") };
        if let Some(url) = own_url(&line) {
            break url;
        }
        said.push(line);
    };
    // A server whose standard error is full waits.
    std::thread::spawn(move || lines.for_each(drop));
    Serving { url, child }
}

/// The address in a line such as ` * Running on http://127.0.0.1:43743`.
fn own_url(line: &str) -> Option<String> {
    const HOST: &str = "http://127.0.0.1:";
    let (_, rest) = line.split_once(HOST)?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{HOST}{port}"))
}

/// moto's server. It takes any key.
pub fn moto() -> Option<Serving> {
    let python = program("python")?;
    Some(serve(Command::new(python).args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])))
}

/// `rclone serve s3` over this folder.
pub fn rclone(folder: &Path) -> Option<Serving> {
    let rclone = program("rclone")?;
    let mut command = Command::new(rclone);
    command.args(["serve", "s3", "--auth-key", &format!("{RCLONE_KEY},{RCLONE_SECRET}")]);
    command.args(["--addr", "127.0.0.1:0"]).arg(folder);
    // Ignore the configuration of the user who runs the tests.
    command.env("RCLONE_CONFIG", "/dev/null");
    Some(serve(&mut command))
}
