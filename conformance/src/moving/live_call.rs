//! One call of a move: its two parties, what it should have kept, and how it is used and ended.

use crate::agent::{Agent, PATIENCE};
use crate::message::Message;

/// How many values the profile `group` has.
pub const GROUPS: usize = 4;

/// Which party does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Caller,
    Callee,
}

/// A call and its parties, each with a socket of its own.
pub struct LiveCall {
    pub call_id: String,
    /// The value of its membership in the profile `group`.
    pub group: String,
    /// What the variable `note` should be.
    note: String,
    caller: Agent,
    callee: Agent,
}

impl LiveCall {
    /// Sets the call up: INVITE, 180, 200, ACK.
    pub fn establish(number: usize, proxy: &str) -> Result<LiveCall, String> {
        let call_id = format!("moving-{number}@example.com");
        let group = format!("group{}", number % GROUPS);
        let caller = Agent::new("alice", proxy, &call_id)?;
        let callee = Agent::new("bob", proxy, &call_id)?;
        let mut call = LiveCall { note: format!("note-{number}"), call_id, group, caller, callee };
        let mut invite = call.caller.new_request("INVITE", &format!("sip:bob@{}", call.callee.address));
        add(&mut invite, "X-Group", &call.group);
        add(&mut invite, "X-Note", &call.note);
        call.caller.send(&invite)?;
        expect(&mut call.callee, "INVITE")?;
        call.callee.send(&call.callee.reply(180, "Ringing", None)?)?;
        expect(&mut call.caller, "180")?;
        call.callee.send(&call.callee.reply(200, "OK", None)?)?;
        expect(&mut call.caller, "200")?;
        let ack = call.caller.request_within("ACK")?;
        call.caller.send(&ack)?;
        expect(&mut call.callee, "ACK")?;
        Ok(call)
    }

    /// A re-INVITE of one side, which also gives the variable a new value.
    pub fn renew(&mut self, side: Side, note: &str) -> Result<(), String> {
        let old = std::mem::replace(&mut self.note, note.to_owned());
        let (from, to) = self.parties(side);
        let mut invite = from.request_within("INVITE")?;
        add(&mut invite, "X-Note", note);
        from.send(&invite)?;
        let received = expect(to, "INVITE")?;
        check(&received, "X-Was", &old)?;
        check(&received, "X-Status", "4")?;
        to.send(&to.reply(200, "OK", None)?)?;
        expect(from, "200")?;
        let ack = from.request_within("ACK")?;
        from.send(&ack)?;
        expect(to, "ACK").map(drop)
    }

    /// BYE of one side, answered with 200 by the other.
    pub fn hang_up(mut self, side: Side) -> Result<(), String> {
        let note = self.note.clone();
        let (from, to) = self.parties(side);
        let bye = from.request_within("BYE")?;
        from.send(&bye)?;
        let received = expect(to, "BYE")?;
        check(&received, "X-Was", &note)?;
        check(&received, "X-Status", "5")?;
        to.send(&to.reply(200, "OK", None)?)?;
        expect(from, "200").map(drop)
    }

    fn parties(&mut self, side: Side) -> (&mut Agent, &mut Agent) {
        match side {
            Side::Caller => (&mut self.caller, &mut self.callee),
            Side::Callee => (&mut self.callee, &mut self.caller),
        }
    }
}

fn add(message: &mut Message, name: &str, value: &str) {
    let before_length = message.headers.len().saturating_sub(1);
    message.headers.insert(before_length, (name.to_owned(), value.to_owned()));
}

/// The next message of an agent, which must be this request or this status.
fn expect(agent: &mut Agent, what: &str) -> Result<Message, String> {
    let message = agent.receive(what, PATIENCE)?.ok_or_else(|| format!("{} received nothing, expected {what}", agent.name))?;
    let is_right = message.status().map_or_else(|| message.method() == what, |code| code.to_string() == what);
    if is_right {
        Ok(message)
    } else {
        Err(format!("{} received, instead of {what}:\n{}", agent.name, String::from_utf8_lossy(&message.to_bytes())))
    }
}

fn check(message: &Message, name: &str, wanted: &str) -> Result<(), String> {
    let found = message.value(name).unwrap_or_default();
    if found == wanted { Ok(()) } else { Err(format!("{name} is `{found}` and should be `{wanted}`")) }
}
