//! Core word comparisons (spec cfg-language 8.6).

use super::{Compiler, index};
use crate::bytecode::{CodeAs, CoreMatcher, Instruction, MatchRight};
use crate::exports::Host;
use crate::regex::{Flags, Pattern};
use crate::source::Span;
use crate::syntax::ast::{CoreMatch, ExpressionKind, MatchOperand, MatchOperator, Protocol};
use crate::value::Text;
use crate::vm::{is_address, is_number};

/// The transport's name as `CoreWord::Protocol` gives it.
fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp => "tcp",
        Protocol::Tls => "tls",
        Protocol::Sctp => "sctp",
        Protocol::Ws => "ws",
        Protocol::Wss => "wss",
    }
}

impl<H: Host> Compiler<H> {
    pub(super) fn core_match(&mut self, matched: &CoreMatch, span: Span) {
        let is_pattern = matched.operator == MatchOperator::Matches && !is_address(matched.word);
        let right = match &matched.right {
            MatchOperand::Myself => MatchRight::Myself,
            MatchOperand::Network(address, bits) => MatchRight::Network(*address, *bits),
            MatchOperand::Host(name) => {
                if is_address(matched.word) {
                    self.warning(span, format!("`{name}` is compared as it is written, it is not resolved"));
                }
                MatchRight::Text(Text::from(name.as_str()))
            }
            MatchOperand::Protocol(protocol) => MatchRight::Text(Text::from(protocol_name(*protocol))),
            MatchOperand::Expression(right) => match &right.kind {
                ExpressionKind::Text(text) if is_pattern => match Pattern::compile(text, Flags::OPERATOR) {
                    Ok(pattern) => MatchRight::Pattern(pattern),
                    Err(error) => {
                        self.error(right.span, error);
                        return;
                    }
                },
                ExpressionKind::Text(text)
                    if matches!(matched.operator, MatchOperator::Equal | MatchOperator::NotEqual | MatchOperator::Matches)
                        && !is_number(matched.word) =>
                {
                    MatchRight::Text(text.clone())
                }
                _ => {
                    self.value(right, CodeAs::Truth);
                    MatchRight::Computed
                }
            },
        };
        let at = index(self.program.matchers.len());
        self.program.matchers.push(CoreMatcher { word: matched.word, operator: matched.operator, right });
        self.emit(Instruction::CoreMatch(at));
    }
}
