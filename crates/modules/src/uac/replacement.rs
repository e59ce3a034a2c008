//! `uac_replace_from()` and `uac_replace_to()`: another display name and URI for the rest of the way (spec proxy-core 11.13).

use std::sync::Arc;

use script::exports::{Argument, Flow, Routes};
use script::value::Text;
use sip::NameAddress;
use sip::message::Message;
use sip::span::Span;

use super::RestoreMode;
use super::stored_uri::{encode, is_text_of_uri};
use crate::rr;
use crate::worker::Worker;

/// The header that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    From,
    To,
}

impl Party {
    pub const BOTH: [Party; 2] = [Party::From, Party::To];

    /// Its place in [`super::RunState::replaced`].
    pub(super) fn bit(self) -> u8 {
        match self {
            Party::From => 1,
            Party::To => 2,
        }
    }

    pub(super) fn other(self) -> Party {
        match self {
            Party::From => Party::To,
            Party::To => Party::From,
        }
    }

    pub(super) fn of(self, message: &Message) -> Option<NameAddress<'_>> {
        match self {
            Party::From => message.from(),
            Party::To => message.to(),
        }
    }

    /// Variables of a dialog: old URI, new URI, old display name, new display name.
    pub(super) fn variables(self) -> [&'static [u8]; 4] {
        match self {
            Party::From => [b"_uac_fu", b"_uac_funew", b"_uac_fdp", b"_uac_fdpnew"],
            Party::To => [b"_uac_to", b"_uac_tonew", b"_uac_tdp", b"_uac_tdpnew"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Party::From => "From",
            Party::To => "To",
        }
    }
}

/// `uac_replace_from([display,] uri)`
pub(super) fn replace_from(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace(worker, Party::From, arguments)
}

/// `uac_replace_to([display,] uri)`
pub(super) fn replace_to(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace(worker, Party::To, arguments)
}

fn replace(worker: &mut Worker, party: Party, arguments: &[Argument]) -> Flow {
    let text = |place: usize| arguments.get(place).map(Argument::text).unwrap_or_default();
    // One argument is the URI alone.
    let (display, uri) = if arguments.len() > 1 { (Some(text(0)), text(1)) } else { (None, text(0)) };
    match make(worker, party, display.as_ref(), &uri) {
        Ok(()) => Flow::Code(1),
        Err(reason) => {
            worker.log(-1, "uac", &format!("the {} header is not replaced: {reason}", party.name()));
            Flow::Code(-1)
        }
    }
}

/// `display`: None keeps the display name, an empty one takes it away. An empty `uri` keeps the URI.
fn make(worker: &mut Worker, party: Party, display: Option<&Text>, uri: &Text) -> Result<(), &'static str> {
    let mode = worker.node.states.uac.restore_mode;
    let is_branch = worker.run.route_set.meets(Routes::BRANCH);
    if mode == RestoreMode::Automatic && !worker.run.message.to_tag().is_empty() {
        return Err("the request is within a dialog, whose headers were settled by the first one");
    }
    if worker.run.uac.replaced & party.bit() != 0 && !is_branch {
        return Err("it was replaced before");
    }
    if display.is_some_and(|display| display.iter().any(u8::is_ascii_control)) || !(uri.is_empty() || is_text_of_uri(uri)) {
        return Err("line ends, brackets and the like cannot stand in a display name or URI");
    }
    let old = party.of(&worker.run.message).ok_or("the header cannot be read")?;
    let (old_display, old_uri) = (Text::from(old.display), Text::from(old.uri));
    let span = address_span(&worker.run.message, &old).ok_or("the header cannot be read")?;
    let is_bare = !old.whole.contains(&b'<');
    let new_display = display.unwrap_or(&old_display).clone();
    let new_uri = if uri.is_empty() { &old_uri } else { uri };
    let made = address(&new_display, new_uri, is_bare);
    if !uri.is_empty() {
        if mode != RestoreMode::Never {
            store(worker, party, [&old_uri, uri, &old_display, &new_display], is_branch)?;
        }
        worker.run.uac.replaced |= party.bit();
    }
    worker.run.edits.replace_anew(span, &made);
    Ok(())
}

/// `display <uri>`; without brackets only where there were none and none are needed.
pub(super) fn address(display: &[u8], uri: &[u8], is_bare: bool) -> Vec<u8> {
    match (display.is_empty(), is_bare && !uri.iter().any(|byte| matches!(byte, b';' | b'?' | b','))) {
        (true, true) => uri.to_vec(),
        (true, false) => [b"<", uri, b">"].concat(),
        (false, _) => [display, b" <", uri, b">"].concat(),
    }
}

/// Display name and URI with its brackets, without the parameters.
pub(super) fn address_span(message: &Message, address: &NameAddress<'_>) -> Option<Span> {
    let whole = message.span_of(address.whole)?;
    let end = if address.params.is_empty() { whole.end } else { message.span_of(address.params)?.start };
    let text = message.text(Span { start: whole.start, end });
    let length = u32::try_from(text.trim_ascii_end().len()).ok()?;
    Some(Span { start: whole.start, end: whole.start.checked_add(length)? })
}

/// Keeps what the requests to come need: in variables of the dialog, or in the Record-Route.
fn store(worker: &mut Worker, party: Party, texts: [&Text; 4], is_branch: bool) -> Result<(), &'static str> {
    let node = Arc::clone(&worker.node);
    let state = &node.states.uac;
    if state.restores_by_dialog
        && let Some(dialog) = crate::dialog::message_dialog(worker)
    {
        for (name, text) in party.variables().into_iter().zip(texts) {
            node.dialogs.set_variable(worker.now, dialog, name, Some(text)).map_err(|_| "the dialog takes no more variables")?;
        }
        return Ok(());
    }
    let [old, new, ..] = texts;
    let parameter = [b";", state.parameter(party), b"=", &encode(old, new, &state.restore_password)].concat();
    if !is_branch && let Some(transaction) = &mut worker.run.tm.transaction {
        rr::add_parameter(&mut transaction.data.record_route, &parameter);
    }
    if rr::add_parameter(&mut worker.run.rr.plan, &parameter) { Ok(()) } else { Err("no room for the Record-Route parameter") }
}
