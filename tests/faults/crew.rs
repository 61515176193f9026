//! Many cases side by side, each worker with a lab of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use crate::rig::Rig;

/// Most cases that take long wait for a connection, so there may be more of them than processors.
const WORKERS: usize = 16;

/// Plays all cases, and answers with what was wrong.
pub async fn play<C, F>(cases: Vec<C>, play: impl Fn(Arc<Rig>, C) -> F + Copy + Send + 'static) -> Vec<String>
where
    C: Send + 'static,
    F: Future<Output = Option<String>> + Send,
{
    let queue = Arc::new(Mutex::new(VecDeque::from(cases)));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let queue = Arc::clone(&queue);
        workers.spawn(async move {
            let rig = Arc::new(Rig::new().await);
            let mut wrong = Vec::new();
            loop {
                let Some(case) = queue.lock().unwrap().pop_front() else { return wrong };
                wrong.extend(play(Arc::clone(&rig), case).await);
            }
        });
    }
    workers.join_all().await.concat()
}
