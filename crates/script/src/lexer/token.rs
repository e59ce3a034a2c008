//! What the lexer makes of bytes: words, numbers, texts, variables and symbols, each with its place.

use std::net::Ipv6Addr;

use crate::source::Span;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// Nothing, not even a blank, stands between this token and the one before.
    pub is_glued: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// An identifier or keyword; also `msg:len`, `uri:host`, `uri:port`.
    Word(String),
    /// A number and its digits as written.
    Integer(i64, String),
    /// Digits and letters beginning with a digit that are no number, as in host names.
    NumberWord(String),
    Ip6(Ipv6Addr),
    /// A string literal after escapes and substitutions.
    Text(Vec<u8>),
    /// A variable as written, from its `$` to the closing parenthesis.
    Variable(Vec<u8>),
    /// `@a.b["c"]` without the `@`.
    Select(Vec<u8>),
    /// `%name`, an attribute of old releases.
    Attribute(String),
    Symbol(&'static str),
    /// The end of the last file.
    End,
}

impl Token {
    /// Is this the symbol?
    pub fn is(&self, symbol: &str) -> bool {
        matches!(self.kind, TokenKind::Symbol(own) if own == symbol)
    }

    /// Is this the word?
    pub fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    /// The word, if it is one.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Is this the end of the configuration?
    pub fn is_end(&self) -> bool {
        self.kind == TokenKind::End
    }

    /// The token as it is named in messages.
    pub fn description(&self) -> String {
        match &self.kind {
            TokenKind::Word(word) | TokenKind::NumberWord(word) => format!("`{word}`"),
            TokenKind::Integer(_, text) => format!("number `{text}`"),
            TokenKind::Ip6(address) => format!("address `{address}`"),
            TokenKind::Text(bytes) => {
                let text: String = String::from_utf8_lossy(bytes).chars().take(40).collect();
                format!("text \"{}\"", text.escape_debug())
            }
            TokenKind::Variable(bytes) => format!("variable `{}`", String::from_utf8_lossy(bytes)),
            TokenKind::Select(bytes) => format!("select `@{}`", String::from_utf8_lossy(bytes)),
            TokenKind::Attribute(name) => format!("attribute `%{name}`"),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the file".to_string(),
        }
    }

    /// The text of a token that may be part of a bare host name or address.
    pub fn host_text(&self) -> Option<String> {
        match &self.kind {
            TokenKind::Word(word) | TokenKind::NumberWord(word) => Some(word.clone()),
            TokenKind::Integer(_, text) => Some(text.clone()),
            TokenKind::Ip6(address) => Some(address.to_string()),
            TokenKind::Symbol(symbol @ ("." | "-" | ":" | "*" | "[" | "]" | "/")) => Some((*symbol).to_string()),
            _ => None,
        }
    }
}

/// The value of the words that stand for numbers (spec cfg-language 1.4).
pub fn word_number(word: &str) -> Option<i64> {
    match word {
        "yes" | "true" | "on" | "enable" => Some(1),
        "no" | "false" | "off" | "disable" => Some(0),
        "inet" | "INET" | "ipv4" | "IPv4" | "IPV4" => Some(2),
        "inet6" | "INET6" | "ipv6" | "IPv6" | "IPV6" => Some(10),
        _ => None,
    }
}
