use crate::text::sentences;
use crate::units::counted;

sentences! {
    /// Lines of a checksum file that were ignored.
    pub enum SumsNote {
        /// They are no checksums. `first` is the number of the first one.
        Foreign { file: String, lines: usize, first: usize } =>
            "checksum file {file}: {} no checksum and left out, line {first} first"
            (format!("{} {}", counted(*lines as u64, "line"), if *lines == 1 { "is" } else { "are" })),
        /// The algorithm is not implemented here.
        NotComputed { file: String, line: usize, algorithm: String } =>
            "checksum file {file}: line {line} is left out: {algorithm} is not computed here",
    }
}
