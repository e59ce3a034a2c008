//! RPC commands of the module (spec dialog 7).

use std::borrow::Cow;
use std::sync::Arc;

use ::dialog::{DialogId, DialogView, Direction, State};
use script::regex::{Flags, Pattern};

use super::{bridge, ending, rpc_fields};
use crate::rpc::{Command, Fault, Item, Parameter, Parameters, Reply, Wire};
use crate::worker::Worker;

type Answer = Result<Reply, Fault>;
/// A profile of a call and the value asked for.
type Asked = (::dialog::ProfileId, Option<Vec<u8>>);

/// Letters of `dlg.briefing` when none are given.
const BRIEFING_LETTERS: &[u8] = b"ftcFT";
/// Most letters of `dlg.briefing` that are looked at.
const BRIEFING_LETTERS_MAX: usize = 32;

/// Every command.
pub(super) static COMMANDS: &[Command] = &[
    Command::new("dlg.list", "Lists all dialogs.", list).array(),
    Command::new("dlg.list_ctx", "Lists all dialogs.", list).array(),
    Command::new("dlg.list_match", "Lists dialogs that match: key, operator, value, limit.", list_match).array(),
    Command::new("dlg.list_match_ctx", "Lists dialogs that match: key, operator, value, limit.", list_match).array(),
    Command::new("dlg.dlg_list", "Shows a dialog: Call-ID, From-tag.", show),
    Command::new("dlg.dlg_list_ctx", "Shows a dialog: Call-ID, From-tag.", show),
    Command::new("dlg.briefing", "Lists all dialogs in short: fields.", briefing).array(),
    Command::new("dlg.stats_active", "Counts dialogs by state: local only.", stats_active),
    Command::new("dlg.dump_file", "Not available: no command writes files here.", dump_file),
    Command::new("dlg.profile_get_size", "Members of a profile: name, value.", profile_size),
    Command::new("dlg.profile_list", "Lists the dialogs of a profile: name, value.", profile_list).array(),
    Command::new("dlg.end_dlg", "Ends a dialog: h_entry, h_id, headers.", end),
    Command::new("dlg.terminate_dlg", "Ends a dialog: Call-ID, From-tag, To-tag.", terminate),
    Command::new("dlg.set_state", "Forces a state: Call-ID, From-tag, To-tag, state.", set_state),
    Command::new("dlg.is_alive", "Is the dialog confirmed: Call-ID, From-tag, To-tag.", is_alive),
    Command::new("dlg.bridge_dlg", "Connects two parties: from, to, outbound proxy, body.", bridge_parties),
];

fn seconds(worker: &Worker) -> u32 {
    u32::try_from(worker.now.date.seconds()).unwrap_or(u32::MAX)
}

/// Copies of all dialogs that `wanted` accepts, made into items.
fn collect(worker: &Worker, limit: usize, wanted: impl Fn(&DialogView) -> bool, item: impl Fn(&DialogView) -> Item) -> Vec<Item> {
    let mut items = Vec::new();
    worker.node.dialogs.for_each(worker.now, |view| {
        if wanted(view) {
            items.push(item(view));
        }
        items.len() < limit
    });
    items
}

fn list(worker: &mut Worker, _: &mut Parameters) -> Answer {
    let now = seconds(worker);
    Ok(Reply::many(collect(worker, usize::MAX, |_| true, |view| rpc_fields::dialog(view, now))))
}

/// What `dlg.list_match` compares.
enum Wanted {
    Equal(Vec<u8>),
    Prefix(Vec<u8>),
    Pattern(Arc<Pattern>),
    Above(u64),
    Below(u64),
}

fn invalid(text: &str) -> Fault {
    Fault::new(500, text)
}

fn plain_text(parameters: &mut Parameters) -> Result<Vec<u8>, Fault> {
    match parameters.any() {
        Some(Parameter::Text(text)) if !text.is_empty() => Ok(text),
        _ => Err(invalid("Invalid parameters")),
    }
}

