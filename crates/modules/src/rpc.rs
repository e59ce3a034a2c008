//! Remote procedure calls as modules see them: typed parameters in, items out. Wire formats live in `control`.

use std::borrow::Cow;

use crate::listing::Listing;
use crate::worker::Worker;

/// One declared command.
#[derive(Clone, Copy)]
pub struct Command {
    pub name: &'static str,
    pub help: &'static str,
    /// Answered as an array in JSON even with no or one item (spec proxy-core 13.2).
    pub is_array: bool,
    pub run: Run,
}

/// What answers a call.
pub type Run = fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>;

impl Command {
    /// A command with its help text.
    pub const fn new(name: &'static str, help: &'static str, run: Run) -> Command {
        Command { name, help, is_array: false, run }
    }

    /// The same, always answered as an array in JSON.
    pub const fn array(self) -> Command {
        Command { is_array: true, ..self }
    }
}

/// Why a command failed; shown to the caller as `error: CODE - TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: i32,
    pub text: String,
    /// A parameter could not be read and the command says nothing of its own about it: BINRPC shows this fault, JSON answers
    /// as if the command had added nothing (spec proxy-core 13.2).
    pub is_unread: bool,
}

impl Fault {
    /// A fault with a code and text.
    pub fn new(code: i32, text: impl Into<String>) -> Fault {
        Fault { code, text: text.into(), is_unread: false }
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
    /// The answer comes later, as [`crate::outbox::Effect::Answer`] with this ticket; the items are empty then.
    pub awaited: Option<u64>,
    /// The items come page by page; `items` are empty then.
    pub listing: Option<Listing>,
}

impl Reply {
    /// No content.
    pub fn empty() -> Reply {
        Reply::default()
    }

    /// One item.
    pub fn one(item: Item) -> Reply {
        Reply { items: vec![item], ..Reply::default() }
    }

    /// Several items.
    pub fn many(items: Vec<Item>) -> Reply {
        Reply { items, ..Reply::default() }
    }

    /// The answer comes later under this ticket. Only where [`Parameters::may_wait`] allows it.
    pub fn later(ticket: u64) -> Reply {
        Reply { awaited: Some(ticket), ..Reply::default() }
    }

    /// Items that are made while they are written.
    pub fn listing(listing: Listing) -> Reply {
        Reply { listing: Some(listing), ..Reply::default() }
    }
}

/// A parameter as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    Integer(i64),
    Double(f64),
    Text(Vec<u8>),
    /// A structure or the like, by the name of its kind: no command takes one.
    Unreadable(&'static str),
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
    /// The caller can take an answer that comes later ([`Reply::later`]).
    pub may_wait: bool,
    /// `ctl` parameter `autoconversion`: every BINRPC parameter is converted to what the command wants.
    pub converts: bool,
    /// Names of the parameters, when JSON brought them as an object.
    names: Vec<String>,
    next: usize,
}

impl Parameters {
    /// Parameters of a call.
    pub fn new(wire: Wire, values: Vec<Parameter>) -> Parameters {
        Parameters { wire, values, may_wait: false, converts: false, names: Vec::new(), next: 0 }
    }

    /// The same with the names that came with them, one for each.
    pub fn named(self, names: Vec<String>) -> Parameters {
        Parameters { names, ..self }
    }

    /// Takes an option of our own out of the parameters: named so in a JSON object, or the word and its value at their end.
    pub fn take_option(&mut self, name: &str) -> Option<Parameter> {
        let place = match self.names.iter().position(|own| own == name) {
            Some(place) => {
                self.names.remove(place);
                place
            }
            None => {
                let place = self.option_place(name)?;
                self.values.remove(place);
                place
            }
        };
        (place < self.values.len()).then(|| self.values.remove(place))
    }

