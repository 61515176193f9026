use std::io;

use crate::checks::RatioBasis;
use crate::content::Content;
use crate::report::{EstimateReport, ProbeReport, RatioReport, StreamReport};
use crate::units::ByteSize;

/// Writes a label and a value.
type Line<'a> = &'a mut dyn FnMut(&str, &str) -> io::Result<()>;

pub(super) fn ratio(line: Line<'_>, ratio: &RatioReport) -> io::Result<()> {
    for basis in &ratio.bases {
        let what = match basis.basis {
            RatioBasis::Volumes => "of volumes",
            RatioBasis::Written => "of written blocks",
            RatioBasis::Decoded => "decoded",
            RatioBasis::Stated => "stated",
        };
        let text = format!("{:.2} by {} {what} ({})", basis.ratio, ByteSize(basis.logical_bytes), basis.source);
        line("ratio", &text)?;
    }
    if let Some((lowest, highest)) = ratio.spread.filter(|(lowest, highest)| lowest < highest) {
        line("", &format!("{lowest:.2} to {highest:.2}, depending on the basis"))?;
    }
    if ratio.bases.is_empty()
        && let Some(missing) = ratio.missing.first()
    {
        line("ratio", &format!("unknown: {}; {}", missing.reason, missing.advice))?;
    }
    Ok(())
}

pub(super) fn probe(line: Line<'_>, probe: &ProbeReport) -> io::Result<()> {
    if probe.windows == 0 {
        return line("content", "no window was read");
    }
    line("content", &regions(probe))?;
    let percent = |share: EstimateReport| {
        format!("{:.0} % ({:.0}–{:.0})", share.value * 100.0, share.low * 100.0, share.high * 100.0)
    };
    let entropy = probe.entropy_bits_per_byte;
    line(
        "",
        &format!(
            "entropy {:.1} bits/byte ({:.1}–{:.1}); zstd would make it {}, gzip {}; zeros {}; repeated at least {:.0} %",
            entropy.value,
            entropy.low,
            entropy.high,
            percent(probe.zstd_share),
            percent(probe.gzip_share),
            percent(probe.zero_share),
            probe.repeated_share.low * 100.0
        ),
    )?;
    line(
        "",
        &format!(
            "from {} windows of {}, drawn by seed {}; in brackets the 95 % intervals",
            probe.windows,
            ByteSize(probe.window_bytes),
            probe.seed
        ),
    )
}

/// The share of each kind of content in bytes: `dense (compressed or encrypted) 97 %, structured 3 %`.
fn regions(probe: &ProbeReport) -> String {
    let all: u64 = probe.regions.iter().map(|region| region.bytes).sum();
    let mut shares: Vec<(Content, u64)> = Vec::new();
    for region in &probe.regions {
        match shares.iter_mut().find(|(content, _)| *content == region.content) {
            Some((_, bytes)) => *bytes += region.bytes,
            None => shares.push((region.content, region.bytes)),
        }
    }
    shares.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let words: Vec<String> = shares
        .iter()
        .map(|(content, bytes)| {
            let word = match content {
                Content::Dense => "dense (compressed or encrypted: bytes cannot say which)",
                other => other.name(),
            };
            format!("{word} {:.0} %", *bytes as f64 * 100.0 / all.max(1) as f64)
        })
        .collect();
    words.join(", ")
}

pub(super) fn stream(line: Line<'_>, stream: &StreamReport) -> io::Result<()> {
    line("stream", &stream.detail)
}
