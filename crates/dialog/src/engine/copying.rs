//! Copies of a dialog, in memory that is used again where many are made.

use sip::time::Now;

use super::Engine;
use crate::flags::mark;
use crate::leg::Leg;
use crate::lifetime;
use crate::profiles::{ProfileId, Profiles};
use crate::record::{Field, NO_SOCKET, Record};
use crate::variables;
use crate::view::{DialogView, LegView, ProfileView};

/// A copy of the record.
pub(super) fn view(engine: &Engine, record: &Record, now: Now) -> DialogView {
    let mut copy = DialogView::default();
    view_into(engine, record, now, &mut copy);
    copy
}

/// The same in place of an older copy, whose texts give their memory.
pub(super) fn view_into(engine: &Engine, record: &Record, now: Now, copy: &mut DialogView) {
    // Named one by one, so that none is forgotten.
    let DialogView {
        id,
        references,
        call_id,
        from_uri,
        to_uri,
        request_uri,
        state,
        init_time,
        start_time,
        end_time,
        modified_time,
        timeout,
        lifetime,
        dialog_flags,
        script_flags,
        internal_flags,
        timeout_route,
        timeout_route_name,
        caller_route_entries,
        end_reason,
        end_code,
        end_text,
        caller,
        callee,
        profiles,
        variables,
    } = copy;
    let ending = &record.ending;
    let has_ended = ending.reason.is_some();
    *id = record.id;
    *references = record.references();
    *state = record.state;
    *init_time = record.created;
    *start_time = record.answered;
    *end_time = record.ended;
    *modified_time = record.modified;
    *timeout = end_of_lifetime(record, now);
    *lifetime = record.lifetime;
    *dialog_flags = record.dialog_flags;
    *script_flags = record.script_flags;
    *internal_flags = record.internal_flags;
    *timeout_route = record.timeout_route;
    *caller_route_entries = record.route_entries;
    *end_reason = ending.reason;
    *end_code = if has_ended { ending.code } else { 0 };
    set(call_id, record.field(Field::CallId));
    set(from_uri, record.field(Field::FromUri));
    set(to_uri, record.field(Field::ToUri));
    set(request_uri, record.field(Field::RequestUri));
    set(timeout_route_name, record.field(Field::TimeoutRoute));
    set(end_text, if has_ended { record.field(Field::EndText) } else { b"" });
    leg_into(engine, record, Leg::Caller, caller);
    leg_into(engine, record, Leg::Callee, callee);
    profiles_into(&engine.profiles, record, profiles);
    variables_into(record, variables);
}

fn set(text: &mut Vec<u8>, value: &[u8]) {
    text.clear();
    text.extend_from_slice(value);
}

fn leg_into(engine: &Engine, record: &Record, leg: Leg, copy: &mut LegView) {
    let LegView { tag, contact, cseq, route_set, socket } = copy;
    set(tag, record.tag(leg));
    set(contact, record.contact(leg));
    set(route_set, record.route_set(leg));
    *cseq = record.sequence(leg);
    socket.clear();
    if record.socket(leg) != NO_SOCKET {
        engine.write_socket_name(record.socket(leg), socket);
    }
}

fn profiles_into(all: &Profiles, record: &Record, copies: &mut Vec<ProfileView>) {
    let mut count = 0;
    for membership in record.memberships() {
        let profile = ProfileId(membership.profile);
        let Some(name) = all.name(profile) else { continue };
        let (mut value, mut unique) = match copies.get_mut(count) {
            Some(old) => (old.value.take().unwrap_or_default(), std::mem::take(&mut old.unique)),
            None => (Vec::new(), String::new()),
        };
        value.clear();
        unique.clear();
        all.write_unique(membership.serial, &mut unique);
        let value = all.write_value(profile, membership.value, &mut value).then_some(value);
        let copy = ProfileView { name, value, place: membership.place, unique };
        match copies.get_mut(count) {
            Some(old) => *old = copy,
            None => copies.push(copy),
        }
        count += 1;
    }
    copies.truncate(count);
}

fn variables_into(record: &Record, copies: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    let mut count = 0;
    for (key, value) in variables::iter(record.variables()) {
        match copies.get_mut(count) {
            Some(old) => {
                set(&mut old.0, key);
                set(&mut old.1, value);
            }
            None => copies.push((key.to_vec(), value.to_vec())),
        }
        count += 1;
    }
    copies.truncate(count);
}

/// Unix seconds at which the lifetime ends, 0 when it does not run.
fn end_of_lifetime(record: &Record, now: Now) -> u32 {
    if !record.is_marked(mark::LIFETIME) {
        return 0;
    }
    // In milliseconds, so that one deadline always shows as the same second.
    let ends = Now { date: now.date.plus(record.deadline.saturating_sub(now.time.0)), ..now };
    lifetime::wall_seconds(ends)
}
