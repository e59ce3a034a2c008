//! Cases of the dialog engine: the life of a dialog, matching by cookie, profiles.

use dialog::settings::ParameterValue;
use dialog::{
    Begin, CalleeLeg, Cause, DialogId, Direction, Engine, InDialogRequest, MatchMode, NewDialog, ProfileId, ReplyKind, RequestMethod,
    Settings, StatedCause, cookie,
};
use sip::time::{Date, Now, Time};

use crate::meter::{Meter, Uncounted};

/// Dialogs that are up beside the one that comes and goes.
const HELD: u32 = 1_000;
/// Dialogs among which one is found.
const MATCHED_AMONG: u32 = 10_000;
/// Values of the profile.
const VALUES: u32 = 100;
/// Dialogs ended before anything is counted: until the memory of ended calls is full.
const ENDED_BEFORE: u32 = 5_000;

struct Room {
    engine: Engine,
    now: Now,
}

impl Room {
    fn new() -> Result<Room, String> {
        let now = Now { time: Time(1), date: Date(1_795_380_273_000) };
        let mut settings = Settings::default();
        settings.set("profiles_with_value", ParameterValue::Text("account")).map_err(|error| error.to_string())?;
        Ok(Room { engine: Engine::new(now, settings), now })
    }

    fn confirmed(&self, call: &Call) -> Option<DialogId> {
        let new = NewDialog {
            call_id: call.call_id.as_bytes(),
            from_uri: b"sip:alice@example.com",
            to_uri: b"sip:bob@example.com",
            request_uri: b"sip:bob@127.0.0.1:15060",
            from_tag: call.from_tag.as_bytes(),
            contact: b"sip:alice@127.0.0.1:15070",
            cseq: 1,
            socket: b"udp:127.0.0.1:15060",
            ..NewDialog::default()
        };
        let Begin::Created(id) = self.engine.begin(self.now, &new) else { return None };
        let callee = CalleeLeg {
            tag: call.to_tag.as_bytes(),
            contact: b"sip:127.0.0.1:15080;transport=UDP",
            socket: b"udp:127.0.0.1:15060",
            ..CalleeLeg::default()
        };
        let change = self.engine.reply_begin(self.now, id, ReplyKind::Success)?;
        self.engine.reply_finish(self.now, change, Some(&callee), Cause::HERE);
        self.request(id, RequestMethod::Ack, 1)?;
        Some(id)
    }

    fn request(&self, id: DialogId, method: RequestMethod, cseq: u32) -> Option<()> {
        let request = InDialogRequest {
            method,
            direction: Direction::Downstream,
            cseq: Some(cseq),
            contact: None,
            timeout: None,
            stated: StatedCause::default(),
            cause: Cause::HERE,
        };
        let change = self.engine.request_begin(self.now, id, &request)?;
        self.engine.request_finish(self.now, change, &request);
        Some(())
    }

    fn live_and_end(&self, call: &Call) -> Option<()> {
        let id = self.confirmed(call)?;
        self.request(id, RequestMethod::Bye, 2)?;
        // The end of the BYE's transaction.
        self.engine.release(self.now, id).then_some(())
    }

    fn hold(&self, count: u32) -> Result<Vec<(Call, DialogId)>, String> {
        let calls = (0..count).map(|number| {
            let call = Call::new(number);
            let id = self.confirmed(&call).ok_or_else(|| format!("dialog {number} was not made"))?;
            Ok((call, id))
        });
        calls.collect()
    }

    fn account(&self) -> Result<ProfileId, String> {
        self.engine.profiles().find("account").ok_or_else(|| "no profile".to_owned())
    }
}

struct Call {
    call_id: String,
    from_tag: String,
    to_tag: String,
}

impl Call {
    fn new(number: u32) -> Call {
        Call { call_id: format!("{number}-19529@192.0.2.17"), from_tag: format!("{number}SIPpTag00"), to_tag: format!("{number}SIPpTag01") }
    }
}

pub(crate) fn live_and_end(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let room = Room::new()?;
    room.hold(HELD)?;
    let mut one = |number: u32, is_counted: bool| {
        let call = Call::new(number);
        let done = if is_counted { meter.run(|| room.live_and_end(&call)) } else { Uncounted.run(|| room.live_and_end(&call)) };
        done.ok_or_else(|| format!("dialog {number} went another way"))
    };
    for number in 0..ENDED_BEFORE {
        one(HELD + number, false)?;
    }
    for number in 0..count {
        one(HELD + ENDED_BEFORE + number, true)?;
    }
    if room.engine.len() == u64::from(HELD) { Ok(()) } else { Err(format!("{} dialogs are left", room.engine.len())) }
}

pub(crate) fn find(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let room = Room::new()?;
    let mut held = Vec::new();
    for (call, id) in room.hold(MATCHED_AMONG)? {
        let mut text = Vec::new();
        cookie::write(&mut text, id);
        held.push((call, id, text));
    }
    for (call, id, text) in held.iter().cycle().step_by(7).take(count as usize) {
        let (call_id, from_tag, to_tag) = (call.call_id.as_bytes(), call.from_tag.as_bytes(), call.to_tag.as_bytes());
        let matched = meter.run(|| room.engine.match_request(MatchMode::CookieThenIdentifiers, Some(text), call_id, from_tag, to_tag));
        if matched.found.map(|(found, _)| found) != Some(*id) {
            return Err(format!("dialog {id} was not found"));
        }
    }
    Ok(())
}

pub(crate) fn join(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let room = Room::new()?;
    let (engine, now, account) = (&room.engine, room.now, room.account()?);
    let held = room.hold(HELD)?;
    let values: Vec<String> = (0..VALUES).map(|number| format!("user{number}")).collect();
    // Half of the dialogs stay members, so that no value is without one.
    let (members, others) = held.split_at(held.len() / 2);
    for ((_, id), value) in members.iter().zip(values.iter().cycle()) {
        engine.profile_join(now, *id, account, Some(value.as_bytes())).map_err(|error| format!("{error:?}"))?;
    }
    let standing = (members.len() / values.len()) as u64;
    for ((_, id), value) in others.iter().cycle().zip(values.iter().cycle()).take(count as usize) {
        let value = Some(value.as_bytes());
        let size = meter.run(|| engine.profile_join(now, *id, account, value).map(|()| engine.profiles().size(account, value)));
        let left = engine.profile_leave(now, *id, account, value);
        if size != Ok(Some(standing + 1)) || left != Ok(true) {
            return Err(format!("dialog {id} is not counted: {size:?}, {left:?}"));
        }
    }
    Ok(())
}