fn list_match(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let (key, operator, value) = (plain_text(parameters)?, plain_text(parameters)?, plain_text(parameters)?);
    let limit = match parameters.any() {
        Some(Parameter::Integer(limit)) => usize::try_from(limit).ok().filter(|limit| *limit > 0),
        _ => None,
    };
    let field: fn(&DialogView) -> &[u8] = match &key[..] {
        b"ruri" => |view| &view.request_uri,
        b"furi" => |view| &view.from_uri,
        b"turi" => |view| &view.to_uri,
        b"callid" => |view| &view.call_id,
        b"start_ts" => |_| b"",
        _ => return Err(invalid("Invalid matching key parameter")),
    };
    let is_time = key == b"start_ts";
    let moment =
        || std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()).ok_or_else(|| invalid("Invalid matching value parameter"));
    let wanted = match (&operator[..], is_time) {
        (b"eq" | b"sw" | b"re", true) => return Err(invalid("Matching operator not supported with start_ts key")),
        (b"gt" | b"lt", false) => return Err(invalid("Matching operator not supported")),
        (b"eq", _) => Wanted::Equal(value),
        (b"sw", _) => Wanted::Prefix(value),
        (b"re", _) => Wanted::Pattern(Pattern::dynamic(&value, Flags::ARGUMENT).map_err(|_| invalid("Invalid matching value parameter"))?),
        (b"gt", _) => Wanted::Above(moment()?),
        (b"lt", _) => Wanted::Below(moment()?),
        _ => return Err(invalid("Invalid matching operator parameter")),
    };
    let matches = |view: &DialogView| match &wanted {
        Wanted::Equal(text) => field(view) == &text[..],
        Wanted::Prefix(text) => field(view).starts_with(text),
        Wanted::Pattern(pattern) => pattern.is_match(field(view)),
        Wanted::Above(time) => u64::from(view.start_time) > *time,
        Wanted::Below(time) => u64::from(view.start_time) < *time,
    };
    let now = seconds(worker);
    let items = collect(worker, limit.unwrap_or(usize::MAX), matches, |view| rpc_fields::dialog(view, now));
    if items.is_empty() { Err(Fault::new(404, "Not found")) } else { Ok(Reply::many(items)) }
}

/// The first parameter as text. Without one, JSON gets an empty answer (None) and BINRPC a fault of the reading layer.
fn first_text(parameters: &mut Parameters) -> Result<Option<Vec<u8>>, Fault> {
    if parameters.left() == 0 && parameters.wire == Wire::Binrpc {
        return Err(Fault::new(400, "error at parameter 0: expected any type but end of packet encountered"));
    }
    Ok(parameters.text_converted().ok())
}

fn show(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let Some(call_id) = first_text(parameters)? else { return Ok(Reply::empty()) };
    let from_tag = parameters.text_if_given()?;
    let now = seconds(worker);
    let dialogs = &worker.node.dialogs;
    let views = dialogs.of_call_id(&call_id).into_iter().filter_map(|id| dialogs.view(worker.now, id));
    let items = views
        .filter(|view| from_tag.as_ref().is_none_or(|tag| tag.is_empty() || *tag == view.caller.tag))
        .map(|view| rpc_fields::dialog(&view, now))
        .collect();
    Ok(Reply::many(items))
}

fn briefing(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let mut letters = match parameters.left() {
        0 => BRIEFING_LETTERS.to_vec(),
        _ => parameters.text()?,
    };
    letters.truncate(BRIEFING_LETTERS_MAX);
    Ok(Reply::many(collect(worker, usize::MAX, |_| true, |view| rpc_fields::briefing(view, &letters))))
}

fn stats_active(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let local_only = parameters.integer().is_ok_and(|wanted| wanted != 0);
    let counts = worker.node.dialogs.state_counts(local_only);
    let all = counts.unconfirmed + counts.early + counts.confirmed_no_ack + counts.confirmed;
    let field = |name: &'static str, count: u64| (Cow::Borrowed(name), Item::Integer(i64::try_from(count).unwrap_or(i64::MAX)));
    Ok(Reply::one(Item::Structure(vec![
        field("starting", counts.unconfirmed),
        field("connecting", counts.early),
        field("answering", counts.confirmed_no_ack),
        field("ongoing", counts.confirmed),
        field("all", all),
    ])))
}

fn dump_file(_: &mut Worker, _: &mut Parameters) -> Answer {
    Err(Fault::new(500, "Not supported: no command writes files here, use dlg.list"))
}

/// The profile and value of a call; None without parameters.
fn profile(worker: &Worker, parameters: &mut Parameters) -> Result<Option<Asked>, Fault> {
    let Some(name) = first_text(parameters)? else { return Ok(None) };
    let value = parameters.text_if_given()?.filter(|value| !value.is_empty());
    let name = String::from_utf8_lossy(&name).into_owned();
    match worker.node.dialogs.profiles().find(&name) {
        Some(profile) => Ok(Some((profile, value))),
        None => Err(Fault::new(404, format!("Profile not found: {name}"))),
    }
}

fn profile_size(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let Some((profile, value)) = profile(worker, parameters)? else { return Ok(Reply::empty()) };
    let size = worker.node.dialogs.profiles().size(profile, value.as_deref()).unwrap_or(0);
    Ok(Reply::one(Item::Integer(i64::try_from(size).unwrap_or(i64::MAX))))
}

fn profile_list(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let Some((profile, value)) = profile(worker, parameters)? else { return Ok(Reply::empty()) };
    let now = seconds(worker);
    let dialogs = &worker.node.dialogs;
    let members = dialogs.profile_members(profile, value.as_deref());
    Ok(Reply::many(members.into_iter().filter_map(|id| dialogs.view(worker.now, id)).map(|view| rpc_fields::dialog(&view, now)).collect()))
}

