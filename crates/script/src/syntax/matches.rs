//! Core match elements: `method == INVITE`, `uri == myself`, `src_ip == 10.0.0.0/8` (spec cfg-language 8.6).

use std::net::IpAddr;

use crate::diagnostic::Diagnostic;
use crate::lexer::token::{Token, TokenKind};
use crate::source::Span;
use crate::syntax::ast::{CoreMatch, CoreWord, Expression, ExpressionKind, MatchOperand, MatchOperator, RouteKind};
use crate::syntax::expressions::COMPARISON_STRENGTH;
use crate::syntax::parser::{Parsed, Parser};
use crate::syntax::sockets::protocol_word;
use crate::value::Text;

/// The word with its own comparison grammar.
pub(crate) fn core_word(word: &str) -> Option<CoreWord> {
    Some(match word {
        "method" => CoreWord::Method,
        "uri" | "status" => CoreWord::Uri,
        "from_uri" => CoreWord::FromUri,
        "to_uri" => CoreWord::ToUri,
        "src_ip" => CoreWord::SourceIp,
        "dst_ip" => CoreWord::DestinationIp,
        "snd_ip" => CoreWord::SendIp,
        "to_ip" => CoreWord::ToIp,
        "src_port" => CoreWord::SourcePort,
        "dst_port" => CoreWord::DestinationPort,
        "af" => CoreWord::AddressFamily,
        "msg:len" => CoreWord::MessageLength,
        "snd_port" => CoreWord::SendPort,
        "to_port" => CoreWord::ToPort,
        "snd_af" | "to_af" => CoreWord::SendFamily,
        "proto" => CoreWord::Protocol,
        "snd_proto" | "to_proto" => CoreWord::SendProtocol,
        _ => return None,
    })
}

/// How a word is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Text,
    Uri,
    Ip,
    Number,
    Protocol,
}

fn class(word: CoreWord) -> Class {
    match word {
        CoreWord::Method => Class::Text,
        CoreWord::Uri | CoreWord::FromUri | CoreWord::ToUri => Class::Uri,
        CoreWord::SourceIp | CoreWord::DestinationIp | CoreWord::SendIp | CoreWord::ToIp => Class::Ip,
        CoreWord::Protocol | CoreWord::SendProtocol => Class::Protocol,
        _ => Class::Number,
    }
}

fn match_operator(token: &Token) -> Option<MatchOperator> {
    Some(match &token.kind {
        TokenKind::Symbol("==") => MatchOperator::Equal,
        TokenKind::Symbol("!=") => MatchOperator::NotEqual,
        TokenKind::Symbol("=~") => MatchOperator::Matches,
        TokenKind::Symbol("<") => MatchOperator::Less,
        TokenKind::Symbol(">") => MatchOperator::Greater,
        TokenKind::Symbol("<=") => MatchOperator::LessEqual,
        TokenKind::Symbol(">=") => MatchOperator::GreaterEqual,
        TokenKind::Word(word) if word == "eq" => MatchOperator::Equal,
        TokenKind::Word(word) if word == "ne" => MatchOperator::NotEqual,
        _ => return None,
    })
}

fn is_allowed(class: Class, operator: MatchOperator) -> bool {
    let is_equality = matches!(operator, MatchOperator::Equal | MatchOperator::NotEqual);
    match class {
        Class::Text | Class::Uri | Class::Ip => is_equality || operator == MatchOperator::Matches,
        Class::Number => operator != MatchOperator::Matches,
        Class::Protocol => is_equality,
    }
}

/// Words about the message being sent, which exist in `onsend_route` only.
fn is_of_sending(word: CoreWord) -> bool {
    use CoreWord::{SendFamily, SendIp, SendPort, SendProtocol, ToIp, ToPort};
    matches!(word, SendFamily | SendIp | SendPort | SendProtocol | ToIp | ToPort)
}

/// Parses `address` or `address/bits` or `address/mask`; the flag tells that host bits were set and are cleared.
fn network(text: &str) -> Option<(IpAddr, u8, bool)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
    let widest = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => widest,
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= widest).or_else(|| mask_bits(bits))?,
    };
    let masked = mask(address, bits);
    Some((masked, bits, masked != address))
}

fn mask_bits(text: &str) -> Option<u8> {
    let (ones, zeros) = match text.parse().ok()? {
        IpAddr::V4(mask) => (u32::from(mask).leading_ones(), u32::from(mask).trailing_zeros() + u32::from(mask).leading_ones() == 32),
        IpAddr::V6(mask) => (u128::from(mask).leading_ones(), u128::from(mask).trailing_zeros() + u128::from(mask).leading_ones() == 128),
    };
    if zeros { u8::try_from(ones).ok() } else { None }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(address) => {
            let kept = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & kept).into())
        }
        IpAddr::V6(address) => {
            let kept = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & kept).into())
        }
    }
}

