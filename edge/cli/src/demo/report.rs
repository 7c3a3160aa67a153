//! The demo's report: one HTML file that needs nothing else.

mod chart;

use super::timeline::{Rescale, Timeline, duration_text};
use chart::{Chart, Guide, Line, Mark, Shape};
use std::fmt::Write as _;

/// The page around the charts; `{{NAME}}` marks what is filled in.
const PAGE: &str = include_str!("report/page.html");

/// The report of a run that is over.
pub(crate) fn html(run: &Timeline, load_end_seconds: Option<f64>) -> String {
    let fill = |page: String, (name, text): (&str, String)| page.replace(name, &text);
    [
        (
            "{{TITLE}}",
            escape(&format!("{}: {}", run.setting.name, run.path())),
        ),
        ("{{PATH}}", escape(&run.path())),
        ("{{HPA}}", escape(&run.setting.name)),
        ("{{FIGURES}}", figures(run, load_end_seconds)),
        ("{{CHARTS}}", charts(run)),
        (
            "{{DECISIONS}}",
            run.rescales.iter().enumerate().map(row).collect(),
        ),
        ("{{SETTINGS}}", settings(run)),
        ("{{SAMPLES}}", samples_json(run)),
    ]
    .into_iter()
    .fold(PAGE.to_owned(), fill)
}

fn figures(run: &Timeline, load_end_seconds: Option<f64>) -> String {
    let summary = run.summary(load_end_seconds);
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), duration_text);
    [
        ("load to first scale-up", time(summary.first_scale_up)),
        ("load to last scale-up", time(summary.last_scale_up)),
        ("replicas at the peak", summary.peak.to_string()),
        ("load's end to minReplicas", time(summary.back_at_min)),
    ]
    .iter()
    .fold(String::new(), |mut html, (label, value)| {
        let _ = write!(
            html,
            "<div class=figure><b>{value}</b><span>{label}</span></div>"
        );
        html
    })
}

fn charts(run: &Timeline) -> String {
    let end = run.samples.last().map_or(1.0, |s| s.at_seconds);
    let start = run.samples.first().map_or(0.0, |s| s.at_seconds);
    let marks: Vec<Mark> = run
        .rescales
        .iter()
        .enumerate()
        .map(|(index, rescale)| Mark {
            at: rescale.at_seconds,
            label: (index + 1).to_string(),
        })
        .collect();
    [utilization_chart(run), replicas_chart(run), load_chart(run)]
        .iter()
        .map(|chart| chart.svg(start..end.max(start + 1.0), &marks))
        .collect()
}

fn utilization_chart(run: &Timeline) -> Chart {
    let target = f64::from(run.setting.target_percent);
    let points = run
        .samples
        .iter()
        .filter_map(|s| Some((s.at_seconds, f64::from(s.utilization_percent?))))
        .collect();
    Chart {
        title: "CPU utilization, % of requests".to_owned(),
        lines: vec![Line {
            name: "utilization",
            class: "blue",
            shape: Shape::Steps,
            points,
        }],
        guides: vec![Guide {
            at: target,
            label: format!("target {target} %"),
        }],
        // Upstream's default tolerance: no change within a tenth of the target.
        band: Some((target * 0.9, target * 1.1)),
        whole_numbers: false,
    }
}

fn replicas_chart(run: &Timeline) -> Chart {
    let line = |name, class, pick: fn(&super::timeline::Sample) -> i32| Line {
        name,
        class,
        shape: Shape::Steps,
        points: run
            .samples
            .iter()
            .map(|s| (s.at_seconds, f64::from(pick(s))))
            .collect(),
    };
    Chart {
        title: "Replicas".to_owned(),
        lines: vec![
            line("wanted", "orange", |s| s.replicas),
            line("ready", "green", |s| s.ready),
        ],
        guides: vec![
            Guide {
                at: f64::from(run.setting.min),
                label: format!("min {}", run.setting.min),
            },
            Guide {
                at: f64::from(run.setting.max),
                label: format!("max {}", run.setting.max),
            },
        ],
        band: None,
        whole_numbers: true,
    }
}

fn load_chart(run: &Timeline) -> Chart {
    let line = |name, class, shape, pick: fn(&super::timeline::Sample) -> f64| Line {
        name,
        class,
        shape,
        points: run
            .samples
            .iter()
            .map(|s| (s.at_seconds, pick(s)))
            .collect(),
    };
    Chart {
        title: "Load, HTTP requests a second".to_owned(),
        lines: vec![
            line("answered", "purple", Shape::Area, |s| s.answered_rps),
            line("offered", "grey", Shape::Steps, |s| s.offered_rps),
        ],
        guides: vec![],
        band: None,
        whole_numbers: false,
    }
}

fn row((index, rescale): (usize, &Rescale)) -> String {
    let seen = rescale
        .utilization_percent
        .map_or_else(|| "–".to_owned(), |u| format!("{u} %"));
    format!(
        "<tr><td><span class=badge>{}</span></td><td>{}</td><td class=change>{} → {}</td><td>{seen}</td><td>{}</td></tr>\n",
        index + 1,
        clock(rescale.at_seconds),
        rescale.from,
        rescale.to,
        escape(&rescale.reason),
    )
}

fn settings(run: &Timeline) -> String {
    let own = [
        ("minReplicas", run.setting.min.to_string()),
        ("maxReplicas", run.setting.max.to_string()),
        ("target CPU", format!("{} %", run.setting.target_percent)),
    ];
    own.iter()
        .chain(&run.setting.periods)
        .fold(String::new(), |mut html, (what, value)| {
            let _ = write!(html, "<dt>{what}</dt><dd>{}</dd>", escape(value));
            html
        })
}

/// The samples for the page's own script, which shows them under the pointer.
fn samples_json(run: &Timeline) -> String {
    let rows: Vec<serde_json::Value> = run
        .samples
        .iter()
        .map(|s| {
            let tenths = |x: f64| (x * 10.0).round() / 10.0;
            let load = [
                tenths(s.at_seconds),
                tenths(s.offered_rps),
                tenths(s.answered_rps),
            ];
            serde_json::json!([
                load[0],
                s.utilization_percent,
                s.replicas,
                s.ready,
                load[1],
                load[2]
            ])
        })
        .collect();
    // `<` would let a text end the script element; numbers have none, and this keeps it so.
    serde_json::Value::from(rows)
        .to_string()
        .replace('<', "\\u003c")
}

/// A time of the run as `m:ss`.
#[expect(clippy::cast_possible_truncation, reason = "a run is minutes long")]
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    let sign = if whole < 0 { "−" } else { "" };
    format!("{sign}{}:{:02}", whole.abs() / 60, whole.abs() % 60)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