    /// Where the word stands among the pairs at the end.
    fn option_place(&self, name: &str) -> Option<usize> {
        let is_word = |place: usize| match self.values.get(place) {
            Some(Parameter::Text(text)) => OPTIONS.iter().any(|option| option.as_bytes() == text),
            _ => false,
        };
        let pairs = (self.next..self.values.len()).rev().skip(1).step_by(2).take_while(|place| is_word(*place));
        pairs.into_iter().find(|place| self.values.get(*place) == Some(&Parameter::Text(name.as_bytes().to_vec())))
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.values.len().saturating_sub(self.next)
    }

    /// How many were read.
    pub fn position(&self) -> usize {
        self.next
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
        let place = self.next;
        match (self.take(), self.wire) {
            (Some(Parameter::Integer(value)), _) => Ok(value),
            (Some(Parameter::Double(value)), Wire::Json) => Ok(value as i64),
            (Some(Parameter::Text(_)), Wire::Json) => Ok(0),
            (Some(Parameter::Unreadable(_)), Wire::Json) => Err(unread(place, "integer", MISMATCH)),
            (Some(Parameter::Double(value)), Wire::Binrpc) if self.converts => Ok(value as i64),
            (Some(Parameter::Text(text)), Wire::Binrpc) if self.converts && text.is_empty() => Ok(0),
            (Some(Parameter::Text(text)), Wire::Binrpc) if self.converts => {
                // The fault names what was given, not what was wanted, as that of the original does.
                script::value::parse_integer(&text).ok_or_else(|| unread(place, "string", MISMATCH))
            }
            (Some(_), Wire::Binrpc) => Err(unread(place, "integer", MISMATCH)),
            (None, _) => Err(unread(place, "integer", "end of packet encountered")),
        }
    }

    /// `S`: text without conversion: a number is a fault.
    pub fn text(&mut self) -> Result<Vec<u8>, Fault> {
        if self.converts {
            return self.text_converted();
        }
        let place = self.next;
        match self.take() {
            Some(Parameter::Text(text)) => Ok(text),
            Some(_) => Err(unread(place, "string", MISMATCH)),
            None => Err(unread(place, "string", "end of packet encountered")),
        }
    }

    /// `.S`: text, integers are converted.
    pub fn text_converted(&mut self) -> Result<Vec<u8>, Fault> {
        let place = self.next;
        match (self.take(), self.wire) {
            (Some(Parameter::Text(text)), _) => Ok(text),
            (Some(Parameter::Integer(value)), _) => Ok(value.to_string().into_bytes()),
            (Some(Parameter::Double(value)), Wire::Json) => Ok((value as i64).to_string().into_bytes()),
            (Some(Parameter::Double(_)), Wire::Binrpc) => Err(unread(place, "float", "bug -- internal error")),
            (Some(Parameter::Unreadable(kind)), _) => Err(unread(place, kind, MISMATCH)),
            (None, _) => Err(unread(place, "string", "end of packet encountered")),
        }
    }

    /// A command that reads parameters until none is left: what `item` makes of each. One that cannot be read ends the list; as
    /// the first it is the fault.
    pub fn each(&mut self, item: impl Fn(&mut Parameters) -> Result<Item, Fault>) -> Result<Reply, Fault> {
        let mut items = Vec::new();
        while self.left() > 0 {
            match item(self) {
                Ok(item) => items.push(item),
                Err(fault) if items.is_empty() => return Err(fault),
                Err(_) => break,
            }
        }
        Ok(Reply::many(items))
    }

    /// `*d`: an optional integer.
    pub fn integer_if_given(&mut self) -> Result<Option<i64>, Fault> {
        if self.left() == 0 { Ok(None) } else { self.integer().map(Some) }
    }

    /// `*.S`: optional text, integers converted.
    pub fn text_if_given(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if self.left() == 0 { Ok(None) } else { self.text_converted().map(Some) }
    }

    /// `*S` of a command that takes what it cannot read as not given.
    pub fn text_or_none(&mut self) -> Option<Vec<u8>> {
        self.text().ok()
    }

