//! RPC commands of the module (spec dialog 7).

use std::borrow::Cow;

use ::dialog::{DialogId, DialogView, Direction, EndReason, State};
use script::regex::{Flags, Pattern};

use super::rpc_listing::{self, Comparison, Shape, Wanted, Window};
use super::{bridge, ending, rpc_explain, rpc_profiles, rpc_storage};
use crate::outbox::Effect;
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
    Command::new("dlg.list", "Lists all dialogs; a part: limit NUMBER after H_ENTRY:H_ID.", list).array(),
    Command::new("dlg.list_ctx", "Lists all dialogs with what other modules add; a part: limit, after.", list_with_context).array(),
    Command::new("dlg.list_match", "Lists dialogs that match: key, operator, value, limit; a part: limit, after.", list_match).array(),
    Command::new("dlg.list_match_ctx", "As dlg.list_match with what other modules add.", list_match_with_context).array(),
    Command::new("dlg.dlg_list", "Shows a dialog: Call-ID, From-tag.", show),
    Command::new("dlg.dlg_list_ctx", "As dlg.dlg_list with what other modules add.", show_with_context),
    rpc_explain::EXPLAIN,
    rpc_storage::DB_STATUS,
    Command::new("dlg.briefing", "Lists all dialogs in short: fields; a part: limit, after.", briefing).array(),
    Command::new("dlg.stats_active", "Counts dialogs by state: local only.", stats_active),
    Command::new("dlg.dump_file", "Appends all dialogs to a file in dump_directory, one JSON line each: path.", dump_file),
    Command::new("dlg.profile_get_size", "Members of a profile: name, value.", profile_size),
    Command::new("dlg.profile_list", "Lists the dialogs of a profile: name, value; a part: limit, after.", profile_list).array(),
    rpc_profiles::LIMITS,
    rpc_profiles::LIMITS_RESET,
    rpc_profiles::TOP,
    rpc_profiles::AUDIT,
    Command::new("dlg.end_dlg", "Ends a dialog: h_entry, h_id, headers.", end),
    Command::new("dlg.terminate_dlg", "Ends a dialog: Call-ID, From-tag, To-tag.", terminate),
    Command::new("dlg.set_state", "Forces a state: Call-ID, From-tag, To-tag, state.", set_state),
    Command::new("dlg.is_alive", "Is the dialog confirmed: Call-ID, From-tag, To-tag.", is_alive),
    Command::new("dlg.bridge_dlg", "Connects two parties: from, to, outbound proxy, body.", bridge_parties),
];

fn list(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    list_all(worker, parameters, Shape::Whole)
}

fn list_with_context(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    list_all(worker, parameters, Shape::WithContext)
}

fn list_all(worker: &Worker, parameters: &mut Parameters, shape: Shape) -> Answer {
    let window = Window::take(parameters)?;
    Ok(Reply::listing(rpc_listing::dialogs(worker, window, Wanted::All, shape)))
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
    list_matching(worker, parameters, Shape::Whole)
}

fn list_match_with_context(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    list_matching(worker, parameters, Shape::WithContext)
}

fn list_matching(worker: &Worker, parameters: &mut Parameters, shape: Shape) -> Answer {
    let mut window = Window::take(parameters)?;
    let (key, operator, value) = (plain_text(parameters)?, plain_text(parameters)?, plain_text(parameters)?);
    let limit = match parameters.any() {
        Some(Parameter::Integer(limit)) => usize::try_from(limit).ok().filter(|limit| *limit > 0),
        _ => None,
    };
    window.limit = window.limit.or(limit);
    let wanted = matching(&key, &operator, value)?;
    Ok(Reply::listing(rpc_listing::dialogs(worker, window, wanted, shape).or_fault(Fault::new(404, "Not found"))))
}

/// What `dlg.list_match` compares. The faults come in the order in which Kamailio looks.
fn matching(key: &[u8], operator: &[u8], value: Vec<u8>) -> Result<Wanted, Fault> {
    let field: fn(&DialogView) -> &[u8] = match key {
        b"ruri" => |view| &view.request_uri,
        b"furi" => |view| &view.from_uri,
        b"turi" => |view| &view.to_uri,
        b"callid" => |view| &view.call_id,
        b"start_ts" => |_| b"",
        _ => return Err(invalid("Invalid matching key parameter")),
    };
    let is_time = key == b"start_ts";
    let bad_value = || invalid("Invalid matching value parameter");
    // What is no time is neither before nor after anything.
    let moment = || std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
    Ok(match (operator, is_time) {
        (b"eq" | b"sw" | b"re", true) => return Err(invalid("Matching operator not supported with start_ts key")),
        (b"gt" | b"lt", false) => return Err(invalid("Matching operator not supported")),
        (b"eq", _) => Wanted::Matching(field, Comparison::Equal(value)),
        (b"sw", _) => Wanted::Matching(field, Comparison::Prefix(value)),
        (b"re", _) => Wanted::Matching(field, Comparison::Pattern(Pattern::dynamic(&value, Flags::ARGUMENT).map_err(|_| bad_value())?)),
        (b"gt", _) => Wanted::AnsweredAfter(moment().unwrap_or(u64::MAX)),
        (b"lt", _) => Wanted::AnsweredBefore(moment().unwrap_or(0)),
        _ => return Err(invalid("Invalid matching operator parameter")),
    })
}

