//! Runs many cases in parallel, each worker with its own lab.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use crate::rig::Rig;

/// More than the number of processors, because slow cases mostly wait for a connection.
const WORKERS: usize = 16;

/// Runs all cases, and returns the problems.
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
