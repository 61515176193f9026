//! Servers of other programs, from the Python virtual environment that `STORED_AMI_CLIENTS` names.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::print_stdout, reason = "a test that is left out says so")]

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

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a server, and returns when it accepts connections.
fn serve(command: &mut Command, port: u16) -> Serving {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let serving = Serving { url: format!("http://127.0.0.1:{port}"), child };
    let started = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed().as_secs() < 60, "{command:?} does not come up");
        std::thread::yield_now();
    }
    serving
}

/// moto's server. It takes any key.
pub fn moto() -> Option<Serving> {
    let python = program("python")?;
    let port = free_port();
    let args = ["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()];
    Some(serve(Command::new(python).args(args), port))
}

/// `rclone serve s3` over this folder.
pub fn rclone(folder: &Path) -> Option<Serving> {
    let rclone = program("rclone")?;
    let port = free_port();
    let mut command = Command::new(rclone);
    command.args(["serve", "s3", "--auth-key", &format!("{RCLONE_KEY},{RCLONE_SECRET}")]);
    command.args(["--addr", &format!("127.0.0.1:{port}")]).arg(folder);
    // Ignore the configuration of the user who runs the tests.
    command.env("RCLONE_CONFIG", "/dev/null");
    Some(serve(&mut command, port))
}
