//! What a run and a transaction know about dialogs: the script's context, what waits for a dialog, what has to be released.

use ::dialog::{DialogId, Direction, OccurrenceKind, ProfileId, Reservation, State};
use script::value::Text;
use sip::method::Method;

use crate::worker::Worker;

/// Most `$dlg_var` values that wait for a dialog.
pub const PENDING_VARIABLES_MAX: usize = ::dialog::limits::VARIABLES_MAX;
/// Most memberships that wait for a dialog.
pub const PENDING_PROFILES_MAX: usize = ::dialog::limits::MEMBERSHIPS_MAX;

/// What `$dlg_ctx(...)` shows (spec dialog 1.11).
#[derive(Debug, Default, Clone)]
pub struct Context {
    pub on: i64,
    /// Script flags for the dialog to come.
    pub flags: u32,
    /// Properties for the dialog to come, bits of [`::dialog::flags::internal_flag`].
    pub properties: u8,
    /// Stored, never used.
    pub timeout: i64,
    pub timeout_bye: i64,
    /// Number (from 1, -1 unknown) and name.
    pub timeout_route: Option<(i32, Text)>,
    /// The dialog of the message.
    pub dialog: Option<DialogId>,
    /// Set by `dlg_get()` only.
    pub direction: Direction,
}

/// What the module keeps for one run.
#[derive(Debug, Default)]
pub struct RunState {
    pub context: Context,
    /// Asked for before the dialog existed, in that order.
    pub pending_profiles: Vec<(ProfileId, Option<Text>)>,
    /// Places acquired before the dialog existed; those still here when the run ends are free again.
    pub reservations: Vec<Reservation>,
    /// Set before the dialog existed, newest first.
    pub pending_variables: Vec<(Text, Text)>,
    /// The dialog made for this run's INVITE.
    pub created: Option<DialogId>,
    /// The INVITE is a spiral of a dialog that exists.
    pub is_spiral: bool,
    /// The INVITE made this dialog when it came before, and its script has sent nothing yet: who is first has the dialog.
    pub copied: Option<DialogId>,
    /// The dialog this run's request was matched to, and its way.
    pub within: Option<(DialogId, Direction)>,
    /// What a reply to that request is told as.
    pub told_reply: Option<OccurrenceKind>,
    /// How far the CSeq number of that request is raised on its way out.
    pub sequence_shift: u32,
    /// A hold that the transaction of the request takes over.
    pub hold: Option<DialogId>,
    /// A transaction has taken the dialog over.
    pub is_attached: bool,
    /// The CSeq number of the branches that this step adds, after `uac_auth()`.
    pub renumbered: Option<u32>,
    /// `$DLG_status` and `$DLG_lifetime` of the matched request.
    pub status: Option<(u32, u32)>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.context = Context::default();
        self.pending_profiles.clear();
        self.reservations.clear();
        self.pending_variables.clear();
        self.created = None;
        self.is_spiral = false;
        self.copied = None;
        self.within = None;
        self.told_reply = None;
        self.sequence_shift = 0;
        self.hold = None;
        self.is_attached = false;
        self.renumbered = None;
        self.status = None;
    }
}

/// Dialogs that must not go before a transaction does: hardly ever more than one.
#[derive(Debug, Default)]
pub(super) struct Holds {
    first: Option<DialogId>,
    more: Vec<DialogId>,
}

