//! Figures in rows: shown on the terminal as they come, kept for the page of results.

use std::fmt::Write;

use crate::measure::{median, quantile};

/// A heading, a table and what must be known to read it.
#[derive(Clone, Debug)]
pub struct Section {
    pub title: String,
    /// Sentences above the table.
    pub notes: Vec<String>,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// A section without rows.
    pub fn new(title: &str, head: &[&'static str]) -> Section {
        Section { title: title.to_owned(), notes: Vec::new(), head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a sentence.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Adds a row; as many cells as the head has.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// For a terminal: columns of equal width.
    pub fn plain(&self) -> String {
        let mut out = format!("\n{}\n", self.title);
        for note in &self.notes {
            let _ = writeln!(out, "  {note}");
        }
        let lines: Vec<Vec<&str>> = self.lines().collect();
        let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        for line in &lines {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            let _ = writeln!(out, "  {}", cells.join("  ").trim_end());
        }
        out
    }

    /// For a page.
    pub fn markdown(&self) -> String {
        let mut out = format!("## {}\n\n", self.title);
        for note in &self.notes {
            let _ = writeln!(out, "{note}\n");
        }
        for (number, line) in self.lines().enumerate() {
            let _ = writeln!(out, "| {} |", line.join(" | "));
            if number == 0 {
                let _ = writeln!(out, "|{}", "---|".repeat(self.head.len()));
            }
        }
        out
    }

    fn lines(&self) -> impl Iterator<Item = Vec<&str>> {
        std::iter::once(self.head.clone()).chain(self.rows.iter().map(|row| row.iter().map(String::as_str).collect()))
    }
}

/// A figure of several turns: the middle and the quartiles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figure {
    pub middle: f64,
    pub low: f64,
    pub high: f64,
}

impl Figure {
    /// Of these values; zeros of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Figure {
        let values: Vec<f64> = values.into_iter().collect();
        Figure { middle: median(&values), low: quantile(&values, 0.25), high: quantile(&values, 0.75) }
    }

    /// `middle (low-high)` with so many digits.
    pub fn told(&self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$}-{:.digits$})", self.middle, self.low, self.high)
    }
}

/// `1 234 567`: the digits in threes.
pub fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut out = String::from(if number < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A ratio, or a dash when one side is missing.
pub fn ratio(ours: f64, theirs: f64) -> String {
    if ours > 0.0 && theirs > 0.0 { format!("{:.2}", ours / theirs) } else { "-".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_the_same_table_on_a_terminal_and_on_a_page() {
        let mut section = Section::new("Calls", &["rate", "µs"]);
        section.note("Both at once.");
        section.row(vec!["200".to_owned(), "83.1".to_owned()]);
        assert_eq!(section.markdown(), "## Calls\n\nBoth at once.\n\n| rate | µs |\n|---|---|\n| 200 | 83.1 |\n");
        assert_eq!(section.plain(), "\nCalls\n  Both at once.\n  rate  µs\n  200   83.1\n");
    }

    #[test]
    fn numbers_are_told_as_people_read_them() {
        assert_eq!([0.0, 999.0, 1_000.0, 1_234_567.4, -2_000.0].map(grouped), ["0", "999", "1 000", "1 234 567", "-2 000"]);
        assert_eq!((ratio(1.0, 4.0), ratio(1.0, 0.0)), ("0.25".to_owned(), "-".to_owned()));
        assert_eq!(Figure::of([3.0, 1.0, 2.0, 4.0, 5.0]).told(1), "3.0 (2.0-4.0)");
    }
}
