//! How entries look in `dns.lookup`, `dns.view`, `dns.debug` and `dns.debug_all`.

use std::borrow::Cow;

use sip::time::Time;

use super::entry::{Entry, Kept};
use super::record::{Data, Kind};
use crate::rpc::Item;

type Fields = Vec<(Cow<'static, str>, Item)>;

fn integer(value: impl TryInto<i64>) -> Item {
    Item::Integer(value.try_into().unwrap_or(i64::MAX))
}

fn yes_no(is: bool) -> Item {
    Item::text(if is { "yes" } else { "no" })
}

/// Whole seconds until a moment, begun ones counted; 0 for what never ends.
fn seconds_until(end: Option<Time>, now: Time) -> i64 {
    end.map_or(0, |end| i64::try_from(end.since(now).div_ceil(1_000)).unwrap_or(i64::MAX))
}

/// One entry as a structure.
pub fn entry(entry: &Entry, references: i64, now: Time) -> Item {
    let mut fields: Fields = vec![
        ("name".into(), Item::text(&*entry.question.name)),
        ("type".into(), Item::text(entry.question.kind.word())),
        ("size_bytes".into(), integer(entry.bytes)),
        ("reference_counter".into(), Item::Integer(references)),
        ("permanent".into(), yes_no(entry.is_permanent())),
        ("expires".into(), Item::Integer(seconds_until(entry.expires, now))),
        ("last_used".into(), integer(now.since(entry.last_used()) / 1_000)),
        ("negative_entry".into(), yes_no(entry.is_negative())),
    ];
    if !entry.is_negative() {
        let records = entry.records.iter().enumerate().map(|(index, kept)| record(index, kept, now)).collect();
        fields.push(("records".into(), Item::Array(records)));
    }
    Item::Structure(fields)
}

/// What `dns.lookup` says about an address, which needs no looking up.
pub fn literal(name: &str, kind: Kind) -> Item {
    let bytes = (64 + name.len()).next_multiple_of(8) + if kind == Kind::A { 28 } else { 40 };
    let record = vec![
        ("rr_idx".into(), Item::Integer(0)),
        ("rr_ip".into(), Item::text(name)),
        ("rr_permanent".into(), Item::text("no")),
        ("rr_expires".into(), Item::Integer(-1)),
    ];
    Item::Structure(vec![
        ("name".into(), Item::text(name)),
        ("type".into(), Item::text(kind.word())),
        ("size_bytes".into(), integer(bytes)),
        ("reference_counter".into(), Item::Integer(1)),
        ("permanent".into(), Item::text("no")),
        ("expires".into(), Item::Integer(-1)),
        ("last_used".into(), Item::Integer(0)),
        ("negative_entry".into(), Item::text("no")),
        ("records".into(), Item::Array(vec![Item::Structure(record)])),
    ])
}

fn record(index: usize, kept: &Kept, now: Time) -> Item {
    let mut fields: Fields = vec![("rr_idx".into(), integer(index))];
    match &kept.data {
        Data::Address(address) => fields.push(("rr_ip".into(), Item::text(address.to_string()))),
        Data::Server(server) => fields.extend([
            ("rr_name".into(), Item::text(&*server.target)),
            ("rr_port".into(), integer(server.port)),
            ("rr_priority".into(), integer(server.priority)),
            ("rr_weight".into(), integer(server.weight)),
        ]),
        Data::Pointer(pointer) => fields.extend([
            ("rr_order".into(), integer(pointer.order)),
            ("rr_preference".into(), integer(pointer.preference)),
            ("rr_flags".into(), Item::text(&*pointer.flags)),
            ("rr_service".into(), Item::text(&*pointer.service)),
            // Twice the same name: Kamailio calls the replacement so too.
            ("rr_regexp".into(), Item::text(&*pointer.expression)),
            ("rr_regexp".into(), Item::text(&*pointer.replacement)),
        ]),
        Data::Name(name) => fields.push(("rr_name".into(), Item::text(&**name))),
        Data::Text(texts) => {
            let text =
                |(index, text): (usize, &[u8])| Item::Structure(vec![("idx".into(), integer(index)), ("rr_txt".into(), Item::text(text))]);
            fields.push(("txt".into(), Item::Array(texts.iter().map(|text| &**text).enumerate().map(text).collect())));
        }
    }
    fields.push(("rr_permanent".into(), yes_no(kept.expires.is_none())));
    fields.push(("rr_expires".into(), Item::Integer(seconds_until(kept.expires, now))));
    Item::Structure(fields)
}

fn flags(entry: &Entry) -> i64 {
    i64::from(entry.is_negative()) | i64::from(entry.is_permanent()) << 1
}

/// `dns.debug`: seven values an entry.
pub fn flat(entry: &Entry, now: Time) -> Vec<Item> {
    vec![
        Item::text(&*entry.question.name),
        integer(entry.question.kind.number()),
        integer(entry.bytes),
        Item::Integer(1),
        Item::Integer(seconds_until(entry.expires, now)),
        integer(now.since(entry.last_used()) / 1_000),
        Item::Integer(flags(entry)),
    ]
}

/// `dns.debug_all`: eleven values a record.
pub fn flat_records(entry: &Entry, now: Time) -> Vec<Item> {
    let of_record = |(index, kept): (usize, &Kept)| {
        let mut items = flat(entry, now);
        items.insert(2, integer(index));
        let (word, value) = match &kept.data {
            Data::Address(address) => ("ip", address.to_string().into_bytes()),
            Data::Server(server) => ("srv", server.target.as_bytes().to_vec()),
            Data::Pointer(pointer) => {
                let parts = [&*pointer.flags, &*pointer.service, &*pointer.expression, &*pointer.replacement];
                ("naptr ", parts.concat().into_bytes())
            }
            Data::Name(name) if entry.question.kind == Kind::Cname => ("cname", name.as_bytes().to_vec()),
            Data::Name(name) => ("ptr", name.as_bytes().to_vec()),
            Data::Text(texts) => ("txt", texts.first().map(|text| text.to_vec()).unwrap_or_default()),
        };
        items.extend([Item::text(word), Item::Text(value), Item::Integer(seconds_until(kept.expires, now))]);
        items
    };
    entry.records.iter().enumerate().flat_map(of_record).collect()
}
