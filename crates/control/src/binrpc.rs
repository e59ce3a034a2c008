//! The BINRPC wire format (spec proxy-core 12): requests in, replies and faults out.

use modules::listing::{Listing, too_long};
use modules::rpc::{Fault, Item, Parameter, Reply};

use crate::limits::{BINRPC_ANSWER_BYTES_MAX, BINRPC_PART_BYTES, BINRPC_RECORDS_MAX, BINRPC_REQUEST_BYTES_MAX};

const MAGIC: u8 = 0xA1;
const REQUEST: u8 = 0;
const REPLY: u8 = 1;
const FAULT: u8 = 3;

const INTEGER: u8 = 0;
const TEXT: u8 = 1;
const DOUBLE: u8 = 2;
const STRUCTURE: u8 = 3;
const ARRAY: u8 = 4;
const NAME: u8 = 5;
const BYTES: u8 = 6;
const END: u8 = 0x80;

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Echoed in the answer.
    pub cookie: u32,
    /// None: the first record is no text.
    pub method: Result<String, &'static str>,
    pub parameters: Vec<Parameter>,
}

/// What a buffer holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// A request and how many bytes it took.
    Request(Request, usize),
    /// More bytes are needed.
    Incomplete,
    /// Not BINRPC, or too long: tell so with this cookie and close.
    Broken(&'static str, u32),
}

