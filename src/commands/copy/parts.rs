//! The parts of the source, which the copy gets.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::commands::Discovery;
use crate::copy::{CopyLayout, ExpectedObject};
use crate::facts::{ObjectFacts, PartFacts};
use crate::ident::ETagForm;
use crate::plan::KnownLayout;
use crate::report::Note;
use crate::source::{Session, SourceError};
use crate::units::PartNumber;

/// HEAD requests at the same time.
const AT_A_TIME: usize = 16;

/// The parts of the source. Where equal parts are assumed, the sizes of the second and of the last one are asked for, and
/// of all if one of them is another. A verification can do without: a wrong assumption proves nothing. A copy would get
/// other parts than its source.
pub(super) async fn stated_parts(source: &Session, found: &Discovery) -> KnownLayout {
    let known = &found.layout;
    let count = known.parts_count.unwrap_or_default();
    if count < 3 || known.proved_layout().is_some() {
        return known.clone();
    }
    let assumed = known.candidates.first().map(|candidate| &candidate.layout);
    let fits = |part: &PartFacts| {
        let range = assumed.and_then(|layout| layout.part(part.number.index()));
        range.is_some_and(|range| range.len() == part.size)
    };
    match sizes(source, found, [2, count]).await {
        Ok(parts) if parts.iter().all(fits) => known.clone(),
        Ok(_) => match sizes(source, found, 1..=count).await {
            Ok(parts) => {
                KnownLayout::proved(found.facts.size, parts, "HEAD of each part").unwrap_or_else(|_| known.clone())
            }
            Err(_) => known.clone(),
        },
        // The end of the copy shows whether the assumption was right.
        Err(_) => known.clone(),
    }
}

async fn sizes(
    source: &Session,
    found: &Discovery,
    numbers: impl IntoIterator<Item = u32>,
) -> Result<Vec<PartFacts>, SourceError> {
    let numbers: Vec<PartNumber> = numbers.into_iter().filter_map(PartNumber::new).collect();
    let asked = stream::iter(numbers).map(|number| source.part(&found.facts.id, number));
    asked.buffered(AT_A_TIME).try_collect().await
}

/// Reports that a copy that was planned with the parts of the source has other ones: its ETag differs.
pub(super) fn other_parts(facts: &ObjectFacts, plan: &CopyLayout, expected: &ExpectedObject) -> Option<Note> {
    let (own, copy) = (facts.id.etag.as_ref()?, expected.etag.as_ref()?);
    let both = matches!((own.form(), copy.form()), (ETagForm::Multipart { .. }, ETagForm::Multipart { .. }));
    let differ = both && own.as_str() != copy.as_str() && facts.encryption.hides_md5().is_none();
    (differ && plan.change.is_none()).then(|| {
        Note::Source(format!(
            "the ETag of the copy is {copy}, and that of the source {own}: the parts of the source are not stated, and are \
             not those that were assumed"
        ))
    })
}
