use super::algorithm::{Stated, algorithm_of_tag, known_algorithm};

/// A line of a checksum file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Sum(Sum),
    /// Empty or a comment.
    Blank,
    /// Anything else; `sha256sum -c` skips such lines too.
    Foreign,
}

/// A value and the file it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    pub stated: Option<Stated>,
    /// `None` if the line has a value only, or the tool read its standard input.
    pub name: Option<String>,
    /// Whether the line escapes its name. Otherwise a backslash may be a separator of a Windows path.
    pub escaped: bool,
    pub value: String,
    /// The mode of Perl's `shasum` that the first character of the name may stand for.
    pub mode: Option<Mode>,
}

/// Modes of Perl's `shasum` that hash something else than the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `-U`: text with universal newlines.
    Universal,
    /// `-0`: bits written as text.
    Bits,
    /// `-p`: portable text, as older versions mark it.
    Portable,
}

impl Mode {
    const ALL: [(char, Mode); 3] = [('U', Mode::Universal), ('^', Mode::Bits), ('?', Mode::Portable)];

    fn of(name: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|(mark, _)| name.len() > 1 && name.starts_with(*mark)).map(|(_, mode)| mode)
    }

    /// What the value was computed over, for the report.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Mode::Universal => "a hash of text with universal newlines (shasum -U)",
            Mode::Bits => "a hash of bits written as text (shasum -0)",
            Mode::Portable => "a hash of portable text (shasum -p)",
        }
    }
}

/// All lines, in order.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> {
    let mut signature = false;
    let mut heading: Option<Heading> = None;
    let of = move |line: &str| {
        let line = line.trim_end_matches('\r');
        signature |= line == "-----BEGIN PGP SIGNATURE-----";
        let parsed = if signature { Line::Foreign } else { parse(line) };
        signature &= line != "-----END PGP SIGNATURE-----";
        if let Some(sum) = heading.take().and_then(|heading| heading.sum(line, &parsed)) {
            return Line::Sum(sum);
        }
        match parsed {
            Line::Foreign if line.starts_with("CertUtil: ") => Line::Blank,
            Line::Foreign if !signature => {
                heading = Heading::of(line);
                if heading.is_some() { Line::Blank } else { Line::Foreign }
            }
            parsed => parsed,
        }
    };
    text.split('\n').map(of)
}

/// The line that `certutil -hashfile` writes before a value. It names the algorithm and the file in the
/// language of Windows.
struct Heading {
    stated: Stated,
    name: String,
}

impl Heading {
    /// `SHA1 hash of x.bin:`, `SHA1 hash of file x.bin:`, `SHA1-Hash von x.bin:`.
    fn of(line: &str) -> Option<Self> {
        let line = line.trim().strip_suffix(':')?.trim_end();
        if let Some((tag, name)) = line.split_once(" hash of ") {
            let name = name.strip_prefix("file ").unwrap_or(name).trim();
            let is_tag = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            return (is_tag && !name.is_empty())
                .then(|| Heading { stated: algorithm_of_tag(tag), name: name.to_owned() });
        }
        let (before, name) = line.rsplit_once(' ')?;
        let stated = before.split(|c: char| !c.is_ascii_alphanumeric()).find_map(known_algorithm)?;
        name.contains(['.', '/', '\\']).then(|| Heading { stated, name: name.to_owned() })
    }

    /// The value in the line below, whose bytes older versions separate by spaces.
    fn sum(&self, line: &str, parsed: &Line) -> Option<Sum> {
        let value: String = line.split_whitespace().collect();
        let alone = match parsed {
            Line::Sum(sum) => sum.name.is_none() && sum.stated.is_none(),
            Line::Foreign | Line::Blank => line.trim().split(' ').all(|byte| byte.len() == 2),
        };
        let hex = value.len() >= SHORTEST && value.bytes().all(|b| b.is_ascii_hexdigit());
        let (stated, name) = (Some(self.stated.clone()), Some(self.name.clone()));
        (alone && hex).then_some(Sum { stated, name, escaped: false, value, mode: None })
    }
}

/// Minimum number of digits of a value that stands alone or before a single space. Shorter ones may be words.
const SHORTEST: usize = 8;

