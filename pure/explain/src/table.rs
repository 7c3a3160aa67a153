//! Rows in aligned columns.

/// On which side a column's cells begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Cells of one table; every row has as many.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&str, Side)]) -> Self {
        let columns = columns
            .iter()
            .map(|(name, side)| ((*name).to_owned(), *side));
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Columns in which nothing is said are left out.
    pub(crate) fn print(&self, indent: &str) -> String {
        let chars = |text: &String| text.chars().count();
        let all = || self.rows.iter();
        let columns: Vec<(usize, usize)> = (0..self.columns.len())
            .filter(|column| all().any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty())))
            .map(|column| {
                let cells = all().filter_map(|row| row.get(column)).map(chars);
                let width = cells.fold(chars(&self.columns[column].0), usize::max);
                (column, width)
            })
            .collect();
        let header: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut text = String::new();
        for row in std::iter::once(&header).chain(all()) {
            let mut line = String::from(indent);
            for (column, width) in &columns {
                let cell = row.get(*column).map_or("", String::as_str);
                match self.columns[*column].1 {
                    Side::Left => line.push_str(&format!("{cell:<width$}  ")),
                    Side::Right => line.push_str(&format!("{cell:>width$}  ")),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
