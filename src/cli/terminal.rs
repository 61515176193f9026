use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use super::global::{Display, Verbosity};
use crate::render::{Charset, Detail, Style};

/// The style of standard output.
pub(super) fn style(display: Display) -> Style {
    let terminal = io::stdout().is_terminal();
    // A pipe has no width: other programs wrap for themselves, and search in whole lines.
    let width = if terminal { usize::from(console::Term::stdout().size().1).clamp(40, 120) } else { Style::UNBOUNDED };
    let detail = match display.verbosity {
        Verbosity::Quiet => Detail::Quiet,
        Verbosity::Normal => Detail::Brief,
        Verbosity::Verbose | Verbosity::Requests => Detail::Full,
    };
    Style { colour: display.colour.on(terminal), width, detail, charset: charset() }
}

/// The characters that this process may print.
pub(super) fn charset() -> Charset {
    static CHARSET: OnceLock<Charset> = OnceLock::new();
    *CHARSET.get_or_init(|| of_locale(|name| std::env::var_os(name)))
}

/// The characters of the locale: `LC_ALL`, else `LC_CTYPE`, else `LANG`, as POSIX defines it. An empty variable counts as
/// not set; without any, the locale is `C`.
fn of_locale<V: AsRef<OsStr>>(variable: impl Fn(&str) -> Option<V>) -> Charset {
    let set = |name: &str| variable(name).filter(|value| !value.as_ref().is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let locale = locale.map(|locale| locale.as_ref().to_string_lossy().to_lowercase()).unwrap_or_default();
    // LANGUAGE_TERRITORY.CODESET@MODIFIER
    let codeset = locale.split('@').next().and_then(|locale| locale.split_once('.')).map(|(_, codeset)| codeset);
    if matches!(codeset, Some("utf-8" | "utf8")) { Charset::Utf8 } else { Charset::Ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        type Row = (&'static [(&'static str, &'static str)], Charset);
        let table: [Row; 12] = [
            (&[], Charset::Ascii),
            (&[("LANG", "en_US.UTF-8")], Charset::Utf8),
            (&[("LANG", "C.utf8")], Charset::Utf8),
            (&[("LANG", "de_DE.UTF-8@euro")], Charset::Utf8),
            (&[("LANG", "de_DE@euro")], Charset::Ascii),
            (&[("LANG", "en_US")], Charset::Ascii),
            (&[("LANG", "de_DE.ISO-8859-1")], Charset::Ascii),
            (&[("LANG", "en_US.UTF-8"), ("LC_CTYPE", "POSIX")], Charset::Ascii),
            (&[("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], Charset::Utf8),
            (&[("LC_ALL", "C"), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C.UTF-8")], Charset::Ascii),
            (&[("LC_ALL", ""), ("LC_CTYPE", ""), ("LANG", "C.UTF-8")], Charset::Utf8),
            (&[("LC_ALL", "UTF-8")], Charset::Ascii),
        ];
        for (variables, expected) in table {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(of_locale(variable), expected, "{variables:?}");
        }
    }
}
