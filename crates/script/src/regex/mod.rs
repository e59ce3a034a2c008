//! POSIX extended regular expressions on bytes, run by the `regex` crate (spec cfg-language 2.5, 8.5, 8.7).
//!
//! Differences to the C library: alternation prefers the first branch instead of the longest match, and back-references
//! inside a pattern are refused.

mod substitution;
mod translate;

pub use substitution::{Piece, Replaced, Substitution};

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::value::Text;

/// Compiled size of one pattern, bytes.
pub const PATTERN_BYTES_MAX: usize = 4 << 20;
/// Patterns made at run time that one thread keeps.
pub const DYNAMIC_PATTERNS_MAX: usize = 64;

/// How a pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags {
    pub ignore_case: bool,
    /// `^` and `$` match at line ends, and `.` and negated sets do not match LF.
    pub newline: bool,
}

impl Flags {
    /// `=~`: ignoring case, LF is an ordinary byte.
    pub const OPERATOR: Flags = Flags { ignore_case: true, newline: false };
    /// `case /"re":`: exact case, LF is an ordinary byte.
    pub const CASE: Flags = Flags { ignore_case: false, newline: false };
    /// Function arguments of kind `Regex`: ignoring case, line by line (spec cfg-language 8.7).
    pub const ARGUMENT: Flags = Flags { ignore_case: true, newline: true };
}

/// A compiled pattern.
#[derive(Clone)]
pub struct Pattern {
    source: Text,
    regex: ::regex::bytes::Regex,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({})", self.source)
    }
}

impl Pattern {
    /// Compiles a POSIX extended pattern; the error is a sentence without position.
    pub fn compile(source: &[u8], flags: Flags) -> Result<Pattern, String> {
        let translated = translate::translate(source, flags)?;
        let regex = ::regex::bytes::RegexBuilder::new(&translated)
            .unicode(false)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.newline)
            .dot_matches_new_line(!flags.newline)
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(|error| match error {
                ::regex::Error::CompiledTooBig(_) => "the regular expression is too big".to_string(),
                other => {
                    let text = other.to_string();
                    let reason = text.lines().last().unwrap_or("malformed").trim_start_matches("error: ").to_string();
                    format!("bad regular expression: {reason}")
                }
            })?;
        Ok(Pattern { source: Text::from(source), regex })
    }

    /// As a function argument: ignoring case, line by line.
    pub fn new(source: &[u8]) -> Result<Pattern, String> {
        Pattern::compile(source, Flags::ARGUMENT)
    }

    /// A pattern whose text is known only at run time; the last ones used by this thread are kept.
    pub fn dynamic(source: &[u8], flags: Flags) -> Result<Arc<Pattern>, String> {
        type Kept = Vec<(Flags, Arc<Pattern>)>;
        thread_local! {
            static KEPT: RefCell<Kept> = const { RefCell::new(Vec::new()) };
        }
        KEPT.with_borrow_mut(|kept| {
            let found = kept.iter().position(|(with, pattern)| *with == flags && &*pattern.source == source);
            if let Some(position) = found {
                if position > 0 {
                    kept.swap(position, position - 1);
                }
                let at = position.saturating_sub(1);
                if let Some((_, pattern)) = kept.get(at) {
                    return Ok(Arc::clone(pattern));
                }
            }
            let pattern = Arc::new(Pattern::compile(source, flags)?);
            if kept.len() >= DYNAMIC_PATTERNS_MAX {
                kept.pop();
            }
            kept.push((flags, Arc::clone(&pattern)));
            Ok(pattern)
        })
    }

    /// The pattern as written.
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// Does it match anywhere in `subject`?
    pub fn is_match(&self, subject: &[u8]) -> bool {
        self.regex.is_match(subject)
    }

    /// The first match, as (start, end).
    pub fn find(&self, subject: &[u8]) -> Option<(usize, usize)> {
        self.regex.find(subject).map(|found| (found.start(), found.end()))
    }

    /// The first match at or after `start`, as (start, end).
    pub fn find_at(&self, subject: &[u8], start: usize) -> Option<(usize, usize)> {
        if start > subject.len() {
            return None;
        }
        self.regex.find_at(subject, start).map(|found| (found.start(), found.end()))
    }

    /// The groups of the first match; group 0 is the whole match.
    pub fn groups(&self, subject: &[u8]) -> Option<Vec<Option<(usize, usize)>>> {
        let captures = self.regex.captures(subject)?;
        Some(captures.iter().map(|group| group.map(|found| (found.start(), found.end()))).collect())
    }

    pub(crate) fn regex(&self) -> &::regex::bytes::Regex {
        &self.regex
    }
}

#[cfg(test)]
mod tests;
