//! Remote-Party-ID (draft-ietf-sip-privacy-04).

use std::sync::Arc;

use script::exports::{Argument, Evaluate, Flow};
use script::value::Text;

use super::uri_tests::has_number;
use crate::node::Node;
use crate::worker::Worker;

/// The identity that the script or authentication left; None when there is none.
fn identity(worker: &mut Worker, node: &Node) -> Option<Text> {
    let source = node.states.siputils.identity_source.as_ref()?;
    let text = worker.format(source);
    (!text.is_empty() && &*text != b"<null>").then_some(text)
}

/// `is_rpid_user_e164()`: is the user of the identity's URI an E.164 number?
pub(super) fn is_rpid_user_e164(worker: &mut Worker, _: &[Argument]) -> Flow {
    let node = Arc::clone(&worker.node);
    let Some(identity) = identity(worker, &node) else { return Flow::Code(-1) };
    let uri = sip::name_address::NameAddress::parse(&identity).map_or(&identity[..], |address| address.uri);
    Flow::from(has_number(uri, node.states.siputils.number_length_max))
}

/// `append_rpid_hf([prefix, suffix])`.
pub(super) fn append_rpid_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let node = Arc::clone(&worker.node);
    let state = &node.states.siputils;
    let Some(identity) = identity(worker, &node) else { return Flow::Code(-1) };
    let (prefix, suffix) = match arguments {
        [prefix, suffix, ..] => (prefix.text(), suffix.text()),
        _ => (state.identity_prefix.clone(), state.identity_suffix.clone()),
    };
    let line = [b"Remote-Party-ID: ", &prefix[..], &identity, &suffix, b"\r\n"].concat();
    let at = worker.run.message.headers_end();
    worker.run.edits.insert_after(at, &line);
    Flow::Code(1)
}
