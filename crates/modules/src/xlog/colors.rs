//! `$C(xy)`: the terminal sequence for a foreground and a background colour.

use script::exports::{Index, Inner};
use script::value::Value;

use crate::worker::Worker;

/// The digit of a colour letter: upper case is bright; `x` is the default colour.
fn digit(letter: u8) -> Option<u8> {
    Some(match letter.to_ascii_lowercase() {
        b's' => 0,
        b'r' => 1,
        b'g' => 2,
        b'y' => 3,
        b'b' => 4,
        b'p' => 5,
        b'c' => 6,
        b'w' => 7,
        b'x' => 9,
        _ => return None,
    })
}

fn sequence(letters: &[u8]) -> Option<String> {
    let &[foreground, background] = letters else { return None };
    let bright = u8::from(foreground.is_ascii_uppercase());
    Some(format!("\x1b[{bright};3{};4{}m", digit(foreground)?, digit(background)?))
}

pub(super) fn color(_worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    sequence(inner.word()).map_or(Value::Null, Value::text)
}

#[cfg(test)]
mod tests {
    use super::sequence;

    #[test]
    fn letters_become_terminal_sequences() {
        assert_eq!(sequence(b"rx").as_deref(), Some("\x1b[0;31;49m"));
        assert_eq!(sequence(b"Gs").as_deref(), Some("\x1b[1;32;40m"));
        assert_eq!(sequence(b"r"), None);
        assert_eq!(sequence(b"zz"), None);
    }
}
