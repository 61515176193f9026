/// Finds the number of concurrent GETs with the highest throughput: raises it as long as that increases the rate, and
/// lowers it when the server asks for fewer requests.
#[derive(Debug)]
pub(super) struct ConcurrencyController {
    /// Target number of GETs in flight.
    wanted: usize,
    /// Upper limit of `wanted`.
    most: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The next period measures the rate with the current number.
    Measure,
    /// The number was raised; `rate` was measured with `before` GETs.
    Try { before: usize, rate: f64 },
    /// The number stays for this many periods.
    Rest { periods: u32 },
}

/// Minimum gain (10 %) after raising the number by half; smaller gains count as noise.
const WORTH: f64 = 1.1;
/// Periods until the number is raised again, because the load of servers changes.
const REST: u32 = 30;

impl ConcurrencyController {
    /// Starts with `begin` GETs; never exceeds `most`, or `begin` if that is larger.
    pub(super) fn new(begin: usize, most: usize) -> Self {
        ConcurrencyController { wanted: begin, most: most.max(begin), stage: Stage::Measure }
    }

    /// Target number of GETs in flight.
    pub(super) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Evaluates a period: its rate in bytes per second, and whether the server asked for fewer requests.
    pub(super) fn after(&mut self, rate: f64, throttled: bool) {
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

    /// The number of GETs that is reached with a server that gives each GET the rate `each`, and all together at most
    /// `all`.
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