impl Holds {
    pub(super) fn push(&mut self, dialog: DialogId) {
        match self.first {
            None => self.first = Some(dialog),
            Some(_) => self.more.push(dialog),
        }
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = DialogId> {
        self.first.take().into_iter().chain(self.more.drain(..))
    }
}

/// What a transaction knows about dialogs.
#[derive(Debug, Default)]
pub struct TransactionPart {
    /// The dialog that this INVITE sets up.
    pub(super) invite: Option<DialogId>,
    /// The dialog that this request runs within.
    pub(super) within: Option<(DialogId, Direction)>,
    /// What observers are told its replies as.
    pub(super) told_reply: Option<OccurrenceKind>,
    /// Given back when the transaction ends.
    pub(super) holds: Holds,
    /// A 2xx has been handled; further ones change nothing.
    pub(super) is_answered: bool,
    /// How far the CSeq number of the request is raised on its way out.
    pub(super) sequence_shift: u32,
    /// CSeq numbers of branches that left with another one than the request came with, by branch.
    pub(super) numbers: Vec<(usize, u32)>,
}

impl TransactionPart {
    /// Makes it as new, memory kept. It is taken apart whole, so that no field is forgotten.
    pub fn renew(&mut self) {
        let TransactionPart { invite, within, told_reply, holds, is_answered, sequence_shift, numbers } = self;
        *invite = None;
        *within = None;
        *told_reply = None;
        holds.drain().for_each(drop);
        *is_answered = false;
        *sequence_shift = 0;
        numbers.clear();
    }

    #[cfg(test)]
    pub(crate) fn used_up() -> TransactionPart {
        let dialog = DialogId { entry: 1, id: 1 };
        let mut holds = Holds::default();
        holds.push(dialog);
        holds.push(dialog);
        TransactionPart {
            invite: Some(dialog),
            within: Some((dialog, Direction::Upstream)),
            told_reply: Some(OccurrenceKind::ReplyWithin),
            holds,
            is_answered: true,
            sequence_shift: 1,
            numbers: vec![(1, 1)],
        }
    }

    /// The dialog the transaction belongs to.
    pub(super) fn dialog(&self) -> Option<DialogId> {
        self.invite.or(self.within.map(|(dialog, _)| dialog))
    }

    /// The CSeq number that a branch left with; None: the one its request came with.
    pub fn number_of(&self, branch: usize) -> Option<u32> {
        self.numbers.iter().find(|(own, _)| *own == branch).map(|(_, number)| *number)
    }
}

/// The dialog in the context, if it still exists.
pub(super) fn context_dialog(worker: &Worker) -> Option<DialogId> {
    worker.run.dialog.context.dialog.filter(|id| worker.node.dialogs.contains(*id))
}

/// The dialog with the message's identifiers and the way the message's request travels in it (spec dialog 1.6). An INVITE
/// that is tried again after a challenge is a new call: the failed dialog of the first try is not its dialog, so what the
/// script sets before `dlg_manage()` waits for the one to come (invariant D12).
pub(super) fn by_identifiers(worker: &Worker) -> Option<(DialogId, Direction)> {
    let message = &worker.run.message;
    let call_id = message.call_id();
    if call_id.is_empty() {
        return None;
    }
    let dialogs = &worker.node.dialogs;
    let found = dialogs.find_by_identifiers(call_id, message.from_tag(), message.to_tag(), Direction::None);
    let is_new_call = message.is_request() && message.method() == Method::Invite && message.to_tag().is_empty();
    found.filter(|(dialog, _)| !is_new_call || dialogs.state(*dialog) != Some(State::Deleted))
}

/// The dialog of the message: from the context, else by identifiers whatever the match mode (spec dialog 1.7).
pub fn message_dialog(worker: &Worker) -> Option<DialogId> {
    context_dialog(worker).or_else(|| by_identifiers(worker).map(|(dialog, _)| dialog))
}

/// The dialog that the run's request was matched to, and the way the request goes in it.
pub fn request_within(worker: &Worker) -> Option<(DialogId, Direction)> {
    worker.run.dialog.within
}

/// Before an onreply or failure route: the transaction's dialog becomes the context.
pub fn enter_reply(worker: &mut Worker) {
    let dialog = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.data.dialog.dialog());
    worker.run.dialog.context.dialog = dialog;
}

/// After an onreply or failure route: the context is empty again.
pub fn leave_reply(worker: &mut Worker) {
    worker.run.dialog.context = Context::default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialog_that_is_held_is_given_back_once() {
        let mut holds = Holds::default();
        let dialogs = [1, 2, 3].map(|id| DialogId { entry: 0, id });
        dialogs.into_iter().for_each(|dialog| holds.push(dialog));
        assert_eq!(holds.drain().collect::<Vec<_>>(), dialogs);
        assert_eq!(holds.drain().count(), 0);
    }
}
