//! One run of a script: the message it works on and everything that lives as long as the message does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::value::{Text, Value};
use sip::edit::Edits;
use sip::message::Message;
use transaction::{Endpoint, Protocol};

use crate::attributes::Attributes;

/// Where one copy of the request goes: branch 0 is the request itself, others come from `append_branch`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// None: the request's own URI as received (`$ou`).
    pub uri: Option<Text>,
    /// `$du`: the next hop when it differs from the URI.
    pub next_hop: Option<Text>,
    /// Route set of the Path kind, comma list.
    pub path: Option<Text>,
    /// `$fs`: forced local socket.
    pub socket: Option<u16>,
    /// Priority in thousandths; -1 unset.
    pub q: Option<i32>,
    /// Branch flags.
    pub flags: u32,
    pub instance: Option<Text>,
    pub ruid: Option<Text>,
    pub user_agent: Option<Text>,
}

/// The state of one message's way through the scripts. Reused: `clear` keeps the memory.
#[derive(Debug)]
pub struct Run {
    pub message: Message,
    /// Pending edits of the message ("lumps"), shared by all branches.
    pub edits: Edits,
    /// Headers (and their CRLF) to add to the reply made for this request (`append_to_reply`).
    pub reply_headers: Vec<u8>,
    /// Body and content type for that reply (`set_reply_body`).
    pub reply_body: Option<(Text, Text)>,
    /// Where the message came from, and on which local socket.
    pub source: Endpoint,
    /// Counts received messages of the worker: `$mi`.
    pub message_number: u64,
    pub target: Target,
    pub branches: Vec<Target>,
    /// The request URI was used for a branch already: `t_relay` needs a new one (spec proxy-core 7.5.1).
    pub is_target_consumed: bool,
    /// Message flags, script flags, extended flags.
    pub flags: u32,
    pub script_flags: u32,
    pub extended_flags: u64,
    pub force_rport: bool,
    pub local_rport: bool,
    pub advertised_address: Option<Text>,
    pub advertised_port: Option<u16>,
    /// Which route kind runs, as scripts and functions see it.
    pub route: RouteKind,
    pub route_set: Routes,
    /// The instruction the script is at: `$cfg(line)` ([`script::Program::source_at`]).
    pub position: u32,
    /// `$rc`.
    pub return_code: i64,
    /// Last internal error (`-477` ..), for `sl_reply_error` and the delayed reply.
    pub last_error: i32,
    /// `$var(name)`.
    pub variables: Vec<(Text, Value)>,
    /// `$vn(name)` and `$vz(name)`.
    pub null_variables: Vec<(Text, Value)>,
    pub attributes: Attributes,
    /// A made-up message (failure route, event route): not to be answered statelessly.
    pub is_faked: bool,
    /// A final reply was sent for this request.
    pub is_replied: bool,
    /// The function that goes on when an awaited answer arrives.
    pub continuation: Option<Continuation>,
    /// The ticket of the last answer asked for ([`crate::worker::Worker::take_ticket`]): a parked run waits for it.
    pub ticket: u64,
    pub core: crate::core::RunState,
    pub cfgutils: crate::cfgutils::RunState,
    pub tm: crate::tm::RunState,
    pub tmx: crate::tmx::RunState,
    pub sl: crate::sl::RunState,
    pub rr: crate::rr::RunState,
    pub dialog: crate::dialog::RunState,
    pub uac: crate::uac::RunState,
    pub textops: crate::textops::RunState,
    pub textopsx: crate::textopsx::RunState,
    pub sanity: crate::sanity::RunState,
    pub pv: crate::pv::RunState,
    pub corex: crate::corex::RunState,
    pub htable: crate::htable::RunState,
    pub jsonrpcs: crate::jsonrpcs::RunState,
    pub sqlops: crate::sqlops::RunState,
}

