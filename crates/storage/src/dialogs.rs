//! Dialogs as rows and rows as dialogs (spec dialog 8.1, 8.5).

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use dialog::{
    CalleeLeg, DialogId, DialogView, Engine, NewDialog, PendingProfile, Place, Refusal, RestoreError, Restored, State, StoredChange,
};
use sip::time::Now;

use crate::batch::Operation;
use crate::columns::Column;
use crate::membership::{self, StoredMembership};
use crate::row::{Cell, DialogRow, SpareRows};

/// The row of a dialog. Texts that were never set are empty, not NULL, where the column allows no NULL (spec dialog 13.54).
pub fn row_of(dialog: &DialogView) -> DialogRow {
    let mut row = DialogRow::default();
    fill(&mut row, &mut dialog.clone());
    row
}

/// Makes it the row of this dialog. Texts are exchanged, so that both keep their memory: this is done for every write.
fn fill(row: &mut DialogRow, dialog: &mut DialogView) {
    let numbers = [
        (Column::HashEntry, dialog.id.entry),
        (Column::HashId, dialog.id.id),
        (Column::State, dialog.state.number()),
        (Column::StartTime, dialog.start_time),
        (Column::Timeout, dialog.timeout),
        (Column::ScriptFlags, dialog.script_flags),
        (Column::InternalFlags, u32::from(dialog.internal_flags)),
    ];
    for (column, number) in numbers {
        row.set_number(column, number);
    }
    let (caller, callee) = (&mut dialog.caller, &mut dialog.callee);
    let texts = [
        (Column::CallId, &mut dialog.call_id),
        (Column::FromUri, &mut dialog.from_uri),
        (Column::FromTag, &mut caller.tag),
        (Column::ToUri, &mut dialog.to_uri),
        (Column::ToTag, &mut callee.tag),
        (Column::CallerContact, &mut caller.contact),
        (Column::CalleeContact, &mut callee.contact),
        (Column::CallerSocket, &mut caller.socket),
        (Column::CalleeSocket, &mut callee.socket),
        (Column::RequestUri, &mut dialog.request_uri),
    ];
    for (column, text) in texts {
        row.cell_mut(column).exchange_text(text);
    }
    for (column, cseq) in [(Column::CallerCseq, caller.cseq), (Column::CalleeCseq, callee.cseq)] {
        row.cell_mut(column).write_text(|text| {
            // Writing into memory does not fail.
            let _ = write!(text, "{}", cseq.unwrap_or(0));
        });
    }
    let or_null = [
        (Column::CallerRouteSet, &mut caller.route_set),
        (Column::CalleeRouteSet, &mut callee.route_set),
        (Column::TimeoutRouteName, &mut dialog.timeout_route_name),
    ];
    for (column, text) in or_null {
        if text.is_empty() {
            *row.cell_mut(column) = Cell::Null;
        } else {
            row.cell_mut(column).exchange_text(text);
        }
    }
    if dialog.profiles.is_empty() {
        *row.cell_mut(Column::ExtraData) = Cell::Null;
    } else {
        row.cell_mut(Column::ExtraData).write_text(|text| membership::write(&dialog.profiles, text));
    }
}

/// What is to be written of a change, in a spare row if there is one.
pub fn operation(change: StoredChange<'_>, spare: &mut SpareRows) -> Operation {
    match change {
        StoredChange::Remove(id) => Operation::Remove { entry: id.entry, id: id.id },
        StoredChange::Put { dialog, is_new, has_variables } => {
            let variables = has_variables.then(|| std::mem::take(&mut dialog.variables));
            let mut row = spare.take();
            fill(&mut row, dialog);
            Operation::Put { row, is_new, variables }
        }
    }
}

/// What a stored dialog needs of the configuration.
pub trait Surroundings {
    /// The number of the route with this name (`dlg_set_timeout_route`); none: it is gone from the configuration.
    fn timeout_route(&self, name: &[u8]) -> Option<i32>;
    /// Does this proxy listen on the socket, `udp:127.0.0.1:5060`?
    fn is_own_socket(&self, text: &[u8]) -> bool;
}

/// Why a row did not become a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// A column that must hold something does not, or holds something else.
    Unusable(Column),
    /// Not 1 to 5.
    UnknownState(u32),
    /// Written with another `hash_size`.
    OtherHashSize,
    /// In memory already.
    Exists,
    /// It ended while rows were being loaded.
    Ended,
    Refused(Refusal),
}

impl fmt::Display for Skipped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skipped::Unusable(column) => write!(out, "column {} holds nothing that can be used", column.declared().name),
            Skipped::UnknownState(state) => write!(out, "{state} is no state of a dialog"),
            Skipped::OtherHashSize => out.write_str("it was stored with another hash_size"),
            Skipped::Exists => out.write_str("it is in memory already"),
            Skipped::Ended => out.write_str("it ended meanwhile"),
            Skipped::Refused(refusal) => write!(out, "{refusal}"),
        }
    }
}

/// What was taken of a row, with what it had to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub id: DialogId,
    /// A socket this proxy has no more; the dialog has none instead.
    pub lost_socket: bool,
    /// A timeout route the configuration has no more.
    pub lost_route: bool,
    /// Memberships of profiles that are no more, or that cannot be read.
    pub lost_memberships: u32,
}

