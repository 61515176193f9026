//! What this machine has: memory, processors and open files.

use crate::checksum::Algorithm;
use crate::clock::Clock;
use crate::commands::bench::hash_rates;
use crate::machine;
use crate::report::{DoctorCheck as Check, DoctorFindingReport as Finding, DoctorRateReport, DoctorReport};
use crate::units::{ByteSize, counted};

/// Default of `--max-memory` in `verify`, `bench`, `audit` and `copy`.
const MEMORY: u64 = 256 << 20;
/// Files that are open at the largest concurrency that `verify` chooses by itself: its connections, and some more.
const OPEN_FILES: u64 = 320;
/// Algorithms that most stored AMI objects need: S3's default checksum, and the ETag; and that of checksum files.
const HASHED: [Algorithm; 3] = [Algorithm::Crc64Nvme, Algorithm::Md5, Algorithm::Sha256];

/// Examines this machine, and adds what was found to the report.
pub(super) fn examine(report: &mut DoctorReport, clock: &dyn Clock) {
    report.available_memory_bytes = machine::available_memory();
    report.cores = machine::cores() as u64;
    report.open_files_limit = machine::open_files_limit();
    let rates = hash_rates(clock, &HASHED).into_iter();
    report.hash_rates =
        rates.map(|(algorithm, rate)| DoctorRateReport { algorithm, bytes_per_second_and_core: rate }).collect();
    let findings = [memory(report.available_memory_bytes), hashing(report)];
    report.findings.extend(findings);
    report.findings.extend(report.open_files_limit.and_then(open_files));
}

fn memory(available: Option<u64>) -> Finding {
    let check = Check::Memory;
    match available {
        Some(bytes) if bytes >= MEMORY => Finding::pass(check, format!("{} available", ByteSize(bytes))),
        Some(bytes) => {
            Finding::fail(check, format!("{} available, and --max-memory is {}", ByteSize(bytes), ByteSize(MEMORY)))
                .advise("give a smaller --max-memory, such as 64MiB, or free memory")
        }
        None => Finding::open(check, "the system does not state how much is available")
            .advise("--max-memory limits the use; its default is 256 MiB"),
    }
}

fn hashing(report: &DoctorReport) -> Finding {
    let rate =
        |rate: &DoctorRateReport| format!("{} {}/s", rate.algorithm, ByteSize(rate.bytes_per_second_and_core as u64));
    let rates: Vec<String> = report.hash_rates.iter().map(rate).collect();
    let detail = format!("{}, each: {}", counted(report.cores, "processor"), rates.join(", "));
    Finding::pass(Check::Hashing, detail)
}

/// `None` if the limit is high enough.
fn open_files(limit: u64) -> Option<Finding> {
    let low = || {
        Finding::fail(Check::OpenFiles, format!("the limit is {limit}, and {OPEN_FILES} may be needed"))
            .advise("run `ulimit -n 1024` first, or give a smaller --concurrency")
    };
    (limit < OPEN_FILES).then(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn too_little_memory_and_too_few_files_are_told() {
        assert_eq!(memory(Some(MEMORY)).verdict, Verdict::Pass);
        assert_eq!(memory(Some(MEMORY - 1)).verdict, Verdict::Fail);
        assert_eq!(memory(None).verdict, Verdict::Unknown);
        assert_eq!(open_files(OPEN_FILES), None);
        assert_eq!(open_files(256).unwrap().verdict, Verdict::Fail);
    }
}
