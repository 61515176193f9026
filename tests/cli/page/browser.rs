//! A headless Chromium, if one is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The path of the browser.
pub struct Browser(PathBuf);

/// Result of opening a page.
pub struct Seen {
    pub dom: String,
    /// The console messages of the page.
    pub complaints: Vec<String>,
}

impl Browser {
    pub fn find() -> Option<Self> {
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        found.into_iter().find(|path| path.is_file()).map(Browser)
    }

    pub fn open(&self, page: &Path) -> Seen {
        self.open_at(page, "")
    }

    /// Opens the page with this fragment of the URL.
    pub fn open_at(&self, page: &Path, fragment: &str) -> Seen {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new(&self.0)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"])
            .args(["--enable-logging=stderr", "--v=0", "--window-size=1400,1200", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}#{fragment}", page.display()))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        Seen {
            dom: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaints: log.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect(),
        }
    }
}

/// The page in a frame of this width in pixels, with the resulting width of its content. Windows cannot be as narrow as
/// a phone.
pub fn in_a_frame(page: &str, width: u32) -> String {
    driven(page, width, "p.textContent='measured:'+f.contentDocument.documentElement.scrollWidth+';'")
}

/// The page in a frame, and a script outside of it, to which the policy of the page does not apply. The script controls
/// the frame `f` and writes into the paragraph `p`.
pub fn driven(page: &str, width: u32, script: &str) -> String {
    let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!DOCTYPE html><meta charset=utf-8><body style=\"margin:0\">\
         <iframe id=f style=\"border:0;width:{width}px;height:6000px\" srcdoc=\"{quoted}\"></iframe><p id=p></p>\
         <script>f.onload=()=>{{{script}}}</script>"
    )
}