/// Makes the dialog of a row. `variables`: newest first. `rehash`: take it even if it was stored with another `hash_size`.
pub fn load(
    engine: &Engine,
    now: Now,
    row: &DialogRow,
    variables: &[(&[u8], &[u8])],
    surroundings: &dyn Surroundings,
    rehash: bool,
) -> Result<Loaded, Skipped> {
    let number = |column| row.cell(column).number().ok_or(Skipped::Unusable(column));
    let text = |column| row.cell(column).to_text().ok_or(Skipped::Unusable(column));
    let or_empty = |column| row.cell(column).to_text().unwrap_or_default();
    let or_zero = |column| row.cell(column).number().unwrap_or(0);
    let id = DialogId { entry: number(Column::HashEntry)?, id: number(Column::HashId)? };
    let state = number(Column::State)?;
    let state = State::from_number(state).ok_or(Skipped::UnknownState(state))?;
    let start_time = number(Column::StartTime)?;
    let (call_id, from_uri, from_tag) = (text(Column::CallId)?, text(Column::FromUri)?, text(Column::FromTag)?);
    let (to_uri, request_uri) = (text(Column::ToUri)?, text(Column::RequestUri)?);
    let (caller_contact, callee_contact) = (or_empty(Column::CallerContact), or_empty(Column::CalleeContact));
    let (caller_routes, callee_routes) = (or_empty(Column::CallerRouteSet), or_empty(Column::CalleeRouteSet));
    let (to_tag, route_name) = (or_empty(Column::ToTag), or_empty(Column::TimeoutRouteName));
    let mut loaded = Loaded { id, lost_socket: false, lost_route: false, lost_memberships: 0 };
    let mut socket = |column| {
        let socket = or_empty(column);
        let is_own = socket.is_empty() || surroundings.is_own_socket(&socket);
        loaded.lost_socket |= !is_own;
        if is_own { socket } else { Cow::Borrowed(&b""[..]) }
    };
    let (caller_socket, callee_socket) = (socket(Column::CallerSocket), socket(Column::CalleeSocket));
    let route = if route_name.is_empty() { None } else { surroundings.timeout_route(&route_name) };
    loaded.lost_route = !route_name.is_empty() && route.is_none();
    let memberships = match row.cell(Column::ExtraData).text() {
        Some(text) if state != State::Deleted => membership::read(text, &mut loaded.lost_memberships),
        _ => Vec::new(),
    };
    let profiles = pending(engine, &memberships, &mut loaded.lost_memberships);
    let new = NewDialog {
        call_id: &call_id,
        from_uri: &from_uri,
        to_uri: &to_uri,
        request_uri: &request_uri,
        from_tag: &from_tag,
        contact: &caller_contact,
        route_set: &caller_routes,
        cseq: or_zero(Column::CallerCseq),
        socket: &caller_socket,
        timeout_route: route.map(|number| (number, &route_name[..])),
        script_flags: or_zero(Column::ScriptFlags),
        internal_flags: u8::try_from(or_zero(Column::InternalFlags) & 0xff).unwrap_or(0),
        variables,
        profiles: &profiles,
        ..NewDialog::default()
    };
    let callee =
        CalleeLeg { tag: &to_tag, contact: &callee_contact, route_set: &callee_routes, socket: &callee_socket, ..CalleeLeg::default() };
    let callee_cseq = or_zero(Column::CalleeCseq);
    let timeout = timeout_of(engine, row);
    let stored = Restored { id, state, new, callee, callee_cseq, start_time, timeout };
    let taken = if rehash { engine.restore_rehashed(now, &stored) } else { engine.restore(now, &stored).map(|()| id) };
    loaded.id = taken.map_err(|error| match error {
        RestoreError::OtherHashSize => Skipped::OtherHashSize,
        RestoreError::Exists => Skipped::Exists,
        RestoreError::Ended => Skipped::Ended,
        RestoreError::Refused(refusal) => Skipped::Refused(refusal),
    })?;
    Ok(loaded)
}

/// When the lifetime of a stored dialog is over, in seconds since 1970.
pub fn timeout_of(engine: &Engine, row: &DialogRow) -> u32 {
    let number = |column| row.cell(column).number().unwrap_or(0);
    let (timeout, start_time) = (number(Column::Timeout), number(Column::StartTime));
    // Kamailio writes a moment long past with the answer and repairs it with the ACK (spec dialog 8.4).
    if number(Column::State) == State::ConfirmedNoAck.number() && (1..start_time).contains(&timeout) {
        start_time.saturating_add(engine.settings().default_timeout)
    } else {
        timeout
    }
}

/// The memberships that profiles of today can take: a value where one belongs, none where not (spec dialog 6.7).
fn pending<'a>(engine: &Engine, memberships: &'a [StoredMembership], lost: &mut u32) -> Vec<PendingProfile<'a>> {
    let mut pending = Vec::with_capacity(memberships.len());
    for membership in memberships {
        let profile = engine.profiles().find(&membership.name);
        let fits = |profile| engine.profiles().has_value(profile) == Some(membership.value.is_some());
        match profile.filter(|profile| fits(*profile)) {
            Some(profile) => {
                let place = if membership.is_priority { Place::Priority } else { Place::Ordinary };
                let value = membership.value.as_deref().map(str::as_bytes);
                pending.push(PendingProfile { place, ..PendingProfile::of(profile, value) });
            }
            None => *lost = lost.saturating_add(1),
        }
    }
    pending
}

#[cfg(test)]
mod tests;
