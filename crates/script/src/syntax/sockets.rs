//! `listen`, `alias`, `domain` and `socket`: addresses bare or quoted, with their attributes (spec cfg-language 1.6, 4.2).

use std::net::Ipv6Addr;

use crate::lexer::reserved::is_reserved;
use crate::lexer::token::{Token, TokenKind, word_number};
use crate::limits::PORT_RANGE_MAX;
use crate::syntax::ast::{Advertise, Alias, Listen, Protocol};
use crate::syntax::parser::{Parsed, Parser};

/// `[proto:]host[:port]` as read.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// Last port of `port-port`.
    pub(crate) port_last: Option<u16>,
}

/// The protocol a word stands for, in either case.
pub(crate) fn protocol_word(word: &str) -> Option<Protocol> {
    Some(match word.to_ascii_lowercase().as_str() {
        "udp" => Protocol::Udp,
        "tcp" => Protocol::Tcp,
        "tls" => Protocol::Tls,
        "sctp" => Protocol::Sctp,
        "ws" => Protocol::Ws,
        "wss" => Protocol::Wss,
        _ => return None,
    })
}

/// Splits `[proto:]host[:port]` written in one text.
pub(crate) fn split_address(text: &str) -> Option<Address> {
    let mut rest = text;
    let mut protocol = None;
    if let Some((word, after)) = text.split_once(':')
        && let Some(found) = protocol_word(word)
    {
        (protocol, rest) = (Some(found), after);
    }
    if rest.parse::<Ipv6Addr>().is_ok() {
        return Some(Address { protocol, host: rest.to_string(), port: None, port_last: None });
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(inside) => {
            let (host, after) = inside.split_once(']')?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(digits) => Some(digits.parse().ok()?),
        None => None,
    };
    Some(Address { protocol, host: host.to_string(), port, port_last: None })
}

impl Parser<'_> {
    /// `listen = item ... [advertise ...] [name "x"] [virtual]`
    pub(crate) fn listen(&mut self) -> Parsed<()> {
        let start = self.next().span;
        self.next();
        let mut found = Vec::new();
        loop {
            let place = self.peek().span;
            for address in self.addresses()? {
                found.push((address, self.span_since(place)));
            }
            if !self.starts_address() {
                break;
            }
        }
        let mut advertise = None;
        let mut name = None;
        let mut is_virtual = false;
        loop {
            if self.peek_is_word("advertise") {
                self.next();
                advertise = Some(self.advertised()?);
            } else if self.peek_is_word("name") && matches!(self.peek_at(1).kind, TokenKind::Text(_)) {
                self.next();
                name = Some(self.name_text()?);
            } else if self.peek_is_word("virtual") {
                self.next();
                is_virtual = true;
            } else {
                break;
            }
        }
        let workers = self.workers.take();
        for (address, span) in found {
            let span = if span.line == 0 { start } else { span };
            let (advertise, name) = (advertise.clone(), name.clone());
            let Address { protocol, host, port, .. } = address;
            self.configuration.listens.push(Listen { protocol, host, port, advertise, name, is_virtual, workers, span });
        }
        Ok(())
    }

    /// `alias = address ...`
    pub(crate) fn alias(&mut self) -> Parsed<()> {
        self.next();
        self.next();
        loop {
            let place = self.peek().span;
            for Address { protocol, host, port, .. } in self.addresses()? {
                let span = self.span_since(place);
                self.configuration.aliases.push(Alias { protocol, host, port, span });
            }
            if !self.starts_address() {
                return Ok(());
            }
        }
    }

    /// `socket = { bind = ...; name = "x"; ... }`
    pub(crate) fn socket(&mut self) -> Parsed<()> {
        let start = self.next().span;
        self.next();
        self.expect("{", "after `socket =`")?;
        let mut bound: Option<Address> = None;
        let (mut advertise, mut name, mut is_virtual, mut workers) = (None, None, false, None);
        while !self.take("}") {
            if self.take(";") {
                continue;
            }
            let token = self.next();
            let Some(word) = token.word().map(str::to_string) else {
                return Err(
                    self.error(token.span, format!("syntax error: expected an attribute of the socket, found {}", token.description()))
                );
            };
            self.expect("=", &format!("after `{word}`"))?;
            match word.as_str() {
                "bind" => bound = Some(self.address()?),
                "advertise" => advertise = Some(self.advertised()?),
                "name" => name = Some(self.name_text()?),
                "workers" => workers = u32::try_from(self.number("`workers`")?).ok(),
                "virtual" => is_virtual = self.number("`virtual`")? != 0,
                "agname" | "vrf" => {
                    self.name_text()?;
                    self.warn(token.span, format!("`{word}` of a socket has no effect"));
                }
                _ => {
                    let help = crate::diagnostic::did_you_mean(&word, ["bind", "advertise", "name", "workers", "virtual", "agname", "vrf"]);
                    let message = format!("unknown attribute `{word}` of a socket");
                    return Err(self.report(crate::diagnostic::Diagnostic::error(token.span, message).with_help_if(help)));
                }
            }
        }
        let span = self.span_since(start);
        let Some(Address { protocol, host, port, port_last }) = bound else {
            return Err(self.error(span, "a socket needs `bind = [proto:]address[:port]`"));
        };
        let workers = workers.or(self.workers.take());
        let ports: Vec<Option<u16>> = match (port, port_last) {
            (Some(first), Some(last)) => (first..=last).take(usize::from(PORT_RANGE_MAX)).map(Some).collect(),
            _ => vec![port],
        };
        for port in ports {
            let (advertise, name, host) = (advertise.clone(), name.clone(), host.clone());
            self.configuration.listens.push(Listen { protocol, host, port, advertise, name, is_virtual, workers, span });
        }
        Ok(())
    }

    fn name_text(&mut self) -> Parsed<String> {
        self.expect_text("a name").map(|(text, _)| String::from_utf8_lossy(&text).into_owned())
    }

    fn number(&mut self, what: &str) -> Parsed<i64> {
        let number = match &self.peek().kind {
            TokenKind::Integer(number, _) => Some(*number),
            TokenKind::Word(word) => word_number(word),
            _ => None,
        };
        let Some(number) = number else {
            return Err(self.unexpected(&format!("a number for {what}")));
        };
        self.next();
        Ok(number)
    }

    fn advertised(&mut self) -> Parsed<Advertise> {
        let Address { protocol, host, port, .. } = self.address()?;
        Ok(Advertise { protocol, host, port })
    }

    /// Can the next token begin one more address of a list, and not the next statement?
    fn starts_address(&mut self) -> bool {
        let token = self.peek().clone();
        match &token.kind {
            TokenKind::Text(_) | TokenKind::Integer(..) | TokenKind::Ip6(_) | TokenKind::NumberWord(_) => true,
            TokenKind::Symbol(symbol) => matches!(*symbol, "[" | "(" | "*"),
            TokenKind::Word(word) if protocol_word(word).is_some() => self.peek_at(1).is(":"),
            TokenKind::Word(word) if is_reserved(word) => false,
            TokenKind::Word(_) => {
                let mut at = 1;
                while self.peek_at(at).is_glued && (self.peek_at(at).is(".") || self.peek_at(at).is("-")) {
                    at += 2;
                }
                let after = self.peek_at(at);
                !(after.is("=") || after.is("[") || after.is("(") || after.is("{"))
            }
            _ => false,
        }
    }

    /// One address, or several in parentheses.
    fn addresses(&mut self) -> Parsed<Vec<Address>> {
        let protocol = self.protocol_prefix();
        if !self.take("(") {
            return self.address_after(protocol).map(|address| vec![address]);
        }
        let mut all = Vec::new();
        loop {
            let host = self.host()?;
            all.push(Address { protocol, host, port: None, port_last: None });
            if !self.take(",") {
                break;
            }
        }
        self.expect(")", "after the list of addresses")?;
        let (port, port_last) = self.port()?;
        all.iter_mut().for_each(|address| (address.port, address.port_last) = (port, port_last));
        Ok(all)
    }

    /// `[proto:]host[:port[-port]]`
    pub(crate) fn address(&mut self) -> Parsed<Address> {
        let protocol = self.protocol_prefix();
        self.address_after(protocol)
    }

    fn protocol_prefix(&mut self) -> Option<Protocol> {
        let token = self.peek().clone();
        let is_prefix = self.peek_at(1).is(":");
        if !is_prefix {
            return None;
        }
        let protocol = token.word().and_then(protocol_word);
        if protocol.is_some() || token.is("*") {
            self.next();
            self.next();
        }
        protocol
    }

    fn address_after(&mut self, protocol: Option<Protocol>) -> Parsed<Address> {
        if let TokenKind::Text(bytes) = &self.peek().kind {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let span = self.next().span;
            return self.quoted_address(protocol, &text, span);
        }
        let host = self.host()?;
        let (port, port_last) = self.port()?;
        Ok(Address { protocol, host, port, port_last })
    }

    fn quoted_address(&mut self, protocol: Option<Protocol>, text: &str, span: crate::source::Span) -> Parsed<Address> {
        let Some(split) = split_address(text).filter(|split| !split.host.is_empty()) else {
            return Err(self.error(span, format!("`{text}` is no address")));
        };
        if split.port.is_some() || split.protocol.is_some() {
            self.warn(span, "Kamailio takes the whole quoted text as a host name; here it is split");
        }
        let (port, port_last) = self.port()?;
        Ok(Address { protocol: protocol.or(split.protocol), host: split.host, port: port.or(split.port), port_last })
    }

    /// `:port`, `:port-port`, `:*` or nothing.
    fn port(&mut self) -> Parsed<(Option<u16>, Option<u16>)> {
        if !self.take(":") {
            return Ok((None, None));
        }
        if self.take("*") {
            return Ok((None, None));
        }
        let first = self.port_number()?;
        if !(self.peek_is("-") && matches!(self.peek_at(1).kind, TokenKind::Integer(..))) {
            return Ok((Some(first), None));
        }
        self.next();
        let last = self.port_number()?;
        if last < first || last - first >= PORT_RANGE_MAX {
            let span = self.last_span();
            return Err(self.error(span, format!("a port range goes upwards and opens at most {PORT_RANGE_MAX} ports")));
        }
        Ok((Some(first), Some(last)))
    }

    fn port_number(&mut self) -> Parsed<u16> {
        let token = self.next();
        match &token.kind {
            TokenKind::Integer(number, text) => match u16::try_from(*number) {
                Ok(port) => Ok(port),
                Err(_) => Err(self.error(token.span, format!("{text} is no port number (0 to 65535)"))),
            },
            _ => Err(self.error(token.span, format!("syntax error: expected a port number, found {}", token.description()))),
        }
    }

    /// A host: bare name, address or quoted text, without brackets.
    pub(crate) fn host(&mut self) -> Parsed<String> {
        let token = self.peek().clone();
        match &token.kind {
            TokenKind::Text(bytes) => {
                self.next();
                Ok(String::from_utf8_lossy(bytes).into_owned())
            }
            TokenKind::Ip6(address) => {
                self.next();
                Ok(address.to_string())
            }
            TokenKind::Symbol("[") => {
                self.next();
                let inner = self.next();
                let TokenKind::Ip6(address) = inner.kind else {
                    return Err(self.error(inner.span, "syntax error: expected an IPv6 address in the brackets"));
                };
                self.expect("]", "after the IPv6 address")?;
                Ok(address.to_string())
            }
            TokenKind::Integer(..) => self.numeric_host(),
            TokenKind::Word(_) | TokenKind::NumberWord(_) => Ok(self.bare_host()),
            _ => Err(self.unexpected("an address, a host name or an interface name")),
        }
    }

    /// Digits first: an IPv4 address whose parts are numbers of the language, or a host name.
    fn numeric_host(&mut self) -> Parsed<String> {
        let start = self.peek().span;
        let mut length = 1;
        while length < 7 && self.peek_at(length).is(".") && matches!(self.peek_at(length + 1).kind, TokenKind::Integer(..)) {
            length += 2;
        }
        let goes_on = self.peek_at(length).is_glued && (self.peek_at(length).is(".") || self.peek_at(length).is("-"));
        if length != 7 || goes_on {
            return Ok(self.bare_host());
        }
        let mut parts = Vec::new();
        let mut is_valid = true;
        for _ in 0..length {
            if let TokenKind::Integer(number, _) = self.next().kind {
                is_valid &= (0..=255).contains(&number);
                parts.push(number.to_string());
            }
        }
        if !is_valid {
            let span = self.span_since(start);
            return Err(self.error(span, "invalid ipv4 address: each part is a number from 0 to 255"));
        }
        Ok(parts.join("."))
    }

    /// Words and numbers joined by `.` and `-` without blanks.
    fn bare_host(&mut self) -> String {
        let mut host = self.next().host_text().unwrap_or_default();
        loop {
            let joint = self.peek().clone();
            let is_joint = joint.is_glued && (joint.is(".") || joint.is("-"));
            let part: Token = self.peek_at(1).clone();
            let is_part = part.is_glued && matches!(part.kind, TokenKind::Word(_) | TokenKind::NumberWord(_) | TokenKind::Integer(..));
            if !is_joint || !is_part {
                return host;
            }
            self.next();
            self.next();
            host.push_str(&joint.host_text().unwrap_or_default());
            host.push_str(&part.host_text().unwrap_or_default());
        }
    }
}
