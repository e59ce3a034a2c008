//! Questions to a name server and the records it answers with (RFC 1035, RFC 2782 SRV, RFC 3403 NAPTR).

use std::net::IpAddr;
use std::sync::Arc;

use super::limits::NAME_BYTES_MAX;

/// What is asked for under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    A,
    Aaaa,
    Srv,
    Naptr,
    Cname,
    Txt,
    Ptr,
    /// ENUM branch location.
    Ebl,
}

impl Kind {
    const ALL: [Kind; 8] = [Kind::A, Kind::Aaaa, Kind::Srv, Kind::Naptr, Kind::Cname, Kind::Txt, Kind::Ptr, Kind::Ebl];

    /// The type's number in a DNS message.
    pub const fn number(self) -> u16 {
        match self {
            Kind::A => 1,
            Kind::Cname => 5,
            Kind::Ptr => 12,
            Kind::Txt => 16,
            Kind::Aaaa => 28,
            Kind::Srv => 33,
            Kind::Naptr => 35,
            Kind::Ebl => 65_300,
        }
    }

    /// The type's name.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Srv => "SRV",
            Kind::Naptr => "NAPTR",
            Kind::Cname => "CNAME",
            Kind::Txt => "TXT",
            Kind::Ptr => "PTR",
            Kind::Ebl => "EBL",
        }
    }

    /// The type with this name, any case.
    pub fn from_word(word: &[u8]) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word().as_bytes().eq_ignore_ascii_case(word))
    }
}

/// One question. The name is in lower case without the final dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub name: Arc<str>,
    pub kind: Kind,
}

impl Question {
    /// A question about a name as it was written; None: it cannot be a name.
    pub fn new(name: &str, kind: Kind) -> Option<Question> {
        Some(Question { name: canonical(name)?, kind })
    }
}

/// The form names are compared in; None: empty, too long, or with bytes no host name has.
pub fn canonical(name: &str) -> Option<Arc<str>> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if bare.is_empty() || bare.len() > NAME_BYTES_MAX || !bare.bytes().all(is_allowed) {
        return None;
    }
    Some(Arc::from(bare.to_ascii_lowercase()))
}

/// The data of an SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub target: Arc<str>,
}

/// The data of a NAPTR record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    pub order: u16,
    pub preference: u16,
    pub flags: Box<str>,
    pub service: Box<str>,
    pub expression: Box<str>,
    pub replacement: Arc<str>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A and AAAA.
    Address(IpAddr),
    Server(Server),
    Pointer(Pointer),
    /// CNAME and PTR.
    Name(Arc<str>),
    Text(Vec<Box<[u8]>>),
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// In lower case without the final dot.
    pub owner: Arc<str>,
    pub kind: Kind,
    /// Lifetime in seconds, as the name server gave it.
    pub seconds: u32,
    pub data: Data,
}

/// What came of a question; no records: the name has none, or nobody answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    pub records: Vec<Record>,
    /// How long the answer took.
    pub milliseconds: u32,
}

impl Reply {
    /// The answer that a name has one address, for a minute: for worlds without name servers.
    pub fn of_address(name: &str, address: IpAddr) -> Reply {
        let kind = if address.is_ipv4() { Kind::A } else { Kind::Aaaa };
        let owner = canonical(name).unwrap_or_else(|| Arc::from(name));
        Reply { records: vec![Record { owner, kind, seconds: 60, data: Data::Address(address) }], milliseconds: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_lower_case_without_the_final_dot() {
        assert_eq!(canonical("Example.ORG.").as_deref(), Some("example.org"));
        assert_eq!(canonical("_sip._udp.a-b.test").as_deref(), Some("_sip._udp.a-b.test"));
    }

    #[test]
    fn what_cannot_be_a_name_is_no_question() {
        for name in ["", ".", "a b", "a\0b", "ü.test", "[::1]", &"x".repeat(256)] {
            assert_eq!(Question::new(name, Kind::A), None, "{name:?}");
        }
    }

    #[test]
    fn kinds_are_known_by_name_in_any_case() {
        assert_eq!(Kind::from_word(b"naptr"), Some(Kind::Naptr));
        assert_eq!(Kind::from_word(b"EBL").map(Kind::number), Some(65_300));
        assert_eq!(Kind::from_word(b"MX"), None);
    }
}
