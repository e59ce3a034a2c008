//! The Record-Route parameter that carries a dialog's identity: `did=dfe.4681` (spec dialog 1.4).

use crate::engine::DialogId;

/// Longest written form: twice eight digits and the dot.
pub const COOKIE_BYTES_MAX: usize = 17;

/// Appends the value of the parameter: both numbers in hexadecimal, least significant digit first.
pub fn write(out: &mut Vec<u8>, id: DialogId) {
    write_reversed_hex(out, u64::from(id.entry));
    out.push(b'.');
    write_reversed_hex(out, u64::from(id.id));
}

/// Appends the whole parameter with its leading semicolon, as `record_route()` takes it: `;did=dfe.4681`.
pub fn write_parameter(out: &mut Vec<u8>, name: &str, id: DialogId) {
    out.push(b';');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    write(out, id);
}

/// Reads a parameter value; `None` when it has no dot, an empty half, another character or a number above 32 bits.
pub fn read(text: &[u8]) -> Option<DialogId> {
    let dot = text.iter().position(|byte| *byte == b'.')?;
    let (entry, id) = (text.get(..dot)?, text.get(dot + 1..)?);
    Some(DialogId { entry: read_reversed_hex(entry)?, id: read_reversed_hex(id)? })
}

/// Appends `number` in lower-case hexadecimal, least significant digit first, `0` for zero.
pub fn write_reversed_hex(out: &mut Vec<u8>, number: u64) {
    out.extend(reversed_hex(number));
}

/// The digits one by one, at least one.
pub(crate) fn reversed_hex(number: u64) -> impl Iterator<Item = u8> {
    let rest = std::iter::successors(Some(number), |number| (*number > 15).then_some(number >> 4));
    rest.map(|number| {
        let digit = (number & 15) as u8;
        if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
    })
}

fn read_reversed_hex(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut number = 0u32;
    for (place, byte) in text.iter().enumerate() {
        let digit = char::from(*byte).to_digit(16)?;
        if place < 8 {
            number |= digit << (4 * place);
        } else if digit != 0 {
            return None;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(entry: u32, id: u32) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, DialogId { entry, id });
        out
    }

    #[test]
    fn the_example_seen_on_the_wire_is_written_and_read() {
        assert_eq!(written(3837, 6244), b"dfe.4681");
        assert_eq!(read(b"dfe.4681"), Some(DialogId { entry: 3837, id: 6244 }));
        assert_eq!(read(b"DFE.4681"), Some(DialogId { entry: 3837, id: 6244 }));
        let mut parameter = Vec::new();
        write_parameter(&mut parameter, "did", DialogId { entry: 3837, id: 6244 });
        assert_eq!(parameter, b";did=dfe.4681");
    }

    #[test]
    fn every_number_survives_the_round_trip() {
        let mut number = 1u32;
        for step in 0..10_000u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = DialogId { entry: number >> (step % 32), id: number };
            let mut text = Vec::new();
            write(&mut text, id);
            assert!(text.len() <= COOKIE_BYTES_MAX);
            assert_eq!(read(&text), Some(id));
        }
        assert_eq!(written(0, 0), b"0.0");
        assert_eq!(written(u32::MAX, 1), b"ffffffff.1");
    }

    #[test]
    fn malformed_values_are_refused() {
        for text in [&b""[..], b"dfe", b".", b"1.", b".1", b"g.1", b"1.2.3", b"1. 2", b"fffffffff.1", b"-1.1", b"\xff.1"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(b"1000000000.1"), Some(DialogId { entry: 1, id: 1 }), "zeros above 32 bits are harmless");
    }
}
