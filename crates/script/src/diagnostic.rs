//! What the front end and the compiler have to say about a configuration, and how it is shown to people.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::limits::DIAGNOSTICS_MAX;
use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// One message about one place of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub span: Span,
    pub message: String,
    /// What the author can do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without help.
    pub fn error(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, span, message: message.into(), help: None }
    }

    /// A warning without help.
    pub fn warning(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, span, message: message.into(), help: None }
    }

    /// A note without help.
    pub fn note(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Note, span, message: message.into(), help: None }
    }

    /// The same message with advice.
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same message, with advice when there is some.
    pub fn with_help_if(mut self, help: Option<String>) -> Diagnostic {
        if help.is_some() {
            self.help = help;
        }
        self
    }

    /// `file:line:column: error: text`, the source line, a caret under the place, and the advice; ends with a line feed.
    pub fn render(&self, sources: &Sources) -> String {
        let word = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let mut out = String::new();
        let path = sources.path(self.span.file);
        if self.span.line == 0 {
            let _ = writeln!(out, "{path}: {word}: {}", self.message);
        } else {
            let _ = writeln!(out, "{path}:{}:{}: {word}: {}", self.span.line, self.span.column, self.message);
            render_excerpt(&mut out, self.span, sources.line(self.span.file, self.span.line));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "      = help: {help}");
        }
        out
    }
}

/// Everything said about one configuration, bounded.
#[derive(Debug, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    /// Words replaced by the text of a define: messages about that text name the define.
    expansions: BTreeMap<Span, String>,
}

impl Report {
    /// Keeps a message; a second error at one place and messages past the bound are only counted.
    pub fn add(&mut self, mut diagnostic: Diagnostic) {
        let is_error = diagnostic.severity == Severity::Error;
        let count = if is_error { &mut self.errors } else { &mut self.warnings };
        *count += 1;
        if *count > DIAGNOSTICS_MAX {
            return;
        }
        let place = (diagnostic.span.file, diagnostic.span.line, diagnostic.span.column);
        let is_repeated = is_error
            && diagnostic.span.line != 0
            && self
                .diagnostics
                .iter()
                .any(|other| other.severity == Severity::Error && (other.span.file, other.span.line, other.span.column) == place);
        if is_repeated {
            return;
        }
        if let Some(name) = self.expansions.get(&diagnostic.span) {
            let _ = write!(diagnostic.message, " (in the text of the define {name})");
        }
        self.diagnostics.push(diagnostic);
    }

    /// Remembers that the word at `span` was replaced by the text of `name`.
    pub fn note_expansion(&mut self, span: Span, name: &str) {
        if self.expansions.len() < crate::limits::EXPANSIONS_MAX {
            self.expansions.entry(span).or_insert_with(|| name.to_string());
        }
    }

    /// Was there an error?
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Were there more errors than are kept?
    pub fn is_full(&self) -> bool {
        self.errors > DIAGNOSTICS_MAX
    }

    /// All messages in the order of their places.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut all = self.diagnostics;
        if self.errors > DIAGNOSTICS_MAX {
            let text = format!("{} more errors are not shown", self.errors - DIAGNOSTICS_MAX);
            all.push(Diagnostic::note(Span::default(), text));
        }
        all
    }
}

/// Longest part of a source line that is shown, in bytes.
const EXCERPT_BYTES_MAX: usize = 160;

fn render_excerpt(out: &mut String, span: Span, line: &[u8]) {
    if line.is_empty() {
        return;
    }
    let column = (span.column.max(1) as usize - 1).min(line.len());
    let end = if span.end_line == span.line { (span.end_column.max(1) as usize - 1).min(line.len()) } else { line.len() };
    let first = column.saturating_sub(EXCERPT_BYTES_MAX / 2);
    let last = (first + EXCERPT_BYTES_MAX).min(line.len());
    let shown = |from: usize, to: usize| -> String {
        String::from_utf8_lossy(line.get(from..to.max(from)).unwrap_or(b""))
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect()
    };
    let before = shown(first, column);
    let width = shown(column, end.min(last)).chars().count().max(1);
    let _ = writeln!(out, "{:>5} | {}", span.line, shown(first, last).trim_end());
    let _ = writeln!(out, "      | {}{}", " ".repeat(before.chars().count()), "^".repeat(width));
}

/// Renders every message, most severe kinds as they come, in order.
pub fn render_all(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(sources)).collect()
}

/// "did you mean ...?" for a misspelt name, when a candidate is near enough (Levenshtein distance at most a third).
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The candidate nearest to `name`, if it is near enough to be a misspelling.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_ascii_lowercase();
    let distance_max = (wanted.len() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && candidate.len().abs_diff(name.len()) <= distance_max)
        .map(|candidate| (levenshtein(wanted.as_bytes(), candidate.to_ascii_lowercase().as_bytes()), candidate))
        .filter(|(distance, candidate)| *distance <= distance_max && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Number of insertions, removals, replacements and swaps of neighbours that turn `left` into `right`.
fn levenshtein(left: &[u8], right: &[u8]) -> usize {
    let width = right.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut above: Vec<usize> = (0..width).collect();
    let mut row: Vec<usize> = vec![0; width];
    for (i, a) in left.iter().enumerate() {
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = above[j] + usize::from(a != b);
            row[j + 1] = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    above.get(right.len()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Source};

    #[test]
    fn a_message_shows_its_place_with_a_caret() {
        let bytes = &b"loadmodule \"tm.so\"\nloadmodule \"dialgo.so\"\n"[..];
        let sources = Sources { files: vec![Source { path: "k.cfg".into(), bytes: bytes.into() }] };
        let span = Span { file: FileId(0), line: 2, column: 12, end_line: 2, end_column: 23 };
        let text = Diagnostic::error(span, "unknown module `dialgo`").with_help("did you mean `dialog`?").render(&sources);
        assert_eq!(
            text,
            "k.cfg:2:12: error: unknown module `dialgo`\n    2 | loadmodule \"dialgo.so\"\n      |            ^^^^^^^^^^^\n      = help: did you mean `dialog`?\n"
        );
    }

    #[test]
    fn hostile_columns_and_bytes_do_not_panic() {
        let sources = Sources { files: vec![Source { path: "k.cfg".into(), bytes: (&b"\xff\xfe\x00abc"[..]).into() }] };
        for column in [0, 1, 5, 7, u32::MAX] {
            let span = Span { file: FileId(0), line: 1, column, end_line: 1, end_column: 0 };
            assert!(Diagnostic::warning(span, "x").render(&sources).contains("warning: x"));
        }
        let elsewhere = Span { file: FileId(9), line: 0, column: 0, end_line: 0, end_column: 0 };
        assert_eq!(Diagnostic::note(elsewhere, "x").render(&sources), "<command line>: note: x\n");
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("dialgo", ["tm", "dialog", "siptrace"]), Some("dialog"));
        assert_eq!(nearest("is_metod", ["is_method", "is_int"]), Some("is_method"));
        assert_eq!(nearest("xyz", ["dialog", "tm"]), None);
        assert_eq!(levenshtein(b"kitten", b"sitting"), 3);
    }
}
