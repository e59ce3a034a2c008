//! The request that a script describes in `$uac_req(...)` (spec proxy-core 11.13).

use script::exports::{Index, Inner};
use script::value::{Text, Value};

use crate::worker::Worker;

/// A password: never shown in logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(pub Text);

impl std::fmt::Debug for Password {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("(password)")
    }
}

/// Where the outcome of a request comes from (`$uac_req(evtype)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// There is none yet.
    #[default]
    Open,
    Reply,
    /// Nobody answered, or the request could not leave.
    MadeHere,
}

/// A request as the script describes it. Texts are empty and numbers 0 until they are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    pub method: Text,
    pub request_uri: Text,
    /// Empty: the request URI.
    pub to_uri: Text,
    pub to_tag: Text,
    /// Empty: the request URI.
    pub from_uri: Text,
    /// Empty: made when it is sent.
    pub from_tag: Text,
    /// Whole lines.
    pub headers: Text,
    pub body: Text,
    /// Next hop, a URI.
    pub next_hop: Text,
    /// `proto:address:port`
    pub socket: Text,
    /// Who answers a challenge of any realm.
    pub auth_username: Text,
    pub auth_password: Password,
    pub is_password_hashed: bool,
    /// Empty: made when it is sent.
    pub call_id: Text,
    /// 0: the first one.
    pub cseq: u32,
    /// `event_route[uac:reply]` runs with the outcome.
    pub is_told: bool,
    /// For the event route.
    pub parameter: Text,
    pub code: u16,
    pub outcome: Outcome,
    /// Milliseconds; 0: as configured.
    pub final_response: u32,
    pub final_response_invite: u32,
}

/// Names of `$uac_req(name)`.
pub const NAMES: &[&str] = &[
    "method",
    "ruri",
    "turi",
    "ttag",
    "furi",
    "ftag",
    "hdrs",
    "body",
    "ouri",
    "sock",
    "auser",
    "apasswd",
    "callid",
    "evparam",
    "flags",
    "cseqno",
    "evroute",
    "evcode",
    "evtype",
    "fr_timeout",
    "fr_inv_timeout",
    "all",
];

/// `flags`: the password is a hash.
const FLAG_HASHED: i64 = 1;

impl Described {
    fn text_mut(&mut self, name: &str) -> Option<&mut Text> {
        Some(match name {
            "method" => &mut self.method,
            "ruri" => &mut self.request_uri,
            "turi" => &mut self.to_uri,
            "ttag" => &mut self.to_tag,
            "furi" => &mut self.from_uri,
            "ftag" => &mut self.from_tag,
            "hdrs" => &mut self.headers,
            "body" => &mut self.body,
            "ouri" => &mut self.next_hop,
            "sock" => &mut self.socket,
            "auser" => &mut self.auth_username,
            "apasswd" => &mut self.auth_password.0,
            "callid" => &mut self.call_id,
            "evparam" => &mut self.parameter,
            _ => return None,
        })
    }

    fn number(&self, name: &str) -> Option<i64> {
        Some(match name {
            "flags" => i64::from(self.is_password_hashed),
            "cseqno" => i64::from(self.cseq),
            "evroute" => i64::from(self.is_told),
            "evcode" => i64::from(self.code),
            "evtype" => match self.outcome {
                Outcome::Open => 0,
                Outcome::Reply => 1,
                Outcome::MadeHere => 2,
            },
            "fr_timeout" => i64::from(self.final_response),
            "fr_inv_timeout" => i64::from(self.final_response_invite),
            _ => return None,
        })
    }

    fn set_number(&mut self, name: &str, value: i64) -> Result<(), String> {
        let range = || format!("$uac_req({name}): {value} is out of range");
        let number = u32::try_from(value).map_err(|_| range())?;
        match name {
            "flags" => self.is_password_hashed = value & FLAG_HASHED != 0,
            "cseqno" if number < ::dialog::NUMBER_BOUND => self.cseq = number,
            "evroute" => self.is_told = value != 0,
            "fr_timeout" => self.final_response = number,
            "fr_inv_timeout" => self.final_response_invite = number,
            "cseqno" => return Err(range()),
            _ => return Err(format!("$uac_req({name}) can only be read")),
        }
        Ok(())
    }
}

fn name_of(inner: &Inner) -> &'static str {
    match inner {
        Inner::Choice(choice) => NAMES.get(usize::from(*choice)).copied().unwrap_or_default(),
        _ => "",
    }
}

/// `$uac_req(name)`; null while a text is not set.
pub(super) fn read(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let name = name_of(inner);
    let mut unset = Described::default();
    let described = worker.run.uac.described.as_deref_mut().unwrap_or(&mut unset);
    if let Some(number) = described.number(name) {
        return Value::Number(number, Text::from(number.to_string()));
    }
    match described.text_mut(name) {
        Some(text) if !text.is_empty() => Value::Text(text.clone()),
        _ => Value::Null,
    }
}

/// Sets a part; null empties it, `all` with null empties everything.
pub(super) fn write(worker: &mut Worker, inner: &Inner, _: Option<Index>, value: Value) -> Result<(), String> {
    let name = name_of(inner);
    if name == "all" {
        if !value.is_null() {
            return Err(String::from("$uac_req(all) takes $null only"));
        }
        worker.run.uac.described = None;
        return Ok(());
    }
    let described = worker.run.uac.described.get_or_insert_default();
    if let Some(text) = described.text_mut(name) {
        *text = if value.is_null() { Text::empty() } else { value.to_text() };
        return Ok(());
    }
    described.set_number(name, if value.is_null() { 0 } else { value.to_integer() })
}