/// Reads one request from the start of `bytes`.
pub fn decode(bytes: &[u8]) -> Decoded {
    let (Some(magic), Some(kind)) = (bytes.first(), bytes.get(1)) else { return Decoded::Incomplete };
    if *magic != MAGIC {
        return Decoded::Broken("bad magic", 0);
    }
    let length_bytes = usize::from((kind >> 2) & 3) + 1;
    let cookie_bytes = usize::from(kind & 3) + 1;
    let head = 2 + length_bytes + cookie_bytes;
    let (Some(length), Some(cookie)) = (bytes.get(2..2 + length_bytes), bytes.get(2 + length_bytes..head)) else {
        return Decoded::Incomplete;
    };
    let length = big_endian(length) as usize;
    let cookie = big_endian(cookie) as u32;
    if kind >> 4 != REQUEST {
        return Decoded::Broken("not a request", cookie);
    }
    if length > BINRPC_REQUEST_BYTES_MAX {
        return Decoded::Broken("body too long", cookie);
    }
    let Some(body) = bytes.get(head..head + length) else { return Decoded::Incomplete };
    let mut records = Records { body };
    let method = match records.next() {
        None if body.is_empty() => Err("end of packet encountered"),
        None => Err("more data needed"),
        Some(Parameter::Text(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Some(_) => Err("record doesn't match type"),
    };
    let parameters = records.take(BINRPC_RECORDS_MAX).collect();
    Decoded::Request(Request { cookie, method, parameters }, head + length)
}

/// The fault for what is no request, with which a connection ends.
pub fn corrupted(cookie: u32) -> Vec<u8> {
    encode(cookie, Err(Fault::new(400, "bad request: corrupted packet")), usize::MAX).parts.concat()
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// The records of a body in order; a cut one ends them, and so does the inside of a structure, which no command takes.
struct Records<'a> {
    body: &'a [u8],
}

impl Iterator for Records<'_> {
    type Item = Parameter;

    fn next(&mut self) -> Option<Parameter> {
        let body = std::mem::take(&mut self.body);
        let tag = *body.first()?;
        let kind = tag & 0x0f;
        let size = usize::from((tag >> 4) & 7);
        let is_long = tag & END != 0;
        match kind {
            STRUCTURE => return Some(Parameter::Unreadable("structure")),
            ARRAY => return Some(Parameter::Unreadable("array")),
            _ => {}
        }
        let (start, length) = if kind == DOUBLE {
            (1, size | if is_long { 8 } else { 0 })
        } else if is_long {
            (1 + size, usize::try_from(big_endian(body.get(1..1 + size)?)).ok()?)
        } else {
            (1, size)
        };
        let end = start.checked_add(length)?;
        let value = body.get(start..end)?;
        self.body = body.get(end..).unwrap_or_default();
        Some(match kind {
            INTEGER if length <= 8 => Parameter::Integer(i64::from(big_endian(value) as u32 as i32)),
            DOUBLE if length <= 8 => Parameter::Double(big_endian(value) as i64 as f64 / 1000.0),
            TEXT => Parameter::Text(value.strip_suffix(b"\0").unwrap_or(value).to_vec()),
            NAME => Parameter::Unreadable("structure member"),
            BYTES => Parameter::Unreadable("bytes array"),
            _ => return None,
        })
    }
}

/// A packet in parts, so that a long one is not copied while it grows.
#[derive(Debug, Default)]
pub struct Packet {
    parts: Vec<Vec<u8>>,
    /// The long answer it holds, whose seat is taken until all of it is written: a slow reader holds memory.
    listing: Option<Listing>,
}

impl Packet {
    /// The parts in order; each is given back once it is written.
    pub fn into_parts(self) -> impl Iterator<Item = Vec<u8>> {
        let Packet { parts, listing } = self;
        parts.into_iter().inspect(move |_| {
            let _seat = &listing;
        })
    }
}

/// Writes the packet that answers a call; a body above `body_bytes_max` becomes a fault.
pub fn encode(cookie: u32, answer: Result<Reply, Fault>, body_bytes_max: usize) -> Packet {
    let body_bytes_max = body_bytes_max.min(BINRPC_ANSWER_BYTES_MAX);
    let listing = answer.as_ref().ok().and_then(|reply| reply.listing.clone());
    match answer.and_then(|reply| body(reply, body_bytes_max)) {
        Ok(parts) => Packet { listing, ..packet(REPLY, cookie, parts) },
        Err(fault) => {
            let mut body = Vec::new();
            write_integer(&mut body, i64::from(fault.code));
            write_text(&mut body, TEXT, fault.text.as_bytes());
            packet(FAULT, cookie, vec![body])
        }
    }
}

fn packet(kind: u8, cookie: u32, body: Vec<Vec<u8>>) -> Packet {
    let length = minimal(body.iter().map(Vec::len).sum::<usize>() as u64, 1);
    let cookie = minimal(u64::from(cookie), 1);
    let mut head = vec![MAGIC, (kind << 4) | (((length.len() - 1) as u8) << 2) | (cookie.len() - 1) as u8];
    head.extend_from_slice(&length);
    head.extend_from_slice(&cookie);
    let mut parts = body;
    match parts.first_mut() {
        Some(first) => drop(first.splice(0..0, head)),
        None => parts.push(head),
    }
    Packet { parts, listing: None }
}

fn body(reply: Reply, bytes_max: usize) -> Result<Vec<Vec<u8>>, Fault> {
    let mut body = Body::default();
    reply.items.iter().for_each(|item| body.add(item));
    if let Some(listing) = &reply.listing {
        let mut page = Some(listing.begin()?);
        while let Some(items) = page {
            items.iter().for_each(|item| body.add(item));
            if body.length() > bytes_max {
                break;
            }
            page = listing.next_page();
        }
    }
    match (body.length() > bytes_max, &reply.listing) {
        (false, _) => Ok(body.parts()),
        (true, Some(_)) => Err(too_long(&format!("the {bytes_max} bytes this door carries"))),
        (true, None) => Err(Fault::new(500, format!("the answer has {} bytes, more than binrpc_max_body_size allows", body.length()))),
    }
}

/// A body that grows part by part.
#[derive(Default)]
struct Body {
    full: Vec<Vec<u8>>,
    full_length: usize,
    last: Vec<u8>,
}

impl Body {
    fn add(&mut self, item: &Item) {
        write_item(&mut self.last, item);
        if self.last.len() >= BINRPC_PART_BYTES {
            self.full_length += self.last.len();
            self.full.push(std::mem::take(&mut self.last));
        }
    }

    fn length(&self) -> usize {
        self.full_length + self.last.len()
    }

    fn parts(mut self) -> Vec<Vec<u8>> {
        if !self.last.is_empty() {
            self.full.push(self.last);
        }
        self.full
    }
}

/// Big-endian digits without leading zeros, at least `least`.
fn minimal(value: u64, least: usize) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len() - least);
    bytes.get(zeros..).unwrap_or_default().to_vec()
}

