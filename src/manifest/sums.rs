use crate::checksum::{Algorithm, Digest};

/// Why a checksum file gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SumsError {
    #[error("has no line for `{name}`")]
    NoLine { name: String },
    #[error("names `{name}` more than once, with different values")]
    Ambiguous { name: String },
    #[error("line {line}: {problem}")]
    Line { line: usize, problem: String },
}

/// Finds the value of `name` in a checksum file: GNU lines (`<hex>  <name>`, `<hex> *<name>`)
/// and BSD lines (`SHA256 (<name>) = <hex>`). Directories before a name do not count.
pub fn find_sum(text: &str, name: &str) -> Result<Digest, SumsError> {
    let mut found: Option<Digest> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with('#') || line.starts_with(';') {
            continue;
        }
        let wrong = |problem: String| SumsError::Line { line: index + 1, problem };
        let digest = if let Some((algorithm, file, value)) = bsd(line) {
            if last_segment(file) != name {
                continue;
            }
            let algorithm = algorithm.parse::<Algorithm>().map_err(|error| wrong(error.to_string()))?;
            Digest::parse(algorithm, value).map_err(|error| wrong(error.to_string()))?
        } else if let Some((value, file)) = gnu(line) {
            if last_segment(file) != name {
                continue;
            }
            let algorithm = by_length(value).ok_or_else(|| {
                wrong(format!("{} hexadecimal digits are of no checksum this file form can name", value.len()))
            })?;
            Digest::parse(algorithm, value).map_err(|error| wrong(error.to_string()))?
        } else {
            return Err(wrong("is neither `<hex>  <name>` nor `<ALGORITHM> (<name>) = <hex>`".to_owned()));
        };
        // Files of the same name in two folders: which one is meant cannot be told.
        if found.is_some_and(|first| first.algorithm() == digest.algorithm() && first != digest) {
            return Err(SumsError::Ambiguous { name: name.to_owned() });
        }
        found = found.or(Some(digest));
    }
    found.ok_or_else(|| SumsError::NoLine { name: name.to_owned() })
}

fn last_segment(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn bsd(line: &str) -> Option<(&str, &str, &str)> {
    let (algorithm, rest) = line.split_once(" (")?;
    let (file, value) = rest.rsplit_once(") = ")?;
    (!algorithm.contains(' ')).then_some((algorithm, file, value.trim()))
}

fn gnu(line: &str) -> Option<(&str, &str)> {
    // A leading backslash says that the name is escaped.
    let (value, file) = line.strip_prefix('\\').unwrap_or(line).split_once(' ')?;
    let file = file.strip_prefix([' ', '*'])?;
    let hex = !value.is_empty() && value.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && !file.is_empty()).then_some((value, file))
}

/// The algorithm that the tools of this file form write at this length.
fn by_length(value: &str) -> Option<Algorithm> {
    match value.len() {
        32 => Some(Algorithm::Md5),
        40 => Some(Algorithm::Sha1),
        64 => Some(Algorithm::Sha256),
        128 => Some(Algorithm::Sha512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;

    #[test]
    fn both_forms() {
        let sha = Hasher::digest(Algorithm::Sha256, b"x");
        let md5 = Hasher::digest(Algorithm::Md5, b"x");
        let text = format!(
            "# comment\n\n{}  other.bin\n{} *dir/a.bin\r\nMD5 (b (1).bin) = {}\nCRC64NVME (c.bin) = {}\n",
            md5.hex(),
            sha.hex(),
            md5.hex(),
            "ae8b14860a799888"
        );
        assert_eq!(find_sum(&text, "a.bin"), Ok(sha));
        assert_eq!(find_sum(&text, "b (1).bin"), Ok(md5));
        assert_eq!(find_sum(&text, "c.bin").unwrap().algorithm(), Algorithm::Crc64Nvme);
        assert_eq!(find_sum(&text, "d.bin"), Err(SumsError::NoLine { name: "d.bin".into() }));
    }

    #[test]
    fn two_files_of_one_name_are_not_told_apart_by_chance() {
        let line =
            |seed: &[u8], folder: &str| format!("{}  {folder}/a.bin\n", Hasher::digest(Algorithm::Md5, seed).hex());
        let text = line(b"x", "one") + &line(b"y", "two");
        assert_eq!(find_sum(&text, "a.bin"), Err(SumsError::Ambiguous { name: "a.bin".into() }));
        assert!(find_sum(&(line(b"x", "one") + &line(b"x", "two")), "a.bin").is_ok());
    }

    #[test]
    fn nonsense_is_placed() {
        assert!(matches!(find_sum("hello world\n", "a"), Err(SumsError::Line { line: 1, .. })));
        assert!(matches!(find_sum("abcd  a\n", "a"), Err(SumsError::Line { line: 1, .. })));
        assert!(matches!(find_sum("BLAKE9 (a) = 00\n", "a"), Err(SumsError::Line { line: 1, .. })));
    }
}
