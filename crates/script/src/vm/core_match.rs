//! Comparisons of the core words: `method == "INVITE"`, `uri == myself`, `src_ip == 10.0.0.0/8` (spec cfg-language 8.6).

use std::net::IpAddr;

use crate::bytecode::{CoreMatcher, MatchRight};
use crate::exports::Host;
use crate::regex::{Flags, Pattern};
use crate::syntax::ast::{CoreWord, MatchOperator};
use crate::value::Value;

/// Is the right side on the stack?
pub(super) fn is_computed(matcher: &CoreMatcher) -> bool {
    matches!(matcher.right, MatchRight::Computed)
}

/// Does the comparison hold? A word the message does not have makes every comparison false.
pub(super) fn holds<H: Host>(host: &mut H, matcher: &CoreMatcher, computed: Option<&Value>, place: &dyn Fn() -> String) -> bool {
    let is_negated = matcher.operator == MatchOperator::NotEqual;
    if matches!(matcher.right, MatchRight::Myself) {
        return host.is_myself(matcher.word) != is_negated;
    }
    let left = host.core_word(matcher.word);
    if left.is_null() {
        return false;
    }
    match &matcher.right {
        MatchRight::Myself => false,
        MatchRight::Network(network, bits) => in_network(&left, *network, *bits) != is_negated,
        MatchRight::Pattern(pattern) => pattern.is_match(&left.to_text()),
        MatchRight::Text(right) => compare_text(&left, right, matcher.word) != is_negated,
        MatchRight::Computed => {
            let right = computed.cloned().unwrap_or_default();
            if matcher.operator == MatchOperator::Matches && !is_address(matcher.word) {
                return match Pattern::dynamic(&right.to_text(), Flags::OPERATOR) {
                    Ok(pattern) => pattern.is_match(&left.to_text()),
                    Err(error) => {
                        host.log(-1, &place(), &error);
                        false
                    }
                };
            }
            compare(matcher, &left, &right)
        }
    }
}

fn compare(matcher: &CoreMatcher, left: &Value, right: &Value) -> bool {
    let is_number = is_number(matcher.word) || (matcher.word == CoreWord::Protocol && right.is_integer());
    let (a, b) = (left.to_integer(), right.to_integer());
    match matcher.operator {
        MatchOperator::Less => a < b,
        MatchOperator::Greater => a > b,
        MatchOperator::LessEqual => a <= b,
        MatchOperator::GreaterEqual => a >= b,
        MatchOperator::Equal | MatchOperator::Matches | MatchOperator::NotEqual => {
            let is_equal = if is_number { a == b } else { compare_text(left, &right.to_text(), matcher.word) };
            is_equal != (matcher.operator == MatchOperator::NotEqual)
        }
    }
}

pub(crate) fn is_number(word: CoreWord) -> bool {
    matches!(
        word,
        CoreWord::SourcePort
            | CoreWord::DestinationPort
            | CoreWord::AddressFamily
            | CoreWord::MessageLength
            | CoreWord::SendPort
            | CoreWord::ToPort
            | CoreWord::SendFamily
    )
}

pub(crate) fn is_address(word: CoreWord) -> bool {
    matches!(word, CoreWord::SourceIp | CoreWord::DestinationIp | CoreWord::SendIp | CoreWord::ToIp)
}

/// Ignoring case; an address or network given as text is compared as such.
fn compare_text(left: &Value, right: &[u8], word: CoreWord) -> bool {
    if is_address(word)
        && let Some((network, bits)) = parse_network(right)
    {
        return in_network(left, network, bits);
    }
    left.to_text().eq_ignore_ascii_case(right)
}

/// `address`, `[address]`, `address/bits`, `address/mask`.
pub(crate) fn parse_network(text: &[u8]) -> Option<(IpAddr, u8)> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match length {
        None => most,
        Some(length) => match length.parse::<u8>() {
            Ok(bits) => bits,
            Err(_) => match length.parse::<IpAddr>().ok()? {
                IpAddr::V4(mask) => u32::from(mask).leading_ones() as u8,
                IpAddr::V6(mask) => u128::from(mask).leading_ones() as u8,
            },
        },
    };
    (bits <= most).then_some((address, bits))
}

fn in_network(left: &Value, network: IpAddr, bits: u8) -> bool {
    let text = left.to_text();
    let Some((address, _)) = parse_network(&text) else { return false };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}
