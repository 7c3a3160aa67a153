//! A chart over time as SVG text. Only what the report needs: lines, steps, areas, guides and marks.

use super::{clock, escape};
use std::fmt::Write as _;
use std::ops::Range;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 24.0;

/// How a line's points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A value holds until the next.
    Steps,
    /// Straight lines with the area below filled.
    Area,
}

/// One series.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The style's class in the page.
    pub(super) class: &'static str,
    pub(super) shape: Shape,
    /// `(seconds, value)`, in order.
    pub(super) points: Vec<(f64, f64)>,
}

/// A level to compare with.
#[derive(Debug)]
pub(super) struct Guide {
    pub(super) at: f64,
    pub(super) label: String,
}

/// A moment with a number, drawn through the chart.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) label: String,
}

/// What is drawn in one frame.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
    pub(super) guides: Vec<Guide>,
    /// A range of values that is shaded.
    pub(super) band: Option<(f64, f64)>,
    pub(super) whole_numbers: bool,
}

/// From values to places in the picture.
struct Scale {
    times: Range<f64>,
    top_value: f64,
}

impl Scale {
    fn x(&self, at: f64) -> f64 {
        let share = (at - self.times.start) / (self.times.end - self.times.start);
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value / self.top_value).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

impl Chart {
    /// The chart over `times`, with `marks` drawn through it.
    pub(super) fn svg(&self, times: Range<f64>, marks: &[Mark]) -> String {
        let step = self.step();
        let scale = Scale {
            times,
            top_value: (self.highest() / step).ceil().max(1.0) * step,
        };
        let mut out = format!(
            "<svg viewBox='0 0 {WIDTH} {HEIGHT}' data-start='{:.1}' data-end='{:.1}' role=img aria-label='{}'>",
            scale.times.start,
            scale.times.end,
            escape(&self.title),
        );
        self.band_svg(&scale, &mut out);
        self.grid(&scale, step, &mut out);
        self.lines
            .iter()
            .for_each(|line| line.svg(&scale, &mut out));
        self.guides
            .iter()
            .for_each(|guide| guide.svg(&scale, &mut out));
        marks.iter().for_each(|mark| mark.svg(&scale, &mut out));
        self.legend(&mut out);
        out.push_str("<line class=cursor y1=30 y2=166 /></svg>\n");
        out
    }

    fn highest(&self) -> f64 {
        let points = self
            .lines
            .iter()
            .flat_map(|l| &l.points)
            .map(|(_, value)| *value);
        points
            .chain(self.guides.iter().map(|g| g.at))
            .fold(1.0, f64::max)
            * 1.05
    }

    /// The distance of two grid lines: 1, 2 or 5 times a power of ten, about four of them.
    fn step(&self) -> f64 {
        let rough = self.highest() / 4.0;
        let power = 10_f64.powi(exponent_of_ten(rough));
        let step = [1.0, 2.0, 5.0]
            .map(|n| n * power)
            .into_iter()
            .find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        if self.whole_numbers {
            step.max(1.0)
        } else {
            step
        }
    }

    fn band_svg(&self, scale: &Scale, out: &mut String) {
        let Some((low, high)) = self.band else { return };
        let (top, bottom) = (scale.y(high), scale.y(low));
        let _ = write!(
            out,
            "<rect class=band x={LEFT} y={top:.1} width={} height={:.1} />",
            WIDTH - LEFT - RIGHT,
            bottom - top,
        );
    }

    fn grid(&self, scale: &Scale, step: f64, out: &mut String) {
        let mut value = 0.0;
        while value <= scale.top_value + step / 2.0 {
            let y = scale.y(value);
            let _ = write!(
                out,
                "<line class=grid x1={LEFT} x2={} y1={y:.1} y2={y:.1} /><text class=axis x={} y={:.1} text-anchor=end>{value}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
            );
            value += step;
        }
        let span = scale.times.end - scale.times.start;
        let every = [10.0, 15.0, 30.0, 60.0, 120.0, 300.0]
            .into_iter()
            .find(|e| span / e <= 12.0);
        let every = every.unwrap_or(600.0);
        let mut at = (scale.times.start / every).ceil() * every;
        while at <= scale.times.end {
            let _ = write!(
                out,
                "<text class=axis x={:.1} y={} text-anchor=middle>{}</text>",
                scale.x(at),
                HEIGHT - 6.0,
                clock(at),
            );
            at += every;
        }
    }

    fn legend(&self, out: &mut String) {
        let _ = write!(
            out,
            "<text class=title x={LEFT} y=16>{}</text>",
            escape(&self.title)
        );
        let mut x = WIDTH - RIGHT;
        // Each key stands behind its name: how wide a name is drawn is only guessed.
        for line in self.lines.iter().rev() {
            #[expect(clippy::cast_precision_loss, reason = "a name is short")]
            let width = line.name.len() as f64 * 6.0;
            let _ = write!(
                out,
                "<text class='axis' x={} y=16 text-anchor=end>{}</text><rect class='{} key' x={} y=7 width=10 height=10 rx=2 />",
                x - 15.0,
                line.name,
                line.class,
                x - 10.0,
            );
            x -= width + 36.0;
        }
    }
}

impl Line {
    fn svg(&self, scale: &Scale, out: &mut String) {
        let Some(&(first, _)) = self.points.first() else {
            return;
        };
        let mut path = String::new();
        for (index, &(at, value)) in self.points.iter().enumerate() {
            let (x, y) = (scale.x(at), scale.y(value));
            let _ = match (index, self.shape) {
                (0, _) => write!(path, "M{x:.1} {y:.1}"),
                (_, Shape::Steps) => write!(path, "H{x:.1}V{y:.1}"),
                (_, Shape::Area) => write!(path, "L{x:.1} {y:.1}"),
            };
        }
        if self.shape == Shape::Area {
            let (floor, left) = (scale.y(0.0), scale.x(first));
            let _ = write!(
                out,
                "<path class='{} area' d='{path}V{floor:.1}H{left:.1}Z' />",
                self.class
            );
        }
        let _ = write!(out, "<path class='{} line' d='{path}' />", self.class);
    }
}

impl Guide {
    fn svg(&self, scale: &Scale, out: &mut String) {
        let y = scale.y(self.at);
        let _ = write!(
            out,
            "<line class=guide x1={LEFT} x2={} y1={y:.1} y2={y:.1} /><text class=guide x={} y={:.1} text-anchor=end>{}</text>",
            WIDTH - RIGHT,
            WIDTH - RIGHT - 4.0,
            y - 4.0,
            escape(&self.label),
        );
    }
}

impl Mark {
    fn svg(&self, scale: &Scale, out: &mut String) {
        let x = scale.x(self.at);
        let _ = write!(
            out,
            "<line class=mark x1={x:.1} x2={x:.1} y1={TOP} y2={} /><circle class=mark cx={x:.1} cy={TOP} r=8 /><text class=mark x={x:.1} y={} text-anchor=middle>{}</text>",
            HEIGHT - BOTTOM,
            TOP + 4.0,
            self.label,
        );
    }
}

/// The largest power of ten that is not above `value`, by division: no logarithm is needed.
fn exponent_of_ten(value: f64) -> i32 {
    (-6..9)
        .rev()
        .find(|e| 10_f64.powi(*e) <= value)
        .unwrap_or(-6)
}
