use super::text;
use crate::checkpoint::{Checkpoint, CheckpointObject};
use crate::checksum::Algorithm;
use crate::plan::{Budget, Limits, PartLayout, ReadPlan};
use crate::sealed::seal_version;
use crate::units::KIB;

/// Input: a checkpoint file, or the document inside one. The document is then given the right program and
/// plan and sealed, because a file in which these differ is refused at once.
pub fn checkpoint(data: &[u8]) -> bool {
    const SIZE: u64 = 300_000;
    let wanted = [
        (Algorithm::Md5, PartLayout::uniform(SIZE, 100_000)),
        (Algorithm::Crc32, PartLayout::whole(SIZE)),
        (Algorithm::Sha256, PartLayout::whole(SIZE)),
    ];
    let limits = Limits::default();
    let waiting_room = 128 * KIB;
    let budget = Budget { concurrency: 1, grow_to: 1, range_bytes: None, waiting_room, lanes_room: 0, limits };
    let plan = ReadPlan::new(SIZE, &wanted, budget);
    let Some(text) = text(data) else { return false };
    let whole = || {
        let mut inner: serde_json::Value = serde_json::from_str(text).ok()?;
        let fields = inner.as_object_mut()?;
        fields.insert("tool".to_owned(), concat!("stored-ami ", env!("CARGO_PKG_VERSION")).into());
        fields.insert("plan".to_owned(), plan.fingerprint().hex().into());
        fields.insert("ranges".to_owned(), plan.ranges().len().into());
        let object: CheckpointObject = serde_json::from_value(fields.get("object")?.clone()).ok()?;
        Some((
            Checkpoint::from_json(&seal_version("checkpoint", Checkpoint::VERSION, &inner).ok()?).ok()?,
            Some(object),
        ))
    };
    let file = Checkpoint::from_json(text).ok().map(|checkpoint| (checkpoint, None));
    let Some((checkpoint, object)) = file.or_else(whole) else { return false };
    let again = checkpoint.to_json().map(|text| Checkpoint::from_json(&text).ok());
    assert!(matches!(&again, Ok(Some(again)) if *again == checkpoint), "{again:?}");
    if let Some(object) = object
        && let Ok(midway) = checkpoint.midway(&object, &plan)
    {
        assert_eq!(midway.fits(&plan), Ok(()));
        let again = Checkpoint::new(object.clone(), &plan, &midway, String::new());
        assert!(again.midway(&object, &plan).is_ok_and(|again| again == midway));
    }
    true
}
