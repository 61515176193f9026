//! Reads the targets of a command: from arguments, and from files that they name.

#[cfg(feature = "s3")]
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::args::{ConnectionArgs, VersionArgs};
use super::command::Command;
use super::cost::Costed;
use super::selection::{KeyPattern, MOST_TARGETS, SelectionArgs, Word};
use super::usage::{UsageError, load, read as read_file};
use crate::files::InputKind;
use crate::ident::{ObjectUri, Target, TypedTarget};
#[cfg(feature = "s3")]
use crate::ident::{TargetProblem, redact_urls};

/// Reads the targets of a command, with the files that its arguments name.
///
/// # Errors
///
/// A text is not a target, with a hint; or a file cannot be read.
pub(super) async fn read(command: &mut Command) -> Result<(), UsageError> {
    match command {
        Command::Inspect(args) => {
            let words = words(&args.typed, &mut args.selection).await?;
            args.targets = targets(words, &args.version, &mut args.common.connection)?;
        }
        Command::Verify(args) => {
            let like = args.references.typed_like.clone();
            only_one_reads_input(args.typed.iter().chain(&like).filter_map(Word::url_file), &args.selection)?;
            let words = words(&args.typed, &mut args.selection).await?;
            args.targets = targets(words, &args.version, &mut args.common.connection)?;
            if let Some(like) = like {
                let like = expanded(&like).await?;
                args.references.like = Some(target(&like, &VersionArgs::default(), &mut args.common.connection)?);
            }
        }
        Command::Bench(args) => {
            let words = words(args.typed.as_slice(), &mut SelectionArgs::default()).await?;
            args.target = targets(words, &args.version, &mut args.common.connection)?.pop();
        }
        Command::Cost(args) => {
            for word in words(&args.typed, &mut args.selection).await? {
                let costed = match word.as_str().parse() {
                    Ok(image) => Costed::Image(image),
                    Err(_) => Costed::Target(target(&word, &args.version, &mut args.connection)?),
                };
                args.targets.push(costed);
            }
        }
        #[cfg(feature = "ec2")]
        Command::Copy(args) => {
            if let Some(typed) = &args.typed {
                let (source, region) = source(typed, &args.version).await?;
                (args.source, args.source_region) = (Some(source), region);
            }
        }
        #[cfg(feature = "s3")]
        Command::Compare(args) => {
            let files = [&args.typed_a, &args.typed_b].into_iter().filter_map(Word::url_file);
            only_one_reads_input(files, &SelectionArgs::default())?;
            let (a, b) = (expanded(&args.typed_a).await?, expanded(&args.typed_b).await?);
            let region = |word: &Word| word.as_str().parse::<TypedTarget>().ok()?.region();
            args.regions = (region(&a), region(&b));
            args.targets = Some((compared(&a, &b)?, compared(&b, &a)?));
        }
        #[cfg(feature = "s3")]
        Command::Thaw(args) => {
            let words = words(&args.typed, &mut SelectionArgs::default()).await?;
            args.targets = targets(words, &args.version, &mut args.connection)?;
            // A second request for one object may cost money.
            let mut seen = BTreeSet::new();
            args.targets.retain(|target| seen.insert(target.to_string()));
        }
        _ => {}
    }
    Ok(())
}

/// One of two objects to compare. A bucket stands for no object, also where the other end has a key.
#[cfg(feature = "s3")]
fn compared(typed: &Word, other: &Word) -> Result<Target, UsageError> {
    let target = typed.as_str().parse::<TypedTarget>().and_then(|typed| typed.target(None));
    let target = target.map_err(|error| match error.problem {
        TargetProblem::NoKey => {
            let name = other.as_str().rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("KEY");
            let folder = error.target.trim_end_matches('/');
            let whole = redact_urls(&format!("{folder}/{name}")).into_owned();
            UsageError(format!(
                "{}: names a bucket, and `compare` takes two objects or files; write {whole}",
                error.target
            ))
        }
        _ => UsageError(error.to_string()),
    })?;
    if let Target::File(path) = &target {
        check_file(path)?;
    }
    Ok(target)
}

/// Refuses several arguments that read standard input. `files` are those of arguments `@FILE`.
fn only_one_reads_input(files: impl Iterator<Item = PathBuf>, selection: &SelectionArgs) -> Result<(), UsageError> {
    if files.chain(selection.targets_from.clone()).filter(|file| file.as_os_str() == "-").count() > 1 {
        return Err(UsageError("standard input can be read once only, by --targets-from - or by @-".to_owned()));
    }
    Ok(())
}

/// The word, or the one in the file that it names.
async fn expanded(word: &Word) -> Result<Word, UsageError> {
    match word.url_file() {
        None => Ok(word.clone()),
        Some(file) => one_in(file).await,
    }
}

