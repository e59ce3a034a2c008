//! Where `received` and `rport` go in the Via of a request that is forwarded or answered.

use crate::params::Params;
use crate::scan::{from, same_name, trim_end};
use crate::serialise::Received;
use crate::via::Via;
use std::fmt::{self, Write};
use std::net::IpAddr;

/// Longest text a mark carries: `;received=` + IPv6 + `;rport=` + port.
const MARK_BYTES_MAX: usize = 80;

/// Replaces the bytes `start..end` of a Via element (offsets inside the element) with a short text.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) start: usize,
    pub(crate) end: usize,
    text: [u8; MARK_BYTES_MAX],
    length: usize,
}

impl Mark {
    pub(crate) const NONE: Mark = Mark { start: usize::MAX, end: usize::MAX, text: [0; MARK_BYTES_MAX], length: 0 };

    fn new(start: usize, end: usize) -> Mark {
        Mark { start, end, ..Mark::NONE }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.start == usize::MAX
    }

    /// Decimal digits; `fmt` would cost ten times as much on every forwarded request.
    fn write_number(&mut self, number: u16) -> fmt::Result {
        let mut digits = [0u8; 5];
        let (mut at, mut rest) = (digits.len(), number);
        loop {
            at = at.saturating_sub(1);
            *digits.get_mut(at).ok_or(fmt::Error)? = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.write_bytes(digits.get(at..).unwrap_or(b""))
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> fmt::Result {
        let end = self.length.checked_add(bytes.len()).ok_or(fmt::Error)?;
        self.text.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or(b"")
    }
}

impl Write for Mark {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write_bytes(text.as_bytes())
    }
}

/// Who gets the marks decides where a new `received` stands (spec proxy-core 3.3, 3.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// A forwarded request: right behind sent-by.
    Forwarded,
    /// A local reply: behind rport if that was there, else behind the branch.
    Reply,
}

/// At most two marks, in order of position. `Mark::NONE` where there is nothing to do.
pub(crate) fn marks(via: &Via<'_>, received: Received, placement: Placement) -> [Mark; 2] {
    let ip = received.source.ip().to_canonical();
    let port = received.source.port();
    let received_at = if has_only_branch_and_rport(via) { None } else { param_range(via, b"received") };
    let rport_at = via.rport.and_then(|_| param_range(via, b"rport"));
    let wants_address = rport_at.is_some() || received_at.is_some() || !via.host_is(ip);
    let forces_rport = rport_at.is_none() && received.force_rport;
    let mut address = Mark::NONE;
    let mut rport = Mark::NONE;
    if let Some((start, end)) = rport_at {
        rport = Mark::new(start, end);
        let _ = rport.write_str("rport=").and_then(|()| rport.write_number(port));
    }
    if let Some((start, end)) = received_at {
        address = Mark::new(start, end);
        let _ = write_received(&mut address, "", ip);
        if forces_rport {
            let _ = address.write_str(";rport=").and_then(|()| address.write_number(port));
        }
    } else if wants_address || forces_rport {
        match placement {
            Placement::Reply if !rport.is_none() => {
                let _ = write_received(&mut rport, ";", ip);
            }
            _ => {
                let at = if placement == Placement::Reply { behind_branch(via) } else { sent_by_end(via) };
                address = Mark::new(at, at);
                if forces_rport {
                    let _ = address.write_str(";rport=").and_then(|()| address.write_number(port));
                }
                if wants_address {
                    let _ = write_received(&mut address, ";", ip);
                }
            }
        }
    }
    if rport.start < address.start { [rport, address] } else { [address, rport] }
}

fn write_received(mark: &mut Mark, lead: &str, ip: IpAddr) -> fmt::Result {
    mark.write_str(lead)?;
    mark.write_str("received=")?;
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            mark.write_number(u16::from(a))?;
            for octet in [b, c, d] {
                mark.write_str(".")?;
                mark.write_number(u16::from(octet))?;
            }
            Ok(())
        }
        IpAddr::V6(ip) => write!(mark, "{ip}"),
    }
}

/// Offset inside the element just behind host and port.
fn sent_by_end(via: &Via<'_>) -> usize {
    via.whole.len().saturating_sub(via.params.len()).min(trim_end(without_params(via)).len())
}

fn without_params<'a>(via: &Via<'a>) -> &'a [u8] {
    let width = via.whole.len().saturating_sub(via.params.len());
    via.whole.get(..width).unwrap_or(via.whole)
}

/// Offset inside the element just behind the branch parameter; its end when there is none.
fn behind_branch(via: &Via<'_>) -> usize {
    if has_only_branch_and_rport(via) && via.rport.is_none() {
        return via.whole.len();
    }
    param_range(via, b"branch").map_or(via.whole.len(), |(_, end)| end)
}

/// Whether the parameters are a branch with a value, perhaps a bare `rport`, and nothing else: told by their length.
fn has_only_branch_and_rport(via: &Via<'_>) -> bool {
    let rport = if via.rport == Some(b"") { b";rport".len() } else { 0 };
    !via.branch.is_empty() && via.params.len() == b";branch=".len().saturating_add(via.branch.len()).saturating_add(rport)
}

/// Offsets inside the element of the first parameter called `name`, name to value.
fn param_range(via: &Via<'_>, name: &[u8]) -> Option<(usize, usize)> {
    let param = Params::new(via.params).find(|param| same_name(param.name, name))?;
    let start = (param.whole.as_ptr() as usize).checked_sub(via.whole.as_ptr() as usize)?;
    let end = start.checked_add(param.whole.len())?;
    if from(via.whole, start).len() >= param.whole.len() { Some((start, end)) } else { None }
}
