//! Lines and numbers of messages as bytes, without formatting.

/// The lines of a text without their ends; what stands behind the last end is the last line.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = memchr::memchr(b'\n', text) else { return rest.take() };
        let (line, behind) = text.split_at(end);
        rest = behind.get(1..);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// A number that consists of digits only.
pub(super) fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// The digits of a number, perhaps behind a letter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits {
    bytes: [u8; Digits::BYTES_MAX],
    first: usize,
}

impl Digits {
    /// Of the largest number, and one for a letter.
    const BYTES_MAX: usize = 11;

    pub fn of(mut number: u32) -> Digits {
        let (mut bytes, mut first) = ([b'0'; Digits::BYTES_MAX], Digits::BYTES_MAX);
        loop {
            first -= 1;
            bytes[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Digits { bytes, first };
            }
        }
    }

    /// With this letter in front.
    pub fn behind(letter: u8, number: u32) -> Digits {
        let Digits { mut bytes, mut first } = Digits::of(number);
        first -= 1;
        bytes[first] = letter;
        Digits { bytes, first }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_a_line_feed_with_or_without_a_carriage_return() {
        let split = |text: &'static str| lines(text.as_bytes()).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<&str>>();
        assert_eq!(split("a\r\nb\n\r\nc"), ["a", "b", "", "c"]);
        assert_eq!(split("a\r\n"), ["a", ""]);
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn numbers_are_written_and_read_back() {
        for number in [0, 1, 9, 10, 305, 65_536, u32::MAX] {
            assert_eq!(Digits::of(number).bytes(), number.to_string().as_bytes());
            assert_eq!(Digits::behind(b'e', number).bytes(), format!("e{number}").as_bytes());
            assert_eq!(decimal(number.to_string().as_bytes()), Some(number));
        }
        for text in ["", "-1", "1x", " 1", "4294967296"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text:?}");
        }
    }
}
