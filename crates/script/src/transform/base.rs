//! `s.encode.*` and `s.decode.*`: hexadecimal, GSM 7-bit packing (in hexadecimal), base 58 and base 64.

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};

use super::digest::hexadecimal;
use super::{Entry, RESULT_BYTES_MAX, input, output};
use crate::value::Value;

/// Input of base 58 in bytes: its cost grows with the square.
const BASE58_BYTES_MAX: usize = 4096;
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

pub(super) const TABLE: &[Entry] = &[
    Entry::new("s.encode.hexa", 0, &[], |value, _| output(hexadecimal(&input(value)?))),
    Entry::new("s.decode.hexa", 0, &[], |value, _| output(from_hexadecimal(&input(value)?)?)),
    Entry::new("s.encode.7bit", 0, &[], |value, _| output(hexadecimal(&pack(&input(value)?)).to_ascii_uppercase())),
    Entry::new("s.decode.7bit", 0, &[], |value, _| output(unpack(&from_hexadecimal(&input(value)?)?))),
    Entry::new("s.encode.base58", 0, &[], |value, _| output(encode_base58(&input(value)?)?)),
    Entry::new("s.decode.base58", 0, &[], |value, _| output(decode_base58(&input(value)?)?)),
    Entry::new("s.encode.base64", 0, &[], |value, _| encode_base64(value, &STANDARD)),
    Entry::new("s.decode.base64", 0, &[], |value, _| decode_base64(value, &STANDARD)),
    Entry::new("s.encode.base64t", 0, &[], |value, _| encode_base64(value, &STANDARD_BARE)),
    Entry::new("s.decode.base64t", 0, &[], |value, _| decode_base64(value, &STANDARD_BARE)),
    Entry::new("s.encode.base64url", 0, &[], |value, _| encode_base64(value, &URL)),
    Entry::new("s.decode.base64url", 0, &[], |value, _| decode_base64(value, &URL)),
    Entry::new("s.encode.base64urlt", 0, &[], |value, _| encode_base64(value, &URL_BARE)),
    Entry::new("s.decode.base64urlt", 0, &[], |value, _| decode_base64(value, &URL_BARE)),
];

const fn configuration(is_padded: bool) -> GeneralPurposeConfig {
    GeneralPurposeConfig::new()
        .with_encode_padding(is_padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true)
}

const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, configuration(true));
const STANDARD_BARE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, configuration(false));
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, configuration(true));
const URL_BARE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, configuration(false));

fn encode_base64(value: &Value, engine: &GeneralPurpose) -> Option<Value> {
    let text = input(value)?;
    if text.len() > RESULT_BYTES_MAX {
        return None;
    }
    output(engine.encode(&*text))
}

fn decode_base64(value: &Value, engine: &GeneralPurpose) -> Option<Value> {
    output(engine.decode(&*input(value)?).ok()?)
}

/// Pairs of hexadecimal digits as bytes.
pub(super) fn from_hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks(2)
        .map(|pair| {
            let high = char::from(*pair.first()?).to_digit(16)?;
            let low = char::from(*pair.get(1)?).to_digit(16)?;
            u8::try_from(high << 4 | low).ok()
        })
        .collect()
}

/// Eight septets in seven octets, low bits first (GSM 03.38).
fn pack(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in text {
        bits |= u32::from(byte & 0x7f) << count;
        count += 7;
        while count >= 8 {
            out.push((bits & 0xff) as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push((bits & 0xff) as u8);
    }
    out
}

fn unpack(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 7);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in octets {
        bits |= u32::from(*byte) << count;
        count += 8;
        while count >= 7 {
            out.push((bits & 0x7f) as u8);
            bits >>= 7;
            count -= 7;
        }
    }
    out
}

fn encode_base58(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > BASE58_BYTES_MAX {
        return None;
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes.iter().skip(zeros) {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let ones = std::iter::repeat_n(b'1', zeros);
    Some(ones.chain(digits.iter().rev().map(|digit| BASE58[usize::from(*digit)])).collect())
}

fn decode_base58(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > BASE58_BYTES_MAX {
        return None;
    }
    let ones = text.iter().take_while(|byte| **byte == b'1').count();
    let mut bytes: Vec<u8> = Vec::new();
    for letter in text.iter().skip(ones) {
        let mut carry = u32::try_from(BASE58.iter().position(|known| known == letter)?).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push((carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    Some(std::iter::repeat_n(0, ones).chain(bytes.into_iter().rev()).collect())
}
