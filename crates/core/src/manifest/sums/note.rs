use crate::text::sentences;

sentences! {
    /// Lines of a checksum file that were ignored.
    pub enum SumsNote {
        /// They are no checksums. `first` is the number of the first one.
        Foreign { file: String, lines: usize, first: usize } =>
            "checksum file {file}: {lines} {} no checksum and left out, line {first} first"
            (if *lines == 1 { "line is" } else { "lines are" }),
        /// The algorithm is not implemented here.
        NotComputed { file: String, line: usize, algorithm: String } =>
            "checksum file {file}: line {line} is left out: {algorithm} is not computed here",
    }
}
