//! The two parties of a dialog, directions between them, and what the 2xx tells about the callee.

use crate::limits::RECORD_ROUTES_MAX;

/// A party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// Who sent the INVITE; index 0 in SQL and RPC.
    Caller,
    /// Who answered it; index 1.
    Callee,
}

impl Leg {
    /// Caller first, as requests are sent and fields are listed.
    pub const BOTH: [Leg; 2] = [Leg::Caller, Leg::Callee];

    /// The party that this one talks to.
    pub fn other(self) -> Leg {
        match self {
            Leg::Caller => Leg::Callee,
            Leg::Callee => Leg::Caller,
        }
    }
}

/// Where a request travels; the numbers are those of `$dlg_ctx(dir)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Direction {
    /// Not known, or: either.
    #[default]
    None = 0,
    /// From caller to callee.
    Downstream = 1,
    /// From callee to caller.
    Upstream = 2,
}

impl Direction {
    /// The way of the replies to what travels this way.
    pub fn reversed(self) -> Direction {
        match self {
            Direction::None => Direction::None,
            Direction::Downstream => Direction::Upstream,
            Direction::Upstream => Direction::Downstream,
        }
    }

    /// Who sends a request that travels this way.
    pub fn sender(self) -> Option<Leg> {
        match self {
            Direction::None => None,
            Direction::Downstream => Some(Leg::Caller),
            Direction::Upstream => Some(Leg::Callee),
        }
    }
}

/// What the first relayed 2xx tells about the callee (spec dialog 1.1). All empty when the reply was made locally.
#[derive(Clone, Copy, Debug, Default)]
pub struct CalleeLeg<'a> {
    /// To-tag of the 2xx.
    pub tag: &'a [u8],
    /// URI of the single Contact.
    pub contact: &'a [u8],
    /// Built by [`callee_route_set`].
    pub route_set: &'a [u8],
    /// The local socket the 2xx came in on, `udp:127.0.0.1:5060`.
    pub socket: &'a [u8],
    /// A rebuilt caller route set (`keep_proxy_rr` bit 2), see [`caller_route_set`].
    pub caller_route_set: Option<&'a [u8]>,
}

/// The callee's route set from the Record-Route entries of the 2xx (spec dialog 1.9): reversed, without the `caller_entries`
/// of the INVITE and the `own` ones of this proxy, joined by commas. `None` for more than 63 entries.
pub fn callee_route_set(entries: &[&[u8]], caller_entries: usize, own: usize, keep_proxy_rr: u8) -> Option<Vec<u8>> {
    if entries.len() > RECORD_ROUTES_MAX {
        return None;
    }
    let own = if keep_proxy_rr & 1 != 0 { 0 } else { own };
    let kept = entries.len().saturating_sub(caller_entries.saturating_add(own));
    Some(join(entries.iter().take(kept).rev()))
}

/// The caller's route set with this proxy's own entries in front (`keep_proxy_rr` bit 2, spec dialog 1.9); `None` when it
/// stays as it was taken from the INVITE.
pub fn caller_route_set(entries: &[&[u8]], caller_entries: usize, own: usize, keep_proxy_rr: u8) -> Option<Vec<u8>> {
    if keep_proxy_rr & 2 == 0 || own == 0 || entries.len() > RECORD_ROUTES_MAX {
        return None;
    }
    let skipped = entries.len().saturating_sub(caller_entries.saturating_add(own));
    Some(join(entries.iter().skip(skipped)))
}

fn join<'a>(entries: impl Iterator<Item = &'a &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(entry);
    }
    out
}

/// A contact whose `;alias=address~port~protocol` parameter was taken off (spec dialog 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasedContact {
    pub uri: Vec<u8>,
    pub address: Vec<u8>,
    pub port: u16,
    /// Number of the protocol: 1 UDP, 2 TCP, 3 TLS, 4 SCTP, 5 WS, 6 WSS.
    pub protocol: u8,
}

/// Splits the alias parameter off a contact URI; `None` when it has none or a malformed one.
pub fn split_alias(uri: &[u8]) -> Option<AliasedContact> {
    const NAME: &[u8] = b";alias=";
    let start = uri.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME))?;
    let rest = uri.get(start + NAME.len()..)?;
    let length = rest.iter().position(|byte| matches!(byte, b';' | b'?' | b'>')).unwrap_or(rest.len());
    let mut parts = rest.get(..length)?.split(|byte| *byte == b'~');
    let (address, port, protocol) = (parts.next()?, parts.next()?, parts.next()?);
    if address.is_empty() || parts.next().is_some() {
        return None;
    }
    let mut stripped = uri.get(..start)?.to_vec();
    stripped.extend_from_slice(rest.get(length..)?);
    Some(AliasedContact {
        uri: stripped,
        address: address.to_vec(),
        port: std::str::from_utf8(port).ok()?.parse().ok()?,
        protocol: std::str::from_utf8(protocol).ok()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &[u8] = b"<sip:127.0.0.1:15071;lr>";
    const OWN: &[u8] = b"<sip:127.0.0.1:15060;lr=on;did=1.2>";
    const FAR: &[u8] = b"<sip:127.0.0.1:15080;lr;down=1>";
    const FARTHER: &[u8] = b"<sip:h;lr>;x=y";

    #[test]
    fn the_route_set_seen_on_the_original_comes_out() {
        assert_eq!(callee_route_set(&[FAR, OWN, CALLER], 1, 1, 0).unwrap(), FAR);
    }

    #[test]
    fn entries_are_reversed_and_joined_verbatim() {
        let set = callee_route_set(&[FARTHER, FAR, OWN, CALLER], 1, 1, 0).unwrap();
        assert_eq!(set, [FAR, b",", FARTHER].concat());
        assert_eq!(callee_route_set(&[OWN, CALLER], 1, 1, 0).unwrap(), b"");
        assert_eq!(callee_route_set(&[], 1, 2, 0).unwrap(), b"");
        assert_eq!(callee_route_set(&[FAR; 64], 0, 0, 0), None);
    }

    #[test]
    fn keep_proxy_rr_keeps_own_entries_on_the_side_asked_for() {
        assert_eq!(callee_route_set(&[FAR, OWN, CALLER], 1, 1, 1).unwrap(), [OWN, b",", FAR].concat());
        assert_eq!(caller_route_set(&[FAR, OWN, CALLER], 1, 1, 2).unwrap(), [OWN, b",", CALLER].concat());
        assert_eq!(caller_route_set(&[FAR, OWN, CALLER], 1, 1, 1), None);
        assert_eq!(caller_route_set(&[FAR, CALLER], 1, 0, 2), None);
    }

    #[test]
    fn an_alias_becomes_the_destination() {
        let split = split_alias(b"sip:a@10.0.0.1;alias=192.0.2.1~4000~2;ob").unwrap();
        assert_eq!(split.uri, b"sip:a@10.0.0.1;ob");
        assert_eq!((split.address.as_slice(), split.port, split.protocol), (&b"192.0.2.1"[..], 4000, 2));
        for uri in [&b"sip:a@b"[..], b"sip:a@b;alias=", b"sip:a@b;alias=h~1", b"sip:a@b;alias=h~70000~1", b"sip:a@b;alias=h~1~1~1"] {
            assert_eq!(split_alias(uri), None);
        }
    }
}
