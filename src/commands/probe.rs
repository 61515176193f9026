use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Probe, ProbePlan, Probed, WindowCapture};
use crate::ident::ObjectId;
use crate::source::{Session, SourceError};

/// Maximum number of concurrent GETs: enough to hide the latency without loading the server.
const AT_A_TIME: usize = 16;

/// Reads only the windows of a plan.
pub(super) async fn probe(session: &Session, id: &ObjectId, plan: ProbePlan) -> Result<Probed, SourceError> {
    let plan = Arc::new(plan);
    let read = |window| {
        let plan = Arc::clone(&plan);
        async move {
            let bytes = session.read_small(id, plan.size(), window).await?;
            let mut tap = WindowCapture::new(&plan, window.start());
            tap.take(&bytes);
            Ok(tap)
        }
    };
    let taps = stream::iter(plan.windows().to_vec()).map(read).buffer_unordered(AT_A_TIME);
    let mut probe = Probe::new(Arc::clone(&plan));
    taps.try_for_each(|tap| {
        probe.add(tap);
        std::future::ready(Ok::<_, SourceError>(()))
    })
    .await?;
    Ok(probe.finish())
}
