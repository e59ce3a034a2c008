//! A BINRPC client of a few lines (spec proxy-core 12): commands with words and numbers, answers as flat records.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longest silence of an answer.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// One record of an answer, structures laid open.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Integer(i64),
    Text(String),
    /// The name of the record behind it.
    Name(String),
}

/// An answer's records in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer(pub Vec<Record>);

impl Answer {
    /// The number behind this name.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.windows(2).find_map(|pair| match pair {
            [Record::Name(own), Record::Integer(number)] if own == name => Some(*number),
            _ => None,
        })
    }

    /// The number that is the whole answer.
    pub fn only_number(&self) -> Option<i64> {
        match self.0.as_slice() {
            [Record::Integer(number)] => Some(*number),
            _ => None,
        }
    }
}

/// Asks one command over the stream socket. A parameter of digits goes as a number.
pub fn ask(path: &Path, words: &[&str]) -> Result<Answer, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut stream = UnixStream::connect(path).map_err(told)?;
    stream.set_read_timeout(Some(SILENCE_MAX)).map_err(told)?;
    stream.write_all(&request(words)).map_err(told)?;
    let mut head = [0_u8; 2];
    stream.read_exact(&mut head).map_err(told)?;
    let [magic, lengths] = head;
    if magic != 0xa1 {
        return Err(format!("{}: no BINRPC answer", path.display()));
    }
    let length_bytes = usize::from((lengths >> 2) & 3) + 1;
    let mut rest = vec![0_u8; length_bytes + usize::from(lengths & 3) + 1];
    stream.read_exact(&mut rest).map_err(told)?;
    let length = rest.iter().take(length_bytes).fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    if length > ANSWER_BYTES_MAX {
        return Err(format!("{}: an answer of {length} bytes", path.display()));
    }
    let mut body = vec![0_u8; length];
    stream.read_exact(&mut body).map_err(told)?;
    let answer = read(&body).ok_or_else(|| format!("{}: a torn answer to {words:?}", path.display()))?;
    if lengths >> 4 == 3 { Err(format!("{words:?}: {:?}", answer.0)) } else { Ok(answer) }
}

fn request(words: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for (place, word) in words.iter().enumerate() {
        match word.parse::<i32>() {
            Ok(number) if place > 0 => {
                body.push(0x40);
                body.extend(number.to_be_bytes());
            }
            _ => {
                // The length of the length is 2: enough for what is asked here.
                body.push(0xa1);
                body.extend(((word.len() + 1) as u16).to_be_bytes());
                body.extend(word.as_bytes());
                body.push(0);
            }
        }
    }
    let mut packet = vec![0xa1, 0x04];
    packet.extend((body.len() as u16).to_be_bytes());
    packet.push(1);
    packet.extend(body);
    packet
}

fn read(mut body: &[u8]) -> Option<Answer> {
    let mut records = Vec::new();
    while let Some((tag, rest)) = body.split_first() {
        body = rest;
        let (kind, size, is_long) = (tag & 0x0f, usize::from((tag >> 4) & 7), tag & 0x80 != 0);
        if kind == 3 || kind == 4 {
            continue;
        }
        // A double's length takes the high bit, too.
        let length = match (kind, is_long) {
            (2, true) => size + 8,
            (_, false) => size,
            (_, true) => {
                let (digits, rest) = body.split_at_checked(size)?;
                body = rest;
                digits.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte))
            }
        };
        let (value, rest) = body.split_at_checked(length)?;
        body = rest;
        let text = || String::from_utf8_lossy(value.strip_suffix(b"\0").unwrap_or(value)).into_owned();
        let number = || {
            let bits = value.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
            if value.len() == 4 { i64::from((bits as u32).cast_signed()) } else { bits.cast_signed() }
        };
        records.push(match kind {
            0 => Record::Integer(number()),
            2 => Record::Integer(number() / 1_000),
            5 => Record::Name(text()),
            _ => Record::Text(text()),
        });
    }
    Some(Answer(records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_is_read_as_names_and_values() {
        let body = b"\x03\x45now\0\x91\x03ab\0\x75uptime\0\x10\x4d\x65big\0x\0\x52\x03\xe8\x83";
        let answer = read(&body[..body.len() - 11]).unwrap();
        assert_eq!(answer.0.get(1), Some(&Record::Text("ab".to_owned())));
        assert_eq!(answer.number("uptime"), Some(77));
        assert_eq!(read(b"\x20\x01\x2c").unwrap().only_number(), Some(300));
        assert_eq!(read(b"\x40\xff\xff\xff\xfb").unwrap().only_number(), Some(-5));
        assert_eq!(read(b"\x00").unwrap().only_number(), Some(0));
        assert_eq!(read(b"\x22\x0f\xa0").unwrap().only_number(), Some(4));
        assert_eq!(read(b"\x91\x20short\0"), None);
    }

    #[test]
    fn a_command_is_written_with_its_words_and_numbers() {
        assert_eq!(request(&["a.b", "7"]), b"\xa1\x04\x00\x0c\x01\xa1\x00\x04a.b\0\x40\x00\x00\x00\x07");
    }
}