/// The answer a parked run waits for.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Records of a name; none when it has none or nobody answered.
    Records(crate::dns::record::Reply),
    /// The time asked for has come.
    Awake,
    /// The bytes of a file, or why there are none.
    FileRead(Result<Vec<u8>, String>),
    /// A file was written, or why not.
    FileWritten(Result<(), String>),
    /// What a statement gave, or why it failed; no rows when a table was loaded or stored.
    Rows(Result<crate::database::Rows, String>),
    /// Stored dialogs are in the engine now: how many came, or why they could not be had.
    DialogsLoaded(Result<u64, String>),
}

/// What a parked function does with its answer.
pub type Continuation = fn(&mut crate::worker::Worker, Answer) -> script::exports::Flow;

impl Default for Run {
    fn default() -> Run {
        Run {
            message: Message::new(),
            edits: Edits::default(),
            reply_headers: Vec::new(),
            reply_body: None,
            source: nowhere(),
            message_number: 0,
            target: Target::default(),
            branches: Vec::new(),
            is_target_consumed: false,
            flags: 0,
            script_flags: 0,
            extended_flags: 0,
            force_rport: false,
            local_rport: false,
            advertised_address: None,
            advertised_port: None,
            route: RouteKind::Request,
            route_set: Routes::REQUEST,
            position: 0,
            return_code: 0,
            last_error: 0,
            variables: Vec::new(),
            null_variables: Vec::new(),
            attributes: Attributes::default(),
            is_faked: false,
            is_replied: false,
            continuation: None,
            ticket: 0,
            core: Default::default(),
            cfgutils: Default::default(),
            tm: Default::default(),
            tmx: Default::default(),
            sl: Default::default(),
            rr: Default::default(),
            dialog: Default::default(),
            uac: Default::default(),
            textops: Default::default(),
            textopsx: Default::default(),
            sanity: Default::default(),
            pv: Default::default(),
            corex: Default::default(),
            htable: Default::default(),
            jsonrpcs: Default::default(),
            sqlops: Default::default(),
        }
    }
}

/// An endpoint that is nobody: the source of made-up messages.
pub fn nowhere() -> Endpoint {
    Endpoint { protocol: Protocol::Udp, address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), socket: 0, connection: 0 }
}

impl Run {
    /// As new for the next message, memory kept. The message itself is overwritten by the next parse.
    pub fn clear(&mut self) {
        self.edits.clear();
        self.reply_headers.clear();
        self.reply_body = None;
        self.source = nowhere();
        self.target = Target::default();
        self.branches.clear();
        self.is_target_consumed = false;
        self.flags = 0;
        self.script_flags = 0;
        self.extended_flags = 0;
        self.force_rport = false;
        self.local_rport = false;
        self.advertised_address = None;
        self.advertised_port = None;
        self.route = RouteKind::Request;
        self.route_set = Routes::REQUEST;
        self.return_code = 0;
        self.last_error = 0;
        self.variables.clear();
        self.null_variables.clear();
        self.attributes.clear();
        self.is_faked = false;
        self.is_replied = false;
        self.continuation = None;
        self.ticket = 0;
        self.core.clear();
        self.cfgutils.clear();
        self.tm.clear();
        self.tmx.clear();
        self.sl.clear();
        self.rr.clear();
        self.dialog.clear();
        self.uac.clear();
        self.textops.clear();
        self.textopsx.clear();
        self.sanity.clear();
        self.pv.clear();
        self.corex.clear();
        self.htable.clear();
        self.jsonrpcs.clear();
        self.sqlops.clear();
    }

    /// The current request URI (`$ru`).
    pub fn request_uri(&self) -> &[u8] {
        self.target.uri.as_deref().unwrap_or_else(|| self.message.request_uri())
    }

    /// Sets the request URI; the request may be forwarded with it again.
    pub fn set_request_uri(&mut self, uri: &[u8]) {
        self.target.uri = Some(Text::from(uri));
        self.is_target_consumed = false;
    }

    /// Sets or resets the next hop (`$du`).
    pub fn set_next_hop(&mut self, uri: Option<Text>) {
        self.target.next_hop = uri;
        self.is_target_consumed = false;
    }
}
