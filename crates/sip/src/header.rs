//! Header identities, their names and compact forms, and the index entry of one header line.

use crate::span::Span;

/// One header line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name without white space before the colon.
    pub name: Span,
    /// Value without white space at both ends; folding inside is kept.
    pub value: Span,
    /// Whole line with continuation lines and final line end.
    pub line: Span,
    pub id: HeaderId,
}

macro_rules! header_ids {
    ($($variant:ident $name:literal $($compact:literal)?),* $(,)?) => {
        /// Headers the proxy or its modules know by identity; all others are `Other`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum HeaderId { $($variant,)* Other }

        impl HeaderId {
            /// Number of identities, `Other` included.
            pub const COUNT: usize = HeaderId::Other as usize + 1;

            /// Canonical spelling; empty for `Other`.
            pub fn name(self) -> &'static str {
                match self { $(HeaderId::$variant => $name,)* HeaderId::Other => "" }
            }

            /// One-letter form (RFC 3261 §7.3.3 and later), lower case; 0 when there is none.
            pub fn compact(self) -> u8 {
                match self { $(HeaderId::$variant => 0 $(+ $compact)?,)* HeaderId::Other => 0 }
            }
        }

        const NAMES: &[(&[u8], HeaderId)] = &[$(($name.as_bytes(), HeaderId::$variant)),*];
        const COMPACT_NAMES: &[(u8, HeaderId)] = &[$($(($compact, HeaderId::$variant),)?)*];
    };
}

header_ids! {
    Via "Via" b'v', From "From" b'f', To "To" b't', CallId "Call-ID" b'i', CSeq "CSeq", Contact "Contact" b'm',
    MaxForwards "Max-Forwards", Route "Route", RecordRoute "Record-Route", ContentType "Content-Type" b'c',
    ContentLength "Content-Length" b'l', ContentEncoding "Content-Encoding" b'e',
    ContentDisposition "Content-Disposition", ContentLanguage "Content-Language", MimeVersion "MIME-Version",
    Authorization "Authorization", ProxyAuthorization "Proxy-Authorization", WwwAuthenticate "WWW-Authenticate",
    ProxyAuthenticate "Proxy-Authenticate", AuthenticationInfo "Authentication-Info", Expires "Expires",
    MinExpires "Min-Expires", Require "Require", ProxyRequire "Proxy-Require", Supported "Supported" b'k',
    Unsupported "Unsupported", Allow "Allow", AllowEvents "Allow-Events" b'u', Event "Event" b'o',
    SubscriptionState "Subscription-State", UserAgent "User-Agent", Server "Server", Subject "Subject" b's',
    Organization "Organization", Priority "Priority", ReferTo "Refer-To" b'r', ReferredBy "Referred-By" b'b',
    Replaces "Replaces", Join "Join", SessionExpires "Session-Expires" b'x', MinSe "Min-SE", Path "Path",
    ServiceRoute "Service-Route", Privacy "Privacy", PAssertedIdentity "P-Asserted-Identity",
    PPreferredIdentity "P-Preferred-Identity", PChargingVector "P-Charging-Vector",
    RemotePartyId "Remote-Party-ID", Diversion "Diversion", HistoryInfo "History-Info", Reason "Reason",
    Rack "RAck", Rseq "RSeq", Date "Date", Timestamp "Timestamp", Warning "Warning", RetryAfter "Retry-After",
    ErrorInfo "Error-Info", AlertInfo "Alert-Info", CallInfo "Call-Info", InReplyTo "In-Reply-To",
    ReplyTo "Reply-To", Accept "Accept", AcceptContact "Accept-Contact" b'a', AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language", RejectContact "Reject-Contact" b'j',
    RequestDisposition "Request-Disposition" b'd', Identity "Identity" b'y', IdentityInfo "Identity-Info" b'n',
    SipETag "SIP-ETag", SipIfMatch "SIP-If-Match", MaxBreadth "Max-Breadth", SessionId "Session-ID",
    RecvInfo "Recv-Info", InfoPackage "Info-Package", GeoLocation "Geolocation",
}

const SLOTS: usize = 256;
const SLOT_DEPTH: usize = 4;
const UNUSED: u8 = u8::MAX;

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn slot_of(first: u8, last: u8, length: usize) -> usize {
    ((first | 0x20) as usize * 5 + (last | 0x20) as usize * 17 + length * 29) & (SLOTS - 1)
}

/// Names by (first byte, last byte, length), computed while compiling; an overfull slot stops the build.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]
const fn name_slots() -> [[u8; SLOT_DEPTH]; SLOTS] {
    let mut slots = [[UNUSED; SLOT_DEPTH]; SLOTS];
    let mut index = 0;
    while index < NAMES.len() {
        let name = NAMES[index].0;
        let slot = slot_of(name[0], name[name.len() - 1], name.len());
        let mut depth = 0;
        while slots[slot][depth] != UNUSED {
            depth += 1;
            assert!(depth < SLOT_DEPTH, "header name slot is full");
        }
        slots[slot][depth] = index as u8;
        index += 1;
    }
    slots
}

static NAME_SLOTS: [[u8; SLOT_DEPTH]; SLOTS] = name_slots();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn compact_slots() -> [HeaderId; 26] {
    let mut slots = [HeaderId::Other; 26];
    let mut index = 0;
    while index < COMPACT_NAMES.len() {
        slots[(COMPACT_NAMES[index].0 - b'a') as usize] = COMPACT_NAMES[index].1;
        index += 1;
    }
    slots
}

static COMPACT_SLOTS: [HeaderId; 26] = compact_slots();

impl HeaderId {
    /// The identity of a header name, in any case, full or compact.
    pub fn from_name(name: &[u8]) -> HeaderId {
        let (first, last) = match name {
            [] => return HeaderId::Other,
            [only] => {
                let letter = (only | 0x20).wrapping_sub(b'a');
                let known = only.is_ascii_alphabetic();
                return COMPACT_SLOTS.get(letter as usize).copied().filter(|_| known).unwrap_or(HeaderId::Other);
            }
            [first, .., last] => (*first, *last),
        };
        let Some(slot) = NAME_SLOTS.get(slot_of(first, last, name.len())) else {
            return HeaderId::Other;
        };
        for &index in slot {
            match NAMES.get(usize::from(index)) {
                // The usual spelling first: one comparison instead of one per byte.
                Some((candidate, id)) if candidate.len() == name.len() => {
                    if *candidate == name || name.eq_ignore_ascii_case(candidate) {
                        return *id;
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        HeaderId::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_in_compact_form() {
        for (name, id) in NAMES {
            assert_eq!(HeaderId::from_name(name), *id);
            assert_eq!(HeaderId::from_name(&name.to_ascii_uppercase()), *id);
            assert_eq!(HeaderId::from_name(&name.to_ascii_lowercase()), *id);
            assert_eq!(id.name().as_bytes(), *name);
        }
        for (letter, id) in COMPACT_NAMES {
            assert_eq!(HeaderId::from_name(&[*letter]), *id);
            assert_eq!(HeaderId::from_name(&[letter.to_ascii_uppercase()]), *id);
            assert_eq!(id.compact(), *letter);
        }
        for name in [&b""[..], b"Z", b"7", b"X-Thing", b"Vias", b"\xff", b"!"] {
            assert_eq!(HeaderId::from_name(name), HeaderId::Other);
        }
    }
}
