//! Node-wide state of the module and the parameters: what the engine takes and what stays here (spec dialog 3).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ::dialog::DialogId;
use ::dialog::settings::ParameterValue;
use script::exports::ParameterKind;
use script::format::Format;
use script::value::Text;
use script::variable::Reference;
use sip::time::Now;
use transaction::TransactionId;

use super::event_route::EventRoutes;
use super::exports::MODULE;
use super::storage_health::StorageHealth;
use super::storage_settings::{self, StorageSettings};
use crate::node::Process;
use crate::settings::Settings;
use crate::worker::Worker;

/// Locks over the table of INVITE transactions.
const INVITE_LOCKS: usize = 16;

/// Parameters of the module that the engine has no use for.
const OWN: &[&str] = &[
    "enable_stats",
    "timeout_avp",
    "dlg_extra_hdrs",
    "db_url",
    "db_mode",
    "db_update_period",
    "db_fetch_rows",
    "db_skip_load",
    "db_commit_interval",
    "db_hold_time",
    "db_failure_mode",
    "db_timeout",
    "db_rehash",
    "bridge_controller",
    "bridge_contact",
    "ruri_pvar",
    "initial_cbs_inscript",
    "xavp_cfg",
    "timer_procs",
    "track_cseq_updates",
    "dump_directory",
    "unset_profile_in_request",
    "start_route_sees_callee",
    "ctx_timeout",
    "ctx_direction",
    "lreq_callee_headers",
    "enable_dmq",
    "enable_dmq_ka_iflags_sync",
    "event_callback",
    "dlg_ctxiuid_mode",
    "debug_variables",
    "dlg_mode",
    "dmq_peer_id",
    "dlg_flag",
];

/// What the module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pub routes: EventRoutes,
    /// None: nothing is stored.
    pub storage: Option<StorageSettings>,
    pub storage_health: StorageHealth,
    pub enable_stats: bool,
    /// Format of the request URI of a new dialog; None: `$ru`.
    pub request_uri: Option<Format>,
    pub timeout_variable: Option<Reference>,
    /// Header lines for every BYE made here.
    pub extra_headers: Vec<u8>,
    /// Header lines for requests made here for the callee, each with its CRLF.
    pub callee_headers: Vec<u8>,
    /// URI in the Referred-By of a REFER made here.
    pub bridge_controller: Vec<u8>,
    /// URI in its Contact.
    pub bridge_contact: Vec<u8>,
    /// INVITEs with this message flag make a dialog (5.6).
    pub dialog_flag: Option<u32>,
    /// Requests leave with higher CSeq numbers after answered challenges and requests made here ([`super::cseq`]).
    pub tracks_sequence: bool,
    /// `unset_dlg_profile()` works in request routes too.
    pub unsets_in_request: bool,
    /// `dialog:start` knows the callee's leg.
    pub start_sees_callee: bool,
    /// `$dlg_ctx(timeout)` is the lifetime of a new dialog.
    pub honours_context_timeout: bool,
    /// `$dlg_ctx(dir)` tells the direction of every request within a dialog.
    pub shows_direction: bool,
    /// A lookup while a CANCEL is processed sets the context.
    pub cancel_sets_context: bool,
    /// Observers hear of a new call when its transaction is made, not in the script (`initial_cbs_inscript` 0).
    pub is_told_later: bool,
    /// Panics of observers that were logged.
    pub(super) observer_panics: AtomicU64,
    /// Complaints of the start that do not stop it; logged once.
    complaints: Vec<String>,
    has_complained: AtomicBool,
    /// BYEs that their parties want later.
    pub(super) byes: super::bye_retry::Waiting,
    /// INVITE transactions of dialogs that are being set up or were answered a moment ago.
    invites: [Mutex<Invites>; INVITE_LOCKS],
}

