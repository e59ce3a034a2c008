//! `#!subst` rules: parsing and application to texts, variables and include paths (spec cfg-language 2.5).

use crate::limits::{SUBSTITUTED_BYTES_MAX, SUBSTITUTIONS_MAX};
use crate::regex::{Flags, Pattern};

/// The rules in order of definition.
#[derive(Debug, Default)]
pub struct Substitutions {
    rules: Vec<Rule>,
}

/// One rule, ready for use.
#[derive(Debug)]
pub struct Rule {
    pattern: Pattern,
    replacement: Vec<Piece>,
    is_global: bool,
}

#[derive(Debug, PartialEq)]
enum Piece {
    Bytes(Vec<u8>),
    Group(usize),
}

/// The three parts of `/regex/replacement/flags` as written, separators unescaped.
#[derive(Debug, PartialEq)]
pub struct RuleParts {
    pub pattern: Vec<u8>,
    pub replacement: Vec<u8>,
    pub flags: Vec<u8>,
}

impl RuleParts {
    /// Splits at the separator, which is the first byte.
    pub fn parse(text: &[u8]) -> Result<RuleParts, String> {
        let (separator, rest) = text.split_first().ok_or("an empty substitution")?;
        if *separator == b'\\' {
            return Err("a backslash cannot separate the parts of a substitution".to_string());
        }
        let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
        let mut bytes = rest.iter();
        while let Some(byte) = bytes.next() {
            let is_last = parts.len() == 3;
            let Some(part) = parts.last_mut() else { break };
            match *byte {
                b'\\' if !is_last => match bytes.next() {
                    Some(next) if next == separator => part.push(*next),
                    Some(next) => part.extend([b'\\', *next]),
                    None => part.push(b'\\'),
                },
                byte if byte == *separator && !is_last => parts.push(Vec::new()),
                byte => part.push(byte),
            }
        }
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(pattern), Some(replacement), Some(flags)) => Ok(RuleParts { pattern, replacement, flags }),
            _ => Err(format!("a substitution has the form {0}regex{0}replacement{0}flags", char::from(*separator))),
        }
    }
}

impl Substitutions {
    /// Adds a rule whose replacement has had its variables replaced.
    pub fn add(&mut self, parts: &RuleParts) -> Result<(), String> {
        if self.rules.len() >= SUBSTITUTIONS_MAX {
            return Err(format!("more than {SUBSTITUTIONS_MAX} substitutions"));
        }
        self.rules.push(Rule::compile(parts)?);
        Ok(())
    }

    /// The text after all rules in order.
    pub fn apply(&self, text: Vec<u8>) -> Vec<u8> {
        self.rules.iter().fold(text, |text, rule| rule.apply(text))
    }
}

impl Rule {
    fn compile(parts: &RuleParts) -> Result<Rule, String> {
        let (mut ignores_case, mut is_global, mut is_one_line) = (false, false, false);
        for flag in &parts.flags {
            match flag {
                b'i' => ignores_case = true,
                b'g' => is_global = true,
                b's' => is_one_line = true,
                other => {
                    return Err(format!("unknown flag `{}` of a substitution", char::from(*other)));
                }
            }
        }
        if parts.pattern.is_empty() {
            return Err("a substitution without a pattern".to_string());
        }
        let flags = Flags { ignore_case: ignores_case, newline: !is_one_line };
        let pattern = Pattern::compile(&parts.pattern, flags)?;
        Ok(Rule { pattern, replacement: pieces(&parts.replacement), is_global })
    }

    fn apply(&self, text: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut copied = 0;
        for captures in self.pattern.regex().captures_iter(&text) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            out.extend_from_slice(text.get(copied..whole.start()).unwrap_or(b""));
            for piece in &self.replacement {
                match piece {
                    Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                    Piece::Group(group) => out.extend_from_slice(captures.get(*group).map_or(b"", |group| group.as_bytes())),
                }
            }
            copied = whole.end();
            if !self.is_global || out.len() > SUBSTITUTED_BYTES_MAX {
                break;
            }
        }
        if copied == 0 && out.is_empty() {
            return text;
        }
        out.extend_from_slice(text.get(copied..).unwrap_or(b""));
        out
    }
}

/// `\0` .. `\9` are groups, any other escaped byte stands for itself.
fn pieces(replacement: &[u8]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut plain = Vec::new();
    let mut bytes = replacement.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(digit @ b'0'..=b'9') => {
                if !plain.is_empty() {
                    out.push(Piece::Bytes(std::mem::take(&mut plain)));
                }
                out.push(Piece::Group(usize::from(digit - b'0')));
            }
            Some(b'n') => plain.push(b'\n'),
            Some(b'r') => plain.push(b'\r'),
            Some(b't') => plain.push(b'\t'),
            Some(other) => plain.push(*other),
            None => plain.push(b'\\'),
        }
    }
    if !plain.is_empty() {
        out.push(Piece::Bytes(plain));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn substituted(rules: &[&str], text: &str) -> String {
        let mut all = Substitutions::default();
        for rule in rules {
            all.add(&RuleParts::parse(rule.as_bytes()).expect(rule)).expect(rule);
        }
        String::from_utf8(all.apply(text.as_bytes().to_vec())).expect("text")
    }

    #[test]
    fn only_the_first_match_is_replaced_without_the_global_flag() {
        assert_eq!(substituted(&["/a/b/"], "aaa"), "baa");
        assert_eq!(substituted(&["/a/b/g"], "aaa"), "bbb");
        assert_eq!(substituted(&["/A/b/gi"], "aaa"), "bbb");
    }

    #[test]
    fn groups_and_escaped_separators_work() {
        assert_eq!(substituted(&["!([a-z]+)@([a-z.]+)!\\2 at \\1!"], "bob@a.org"), "a.org at bob");
        assert_eq!(substituted(&["/a\\/b/c\\/d/"], "xa/b"), "xc/d");
        assert_eq!(substituted(&["!DBURL!mysql://u:p@h/db!g"], "DBURL"), "mysql://u:p@h/db");
    }

    #[test]
    fn rules_apply_in_order() {
        assert_eq!(substituted(&["/a/b/g", "/b/c/g"], "ab"), "cc");
    }

    #[test]
    fn posix_brackets_keep_their_meaning() {
        assert_eq!(substituted(&["/[[:digit:]]+/N/"], "a12"), "aN");
        assert_eq!(substituted(&["/[\\.]+/N/"], "a\\.b"), "aNb");
        assert_eq!(substituted(&["/[]x]/N/g"], "]x"), "NN");
    }

    #[test]
    fn bad_rules_are_refused() {
        for bad in ["", "/a/b", "\\a\\b\\", "/(/x/"] {
            let refused = RuleParts::parse(bad.as_bytes()).and_then(|parts| Substitutions::default().add(&parts));
            assert!(refused.is_err(), "{bad}");
        }
        let unknown = RuleParts::parse(b"/a/b/q").and_then(|parts| Substitutions::default().add(&parts));
        assert_eq!(unknown, Err("unknown flag `q` of a substitution".to_string()));
    }
}
