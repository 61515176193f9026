use std::sync::Arc;

use super::run::{Reader, VerifyRun};
use super::stopped::why_stopped;
use super::unknown;
use crate::content::{Decoded, End, Format};
use crate::plan::ReadPlan;
use crate::progress::Purpose;
use crate::report::VerifyNote;
use crate::verdict::{CheckId, Coverage, Evidence, Failure, Finding, Outcome, Reads, Reason, Verdict};

impl VerifyRun<'_> {
    /// Judges the result of decoding. If a reference proved the decoded bytes, a damaged stream is damaged in the
    /// stored object; otherwise the bytes are decoded a second time.
    pub(super) async fn judge_stream(&mut self, plan: &Arc<ReadPlan>, findings: &[Finding]) -> Finding {
        let Some(decoded) = self.take_decoded() else { return unknown(CheckId::Stream, self.why_incomplete()) };
        self.decoded = Some(decoded.clone());
        let outcome = match (decoded.format, &decoded.end) {
            (None | Some(Format::None | Format::Zeros), _) => {
                Outcome::Unknown(Reason::NotStated { detail: decoded.to_string() })
            }
            (_, End::Whole) if decoded.vouched() => Outcome::Pass(evidence(&decoded)),
            (_, End::Whole) => Outcome::Unknown(Reason::NotStated {
                detail: format!(
                    "{decoded}; where there is no checksum, nothing inside it shows whether the bytes are right"
                ),
            }),
            (_, End::Window { .. } | End::Dictionary { .. } | End::Expansion { .. }) => {
                Outcome::Unknown(Reason::NotDecoded { detail: decoded.to_string() })
            }
            (_, End::Truncated { .. } | End::Damaged { .. } | End::Trailing { .. }) => {
                let proves = |f: &Finding| matches!(f.check, CheckId::Reference(..)) && f.verdict() == Verdict::Pass;
                // A match in a later read does not cover the bytes that were decoded in the first.
                if findings.iter().any(proves) && !self.read_again {
                    fail(&decoded, None)
                } else if !self.request.reread {
                    fail(&decoded, Some(Reads::One))
                } else {
                    self.confirm_stream(plan, &decoded).await
                }
            }
        };
        Finding { check: CheckId::Stream, required: false, outcome }
    }

    async fn confirm_stream(&mut self, plan: &Arc<ReadPlan>, first: &Decoded) -> Outcome {
        self.announce(VerifyNote::ConfirmingStream { bytes: first.taken_bytes });
        let reader = Reader { decode: true, ..Reader::default() };
        let second = self.read(&self.fresh(), plan, None, Purpose::SecondRead, reader).await;
        if let Some(stop) = &second.stopped {
            let detail = why_stopped(stop, second.coverage()).to_string();
            return Outcome::Unknown(Reason::Unconfirmed { detail });
        }
        match second.decoded {
            Some(second) if second == *first => fail(first, Some(Reads::Reproduced)),
            second => {
                let second = second.map_or("not every byte came".to_owned(), |second| second.to_string());
                Outcome::Unknown(Reason::UnstableRead { detail: format!("{first} the first time; then: {second}") })
            }
        }
    }
}

fn evidence(decoded: &Decoded) -> Evidence {
    let all = Coverage { bytes: decoded.taken_bytes, of: decoded.taken_bytes };
    Evidence {
        source: "checksums and sizes inside the stream".to_owned(),
        expected: "a whole stream".to_owned(),
        observed: decoded.to_string(),
        coverage: Some(all),
    }
}

fn fail(decoded: &Decoded, reads: Option<Reads>) -> Outcome {
    Outcome::Fail(Failure { evidence: evidence(decoded), reads, damage: Vec::new() })
}
