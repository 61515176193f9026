use std::fmt::Write as _;

/// Quotes a target as one word of a POSIX shell, so that it can be pasted into a command. Control characters are
/// written as octal escapes.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    if !text.chars().any(is_terminal_control) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    escaped(text)
}

/// The words of a command, with their quotes.
pub fn command_words(command: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_printed, mut is_escaped) = (false, false, false);
    command.split(move |c| {
        is_quoted ^= c == '\'' && !is_escaped;
        is_printed ^= c == '"' && !is_quoted;
        is_escaped = c == '\\' && !is_quoted;
        c == ' ' && !is_quoted && !is_printed
    })
}

/// The same command in ASCII, for a terminal that shows nothing else. Its words are quoted by [`shell_word`].
pub fn ascii_command(command: &str) -> String {
    let word = |word: &str| match word.is_ascii() {
        true => word.to_owned(),
        // A word with a line break is ASCII already, so that the break can stand for a quote.
        false => escaped(&word.replace("'\\''", "\n").replace('\'', "").replace('\n', "'")),
    };
    command_words(command).map(word).collect::<Vec<_>>().join(" ")
}

/// Appends the bytes of a character as octal escapes.
fn push_octal(word: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a `String` cannot fail.
        let _ = write!(word, "\\{byte:03o}");
    }
}

/// The text as a word of ASCII characters, with escapes.
fn escaped(text: &str) -> String {
    // `$(…)` removes trailing newlines, and not every shell supports `$'…'`.
    let (open, close) = if text.ends_with('\n') { ("$'", "'") } else { ("\"$(printf '", "')\"") };
    let mut word = open.to_owned();
    for c in text.chars() {
        match c {
            '%' if open != "$'" => word.push_str("%%"),
            '\\' => word.push_str("\\\\"),
            c if is_terminal_control(c) || c == '\'' || !c.is_ascii() => push_octal(&mut word, c),
            c => word.push(c),
        }
    }
    word + close
}

/// An option with its value, for a POSIX shell. A value that begins with a dash is not taken for an option.
pub fn shell_option(name: &str, value: &str) -> String {
    let separator = if value.starts_with('-') { "=" } else { " " };
    format!("{name}{separator}{}", shell_word(value))
}

/// Whether a character moves the cursor, ends a line, or changes the direction of the text around it.
pub fn is_terminal_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn only_what_a_shell_would_change_is_quoted() {
        for (text, word) in [
            ("s3://b/p/ami-1a2b3c4d.bin", "s3://b/p/ami-1a2b3c4d.bin"),
            ("s3://b/k?versionId=v", "'s3://b/k?versionId=v'"),
            ("s3://b/a b", "'s3://b/a b'"),
            ("s3://b/it's", "'s3://b/it'\\''s'"),
            ("", "''"),
            ("-x", "'-x'"),
            ("s3://b/ünï%20", "s3://b/ünï%20"),
            ("s3://b/\u{1b}", "\"$(printf 's3://b/\\033')\""),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn a_shell_reads_it_back() {
        let hard = "$HOME `id` $(id) \\ \\n \" ' ! * ? [a] {a,b} ~ # & | ; < > ( ) %s %% \t \u{7} \r\n é \u{202e} end";
        for text in [hard, "é", "a é", "it's é", "'é", "a\nb", "it's\u{1b}%d", "-n", "~", "a\\", "\u{85}x"] {
            let script = format!("printf %s {}", shell_word(text));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{script}");
            let ascii = ascii_command(&format!("printf '%s%s' a {} ü", shell_word(text)));
            assert!(ascii.is_ascii(), "{ascii}");
            let output = Command::new("sh").args(["-c", &ascii]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("a{text}ü"), "{ascii}");
        }
        let script = format!("printf %s {}", shell_word("ends\n"));
        if let Ok(output) = Command::new("bash").args(["-c", &script]).output() {
            assert_eq!(String::from_utf8_lossy(&output.stdout), "ends\n");
        }
    }
}
