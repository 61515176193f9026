//! How work in progress gets on.

use std::sync::Arc;

use super::store;
use crate::action::Action;
use crate::options::TaskPace;
use crate::shared::Shared;
use crate::sync::lock;

/// Where work goes by the clock, it gets on whoever looks, also at S3 alone.
pub(crate) fn by_clock(shared: &Arc<Shared>) {
    if matches!(shared.options.tasks, TaskPace::Time(_)) {
        let regions: Vec<String> = {
            let cloud = lock(&shared.cloud);
            cloud.regions.keys().cloned().collect()
        };
        for region in regions {
            step(shared, &region, Action::DescribeStoreImageTasks);
            step(shared, &region, Action::DescribeImages);
        }
    }
}

/// Lets the work in progress get on: by the clock, or by one step for each look at it.
pub(crate) fn step(shared: &Arc<Shared>, region: &str, action: Action) {
    let pace = shared.options.tasks;
    let mut done = Vec::new();
    {
        let mut cloud = lock(&shared.cloud);
        let state = cloud.region(region);
        if action == Action::DescribeStoreImageTasks {
            for (index, task) in state.tasks.iter_mut().enumerate().filter(|(_, task)| task.state == "InProgress") {
                task.pace.polls += 1;
                let fraction = task.pace.fraction(pace);
                task.progress = (fraction * 99.0) as u8;
                if fraction >= 1.0 {
                    done.push(index);
                }
            }
        } else if action == Action::DescribeImages {
            state.step_restores(pace);
        }
    }
    for index in done {
        store::complete(shared, region, index);
    }
}
