//! Rewrites a POSIX extended pattern as one for the `regex` crate; the result is ASCII only.

use std::fmt::Write;

use super::Flags;

/// Nested parentheses in one pattern.
const GROUPS_DEEP_MAX: usize = 100;
/// The bound of `{n,m}` (RE_DUP_MAX of POSIX is 255; the C library allows more).
const REPEAT_MAX: u32 = 1000;

/// The translated pattern, or a sentence saying what is wrong.
pub(super) fn translate(source: &[u8], flags: Flags) -> Result<String, String> {
    let mut translation =
        Translation { source, position: 0, out: String::with_capacity(source.len() * 2), atom: None, groups: Vec::new(), flags };
    translation.run()?;
    Ok(translation.out)
}

struct Translation<'a> {
    source: &'a [u8],
    position: usize,
    out: String,
    /// Where the last repeatable piece starts in `out`, and whether it already has a repetition.
    atom: Option<(usize, bool)>,
    groups: Vec<usize>,
    flags: Flags,
}

impl Translation<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.get(self.position).copied()
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(byte) = self.peek() {
            self.position += 1;
            match byte {
                b'(' => self.open()?,
                b')' => self.close(),
                b'|' => {
                    self.out.push('|');
                    self.atom = None;
                }
                b'*' | b'+' | b'?' => self.repeat(&(byte as char).to_string())?,
                b'{' => self.interval()?,
                b'^' | b'$' => {
                    self.out.push(byte as char);
                    self.atom = None;
                }
                b'.' => {
                    self.start_atom();
                    self.out.push('.');
                }
                b'[' => self.set()?,
                b'\\' => self.escape()?,
                _ => self.literal(byte),
            }
        }
        if self.groups.is_empty() { Ok(()) } else { Err("bad regular expression: ( without )".to_string()) }
    }

    fn start_atom(&mut self) {
        self.atom = Some((self.out.len(), false));
    }

    fn literal(&mut self, byte: u8) {
        self.start_atom();
        write_byte(&mut self.out, byte);
    }

    fn open(&mut self) -> Result<(), String> {
        if self.groups.len() >= GROUPS_DEEP_MAX {
            return Err("bad regular expression: parentheses nested too deeply".to_string());
        }
        self.groups.push(self.out.len());
        self.out.push('(');
        self.atom = None;
        Ok(())
    }

    /// A `)` without its partner is an ordinary character.
    fn close(&mut self) {
        match self.groups.pop() {
            Some(start) => {
                self.out.push(')');
                self.atom = Some((start, false));
            }
            None => self.literal(b')'),
        }
    }

    fn repeat(&mut self, operator: &str) -> Result<(), String> {
        let Some((start, is_repeated)) = self.atom else {
            return Err(format!("bad regular expression: nothing before {operator} to repeat"));
        };
        if is_repeated {
            // A second operator would mean "lazy" or be refused; POSIX repeats the repetition.
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(operator);
        self.atom = Some((start, true));
        Ok(())
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        let digits = self.source.get(start..self.position)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn interval(&mut self) -> Result<(), String> {
        let bad = || "bad regular expression: {n}, {n,} or {n,m} expected after {".to_string();
        let low = self.number();
        let mut high = low;
        if self.peek() == Some(b',') {
            self.position += 1;
            high = self.number();
            if low.is_none() && high.is_none() {
                return Err(bad());
            }
            if self.peek() != Some(b'}') {
                return Err(bad());
            }
            self.position += 1;
            let low = low.unwrap_or(0);
            if low > REPEAT_MAX || high.is_some_and(|high| high > REPEAT_MAX || high < low) {
                return Err("bad regular expression: bad bounds inside {}".to_string());
            }
            return match high {
                Some(high) => self.repeat(&format!("{{{low},{high}}}")),
                None => self.repeat(&format!("{{{low},}}")),
            };
        }
        if self.peek() != Some(b'}') {
            return Err(bad());
        }
        self.position += 1;
        match high {
            Some(count) if count <= REPEAT_MAX => self.repeat(&format!("{{{count}}}")),
            Some(_) => Err("bad regular expression: bad bounds inside {}".to_string()),
            None => Err(bad()),
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(byte) = self.peek() else {
            return Err("bad regular expression: it ends with a backslash".to_string());
        };
        self.position += 1;
        let (text, is_atom) = match byte {
            b'<' => (r"\b{start}", false),
            b'>' => (r"\b{end}", false),
            b'b' => (r"\b", false),
            b'B' => (r"\B", false),
            b'`' => (r"\A", false),
            b'\'' => (r"\z", false),
            b'w' => (r"[0-9A-Za-z_]", true),
            b'W' => (r"[^0-9A-Za-z_]", true),
            b's' => (r"[\t\n\x0B\x0C\r ]", true),
            b'S' => (r"[^\t\n\x0B\x0C\r ]", true),
            b'1'..=b'9' => return Err("back-references inside a regular expression are not supported".to_string()),
            // As in the C library, any other escaped character stands for itself (so \d is the letter d).
            _ => {
                self.literal(byte);
                return Ok(());
            }
        };
        if is_atom {
            self.start_atom();
        } else {
            self.atom = None;
        }
        self.out.push_str(text);
        Ok(())
    }

    /// `[...]`: a backslash is an ordinary member, `]` may come first.
    fn set(&mut self) -> Result<(), String> {
        let unclosed = || "bad regular expression: [ without ]".to_string();
        let mut members = [false; 256];
        let is_negated = self.peek() == Some(b'^');
        if is_negated {
            self.position += 1;
        }
        let mut is_first = true;
        loop {
            let byte = self.peek().ok_or_else(unclosed)?;
            self.position += 1;
            if byte == b']' && !is_first {
                break;
            }
            is_first = false;
            if byte == b'[' && self.peek() == Some(b':') {
                self.class(&mut members)?;
                continue;
            }
            let low = self.set_member(byte)?;
            let is_range = self.peek() == Some(b'-') && self.source.get(self.position + 1).is_some_and(|next| *next != b']');
            if !is_range {
                members[low as usize] = true;
                continue;
            }
            self.position += 1;
            let end = self.peek().ok_or_else(unclosed)?;
            self.position += 1;
            let high = self.set_member(end)?;
            if high < low {
                return Err("bad regular expression: range end before its start".to_string());
            }
            for member in &mut members[low as usize..=high as usize] {
                *member = true;
            }
        }
        if is_negated {
            if self.flags.ignore_case {
                // Whoever excludes a letter excludes it in both cases.
                for letter in b'a'..=b'z' {
                    let (lower, upper) = (usize::from(letter), usize::from(letter.to_ascii_uppercase()));
                    let is_excluded = members[lower] || members[upper];
                    (members[lower], members[upper]) = (is_excluded, is_excluded);
                }
            }
            for member in &mut members {
                *member = !*member;
            }
            if self.flags.newline {
                members[b'\n' as usize] = false;
            }
        }
        self.start_atom();
        write_set(&mut self.out, &members);
        Ok(())
    }

    /// One end of a range: a byte, or `[.x.]` and `[=x=]` around one.
    fn set_member(&mut self, byte: u8) -> Result<u8, String> {
        let Some(mark @ (b'.' | b'=')) = self.peek() else { return Ok(byte) };
        if byte != b'[' {
            return Ok(byte);
        }
        let member = self.source.get(self.position + 1).copied();
        let is_closed = self.source.get(self.position + 2..self.position + 4) == Some(&[mark, b']'][..]);
        match member {
            Some(member) if is_closed => {
                self.position += 4;
                Ok(member)
            }
            _ => Err("bad regular expression: unknown collating element".to_string()),
        }
    }

    fn class(&mut self, members: &mut [bool; 256]) -> Result<(), String> {
        let rest = self.source.get(self.position + 1..).unwrap_or_default();
        let end = rest.windows(2).position(|pair| pair == b":]");
        let Some(end) = end else { return Err("bad regular expression: [: without :]".to_string()) };
        let is_member: fn(u8) -> bool = match rest.get(..end).unwrap_or_default() {
            b"alpha" => |byte| byte.is_ascii_alphabetic(),
            b"digit" => |byte| byte.is_ascii_digit(),
            b"alnum" => |byte| byte.is_ascii_alphanumeric(),
            b"upper" => |byte| byte.is_ascii_uppercase(),
            b"lower" => |byte| byte.is_ascii_lowercase(),
            b"space" => |byte| byte.is_ascii_whitespace() || byte == 0x0b,
            b"blank" => |byte| byte == b' ' || byte == b'\t',
            b"punct" => |byte| byte.is_ascii_punctuation(),
            b"print" => |byte| byte.is_ascii_graphic() || byte == b' ',
            b"graph" => |byte| byte.is_ascii_graphic(),
            b"cntrl" => |byte| byte.is_ascii_control(),
            b"xdigit" => |byte| byte.is_ascii_hexdigit(),
            other => {
                return Err(format!("bad regular expression: unknown class [:{}:]", String::from_utf8_lossy(other)));
            }
        };
        for (byte, member) in members.iter_mut().enumerate() {
            *member |= is_member(byte as u8);
        }
        self.position += end + 3;
        Ok(())
    }
}

fn write_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b':' | b'@' | b'/' | b',' | b'=' | b';' | b'"' | b'\'' | b'!' | b'%') {
        out.push(byte as char);
    } else {
        let _ = write!(out, "\\x{byte:02X}");
    }
}

fn write_set(out: &mut String, members: &[bool; 256]) {
    if members.iter().all(|member| !*member) {
        // A set nothing is in.
        out.push_str(r"[^\x00-\xFF]");
        return;
    }
    out.push('[');
    let mut byte = 0usize;
    while byte < 256 {
        if !members[byte] {
            byte += 1;
            continue;
        }
        let start = byte;
        while byte < 256 && members[byte] {
            byte += 1;
        }
        let _ = write!(out, "\\x{start:02X}");
        if byte - start > 1 {
            let _ = write!(out, "-\\x{:02X}", byte - 1);
        }
    }
    out.push(']');
}