impl Parser<'_> {
    /// A match element, its word not taken yet.
    pub(crate) fn core_match(&mut self, core: CoreWord, word: &str, span: Span) -> Parsed<Expression> {
        self.next();
        let token = self.peek().clone();
        let Some(operator) = match_operator(&token) else {
            let message = format!("syntax error: `{word}` is no value, it can only be compared");
            let help = format!("for example `{word} == ...`; as a value use the variable, for example `$rm`, `$ru`, `$si`");
            return Err(self.report(Diagnostic::error(span, message).with_help(help)));
        };
        if is_of_sending(core) && self.route_kind != Some(RouteKind::OnSend) {
            self.error(span, format!("`{word}` is allowed only in onsend_route"));
        }
        if !is_allowed(class(core), operator) {
            return Err(self.error(token.span, format!("syntax error: {} cannot compare `{word}`", token.description())));
        }
        self.next();
        let right = self.match_operand(class(core), operator)?;
        let kind = ExpressionKind::Match(CoreMatch { word: core, operator, right });
        Ok(Expression { kind, span: self.span_since(span) })
    }

    /// `myself == uri`, the word not taken yet.
    pub(crate) fn myself_match(&mut self, span: Span) -> Parsed<Expression> {
        self.next();
        let operator = match self.peek().kind {
            TokenKind::Symbol("==") => MatchOperator::Equal,
            TokenKind::Symbol("!=") => MatchOperator::NotEqual,
            _ => return Err(self.unexpected("`==` or `!=` after `myself`")),
        };
        self.next();
        let word = self.peek().word().and_then(core_word).filter(|word| matches!(class(*word), Class::Uri | Class::Ip));
        let Some(word) = word else {
            return Err(self.unexpected("one of `uri`, `from_uri`, `to_uri`, `src_ip`, `dst_ip`"));
        };
        self.next();
        let kind = ExpressionKind::Match(CoreMatch { word, operator, right: MatchOperand::Myself });
        Ok(Expression { kind, span: self.span_since(span) })
    }

    fn match_operand(&mut self, class: Class, operator: MatchOperator) -> Parsed<MatchOperand> {
        let token = self.peek().clone();
        if token.is_word("myself") && matches!(class, Class::Uri | Class::Ip) {
            self.next();
            return Ok(MatchOperand::Myself);
        }
        match class {
            Class::Text => {
                let is_bare = token.word().is_some() && !self.peek_at(1).is("(");
                if is_bare {
                    let span = self.next().span;
                    let text = Text::from(token.word().unwrap_or(""));
                    return Ok(MatchOperand::Expression(Box::new(Expression { kind: ExpressionKind::Text(text), span })));
                }
            }
            Class::Protocol => {
                if let Some(protocol) = token.word().and_then(protocol_word) {
                    self.next();
                    return Ok(MatchOperand::Protocol(protocol));
                }
            }
            Class::Ip => {
                if let Some(operand) = self.ip_operand(&token, operator)? {
                    return Ok(operand);
                }
            }
            Class::Uri | Class::Number => {}
        }
        self.binary(COMPARISON_STRENGTH).map(|right| MatchOperand::Expression(Box::new(right)))
    }

    /// An address, a network or a host name; None when an expression follows.
    fn ip_operand(&mut self, token: &Token, operator: MatchOperator) -> Parsed<Option<MatchOperand>> {
        let start = token.span;
        match &token.kind {
            TokenKind::Text(bytes) if operator != MatchOperator::Matches => {
                let next = self.peek_at(1);
                let is_whole = !(next.is("+") || next.is("-") || next.is("*"));
                if !is_whole {
                    return Ok(None);
                }
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.next();
                Ok(Some(self.network_operand(&text, start).unwrap_or(MatchOperand::Host(text))))
            }
            TokenKind::Integer(..) | TokenKind::NumberWord(_) | TokenKind::Ip6(_) | TokenKind::Symbol("[") => {
                let mut text = self.host()?;
                if self.take("/") {
                    let bits = self.host()?;
                    text = format!("{text}/{bits}");
                }
                let span = self.span_since(start);
                let is_numeric = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/' | b':'));
                match self.network_operand(&text, span) {
                    Some(operand) => Ok(Some(operand)),
                    None if is_numeric => Err(self.error(span, format!("`{text}` is no IP address or network"))),
                    None => Ok(Some(MatchOperand::Host(text))),
                }
            }
            TokenKind::Word(_) if !self.peek_at(1).is("(") => Ok(Some(MatchOperand::Host(self.host()?))),
            _ => Ok(None),
        }
    }

    fn network_operand(&mut self, text: &str, span: Span) -> Option<MatchOperand> {
        let (address, bits, is_fixed) = network(text)?;
        if is_fixed {
            self.warn(span, format!("host bits are set in the network {text}: read as {address}/{bits}"));
        }
        Some(MatchOperand::Network(address, bits))
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn networks_are_written_with_bits_or_masks() {
        let ip = |text: &str| text.parse().expect("address");
        assert_eq!(network("10.0.0.1"), Some((ip("10.0.0.1"), 32, false)));
        assert_eq!(network("10.1.2.3/8"), Some((ip("10.0.0.0"), 8, true)));
        assert_eq!(network("10.0.0.0/255.0.0.0"), Some((ip("10.0.0.0"), 8, false)));
        assert_eq!(network("0.0.0.0/0"), Some((ip("0.0.0.0"), 0, false)));
        assert_eq!(network("2001:db8::/32"), Some((ip("2001:db8::"), 32, false)));
        assert_eq!(network("10.0.0.0/33"), None);
        assert_eq!(network("10.0.0.0/255.0.255.0"), None);
        assert_eq!(network("example.org"), None);
    }
}
