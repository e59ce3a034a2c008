//! `$C(xy)`: the terminal sequence for a foreground and a background colour.

use script::exports::{Index, Inner};
use script::value::{Text, Value};

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

/// `log_colors`: `LEVEL=xy`, several parted by semicolons.
pub(super) fn of_levels(texts: &[Text]) -> Result<Vec<(i32, String)>, String> {
    let mut colors = Vec::new();
    for pair in texts.iter().flat_map(|text| text.split(|byte| *byte == b';')).filter(|pair| !pair.trim_ascii().is_empty()) {
        let wrong = || format!("xlog: log_colors is LEVEL=xy, not {}", String::from_utf8_lossy(pair));
        let at = pair.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let (name, letters) = pair.split_at(at);
        let level = super::level::level(name).ok_or_else(wrong)?;
        colors.push((level, sequence(letters.get(1..).unwrap_or_default().trim_ascii()).ok_or_else(wrong)?));
    }
    Ok(colors)
}

/// Empty where colours would only be in the way: in the system log, unless `force_color` is set.
pub(super) fn color(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    if !worker.node.core.log_stderror && !worker.node.states.xlog.is_color_forced {
        return Value::text("");
    }
    sequence(inner.word()).map_or(Value::Null, Value::text)
}

#[cfg(test)]
mod tests {
    use super::{Text, of_levels, sequence};

    #[test]
    fn letters_become_terminal_sequences() {
        assert_eq!(sequence(b"rx").as_deref(), Some("\x1b[0;31;49m"));
        assert_eq!(sequence(b"Gs").as_deref(), Some("\x1b[1;32;40m"));
        assert_eq!(sequence(b"r"), None);
        assert_eq!(sequence(b"zz"), None);
    }

    #[test]
    fn levels_have_colours_of_their_own() {
        let colors = of_levels(&[Text::from("L_ERR=cr; L_WARN=gx"), Text::from("3=bx")]).unwrap();
        assert_eq!(colors.iter().map(|(level, _)| *level).collect::<Vec<_>>(), [-1, 0, 3]);
        assert_eq!(colors[0].1, "\x1b[0;36;41m");
        assert!(of_levels(&[Text::from("L_ERR")]).is_err());
        assert!(of_levels(&[Text::from("L_ERR=q")]).is_err());
    }
}