/// The first parameter as text. Without one, JSON gets an empty answer (None) and BINRPC a fault of the reading layer.
pub(super) fn first_text(parameters: &mut Parameters) -> Result<Option<Vec<u8>>, Fault> {
    if parameters.left() == 0 && parameters.wire == Wire::Binrpc {
        return Err(Fault::new(400, "error at parameter 0: expected any type but end of packet encountered"));
    }
    Ok(parameters.text_converted().ok())
}

fn show(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    show_in(worker, parameters, &Shape::Whole)
}

fn show_with_context(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    show_in(worker, parameters, &Shape::WithContext)
}

/// At most [`::dialog::limits::DIALOGS_OF_CALL_ID_MAX`] dialogs, so they are answered at once.
fn show_in(worker: &Worker, parameters: &mut Parameters, shape: &Shape) -> Answer {
    let Some(call_id) = first_text(parameters)? else { return Ok(Reply::empty()) };
    let from_tag = parameters.text_if_given()?;
    let dialogs = &worker.node.dialogs;
    let views = dialogs.of_call_id(&call_id).into_iter().filter_map(|id| dialogs.view(worker.now, id));
    let items = views
        .filter(|view| from_tag.as_ref().is_none_or(|tag| tag.is_empty() || *tag == view.caller.tag))
        .map(|view| shape.item(&worker.node, &view, worker.now))
        .collect::<Vec<Item>>();
    // Clients expect one object, and JSON has room for one answer only.
    let is_one_of_many = items.len() > 1 && parameters.wire == Wire::Json;
    Ok(if is_one_of_many { Reply::one(Item::Array(items)) } else { Reply::many(items) })
}

fn briefing(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let window = Window::take(parameters)?;
    let mut letters = parameters.text_or_none().unwrap_or_else(|| BRIEFING_LETTERS.to_vec());
    letters.truncate(BRIEFING_LETTERS_MAX);
    Ok(Reply::listing(rpc_listing::dialogs(worker, window, Wanted::All, Shape::Short(letters))))
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

/// Only into the folder that the configuration names; the answer comes when the file is written, or says why it is not.
fn dump_file(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let Some(path) = first_text(parameters)? else { return Ok(Reply::empty()) };
    let folder = worker.node.settings.text("dialog", "dump_directory").map(|folder| folder.to_string()).unwrap_or_default();
    if folder.is_empty() {
        return Err(Fault::new(500, "No file is written: modparam(\"dialog\", \"dump_directory\", \"FOLDER\") is not set"));
    }
    let name = name_within(&folder, &path).ok_or_else(|| Fault::new(400, format!("Files are written directly into {folder} only")))?;
    if !parameters.may_wait {
        return Err(Fault::new(500, "too many calls wait for an answer, or this door cannot; try again"));
    }
    let ticket = worker.take_ticket();
    let lines = rpc_listing::dialogs(worker, Window::default(), Wanted::All, Shape::Dumped);
    worker.outbox.effects.push(Effect::AppendFile { ticket, folder, name, lines });
    Ok(Reply::later(ticket))
}

/// The plain name of a file in the folder, given alone or with the folder in front.
fn name_within(folder: &str, path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let name = match path.strip_prefix(folder.trim_end_matches('/')) {
        Some(rest) if rest.starts_with('/') => rest.trim_start_matches('/'),
        _ => path,
    };
    let is_plain = !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\0']);
    is_plain.then(|| name.to_owned())
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
    let window = Window::take(parameters)?;
    let Some((profile, value)) = profile(worker, parameters)? else { return Ok(Reply::empty()) };
    Ok(Reply::listing(if window.is_set() {
        rpc_listing::dialogs(worker, window, Wanted::Members(profile, value), Shape::Whole)
    } else {
        rpc_listing::members(worker, profile, value)
    }))
}

fn end(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let mut number = || parameters.integer().map_err(|_| invalid("Invalid parameters"));
    let (entry, id) = (number()?, number()?);
    let mut headers = parameters.text_if_given()?.unwrap_or_default();
    if !headers.is_empty() && !headers.ends_with(b"\r\n") {
        headers.extend_from_slice(b"\r\n");
    }
    // Numbers that no dialog can have are those of no dialog.
    let named = u32::try_from(entry).ok().zip(u32::try_from(id).ok());
    let dialog = named.and_then(|(entry, id)| worker.node.dialogs.find(entry, id)).ok_or_else(|| Fault::new(404, "Dialog not found"))?;
    end_dialog(worker, dialog, &headers);
    Ok(Reply::empty())
}

/// Answered empty whatever came of it, as by Kamailio; the log tells.
fn end_dialog(worker: &mut Worker, dialog: DialogId, headers: &[u8]) {
    if let Err(error) = ending::end(worker, dialog, None, EndReason::Rpc, headers) {
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
    let number = parameters.integer().map_err(|_| Fault::new(400, MISSING))?;
    let number = u32::try_from(number).ok();
    let state = number.and_then(State::from_number).ok_or_else(|| invalid("Invalid state value"))?;
    let dialog = find(worker, &names).ok_or_else(|| Fault::new(500, "Dialog not found"))?;
    let old = worker.node.dialogs.force_state(worker.now, dialog, state, EndReason::Rpc);
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