fn write_item(out: &mut Vec<u8>, item: &Item) {
    match item {
        Item::Integer(value) => write_integer(out, *value),
        Item::Long(value) => write_double(out, value.saturating_mul(1000)),
        Item::Double(value) => write_double(out, (value * 1000.0).round() as i64),
        Item::Text(text) => write_text(out, TEXT, text),
        Item::Null => write_text(out, TEXT, b"<null string>"),
        Item::Structure(fields) => {
            out.push(STRUCTURE);
            for (name, value) in fields {
                write_text(out, NAME, name.as_bytes());
                write_item(out, value);
            }
            out.push(END | STRUCTURE);
        }
        // Kamailio's servers write arrays as structures with unnamed members; its clients expect that.
        Item::Array(items) => {
            out.push(STRUCTURE);
            for value in items {
                match value {
                    // `[{"alias": {..}}]` in JSON is a structure with named members here.
                    Item::Structure(fields) if matches!(fields.as_slice(), [(_, Item::Structure(_))]) => {
                        for (name, inner) in fields {
                            write_text(out, NAME, name.as_bytes());
                            write_item(out, inner);
                        }
                    }
                    _ => write_item(out, value),
                }
            }
            out.push(END | STRUCTURE);
        }
    }
}

/// The low 32 bits, minimal.
fn write_integer(out: &mut Vec<u8>, value: i64) {
    let digits = minimal(u64::from(value as u32), 0);
    out.push(((digits.len() as u8) << 4) | INTEGER);
    out.extend_from_slice(&digits);
}

fn write_double(out: &mut Vec<u8>, thousandths: i64) {
    let digits = minimal(thousandths as u64, 0);
    out.push(((digits.len() as u8) << 4) | DOUBLE);
    out.extend_from_slice(&digits);
}