/// What was typed, with the content of files. Patterns are moved to `selection`.
async fn words(typed: &[Word], selection: &mut SelectionArgs) -> Result<Vec<Word>, UsageError> {
    only_one_reads_input(typed.iter().filter_map(Word::url_file), selection)?;
    let mut words = Vec::new();
    for word in typed {
        words.push(expanded(word).await?);
    }
    if let Some(file) = selection.targets_from.clone() {
        words.extend(listed(file, InputKind::List).await?);
        if words.len() > MOST_TARGETS {
            return Err(UsageError(format!("--targets-from: more than {MOST_TARGETS} targets; use audit --list")));
        }
        if words.is_empty() {
            return Err(UsageError("--targets-from: the file names no target".to_owned()));
        }
    }
    if let Some(kind) = selection.kind() {
        let patterns = words.drain(..).map(|word| KeyPattern::parse(word.as_str(), kind));
        selection.patterns = patterns.collect::<Result<_, _>>()?;
    }
    Ok(words)
}

/// The source of a copy, and the Region that its URL states; `@FILE` names the file that holds it.
#[cfg(feature = "ec2")]
async fn source(typed: &TypedTarget, version: &VersionArgs) -> Result<(Target, Option<String>), UsageError> {
    let wrong = |error: crate::ident::ParseTargetError| UsageError(error.to_string());
    let target = typed.target(version.version_id.as_ref()).map_err(wrong)?;
    let file = match &target {
        Target::File(path) => path.to_str().and_then(|path| Word::new(path).url_file()),
        Target::Object(_) | Target::Presigned(_) => None,
    };
    match file {
        None => Ok((target, typed.region())),
        Some(file) => {
            let typed: TypedTarget = one_in(file).await?.as_str().parse().map_err(wrong)?;
            Ok((typed.target(version.version_id.as_ref()).map_err(wrong)?, typed.region()))
        }
    }
}

/// The only target in a file.
async fn one_in(file: PathBuf) -> Result<Word, UsageError> {
    let shown = file.display().to_string();
    let mut lines = listed(file, InputKind::Url).await?;
    match (lines.pop(), lines.is_empty()) {
        (Some(word), true) => Ok(word),
        _ => Err(UsageError(format!(
            "@{shown}: the file must hold one URL, on one line; for a list use --targets-from {shown}"
        ))),
    }
}

async fn listed(file: PathBuf, kind: InputKind) -> Result<Vec<Word>, UsageError> {
    let shown = if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() };
    let text = load(shown.clone(), None, move || read_file(&file, kind)).await?;
    lines(&text).map_err(|problem| UsageError(format!("{shown}: {problem}")))
}

/// The targets in a text. Spaces belong to a target, because keys may begin and end with them; a carriage return before
/// the end of a line does not.
fn lines(text: &str) -> Result<Vec<Word>, String> {
    if let Some(before) = text.find('\0').and_then(|at| text.get(..at)) {
        let line = before.matches('\n').count() + 1;
        return Err(format!("line {line} has a NUL byte; write one target a line"));
    }
    let lines = text.trim_start_matches('\u{feff}').split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Word::new).collect())
}

fn targets(
    words: Vec<Word>,
    version: &VersionArgs,
    connection: &mut ConnectionArgs,
) -> Result<Vec<Target>, UsageError> {
    words.iter().map(|word| target(word, version, connection)).collect()
}

/// The target of a word. Keeps the Region that a URL states.
fn target(word: &Word, version: &VersionArgs, connection: &mut ConnectionArgs) -> Result<Target, UsageError> {
    let wrong = |error: crate::ident::ParseTargetError| UsageError(error.to_string());
    let typed: TypedTarget = word.as_str().parse().map_err(wrong)?;
    let target = typed.target(version.version_id.as_ref()).map_err(wrong)?;
    match &target {
        Target::File(path) => check_file(path)?,
        Target::Object(uri) => {
            connection.url_regions.extend(typed.region().map(|region| (uri.clone(), region)));
        }
        Target::Presigned(_) => {}
    }
    Ok(target)
}

/// Refuses `bucket/key` if nothing of that name is in the file system.
fn check_file(path: &Path) -> Result<(), UsageError> {
    let there = |path: &Path| path.symlink_metadata().is_ok();
    let Some(meant) = path.to_str().and_then(ObjectUri::meant_by) else { return Ok(()) };
    if there(path) || there(Path::new(&meant.bucket)) {
        return Ok(());
    }
    Err(UsageError(format!("{}: there is no such file; write {meant} for an object in S3", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_a_line() {
        let read = |text: &str| {
            lines(text).map(|words| words.into_iter().map(|word| word.as_str().to_owned()).collect::<Vec<_>>())
        };
        let text = "\u{feff}s3://b/k\r\n# comment\n\n s3://b/ spaces \r\n#\r\n\r\n./#file";
        assert_eq!(read(text).unwrap(), ["s3://b/k", " s3://b/ spaces ", "./#file"]);
        assert_eq!(read("s3://b/a\rb\n").unwrap(), ["s3://b/a\rb"], "a carriage return inside a key");
        assert_eq!(read("").unwrap(), [""; 0]);
        assert!(read("a\nb\0c").unwrap_err().starts_with("line 2 has a NUL byte"));
    }
}
