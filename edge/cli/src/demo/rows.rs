//! `kubectl get hpa -w` without kubectl: the server's own table, row by row, as it changes.

use anyhow::{Context, Result};
use futures::{AsyncBufReadExt, StreamExt};
use kube::Client;
use serde_json::Value;
use tokio::sync::mpsc;

/// What the server is asked for: its table of an object, not the object.
const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// Sends a line for the header and for each new row, until the watch or the receiver ends.
pub(crate) async fn watch(
    client: Client,
    namespace: &str,
    lines: mpsc::Sender<String>,
) -> Result<()> {
    let path = format!(
        "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers?watch=true&timeoutSeconds=3600"
    );
    let request = http::Request::get(path)
        .header("accept", AS_TABLE)
        .body(Vec::new())?;
    let mut events = client.request_stream(request).await?.lines();
    let mut printer = Printer::default();
    while let Some(event) = events.next().await {
        let event: Value = serde_json::from_str(&event?).context("a watch event of the HPA")?;
        for line in printer.lines(&event["object"]) {
            if lines.send(line).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Knows which columns are shown, how wide they are, and which row was printed last.
#[derive(Debug, Default)]
pub(crate) struct Printer {
    /// Index in a row's cells, and width, of each column that is shown.
    columns: Vec<(usize, usize)>,
    last: Vec<String>,
}

impl Printer {
    /// The lines that a table adds: its header the first time, then each row that changed.
    pub(crate) fn lines(&mut self, table: &Value) -> Vec<String> {
        let mut lines = Vec::new();
        let empty = Vec::new();
        let rows = table["rows"].as_array().unwrap_or(&empty);
        let definitions = table["columnDefinitions"].as_array().unwrap_or(&empty);
        if self.columns.is_empty() && !definitions.is_empty() {
            let header = self.set_columns(definitions, rows.first());
            lines.push(self.format(&header));
        }
        for row in rows {
            let cells = self.cells(row);
            // The age alone is no news.
            let news = cells
                .split_last()
                .map(|(_, rest)| rest.to_vec())
                .unwrap_or_default();
            if news != self.last {
                lines.push(self.format(&cells));
                self.last = news;
            }
        }
        lines
    }

    /// Columns of priority 0 are shown; each is as wide as its title or its first value, and some.
    fn set_columns(&mut self, definitions: &[Value], first: Option<&Value>) -> Vec<String> {
        let shown = definitions
            .iter()
            .enumerate()
            .filter(|(_, d)| d["priority"].as_i64().unwrap_or(0) == 0);
        let (indexes, titles): (Vec<usize>, Vec<String>) = shown
            .map(|(index, d)| (index, d["name"].as_str().unwrap_or_default().to_uppercase()))
            .unzip();
        self.columns = indexes.into_iter().map(|index| (index, 0)).collect();
        let values = first.map(|row| self.cells(row)).unwrap_or_default();
        for (position, (column, title)) in self.columns.iter_mut().zip(&titles).enumerate() {
            let value = values.get(position).map_or(0, String::len);
            // Room for `<unknown>` to become a percentage without moving the columns behind it.
            let least = if title == "TARGETS" {
                "cpu: <unknown>/50%".len()
            } else {
                0
            };
            column.1 = title.len().max(value).max(least);
        }
        titles
    }

    fn cells(&self, row: &Value) -> Vec<String> {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        self.columns
            .iter()
            .map(|(index, _)| text(&row["cells"][*index]))
            .collect()
    }

    fn format(&self, cells: &[String]) -> String {
        let padded = cells
            .iter()
            .zip(&self.columns)
            .map(|(cell, (_, width))| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("   ").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests;
