use plotters::prelude::*;

use super::axis::{Labelled, RoundAxis, tried_values};
use super::printable;
use crate::files::PLOT_MARKER;
use crate::report::{BenchReport, LoadReport};

const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 90, 181),
    RGBColor(220, 50, 32),
    RGBColor(26, 133, 86),
    RGBColor(130, 80, 160),
    RGBColor(120, 120, 120),
];

/// Plots throughput by number of connections for each range size, with the band between slow and fast periods; for a
/// single measurement, throughput over time. Returns SVG.
///
/// # Errors
///
/// The plot cannot be drawn.
pub fn plot(report: &BenchReport) -> Result<String, String> {
    let mut svg = String::new();
    let drawn = draw(report, &mut svg);
    drawn.map_err(|error| error.to_string())?;
    // Inserted after the opening tag, so that a later run recognises the file as a plot and may overwrite it.
    let at = svg.find('>').map_or(0, |end| end + 1);
    svg.insert_str(at, &format!("\n{PLOT_MARKER}"));
    Ok(svg)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// The plot for a page: without title and background, `width` pixels wide.
///
/// # Errors
///
/// The plot cannot be drawn.
pub(super) fn loads_for_page(report: &BenchReport, width: u32) -> Result<String, String> {
    for_page(width, |area| match report.loads.as_slice() {
        [] => Ok(()),
        [one] => over_time(area, &one.periods, one.elapsed_seconds, "seconds"),
        several => by_connections(area, several),
    })
}

/// Plots throughput over time for a page: bytes per second in equal periods, which together took `seconds`.
///
/// # Errors
///
/// The plot cannot be drawn.
pub(super) fn rates_for_page(periods: &[f64], seconds: f64, width: u32) -> Result<String, String> {
    for_page(width, |area| over_time(area, periods, seconds, "seconds"))
}

fn for_page(width: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (width, 260)).into_drawing_area();
    let drawn = draw(&area).and_then(|()| Ok(area.present()?));
    drop(area);
    drawn.map_err(|error| error.to_string())?;
    Ok(svg)
}

fn draw(report: &BenchReport, svg: &mut String) -> Drawn {
    let area = SVGBackend::with_string(svg, (900, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = printable(&report.target);
    let size = (900_f64 * 1.6 / title.chars().count().max(50) as f64).min(20.0);
    let area = area.titled(&title, ("sans-serif", size))?;
    match report.loads.as_slice() {
        [] => {}
        [one] => {
            let size = crate::units::ByteSize(one.range_bytes);
            let along = format!("seconds, {} GETs in flight of {size}", one.connections);
            over_time(&area, &one.periods, one.elapsed_seconds, &along)?;
        }
        several => by_connections(&area, several)?,
    }
    area.present()?;
    Ok(())
}

/// A unit of throughput in which the largest value has few digits.
#[derive(Clone, Copy)]
struct Unit {
    name: &'static str,
    bytes_per_second: f64,
}

impl Unit {
    fn for_values_up_to(bytes_per_second: f64) -> Self {
        if bytes_per_second * 8.0 < 1e9 {
            Unit { name: "Mbit/s", bytes_per_second: 1e6 / 8.0 }
        } else {
            Unit { name: "Gbit/s", bytes_per_second: 1e9 / 8.0 }
        }
    }

    fn of(self, bytes_per_second: f64) -> f64 {
        bytes_per_second / self.bytes_per_second
    }
}

fn by_connections(area: &Area<'_>, loads: &[LoadReport]) -> Drawn {
    let fewest = loads.iter().map(|load| load.connections).min().unwrap_or(1).max(1) as f64;
    let most = loads.iter().map(|load| load.connections).max().unwrap_or(1).max(1) as f64;
    let top = loads.iter().map(|load| load.rates.p95.max(load.bytes_per_second)).fold(0.0, f64::max);
    let unit = Unit::for_values_up_to(top);
    let rates = RoundAxis::up_to(unit.of(top));
    let tried = tried_values(loads.iter().map(|load| load.connections));
    let mut chart = ChartBuilder::on(area).margin(12).x_label_area_size(44).y_label_area_size(64).build_cartesian_2d(
        (fewest * 0.9..most * 1.1).log_scale().with_key_points(tried),
        Labelled::up_to(rates.end, &rates.points),
    )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_desc("GETs in flight")
        .y_desc(format!("{}: median, 5th to 95th percentile", unit.name))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| rates.label(y))
        .draw()?;
    let mut sizes: Vec<u64> = loads.iter().map(|load| load.range_bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for (size, colour) in sizes.iter().zip(COLOURS.iter().cycle()) {
        let of_size = || loads.iter().filter(|load| load.range_bytes == *size);
        let line = of_size().map(|load| (load.connections as f64, unit.of(load.bytes_per_second)));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)).point_size(3))?
            .label(format!("ranges of {}", crate::units::ByteSize(*size)))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(of_size().map(|load| {
            let x = load.connections as f64;
            let [low, middle, high] = [load.rates.p5, load.bytes_per_second, load.rates.p95].map(|rate| unit.of(rate));
            ErrorBar::new_vertical(x, low, middle, high, colour.filled(), 8)
        }))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

fn over_time(area: &Area<'_>, periods: &[f64], seconds: f64, along: &str) -> Drawn {
    let each = seconds / periods.len().max(1) as f64;
    let top = periods.iter().copied().fold(0.0, f64::max);
    let unit = Unit::for_values_up_to(top);
    let (rates, times, end) = (RoundAxis::up_to(unit.of(top)), RoundAxis::up_to(seconds.max(each)), seconds.max(each));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(Labelled::up_to(end, &times.points), Labelled::up_to(rates.end, &rates.points))?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_desc(along)
        .y_desc(unit.name)
        .x_label_formatter(&|x| times.label(x))
        .y_label_formatter(&|y| rates.label(y))
        .draw()?;
    let line = periods.iter().enumerate().map(|(at, rate)| ((at as f64 + 0.5) * each, unit.of(*rate)));
    let [colour, ..] = COLOURS;
    chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
    Ok(())
}