fn write_text(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    let length = text.len() + 1;
    if length < 8 {
        out.push(((length as u8) << 4) | kind);
    } else {
        let digits = minimal(length as u64, 1);
        out.push(0x80 | ((digits.len() as u8) << 4) | kind);
        out.extend_from_slice(&digits);
    }
    out.extend_from_slice(text);
    out.push(0);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use modules::listing::Pages;

    use super::*;

    fn bytes(cookie: u32, answer: Result<Reply, Fault>, body_bytes_max: usize) -> Vec<u8> {
        encode(cookie, answer, body_bytes_max).parts.concat()
    }

    /// So many pages with one text of a thousand bytes each.
    struct Texts(usize);

    impl Pages for Texts {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            self.0 = self.0.checked_sub(1)?;
            Some(vec![Item::text("x".repeat(1_000))])
        }
    }

    #[test]
    fn a_long_answer_is_the_same_packet_as_a_whole_one_in_parts_of_bounded_size() {
        let listing = |count| Reply::listing(Listing::new(Texts(count)));
        let whole = Listing::new(Texts(500)).gathered(500, 500).expect("all items");
        let packet = encode(7, Ok(listing(500)), usize::MAX);
        assert!(packet.parts.len() > 5 && packet.parts.iter().all(|part| part.len() < BINRPC_PART_BYTES + 2_000));
        assert_eq!(packet.parts.concat(), bytes(7, Ok(whole), usize::MAX));
        assert_eq!(bytes(7, Ok(listing(0)), usize::MAX), bytes(7, Ok(Reply::empty()), usize::MAX));
        let cut = String::from_utf8_lossy(&bytes(7, Ok(listing(500)), 10_000)).into_owned();
        assert!(cut.contains("limit") && cut.contains("after"), "{cut}");
    }

    /// One page, made on a seat.
    struct Seated(bool, #[allow(dead_code)] Arc<()>);

    impl Pages for Seated {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            std::mem::take(&mut self.0).then(|| vec![Item::text("x")])
        }
    }

    #[test]
    fn a_long_answer_keeps_its_seat_until_it_is_written() {
        let seat = Arc::new(());
        let packet = encode(7, Ok(Reply::listing(Listing::new(Seated(true, Arc::clone(&seat))))), usize::MAX);
        let mut parts = packet.into_parts();
        assert!(parts.next().is_some());
        assert_eq!(Arc::strong_count(&seat), 2, "the last part is being written");
        drop(parts);
        assert_eq!(Arc::strong_count(&seat), 1);
    }

    #[test]
    fn the_request_for_the_version_is_read() {
        let bytes = [&[0xa1, 0x01, 0x0f, 0x12, 0x34, 0x91, 0x0d][..], b"core.version\0"].concat();
        let expected = Request { cookie: 0x1234, method: Ok("core.version".to_owned()), parameters: Vec::new() };
        assert_eq!(decode(&bytes), Decoded::Request(expected, bytes.len()));
        assert_eq!(decode(&bytes[..6]), Decoded::Incomplete);
        assert_eq!(decode(b"GET / HTTP/1.0"), Decoded::Broken("bad magic", 0));
    }

    #[test]
    fn a_cut_record_ends_the_parameters_and_a_structure_is_none() {
        let packet = |body: &[u8]| [&[0xa1, 0x00, body.len() as u8, 7][..], body].concat();
        let parameters = |bytes: &[u8]| match decode(&packet(bytes)) {
            Decoded::Request(request, _) => request.parameters,
            other => panic!("{other:?}"),
        };
        assert_eq!(parameters(b"\x21m\0\x10\x05\x91\x20ab"), [Parameter::Integer(5)]);
        assert_eq!(parameters(b"\x21m\0\x03\x45now\0\x10\x05\x83"), [Parameter::Unreadable("structure")]);
        assert_eq!(
            decode(&packet(b"\x91\x20ab")),
            Decoded::Request(Request { cookie: 7, method: Err("more data needed"), parameters: Vec::new() }, 8)
        );
        assert_eq!(decode(&[0xa1, 0x30, 0, 9]), Decoded::Broken("not a request", 9));
    }

    #[test]
    fn an_empty_reply_is_five_bytes() {
        assert_eq!(bytes(0x1234, Ok(Reply::empty()), usize::MAX), [0xa1, 0x11, 0x00, 0x12, 0x34]);
    }

    #[test]
    fn integers_are_minimal_and_negative_ones_have_four_bytes() {
        let body = |value| {
            let mut out = Vec::new();
            write_integer(&mut out, value);
            out
        };
        assert_eq!(body(0), [0x00]);
        assert_eq!(body(3), [0x10, 3]);
        assert_eq!(body(300), [0x20, 1, 0x2c]);
        assert_eq!(body(-5), [0x40, 0xff, 0xff, 0xff, 0xfb]);
    }

    #[test]
    fn a_structure_has_names_and_ends() {
        let reply = Reply::one(Item::Structure(vec![("uptime".into(), Item::Integer(77))]));
        let packet = bytes(1, Ok(reply), usize::MAX);
        let expected = [&[0x03, 0x75][..], b"uptime\0", &[0x10, 0x4d, 0x83]].concat();
        assert_eq!(packet.get(4..), Some(&expected[..]));
    }

    #[test]
    fn a_fault_carries_code_and_text() {
        let packet = bytes(1, Err(Fault::new(500, "no")), usize::MAX);
        assert_eq!(packet, [0xa1, 0x30, 7, 1, 0x20, 0x01, 0xf4, 0x31, b'n', b'o', 0]);
    }

    #[test]
    fn an_answer_above_the_bound_becomes_a_fault() {
        let reply = Reply::one(Item::text("x".repeat(2_000)));
        let packet = bytes(1, Ok(reply.clone()), 1_024);
        assert_eq!(packet.get(1).map(|kind| kind >> 4), Some(FAULT));
        assert_eq!(bytes(1, Ok(reply), 4_096).get(1).map(|kind| kind >> 4), Some(REPLY));
    }

    #[test]
    fn garbage_never_panics_and_never_asks_for_endless_memory() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut bytes = vec![0xa1];
            for _ in 0..(state % 40) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes.push((state >> 56) as u8);
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            if let Decoded::Request(request, used) = decode(&bytes) {
                assert!(used <= bytes.len() && request.parameters.len() <= bytes.len());
            }
        }
    }
}