    /// The next parameter as it is.
    pub fn any(&mut self) -> Option<Parameter> {
        self.take()
    }
}

/// Words that may stand with a value behind the parameters of a listing; no Kamailio knows them.
const OPTIONS: [&str; 2] = ["limit", "after"];

/// The reason when a parameter is of another type than the command reads.
const MISMATCH: &str = "record doesn't match type";

fn unread(place: usize, kind: &str, reason: &str) -> Fault {
    Fault { is_unread: true, ..Fault::new(400, format!("error at parameter {place}: expected {kind} type but {reason}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(wire: Wire) -> Parameters {
        Parameters::new(wire, vec![Parameter::Text(b"7".to_vec()), Parameter::Integer(8), Parameter::Double(2.5)])
    }

    #[test]
    fn json_reads_texts_as_zero_and_binrpc_refuses_them() {
        assert_eq!(parameters(Wire::Json).integer(), Ok(0));
        let fault = parameters(Wire::Binrpc).integer().unwrap_err();
        assert_eq!(fault.text, "error at parameter 0: expected integer type but record doesn't match type");
        assert!(fault.is_unread && fault.code == 400);
    }

    #[test]
    fn texts_are_taken_as_they_are_or_made_of_integers() {
        let mut strict = parameters(Wire::Json);
        assert_eq!(strict.text(), Ok(b"7".to_vec()));
        assert!(strict.text().is_err());
        let mut converted = parameters(Wire::Binrpc);
        assert_eq!((converted.text_converted(), converted.text_converted()), (Ok(b"7".to_vec()), Ok(b"8".to_vec())));
        assert_eq!(converted.text_converted().unwrap_err().text, "error at parameter 2: expected float type but bug -- internal error");
        assert_eq!(
            converted.text_converted().unwrap_err().text,
            "error at parameter 3: expected string type but end of packet encountered"
        );
    }

    #[test]
    fn autoconversion_reads_each_parameter_as_the_command_wants_it() {
        let mut parameters = Parameters { converts: true, ..parameters(Wire::Binrpc) };
        assert_eq!((parameters.integer(), parameters.text(), parameters.integer()), (Ok(7), Ok(b"8".to_vec()), Ok(2)));
        let mut word = Parameters { converts: true, ..Parameters::new(Wire::Binrpc, vec![Parameter::Text(b"x".to_vec())]) };
        assert!(word.integer().unwrap_err().text.contains("expected string type"));
    }

    #[test]
    fn options_stand_in_pairs_at_the_end_or_under_their_name() {
        let text = |text: &str| Parameter::Text(text.as_bytes().to_vec());
        let words = vec![text("limit"), text("x"), text("after"), text("3:4"), text("limit"), Parameter::Integer(7)];
        let mut given = Parameters::new(Wire::Binrpc, words);
        assert_eq!(given.take_option("limit"), Some(Parameter::Integer(7)));
        assert_eq!((given.take_option("after"), given.take_option("after")), (Some(text("3:4")), None));
        assert_eq!(given.values, [text("limit"), text("x")], "the first pair: the value of a profile may be called so");
        let mut lone = Parameters::new(Wire::Binrpc, vec![text("limit")]);
        assert_eq!((lone.take_option("limit"), lone.left()), (None, 1));
        let named = vec![Parameter::Integer(5), text("all"), text("1:2")];
        let mut named = Parameters::new(Wire::Json, named).named(["limit", "profile", "after"].map(str::to_owned).to_vec());
        assert_eq!(named.take_option("after"), Some(text("1:2")));
        assert_eq!((named.take_option("limit"), named.take_option("limit")), (Some(Parameter::Integer(5)), None));
        assert_eq!(named.values, [text("all")]);
    }

    #[test]
    fn a_list_ends_at_the_first_parameter_that_cannot_be_read() {
        let number = |parameters: &mut Parameters| parameters.integer().map(Item::Integer);
        let mut given = Parameters::new(Wire::Binrpc, vec![Parameter::Integer(5), Parameter::Text(b"x".to_vec()), Parameter::Integer(6)]);
        assert_eq!(given.each(number), Ok(Reply::one(Item::Integer(5))));
        assert!(parameters(Wire::Binrpc).each(number).is_err());
    }
}