fn parse(line: &str) -> Line {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Line::Blank;
    }
    let (line, escaped) = match line.strip_prefix('\\') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let parsed = bsd(line).or_else(|| prefixed(line)).or_else(|| gnu(line)).or_else(|| sfv(line));
    let Some((stated, name, value)) = parsed else { return Line::Foreign };
    // In two spaces, or in a space and `*`, the second character is the mark of the mode.
    let directly = name.is_some_and(|name| line.len() == value.len() + 1 + name.len());
    let mode = name.filter(|_| stated.is_none() && directly).and_then(Mode::of);
    let name = match name.filter(|name| !matches!(*name, "-" | "stdin" | "(stdin)")) {
        Some(name) if escaped => match unescape(name) {
            Some(name) => Some(name),
            None => return Line::Foreign,
        },
        name => name.map(str::to_owned),
    };
    Line::Sum(Sum { stated, name, escaped, value: value.to_owned(), mode })
}

type Parsed<'a> = (Option<Stated>, Option<&'a str>, &'a str);

/// `SHA256 (x) = h` of BSD and `--tag`, and `SHA256(x)= h` of OpenSSL, with or without spaces.
fn bsd(line: &str) -> Option<Parsed<'_>> {
    let (head, value) = line.trim_end().rsplit_once('=')?;
    // Base64 may end in `=` too.
    let (head, value) = match head.trim_end().ends_with(')') {
        true => (head, value.trim()),
        false => {
            let at = line.rfind(")=").or_else(|| line.rfind(") ="))?;
            let (head, rest) = line.split_at(at + 1);
            (head, rest.trim_start().strip_prefix('=')?.trim())
        }
    };
    let (tag, name) = head.trim_end().strip_suffix(')')?.split_once('(')?;
    let tag = tag.trim_end();
    let is_tag = tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/'));
    let is_value = !value.is_empty() && !value.contains(char::is_whitespace);
    // Old versions of OpenSSL write `(stdin)= h` without a tag.
    let stated = (!tag.is_empty()).then(|| algorithm_of_tag(tag));
    (is_tag && is_value && !name.is_empty()).then_some((stated, Some(name), value))
}

/// `sha256:h`, alone or before a name.
fn prefixed(line: &str) -> Option<Parsed<'_>> {
    let (token, name) = split_name(line);
    let (tag, value) = token.split_once(':')?;
    let stated = known_algorithm(tag)?;
    (!value.is_empty()).then_some((Some(stated), name, value))
}

/// `h  x` and `h *x` of GNU, `h x` of `md5 -r`, and `h` alone.
fn gnu(line: &str) -> Option<Parsed<'_>> {
    let (value, name) = split_name(line);
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit());
    let in_form = line.get(value.len()..).is_some_and(|rest| rest.starts_with("  ") || rest.starts_with(" *"));
    (hex && (value.len() >= SHORTEST || in_form && name.is_some())).then_some((None, name, value))
}

/// `x h` of SFV files.
fn sfv(line: &str) -> Option<Parsed<'_>> {
    let (name, value) = line.trim_end().rsplit_once([' ', '\t'])?;
    let name = name.trim_end();
    let hex = value.len() == 8 && value.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && !name.is_empty()).then_some((Some(Stated::Sfv), Some(name), value))
}

/// The first word, and the rest after one space and an optional mark of text or binary mode.
fn split_name(line: &str) -> (&str, Option<&str>) {
    match line.split_once([' ', '\t']) {
        None => (line, None),
        Some((token, rest)) => {
            let name = rest.strip_prefix([' ', '*']).unwrap_or(rest);
            (token, (!name.trim().is_empty()).then_some(name))
        }
    }
}

