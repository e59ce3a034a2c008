//! CANCEL relayed inside its own transaction (`e2e_cancel_hop_by_hop=0`; spec proxy-core 7.9).
//!
//! Each copy carries the Via branch of the INVITE's branch, so the callee matches it; its replies name the INVITE's
//! transaction for the same reason and are brought to that of the CANCEL here.

use std::sync::Arc;

use sip::message::Message;
use sip::method::Method;
use transaction::branch_id::without_sequence;
use transaction::{BranchStart, Checkout, ClientState, Endpoint, Transaction, TransactionId};

use super::data::TransactionData;
use crate::dialog::cseq::Renumbering;
use crate::outgoing::Outgoing;
use crate::rr::Plan;
use crate::run::Target;
use crate::worker::Worker;

/// What a CANCEL has to say to one branch of its INVITE.
struct Copy {
    to: Endpoint,
    uri: Vec<u8>,
    /// The branch of the INVITE's Via.
    branch: Vec<u8>,
    /// The INVITE's CSeq number there, when it is not the one it came with.
    renumbering: Option<Renumbering>,
}

/// Relays the run's CANCEL to every branch of the INVITE that was answered provisionally. False: there is none, or somebody
/// else holds the INVITE; the CANCEL is then dealt with hop by hop.
pub fn relay(worker: &mut Worker, invite: TransactionId) -> bool {
    let node = Arc::clone(&worker.node);
    let Some(own) = worker.run.tm.transaction.as_ref().map(|transaction| transaction.id()) else { return false };
    let Checkout::Taken(mut transaction) = node.transactions.checkout(invite) else { return false };
    let copies: Vec<Option<Copy>> = (0..transaction.branches.len()).map(|index| copy_for(&transaction, index)).collect();
    let is_any = copies.iter().any(Option::is_some);
    if is_any {
        transaction.flags.canceled = true;
        transaction.data.end_to_end_cancel = Some(own);
        crate::dialog::cancel_relayed(worker, &transaction.data);
    }
    super::settle::return_transaction(worker, transaction);
    if is_any {
        send(worker, copies);
    }
    is_any
}

/// None: the branch is to be left alone.
fn copy_for(invite: &Transaction<TransactionData>, index: usize) -> Option<Copy> {
    let branch = invite.branches.get(index).filter(|branch| branch.state == ClientState::Proceeding && !branch.flags.blind)?;
    let sent = Message::from_bytes(&branch.sent).ok()?;
    Some(Copy {
        to: branch.endpoint?,
        uri: branch.start.request_uri.clone(),
        branch: without_sequence(sent.top_via()?.branch).to_vec(),
        renumbering: invite.data.dialog.number_of(index).map(|cseq| Renumbering { cseq, acknowledged: None }),
    })
}

fn send(worker: &mut Worker, copies: Vec<Option<Copy>>) {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let now = worker.now.time;
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return };
    for copy in copies {
        // The same indexes as in the INVITE's transaction, whatever becomes of a branch.
        let request_uri = copy.as_ref().map_or_else(Vec::new, |copy| copy.uri.clone());
        let Ok(index) = transaction.add_branch(BranchStart { request_uri, ..BranchStart::default() }, settings) else { break };
        let Some(Copy { to, uri, branch, renumbering }) = copy else {
            transaction.branch_not_sent(now, index, settings);
            continue;
        };
        let start = worker.outbox.bytes.len();
        let mut scratch = std::mem::take(&mut worker.run.tm.scratch);
        let (target, plan) = (Target::default(), Plan::default());
        let outgoing = Outgoing { uri: &uri, record_route: &plan, renumbering, ..Outgoing::of_run(&worker.run, &target, &[], to, &branch) };
        outgoing.write(&node, &mut worker.outbox.bytes, &mut scratch);
        worker.run.tm.scratch = scratch;
        let bytes = worker.outbox.bytes.get(start..).unwrap_or_default();
        transaction.branch_sent(now, index, to, bytes);
        worker.outbox.send_written(&to, start);
    }
    worker.run.tm.transaction = Some(transaction);
}

/// Whose the run's reply is, when its Via names the transaction `named`: that one, or the CANCEL relayed for it.
pub fn owner(worker: &mut Worker, named: TransactionId) -> TransactionId {
    if worker.node.states.tm.cancels_hop_by_hop || worker.run.message.method() != Method::Cancel {
        return named;
    }
    let node = Arc::clone(&worker.node);
    match node.transactions.checkout(named) {
        Checkout::Taken(transaction) => {
            let cancel = transaction.data.end_to_end_cancel;
            super::settle::return_transaction(worker, transaction);
            cancel.unwrap_or(named)
        }
        Checkout::Busy | Checkout::Gone => named,
    }
}
