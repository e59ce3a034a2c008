//! Records as name servers send them, bounded in number and length.

use std::net::IpAddr;

use hickory_resolver::lookup::Lookup;
use hickory_resolver::proto::rr::{Name, RData, Record as Received};

use crate::limits::{RESOLVER_RECORDS_MAX, RESOLVER_TEXT_BYTES_MAX};

/// What a record says. Names are in lower case without the final dot; the root is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    Address(IpAddr),
    /// SRV (RFC 2782).
    Server {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    /// NAPTR (RFC 3403).
    Pointer {
        order: u16,
        preference: u16,
        flags: String,
        service: String,
        expression: String,
        replacement: String,
    },
    /// CNAME.
    Alias(String),
    /// PTR.
    Name(String),
    /// TXT.
    Text(Vec<Vec<u8>>),
}

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub owner: String,
    /// Lifetime in seconds.
    pub seconds: u32,
    pub data: Data,
}

/// The records of an answer that are of use. `asked`: the name as it was asked for, which stands for the one the search
/// list made of it.
pub fn records(found: &Lookup, asked: &str) -> Vec<Record> {
    let full = text(found.query().name());
    let record = |received: &Received| {
        let owner = text(&received.name);
        let owner = if owner == full { asked.to_owned() } else { owner };
        Some(Record { owner, seconds: received.ttl, data: data(&received.data)? })
    };
    found.answers().iter().take(RESOLVER_RECORDS_MAX).filter_map(record).collect()
}

fn data(data: &RData) -> Option<Data> {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match data {
        RData::A(address) => Data::Address(IpAddr::V4(address.0)),
        RData::AAAA(address) => Data::Address(IpAddr::V6(address.0)),
        RData::SRV(server) => {
            Data::Server { priority: server.priority, weight: server.weight, port: server.port, target: text(&server.target) }
        }
        RData::NAPTR(pointer) => Data::Pointer {
            order: pointer.order,
            preference: pointer.preference,
            flags: words(&pointer.flags),
            service: words(&pointer.services),
            expression: words(&pointer.regexp),
            replacement: text(&pointer.replacement),
        },
        RData::CNAME(target) => Data::Alias(text(&target.0)),
        RData::PTR(target) => Data::Name(text(&target.0)),
        RData::TXT(texts) => {
            let mut left = RESOLVER_TEXT_BYTES_MAX;
            let mut kept = Vec::new();
            for text in &texts.txt_data {
                if text.len() > left {
                    break;
                }
                left -= text.len();
                kept.push(text.to_vec());
            }
            Data::Text(kept)
        }
        _ => return None,
    })
}

fn text(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}