/// An integer parameter, also when JSON brings it as text.
fn whole(parameters: &mut Parameters) -> Option<i64> {
    match parameters.any()? {
        Parameter::Integer(number) => Some(number),
        Parameter::Text(text) => std::str::from_utf8(&text).ok()?.parse().ok(),
        Parameter::Double(_) | Parameter::Unreadable(_) => None,
    }
}

fn end(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let mut id = || parameters.integer().ok().and_then(|number| u32::try_from(number).ok()).ok_or_else(|| invalid("Invalid parameters"));
    let (entry, number) = (id()?, id()?);
    let mut headers = parameters.text_if_given()?.unwrap_or_default();
    if !headers.is_empty() && !headers.ends_with(b"\r\n") {
        headers.extend_from_slice(b"\r\n");
    }
    let dialog = worker.node.dialogs.find(entry, number).ok_or_else(|| Fault::new(404, "Dialog not found"))?;
    end_dialog(worker, dialog, &headers);
    Ok(Reply::empty())
}

/// Answered empty whatever came of it, as by Kamailio; the log tells.
fn end_dialog(worker: &mut Worker, dialog: DialogId, headers: &[u8]) {
    if let Err(error) = ending::end(worker, dialog, None, headers) {
        worker.log(0, "dialog", &format!("dialog [{dialog}] is not ended: {error:?}"));
    }
}

/// Call-ID and tags; the fault when one is missing.
fn identifiers(parameters: &mut Parameters, missing: &str) -> Result<[Vec<u8>; 3], Fault> {
    let mut text = || parameters.text_converted().map_err(|_| Fault::new(400, missing));
    Ok([text()?, text()?, text()?])
}

fn find(worker: &Worker, [call_id, from_tag, to_tag]: &[Vec<u8>; 3]) -> Option<DialogId> {
    worker.node.dialogs.find_by_identifiers(call_id, from_tag, to_tag, Direction::None).map(|(dialog, _)| dialog)
}

fn terminate(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let names = identifiers(parameters, "Need a Callid ,from tag ,to tag")?;
    let dialog = find(worker, &names).ok_or_else(|| Fault::new(500, "Couldnt find callid in dialog"))?;
    let call_id = String::from_utf8_lossy(names.first().map_or(&[][..], |call_id| call_id)).into_owned();
    worker.log(0, "dialog", &format!("Dialog is terminated callid: '{call_id}'"));
    end_dialog(worker, dialog, b"");
    Ok(Reply::empty())
}

fn set_state(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    const MISSING: &str = "Need the callid, from tag,to tag and state";
    let names = identifiers(parameters, MISSING)?;
    if parameters.left() == 0 {
        return Err(Fault::new(400, MISSING));
    }
    let number = whole(parameters).and_then(|number| u32::try_from(number).ok());
    let state = number.and_then(State::from_number).ok_or_else(|| invalid("Invalid state value"))?;
    let dialog = find(worker, &names).ok_or_else(|| Fault::new(500, "Dialog not found"))?;
    let old = worker.node.dialogs.force_state(worker.now, dialog, state);
    let line = format!("dialog [{dialog}] - state change forced - old: {} - new: {}", old.map_or(0, State::number), state.number());
    worker.log(1, "dialog", &line);
    Ok(Reply::one(Item::text("Done")))
}

fn is_alive(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let names = identifiers(parameters, "Too few parameters (required callid, from-tag, to-tag)")?;
    let dialog = find(worker, &names).ok_or_else(|| Fault::new(404, "Dialog not found"))?;
    match worker.node.dialogs.state(dialog) {
        Some(State::Confirmed) => Ok(Reply::one(Item::text("Alive"))),
        Some(_) => Err(Fault::new(500, "Dialog not in confirmed state")),
        None => Err(Fault::new(404, "Dialog not found")),
    }
}

fn bridge_parties(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let (from, to) = (plain_text(parameters)?, plain_text(parameters)?);
    let proxy = parameters.text_if_given()?.filter(|proxy| proxy != b".").unwrap_or_default();
    let body = if parameters.left() > 0 { Some(parameters.text()?) } else { None };
    let body = match body {
        Some(body) if body.is_empty() || body == b"_" => Vec::new(),
        Some(body) if body != b"." => body,
        _ => bridge::SESSION_DESCRIPTION.to_vec(),
    };
    bridge::start(worker, &from, &to, proxy, body);
    Ok(Reply::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_parameter_is_a_fault_on_binrpc_only() {
        assert_eq!(first_text(&mut Parameters::new(Wire::Json, Vec::new())), Ok(None));
        assert_eq!(first_text(&mut Parameters::new(Wire::Binrpc, Vec::new())).map_err(|fault| fault.code), Err(400));
        let given = vec![Parameter::Integer(7)];
        assert_eq!(first_text(&mut Parameters::new(Wire::Binrpc, given)), Ok(Some(b"7".to_vec())));
    }

    #[test]
    fn every_command_is_named_after_the_module() {
        assert!(COMMANDS.iter().all(|command| command.name.starts_with("dlg.")));
    }
}
