use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;

use crate::blocks::BlockRecord;
use crate::cli::output::keep_output;
use crate::cli::replaced::check_still_own;
use crate::cli::usage::read;
use crate::cli::written::WrittenFiles;
use crate::commands::store::RecordKeeper;
use crate::facts::ObjectFacts;
use crate::files::{InputKind, OutputKind, remove_whole};
use crate::ident::Target;
use crate::record::Record;
use crate::sync::lock;

/// The record of a store, and its file.
pub(super) struct KeptRecord {
    path: PathBuf,
    record: Record,
    /// Of the last call of the store.
    call: Mutex<Option<Call>>,
    written: WrittenFiles,
    /// Whether the record of another store is replaced.
    force: bool,
}

/// What was written before a call.
struct Call {
    written_at: String,
    text: String,
    before: Before,
}

/// What the file held before that.
enum Before {
    Absent,
    Text(String),
    /// A pipe, or a file that is no record and is replaced by force: it does not come back.
    Other,
}

impl Before {
    fn of(path: &Path) -> Self {
        match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Before::Absent,
            Ok(there) if there.is_file() => read(path, InputKind::Record).map_or(Before::Other, Before::Text),
            _ => Before::Other,
        }
    }
}

impl KeptRecord {
    /// A record that is to be written.
    pub(super) fn new(path: &Path, record: Record, written: &WrittenFiles, force: bool) -> Self {
        KeptRecord { path: path.to_owned(), record, call: Mutex::default(), written: written.clone(), force }
    }

    /// Fails if the file holds the record of another store. By force that may be replaced once: what is there after this
    /// run wrote its own was written meanwhile.
    fn check_still_own(&self) -> Result<(), String> {
        let is_forced = self.force && lock(&self.call).is_none();
        if is_forced { Ok(()) } else { check_still_own(&self.path, &self.record) }
    }

    /// Writes the record, and returns its text. The content of the AMI costs money to read, and a store does not know it:
    /// what the file holds of it stays, also if it was added since the store began.
    fn save(&self, record: Record) -> Result<String, String> {
        let content = kept_content(&self.path, &record.image).or(record.content);
        let text = Record { content, ..record }.to_json().map_err(|error| error.to_string())?;
        self.write(&text)
            .map_err(|error| format!("the record {} could not be written: {error}", self.path.display()))?;
        Ok(text)
    }

    /// The ETag of the object that the store wrote, if the file holds it already.
    fn written_etag(&self) -> Option<String> {
        let text = read(&self.path, InputKind::Record).ok()?;
        Record::from_json(&text).ok().filter(|kept| kept.image == self.record.image)?.etag
    }

    fn write(&self, text: &str) -> io::Result<()> {
        keep_output(&self.written, &self.path, OutputKind::Record, text.as_bytes())
    }

    fn record(&self) -> Record {
        let call = lock(&self.call);
        let written_at = call.as_ref().map_or(&self.record.written_at, |call| &call.written_at).clone();
        Record { written_at, ..self.record.clone() }
    }
}

/// Whether a target is the object of the store that a record is of.
fn is_at(target: &Target, record: &Record) -> bool {
    matches!(target, Target::Object(uri) if uri.bucket == record.bucket && uri.key == record.key)
}