/// Dialog identities are made here, so a fixed hash is safe.
type Invites = HashMap<DialogId, TransactionId, foldhash::fast::FixedState>;

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        if !settings.is_loaded("dialog") {
            return Ok(State::default());
        }
        let text = |name: &str| settings.text("dialog", name).filter(|text| !text.is_empty());
        let integer = |name: &str| settings.integer("dialog", name);
        let refused = |name: &str, error: String| format!("dialog: {name}: {error}");
        let request_uri = match settings.text("dialog", "ruri_pvar") {
            Some(format) if format.is_empty() => return Err(String::from("dialog: ruri_pvar must not be empty")),
            Some(format) if &format[..] != b"$ru" => Some(program.compile_format(&format).map_err(|error| refused("ruri_pvar", error))?),
            _ => None,
        };
        let timeout_variable = match settings.text("dialog", "timeout_avp") {
            Some(name) if name.is_empty() => return Err(String::from("dialog: timeout_avp must not be empty")),
            Some(name) => Some(program.compile_reference(&name).map_err(|error| refused("timeout_avp", error))?),
            None => None,
        };
        let storage = StorageSettings::read(settings)?;
        if !(0..=1).contains(&integer("initial_cbs_inscript")) {
            return Err(String::from("dialog: initial_cbs_inscript must be 0 or 1"));
        }
        let flag = integer("dlg_flag");
        if !(-1..=31).contains(&flag) {
            return Err(format!("dialog: dlg_flag {flag} is not 0 to 31, nor -1 for none"));
        }
        Ok(State {
            routes: EventRoutes::of(program),
            storage,
            storage_health: StorageHealth::default(),
            enable_stats: integer("enable_stats") != 0,
            unsets_in_request: integer("unset_profile_in_request") != 0,
            start_sees_callee: integer("start_route_sees_callee") != 0,
            honours_context_timeout: integer("ctx_timeout") != 0,
            shows_direction: integer("ctx_direction") != 0,
            is_told_later: integer("initial_cbs_inscript") == 0,
            observer_panics: AtomicU64::new(0),
            request_uri,
            timeout_variable,
            extra_headers: lines(text("dlg_extra_hdrs")),
            callee_headers: lines(text("lreq_callee_headers")),
            bridge_controller: bare(text("bridge_controller")),
            bridge_contact: bare(text("bridge_contact")),
            dialog_flag: u32::try_from(flag).ok().map(|flag| 1 << flag),
            tracks_sequence: integer("track_cseq_updates") != 0,
            cancel_sets_context: integer("dlg_ctxiuid_mode") & 1 != 0,
            complaints: complaints(settings),
            has_complained: AtomicBool::new(false),
            byes: Default::default(),
            invites: Default::default(),
        })
    }

    /// Remembers the INVITE transaction of a dialog, so that the call can be ended before it is answered. False: another
    /// transaction has the dialog, made for a copy of the INVITE.
    pub(super) fn claim_invite(&self, dialog: DialogId, transaction: TransactionId) -> bool {
        let claim = |invites: &mut Invites| *invites.entry(dialog).or_insert(transaction) == transaction;
        self.with_invites(dialog, claim).unwrap_or(false)
    }

    pub(super) fn forget_invite(&self, dialog: DialogId) {
        self.with_invites(dialog, |invites| invites.remove(&dialog));
    }

    pub(super) fn invite_of(&self, dialog: DialogId) -> Option<TransactionId> {
        self.with_invites(dialog, |invites| invites.get(&dialog).copied()).flatten()
    }

    fn with_invites<T>(&self, dialog: DialogId, work: impl FnOnce(&mut Invites) -> T) -> Option<T> {
        let lock = self.invites.get(dialog.entry as usize % INVITE_LOCKS)?;
        Some(work(&mut lock.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The complaints of the start, the first time only.
    pub(super) fn take_complaints(&self) -> &[String] {
        if self.has_complained.swap(true, Ordering::Relaxed) { &[] } else { &self.complaints }
    }
}

/// Header lines that end with CRLF, as the wire needs them.
fn lines(text: Option<Text>) -> Vec<u8> {
    let mut lines = text.map_or_else(Vec::new, |text| text.to_vec());
    if !lines.is_empty() && !lines.ends_with(b"\r\n") {
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// A URI without angle brackets.
fn bare(text: Option<Text>) -> Vec<u8> {
    let text = text.unwrap_or_default();
    let inner = text.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
    inner.unwrap_or(&text).to_vec()
}

fn complaints(settings: &Settings) -> Vec<String> {
    let mut out = Vec::new();
    let slots = settings.integer("dialog", "hash_size");
    if slots < 1 || slots & (slots - 1) != 0 {
        out.push(format!("hash_size {slots} is no power of two, it is rounded down"));
    }
    if settings.integer("dialog", "enable_dmq") != 0 {
        out.push(String::from("enable_dmq: replication is not available"));
    }
    if settings.text("dialog", "event_callback").is_some_and(|name| !name.is_empty()) {
        out.push(String::from("event_callback: there are no embedded languages, event routes are run instead"));
    }
    out
}

/// `h_id_start`: the core's `server_id` is taken instead.
const START_IS_SERVER_ID: i64 = -1;

/// The engine of a node, from the parameters of the module. `server_id` is the core parameter of that name.
pub fn engine(settings: &Settings, server_id: i64, process: &Process, now: Now) -> Result<::dialog::Engine, String> {
    let mut wanted = ::dialog::Settings::default();
    for parameter in MODULE.parameters {
        let name = parameter.name;
        if OWN.contains(&name) || is_storage_name(name) || !settings.is_set("dialog", name) {
            continue;
        }
        let text = settings.text("dialog", name).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        let value = match parameter.kind {
            ParameterKind::Integer => ParameterValue::Integer(settings.integer("dialog", name)),
            _ => ParameterValue::Text(&text),
        };
        wanted.set(name, value).map_err(|error| format!("dialog: {error}"))?;
    }
    wanted.storing = storage_settings::storing(settings)?;
    wanted.finds_moved = settings.integer("dialog", "db_rehash") != 0;
    let server_id = u32::try_from(server_id).unwrap_or(0);
    if settings.integer("dialog", "h_id_start") == START_IS_SERVER_ID {
        wanted.use_server_id(server_id);
    }
    let mut seed = [0u8; 8];
    for (place, byte) in seed.iter_mut().zip(process.secret) {
        *place = byte;
    }
    wanted.random_seed = u64::from_le_bytes(seed) ^ u64::from(process.pid);
    let server = if server_id == 0 { String::new() } else { format!("{server_id:x}-") };
    wanted.unique_prefix = format!("dlgp-{server}{:x}-{:x}-", process.started.seconds(), process.pid);
    Ok(::dialog::Engine::new(now, wanted))
}

/// Names of tables and columns.
fn is_storage_name(name: &str) -> bool {
    name.ends_with("_column") || name == "table_name" || name == "vars_table_name"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_get_their_line_end() {
        assert_eq!(lines(Some(Text::from("X: 1"))), b"X: 1\r\n");
        assert_eq!(lines(Some(Text::from("X: 1\r\n"))), b"X: 1\r\n");
        assert_eq!(lines(None), b"");
    }

    #[test]
    fn every_parameter_is_the_engines_or_the_modules() {
        for parameter in MODULE.parameters {
            if OWN.contains(&parameter.name) || is_storage_name(parameter.name) {
                continue;
            }
            let value = match parameter.default {
                script::exports::Default::Integer(number) => ParameterValue::Integer(number),
                script::exports::Default::Text(text) => ParameterValue::Text(text),
                script::exports::Default::Unset => ParameterValue::Text(""),
            };
            let taken = ::dialog::Settings::default().set(parameter.name, value);
            assert_eq!(taken, Ok(None), "{}", parameter.name);
        }
    }
}