/// Removes GNU escapes. `None` if a backslash precedes a character that GNU does not escape.
fn unescape(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        plain.push(match c {
            '\\' => match rest.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;

    const H: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn sum(line: &str) -> (Option<Stated>, Option<String>, String) {
        match lines(line).next().unwrap() {
            Line::Sum(sum) => (sum.stated, sum.name, sum.value),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_format_is_parsed() {
        let sha = || Some(Stated::Computed(Algorithm::Sha256));
        let base64 = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";
        for (line, stated, name, value) in [
            (format!("{H}  x.bin"), None, Some("x.bin"), H),
            (format!("{H} *x.bin\r"), None, Some("x.bin"), H),
            (format!("{H} x.bin"), None, Some("x.bin"), H),
            (format!("  {H}\tx y.bin"), None, Some("x y.bin"), H),
            (format!("{H}  "), None, None, H),
            (H.to_owned(), None, None, H),
            (format!("{H}  -"), None, None, H),
            (format!("SHA256 (a (1).bin) = {H}"), sha(), Some("a (1).bin"), H),
            (format!("SHA256(x)= {H}"), sha(), Some("x"), H),
            (format!("SHA2-256(x) = {H} "), sha(), Some("x"), H),
            (format!("SHA256 (x)={H}"), sha(), Some("x"), H),
            (format!("SHA256(stdin)= {H}"), sha(), None, H),
            (format!("(stdin)= {H}"), None, None, H),
            (format!("SHA256 (a=b)= {H}"), sha(), Some("a=b"), H),
            (format!("SHA256 (x) = {base64}"), sha(), Some("x"), base64),
            (format!("SHA256 (a) = b) = {base64}"), sha(), Some("a) = b"), base64),
            (format!("sha256:{H}"), sha(), None, H),
            (format!("sha256:{H}  x"), sha(), Some("x"), H),
            (format!("\\{H}  a\\\\b\\nc\\rd"), None, Some("a\\b\nc\rd"), H),
            (format!("\\SHA256 (a\\\\b) = {H}"), sha(), Some("a\\b"), H),
            ("abcd  a".to_owned(), None, Some("a"), "abcd"),
        ] {
            assert_eq!(sum(&line), (stated, name.map(str::to_owned), value.to_owned()), "{line}");
        }
        for (line, other) in [(format!("BLAKE2b (x) = {H}"), "BLAKE2b"), ("SIZE (x) = 12".to_owned(), "SIZE")] {
            let (stated, name, _) = sum(&line);
            assert!(matches!(stated, Some(Stated::Other(tag)) if tag.starts_with(other)), "{line}");
            assert_eq!(name.as_deref(), Some("x"));
        }
        assert_eq!(sum("x A1B2C3D4"), (Some(Stated::Sfv), Some("x".to_owned()), "A1B2C3D4".to_owned()));
    }

    #[test]
    fn certutil_names_the_file_in_the_line_before() {
        let spaced: Vec<&str> = H.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
        for (heading, value, name) in [
            ("SHA256 hash of my x.bin:", H.to_owned(), "my x.bin"),
            ("SHA256 hash of file x.bin:", spaced.join(" "), "x.bin"),
            ("SHA256-Hash von C:\\d\\x.bin:", H.to_owned(), "C:\\d\\x.bin"),
            ("Hachage SHA256 de x.bin :", H.to_owned(), "x.bin"),
        ] {
            let text = format!("{heading}\r\n{value}\r\nCertUtil: -hashfile command completed successfully.\r\n");
            let read: Vec<Line> = lines(&text).collect();
            let [Line::Blank, Line::Sum(sum), Line::Blank, Line::Blank] = &read[..] else {
                panic!("{heading}: {read:?}")
            };
            assert_eq!((sum.name.as_deref(), sum.value.as_str()), (Some(name), H), "{heading}");
            assert_eq!(sum.stated, Some(Stated::Computed(Algorithm::Sha256)));
        }
        let other: Vec<Line> = lines(&format!("The MD5 of it is:\n{H}\n")).collect();
        assert!(matches!(&other[..], [Line::Foreign, Line::Sum(Sum { name: None, .. }), Line::Blank]), "{other:?}");
    }

    #[test]
    fn marks_of_shasum_stand_directly_before_a_name() {
        for (line, mode) in [
            (format!("{H} U./x"), Some(Mode::Universal)),
            (format!("{H} ^x"), Some(Mode::Bits)),
            (format!("{H} ?x"), Some(Mode::Portable)),
            (format!("{H}  Ux"), None),
            (format!("{H} *^x"), None),
            (format!("{H} x"), None),
            (format!("{H} U"), None),
        ] {
            let Some(Line::Sum(sum)) = lines(&line).next() else { panic!("{line}") };
            assert_eq!(sum.mode, mode, "{line}");
        }
    }

    #[test]
    fn other_lines_are_foreign() {
        for foreign in [
            "hello world",
            "-----BEGIN PGP SIGNED MESSAGE-----",
            "Hash: SHA256",
            "add a",
            "(x) =",
            "sha256:",
            &format!("\\{H}  a\\x"),
        ] {
            assert_eq!(lines(foreign).collect::<Vec<_>>(), [Line::Foreign], "{foreign}");
        }
        assert_eq!(lines("# a\n\n;b\n  \r\n").collect::<Vec<_>>(), vec![Line::Blank; 5]);
        let armour = format!("-----BEGIN PGP SIGNATURE-----\n{H}\n-----END PGP SIGNATURE-----\n{H}  x");
        let read: Vec<Line> = lines(&armour).collect();
        assert_eq!(read.iter().filter(|line| **line == Line::Foreign).count(), 3);
        assert!(matches!(read.last(), Some(Line::Sum(_))), "behind it");
    }
}