/// What only the stored object states, for the one who has to keep it elsewhere.
fn stated(record: &Record) -> String {
    let etag = record.etag.as_ref().map(|etag| format!("ETag {etag}"));
    let version = record.version_id.as_ref().map(|version| format!("version {version}"));
    let bytes = record.object_bytes.map(|bytes| format!("{bytes} bytes"));
    let object = format!("s3://{}/{}", record.bucket, record.key);
    [Some(object), etag, version, bytes].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The content of this AMI in a record, or in a file of a content alone.
fn kept_content(path: &Path, image: &str) -> Option<Box<BlockRecord>> {
    let text = read(path, InputKind::Record).ok()?;
    let content = match Record::from_json(&text) {
        Ok(record) => record.content?,
        Err(_) => Box::new(BlockRecord::from_json(&text).ok()?),
    };
    (content.image == image).then_some(content)
}

impl RecordKeeper for KeptRecord {
    fn before_start(&self, now: Timestamp) -> Result<(), String> {
        self.check_still_own().map_err(|problem| format!("{problem}; the store was not started"))?;
        let (written_at, before) = (now.to_string(), Before::of(&self.path));
        let text = self.save(Record { written_at: written_at.clone(), ..self.record.clone() })?;
        *lock(&self.call) = Some(Call { written_at, text, before });
        Ok(())
    }

    /// What another program wrote there meanwhile stays.
    fn not_started(&self) -> Result<(), String> {
        let Some(call) = lock(&self.call).take() else { return Ok(()) };
        if matches!(call.before, Before::Other) || read(&self.path, InputKind::Record).ok() != Some(call.text) {
            return Ok(());
        }
        let again = match call.before {
            Before::Absent => remove_whole(&self.path),
            Before::Text(text) => self.write(&text),
            Before::Other => Ok(()),
        };
        self.written.forget(&self.path);
        again.map_err(|error| format!("the record {} is not what it was before: {error}", self.path.display()))
    }

    /// Adds what only the stored object states.
    fn completed(&self, object: &ObjectFacts) -> Result<(), String> {
        let completed = Record {
            etag: object.id.etag.as_ref().map(ToString::to_string),
            version_id: object.version.clone(),
            object_bytes: Some(object.size),
            ..self.record()
        };
        if !is_at(&object.id.target, &completed) {
            return Err(format!(
                "the record {} is of the store to s3://{}/{}, and this one wrote {}; it was left as it is",
                self.path.display(),
                completed.bucket,
                completed.key,
                object.id.target
            ));
        }
        if let (Some(wrote), Some(now)) = (self.written_etag(), &completed.etag)
            && wrote != *now
        {
            return Err(format!(
                "the record {} says that the store wrote the object with ETag {wrote}, and the object that is there has \
                 {now}: it was written again since; the record was left as it is",
                self.path.display()
            ));
        }
        let stated = stated(&completed);
        let kept = self.check_still_own().and_then(|()| self.save(completed));
        kept.map(drop).map_err(|problem| format!("{problem}; it does not hold {stated}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::BlockDigest;
    use crate::checks::preflight::LogicalSize;
    use crate::facts::{Caller, FactsSource, ImageFacts};
    use crate::ident::ObjectId;

    fn content(image: &str) -> BlockRecord {
        BlockRecord {
            tool: String::new(),
            written_at: String::new(),
            image: image.to_owned(),
            region: "us-east-1".to_owned(),
            volumes: Vec::new(),
            empty_volumes: Vec::new(),
            other_mappings: 0,
            sidecar_sha256: BlockDigest::ZEROS,
            sidecar_bytes: 7,
        }
    }

    fn kept(path: &Path, force: bool) -> KeptRecord {
        let caller = Caller { account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/x".into() };
        let image = ImageFacts { id: "ami-1".into(), ..ImageFacts::default() };
        let record = Record::of(&image, &[], &LogicalSize::stated(1, "test"), &caller, "us-east-1");
        let record = Record { bucket: "b".to_owned(), key: "ami-1.bin".to_owned(), ..record };
        KeptRecord::new(path, record, &WrittenFiles::default(), force)
    }

    #[test]
    fn what_was_read_of_the_ami_stays_in_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let kept = kept(&path, false);
        let id = ObjectId { target: "s3://b/ami-1.bin".parse().unwrap(), etag: None };
        let object = ObjectFacts::new(id, FactsSource::Other("a test"), 5);
        let there = || Record::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        kept.before_start(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(there().content, None);
        // While the store runs, the content is read, into the record or into a file of its own that takes its place.
        let read = Some(Box::new(content("ami-1")));
        std::fs::write(&path, Record { content: read.clone(), ..there() }.to_json().unwrap()).unwrap();
        kept.completed(&object).unwrap();
        assert_eq!((there().content, there().object_bytes), (read.clone(), Some(5)));
        std::fs::write(&path, content("ami-1").to_json().unwrap()).unwrap();
        kept.completed(&object).unwrap();
        assert_eq!(there().content, read);
        // That of another AMI is not its own.
        std::fs::write(&path, content("ami-2").to_json().unwrap()).unwrap();
        let problem = kept.completed(&object).unwrap_err();
        assert!(problem.contains("holds the record of ami-2") && problem.contains("5 bytes"), "{problem}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content("ami-2").to_json().unwrap());
    }

    #[test]
    fn what_another_program_wrote_meanwhile_stays_after_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let kept = kept(&path, true);
        let there = || std::fs::read_to_string(&path).ok();
        kept.before_start(Timestamp::UNIX_EPOCH).unwrap();
        kept.not_started().unwrap();
        assert_eq!((there(), kept.written.list()), (None, Vec::new()));
        std::fs::write(&path, "x").unwrap();
        kept.before_start(Timestamp::UNIX_EPOCH).unwrap();
        assert_ne!(there(), Some("x".to_owned()));
        kept.not_started().unwrap();
        assert_eq!(there(), Some("x".to_owned()));
        kept.before_start(Timestamp::UNIX_EPOCH).unwrap();
        std::fs::write(&path, "of another").unwrap();
        kept.not_started().unwrap();
        assert_eq!(there(), Some("of another".to_owned()));
    }
}
