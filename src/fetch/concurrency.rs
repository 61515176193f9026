/// Finds out how many GETs in flight bring the most: takes more as long as that brings more bytes, and steps back
/// when the server asks for fewer.
#[derive(Debug)]
pub(super) struct ConcurrencyController {
    /// GETs in flight now.
    wanted: usize,
    most: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The next period tells what the present number brings.
    Measure,
    /// More were taken; before, so many brought so much.
    Try { before: usize, rate: f64 },
    /// The number stands for so many more periods.
    Rest { periods: u32 },
}

/// So much more must come of half as many more GETs; less is noise.
const WORTH: f64 = 1.1;
/// Periods until more are tried again: servers and their neighbours change.
const REST: u32 = 30;

impl ConcurrencyController {
    pub fn new(begin: usize, most: usize) -> Self {
        ConcurrencyController { wanted: begin, most: most.max(begin), stage: Stage::Measure }
    }

    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// What a period brought, in bytes a second, and whether the server asked for fewer requests in it.
    pub fn after(&mut self, rate: f64, throttled: bool) {
        if throttled {
            self.wanted = (self.wanted * 7 / 10).max(1);
            self.stage = Stage::Rest { periods: REST };
            return;
        }
        self.stage = match self.stage {
            Stage::Rest { periods } if periods > 1 => Stage::Rest { periods: periods - 1 },
            Stage::Try { before, rate: then } if rate < then * WORTH => {
                self.wanted = before;
                Stage::Rest { periods: REST }
            }
            _ if self.wanted >= self.most => Stage::Rest { periods: REST },
            Stage::Rest { .. } => Stage::Measure,
            Stage::Measure | Stage::Try { .. } => {
                let before = self.wanted;
                self.wanted = (before + before.div_ceil(2)).min(self.most);
                Stage::Try { before, rate }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What many GETs bring of a server that gives each so much, and all together no more than so much.
    fn settled(climb: &mut ConcurrencyController, each: f64, all: f64, periods: usize) -> usize {
        (0..periods).for_each(|_| climb.after((climb.wanted() as f64 * each).min(all), false));
        climb.wanted()
    }

    #[test]
    fn takes_more_while_more_comes_and_then_stays() {
        let mut climb = ConcurrencyController::new(24, 256);
        assert_eq!(settled(&mut climb, 90.0, 10_000.0, 20), 122, "111 would do; 183 bring no more than 122");
        assert_eq!(settled(&mut ConcurrencyController::new(24, 256), 90.0, 1e9, 20), 256);
        assert_eq!(settled(&mut ConcurrencyController::new(24, 256), 90.0, 1_000.0, 20), 24);
        assert_eq!(settled(&mut ConcurrencyController::new(24, 24), 90.0, 1e9, 20), 24);
    }

    #[test]
    fn tries_again_after_a_while() {
        let mut climb = ConcurrencyController::new(24, 256);
        settled(&mut climb, 90.0, 1_000.0, 20);
        assert_eq!(settled(&mut climb, 90.0, 1e9, 60), 256, "the server became faster");
    }

    #[test]
    fn takes_fewer_when_asked_to() {
        let mut climb = ConcurrencyController::new(24, 256);
        let steps: Vec<usize> = (0..12)
            .map(|_| {
                climb.after(1e9, true);
                climb.wanted()
            })
            .collect();
        assert_eq!(steps, [16, 11, 7, 4, 2, 1, 1, 1, 1, 1, 1, 1]);
        climb.after(1e12, false);
        assert_eq!(climb.wanted(), 1, "and does not take more at once");
    }
}
