//! Why a message is refused.

use crate::header::HeaderId;
use std::fmt;

/// Why `Message::parse` or `Message::check_required` refuses a message. Offsets count from the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing but line ends, or nothing at all (a keepalive).
    Empty,
    /// Larger than any bound allows.
    TooLarge {
        bytes: usize,
    },
    /// The first line has no end.
    StartLineUnterminated,
    StartLineTooLong {
        bytes: usize,
    },
    /// Neither `METHOD URI SIP/2.0` nor `SIP/2.0 NNN reason`.
    StartLine {
        offset: u32,
    },
    /// A header line has no line end.
    HeaderUnterminated {
        offset: u32,
    },
    /// A header line without a colon or with an impossible name.
    HeaderName {
        offset: u32,
    },
    HeaderNameTooLong {
        offset: u32,
        bytes: usize,
    },
    HeaderValueTooLong {
        offset: u32,
        bytes: usize,
    },
    TooManyHeaders {
        max: u32,
    },
    TooManyVias {
        max: u32,
    },
    TooManyRoutes {
        max: u32,
    },
    BodyTooLarge {
        bytes: usize,
    },
    /// No empty line ends the headers.
    HeadUnterminated,
    /// A header every SIP message must have is absent.
    Missing(HeaderId),
    /// A header that may be there once is there again.
    Duplicate(HeaderId),
    /// A required header cannot be read.
    Malformed(HeaderId),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ParseError::Empty => write!(f, "empty message"),
            ParseError::TooLarge { bytes } => write!(f, "message of {bytes} bytes is too large"),
            ParseError::StartLineUnterminated => write!(f, "first line has no end"),
            ParseError::StartLineTooLong { bytes } => {
                write!(f, "first line of {bytes} bytes is too long")
            }
            ParseError::StartLine { offset } => write!(f, "bad first line at offset {offset}"),
            ParseError::HeaderUnterminated { offset } => {
                write!(f, "header at offset {offset} has no line end")
            }
            ParseError::HeaderName { offset } => write!(f, "bad header name at offset {offset}"),
            ParseError::HeaderNameTooLong { offset, bytes } => {
                write!(f, "header name of {bytes} bytes at offset {offset} is too long")
            }
            ParseError::HeaderValueTooLong { offset, bytes } => {
                write!(f, "header value of {bytes} bytes at offset {offset} is too long")
            }
            ParseError::TooManyHeaders { max } => write!(f, "more than {max} headers"),
            ParseError::TooManyVias { max } => write!(f, "more than {max} Via elements"),
            ParseError::TooManyRoutes { max } => write!(f, "more than {max} Route elements"),
            ParseError::BodyTooLarge { bytes } => write!(f, "body of {bytes} bytes is too large"),
            ParseError::HeadUnterminated => write!(f, "no empty line ends the headers"),
            ParseError::Missing(id) => write!(f, "required header {} is missing", id.name()),
            ParseError::Duplicate(id) => write!(f, "header {} is there more than once", id.name()),
            ParseError::Malformed(id) => write!(f, "header {} cannot be parsed", id.name()),
        }
    }
}

impl std::error::Error for ParseError {}
