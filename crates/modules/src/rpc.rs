//! Remote procedure calls as modules see them: typed parameters in, items out. Wire formats live in `control`.

use std::borrow::Cow;

use crate::worker::Worker;

/// One declared command.
pub struct Command {
    pub name: &'static str,
    pub help: &'static str,
    /// Answered as an array in JSON even with no or one item (spec proxy-core 13.2).
    pub is_array: bool,
    pub run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>,
}

/// Why a command failed; shown to the caller as `error: CODE - TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: i32,
    pub text: String,
}

impl Fault {
    /// A fault with a code and text.
    pub fn new(code: i32, text: impl Into<String>) -> Fault {
        Fault { code, text: text.into() }
    }
}

/// One piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// 32-bit on BINRPC.
    Integer(i64),
    /// Sent as double on BINRPC (three decimals), number in JSON: counters wider than 32 bits.
    Long(i64),
    Double(f64),
    Text(Vec<u8>),
    /// JSON null, `<null string>` on BINRPC.
    Null,
    Structure(Vec<(Cow<'static, str>, Item)>),
    Array(Vec<Item>),
}

impl Item {
    /// Text from anything textual.
    pub fn text(text: impl AsRef<[u8]>) -> Item {
        Item::Text(text.as_ref().to_vec())
    }
}

/// What a command answers: items in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    pub items: Vec<Item>,
}

impl Reply {
    /// No content.
    pub fn empty() -> Reply {
        Reply::default()
    }

    /// One item.
    pub fn one(item: Item) -> Reply {
        Reply { items: vec![item] }
    }

    /// Several items.
    pub fn many(items: Vec<Item>) -> Reply {
        Reply { items }
    }
}

/// A parameter as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    Integer(i64),
    Double(f64),
    Text(Vec<u8>),
}

/// Where a call came from: the reading rules differ (spec proxy-core 12.5, 13.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Binrpc,
    Json,
}

/// The parameters of one call, read from left to right.
#[derive(Debug, Clone)]
pub struct Parameters {
    pub wire: Wire,
    pub values: Vec<Parameter>,
    next: usize,
}

impl Parameters {
    /// Parameters of a call.
    pub fn new(wire: Wire, values: Vec<Parameter>) -> Parameters {
        Parameters { wire, values, next: 0 }
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.values.len().saturating_sub(self.next)
    }

    fn take(&mut self) -> Option<Parameter> {
        let value = self.values.get(self.next).cloned();
        if value.is_some() {
            self.next += 1;
        }
        value
    }

    /// `d`: an integer. JSON text reads as 0; BINRPC text is a fault; absent is a fault.
    pub fn integer(&mut self) -> Result<i64, Fault> {
        let number = self.next + 1;
        match (self.take(), self.wire) {
            (Some(Parameter::Integer(value)), _) => Ok(value),
            (Some(Parameter::Double(value)), Wire::Json) => Ok(value as i64),
            (Some(Parameter::Text(_)), Wire::Json) => Ok(0),
            (Some(_), Wire::Binrpc) => Err(mismatch(number, "integer", "record doesn't match type")),
            (None, _) => Err(mismatch(number, "integer", "end of packet encountered")),
        }
    }

    /// `S`: text without conversion: a number is a fault.
    pub fn text(&mut self) -> Result<Vec<u8>, Fault> {
        let number = self.next + 1;
        match self.take() {
            Some(Parameter::Text(text)) => Ok(text),
            Some(_) => Err(mismatch(number, "string", "record doesn't match type")),
            None => Err(mismatch(number, "string", "end of packet encountered")),
        }
    }

    /// `.S`: text, numbers are converted.
    pub fn text_converted(&mut self) -> Result<Vec<u8>, Fault> {
        let number = self.next + 1;
        match self.take() {
            Some(Parameter::Text(text)) => Ok(text),
            Some(Parameter::Integer(value)) => Ok(value.to_string().into_bytes()),
            Some(Parameter::Double(_)) => Err(mismatch(number, "string", "internal error")),
            None => Err(mismatch(number, "string", "end of packet encountered")),
        }
    }

    /// `S` of a command that says nothing itself when it is absent: JSON then answers nothing, BINRPC with its reader's fault.
    pub fn text_or_nothing(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        match (self.left(), self.wire) {
            (0, Wire::Json) => Ok(None),
            (0, Wire::Binrpc) => Err(mismatch(0, "any", "end of packet encountered")),
            _ => self.text_converted().map(Some),
        }
    }

    /// `*d`: an optional integer.
    pub fn integer_if_given(&mut self) -> Result<Option<i64>, Fault> {
        if self.left() == 0 { Ok(None) } else { self.integer().map(Some) }
    }

    /// `*.S`: optional text, numbers converted.
    pub fn text_if_given(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if self.left() == 0 { Ok(None) } else { self.text_converted().map(Some) }
    }

    /// The next parameter as it is.
    pub fn any(&mut self) -> Option<Parameter> {
        self.take()
    }
}

fn mismatch(number: usize, kind: &str, reason: &str) -> Fault {
    Fault::new(400, format!("error at parameter {number}: expected {kind} type but {reason}"))
}
