//! Texts with their escapes, numbers in four notations, IPv6 addresses, variables and selects (spec cfg-language 1.3-1.8).

use std::net::Ipv6Addr;

use super::Lexer;
use super::cursor::{Mark, is_blank, is_word_byte, is_word_start};
use super::token::TokenKind;
use crate::diagnostic::Diagnostic;
use crate::preprocess::unescape_path;

/// Longest text form of an IPv6 address without embedded IPv4.
const IP6_BYTES_MAX: usize = 39;

impl Lexer<'_> {
    /// A text in either kind of quotes, adjacent double-quoted ones joined; substitutions are not applied yet.
    pub(super) fn string(&mut self) -> Vec<u8> {
        let is_joined = self.byte() == Some(b'"');
        let mut text = self.single_string();
        while is_joined && self.adjacent_string_follows() {
            self.double_quoted(&mut text);
        }
        text
    }

    /// A text in either kind of quotes, for directives: what follows on other lines is not theirs.
    pub(crate) fn single_string(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        if self.byte() == Some(b'\'') {
            self.single_quoted(&mut text)
        } else {
            self.double_quoted(&mut text)
        }
        text
    }

    fn single_quoted(&mut self, text: &mut Vec<u8>) {
        let mark = self.mark();
        self.advance(1);
        text.extend(self.take_while(|byte| byte != b'\''));
        self.close_string(b'\'', mark);
    }

    fn close_string(&mut self, quote: u8, mark: Mark) {
        if self.byte() == Some(quote) {
            self.advance(1);
            return;
        }
        let mut place = self.span_from(mark);
        (place.end_line, place.end_column) = (place.line, place.column.saturating_add(1));
        self.report.add(Diagnostic::error(place, "this text is not closed").with_help("a closing quote is missing"));
    }

    fn double_quoted(&mut self, text: &mut Vec<u8>) {
        let mark = self.mark();
        self.advance(1);
        loop {
            text.extend(self.take_while(|byte| !matches!(byte, b'"' | b'\\')));
            if self.byte() != Some(b'\\') {
                break;
            }
            self.escape(text);
        }
        self.close_string(b'"', mark);
    }

    /// One backslash sequence; unknown ones stay as they are.
    fn escape(&mut self, text: &mut Vec<u8>) {
        let simple = match self.byte_after(1) {
            Some(b'n') => Some(b'\n'),
            Some(b'r') => Some(b'\r'),
            Some(b't') => Some(b'\t'),
            Some(b'a') => Some(0x07),
            Some(b'"') => Some(b'"'),
            Some(b'\\') => Some(b'\\'),
            _ => None,
        };
        if let Some(byte) = simple {
            text.push(byte);
            return self.advance(2);
        }
        match (self.byte_after(1), self.byte_after(2)) {
            (Some(b'\n'), _) => self.advance(2),
            (Some(b'\r'), Some(b'\n')) => self.advance(3),
            (Some(b'x'), Some(digit)) if digit.is_ascii_hexdigit() => self.numeric_escape(text, 2, 2, 16),
            (Some(b'0'..=b'7'), Some(b'0'..=b'7')) => self.numeric_escape(text, 1, 3, 8),
            (Some(byte), _) => {
                text.extend([b'\\', byte]);
                self.advance(2);
            }
            (None, _) => {
                text.push(b'\\');
                self.advance(1);
            }
        }
    }

    fn numeric_escape(&mut self, text: &mut Vec<u8>, start: usize, digits_max: usize, radix: u32) {
        let mut value = 0_u32;
        let mut length = 0;
        while length < digits_max
            && let Some(digit) = self.byte_after(start + length).and_then(|byte| char::from(byte).to_digit(radix))
            && value * radix + digit <= 0xff
        {
            value = value * radix + digit;
            length += 1;
        }
        text.push(u8::try_from(value).unwrap_or(0));
        self.advance(start + length);
    }

    /// Goes to the next double quote if only blanks and line ends lie between, also past the end of a define's text.
    fn adjacent_string_follows(&mut self) -> bool {
        while !self.is_in_file() && self.cursors.len() > 1 && self.rest().iter().all(|byte| is_blank(*byte)) {
            self.cursors.pop();
        }
        let blanks = self.rest().iter().take_while(|byte| is_blank(**byte) || **byte == b'\n').count();
        let is_adjacent = self.byte_after(blanks) == Some(b'"');
        if is_adjacent {
            self.advance(blanks);
        }
        is_adjacent
    }

    /// The quoted path of an include, and the jump into the file.
    pub(crate) fn run_include(&mut self, mark: Mark, is_optional: bool) {
        let is_quoted = self.byte() == Some(b'"');
        let mut path = Vec::new();
        if is_quoted {
            self.advance(1);
            while let Some(byte) = self.byte().filter(|byte| !matches!(byte, b'"' | b'\n')) {
                path.push(byte);
                self.advance(1);
                if byte == b'\\'
                    && let Some(next) = self.byte()
                {
                    path.push(next);
                    self.advance(1);
                }
            }
        }
        let is_closed = self.byte() == Some(b'"');
        if is_closed {
            self.advance(1);
        }
        let place = self.span_from(mark);
        if !is_quoted || !is_closed || path.is_empty() {
            self.report.add(Diagnostic::error(place, "a path in double quotes is missing after the directive"));
            return;
        }
        let path = unescape_path(&self.substitutions.apply(path));
        self.include(&path, is_optional, place);
    }

    /// Digits and letters from a digit on.
    pub(super) fn number(&mut self, mark: Mark) -> TokenKind {
        let text = String::from_utf8_lossy(&self.take_while(is_word_byte)).into_owned();
        match integer(&text) {
            Some(Ok(value)) => TokenKind::Integer(value, text),
            Some(Err(())) => {
                let place = self.span_from(mark);
                self.report.add(Diagnostic::error(place, format!("the number {text} is too large")));
                TokenKind::Integer(0, text)
            }
            None => TokenKind::NumberWord(text),
        }
    }

    /// An IPv6 address, if the longest run of its bytes is one.
    pub(super) fn ip6(&mut self) -> Option<Ipv6Addr> {
        let rest = self.rest();
        let length = rest.iter().take(IP6_BYTES_MAX + 1).take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':').count();
        let text = rest.get(..length)?;
        if length > IP6_BYTES_MAX || text.iter().filter(|byte| **byte == b':').count() < 2 {
            return None;
        }
        if rest.get(length).copied().is_some_and(is_word_byte) {
            return None;
        }
        let address = std::str::from_utf8(text).ok()?.parse().ok()?;
        self.advance(length);
        Some(address)
    }

    /// `$name`, `$name(...)` or `$(...)` with balanced parentheses on one line.
    pub(super) fn variable(&mut self, mark: Mark) -> TokenKind {
        let mut text = vec![b'$'];
        self.advance(1);
        match self.byte() {
            Some(b'?') => {
                text.push(b'?');
                self.advance(1);
            }
            Some(b'$') => {
                text.push(b'$');
                self.advance(1);
            }
            Some(b'(') => self.parentheses(&mut text, mark),
            Some(byte) if is_word_byte(byte) => {
                text.extend(self.variable_name());
                self.check_return_code_name(&text, mark);
                if self.byte() == Some(b'(') {
                    self.parentheses(&mut text, mark);
                }
            }
            _ => {
                let place = self.span_from(mark);
                self.report.add(Diagnostic::error(place, "a variable name is missing after `$`"));
            }
        }
        TokenKind::Variable(self.substitutions.apply(text))
    }

    /// Letters, digits, and dots between them.
    fn variable_name(&mut self) -> Vec<u8> {
        let mut name = self.take_while(is_word_byte);
        while self.byte() == Some(b'.') && self.byte_after(1).is_some_and(is_word_start) {
            name.push(b'.');
            self.advance(1);
            name.extend(self.take_while(is_word_byte));
        }
        name
    }

    /// `$rc` wins over longer names that begin with it, so `$rcv(x)` cannot be written (spec 1.8).
    fn check_return_code_name(&mut self, text: &[u8], mark: Mark) {
        let is_longer = [&b"$rc"[..], b"$retcode"].iter().any(|short| text.starts_with(short) && text.len() > short.len());
        if is_longer {
            let name = String::from_utf8_lossy(text).into_owned();
            let place = self.span_from(mark);
            let message = format!("`{name}` is read as `$rc` or `$retcode` and more letters");
            let help = format!("write `$({}...)`", name.trim_start_matches('$'));
            self.report.add(Diagnostic::error(place, message).with_help(help));
        }
    }

    fn parentheses(&mut self, text: &mut Vec<u8>, mark: Mark) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b'\n' => break,
                _ => {}
            }
            text.push(byte);
            self.advance(1);
            if depth == 0 {
                return;
            }
        }
        let place = self.span_from(mark);
        let help = "a variable is written on one line, its parentheses in pairs";
        self.report.add(Diagnostic::error(place, "this variable is not closed").with_help(help));
    }

    /// `@a.b["c"][1].d`
    pub(super) fn select(&mut self) -> TokenKind {
        self.advance(1);
        let mut text = self.take_while(is_word_byte);
        loop {
            if self.byte() == Some(b'.') && self.byte_after(1).is_some_and(is_word_byte) {
                text.push(b'.');
                self.advance(1);
                text.extend(self.take_while(is_word_byte));
            } else if self.byte() == Some(b'[') {
                text.extend(self.take_while(|byte| !matches!(byte, b']' | b'\n')));
                if self.byte() != Some(b']') {
                    return TokenKind::Select(text);
                }
                text.push(b']');
                self.advance(1);
            } else {
                return TokenKind::Select(text);
            }
        }
    }
}

/// The value of a number in one of the notations of spec 1.4; `Err` when too large, None when it is no number.
fn integer(text: &str) -> Option<Result<i64, ()>> {
    let parse = |digits: &str, radix: u32| i64::from_str_radix(digits, radix).map_err(|_| ());
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let is_hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_hexadecimal.then(|| parse(digits, 16));
    }
    if let Some(digits) = text.strip_suffix('b') {
        let is_binary = digits.bytes().all(|byte| matches!(byte, b'0' | b'1'));
        return is_binary.then(|| parse(digits, 2));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() > 1 && text.starts_with('0') {
        return text.bytes().all(|byte| byte < b'8').then(|| parse(text, 8));
    }
    Some(parse(text, 10))
}
