//! An ACK that may belong to this INVITE: absorbed, end-to-end, or neither (spec proxy-core 7.2.2 and 7.10).

use crate::key::acknowledges_dialog_of;
use crate::machine::{ServerEvent, ServerState};
use crate::settings::Settings;
use crate::transaction::Transaction;
use sip::{Message, Time};

/// What an ACK is to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckStep {
    /// It acknowledges a reply sent from here: never forwarded. `first`: not a retransmission.
    Absorbed { first: bool },
    /// It acknowledges a relayed 2xx: the script routes it. `first`: the first one with this To-tag.
    EndToEnd { first: bool },
    /// Nothing here to acknowledge: the script routes it.
    NotOurs,
}

impl<D> Transaction<D> {
    /// Feeds an ACK found by its Via (`by_via`: same key as the INVITE) or by its Call-ID and CSeq number.
    pub fn ack_received(&mut self, now: Time, ack: &Message, by_via: bool, settings: &Settings) -> AckStep {
        if !self.is_invite() || self.flags.local {
            return AckStep::NotOurs;
        }
        let same_dialog = acknowledges_dialog_of(ack, &self.request);
        if same_dialog && let Some(first) = self.server.to_tags.acknowledge(ack.to_tag()) {
            return AckStep::EndToEnd { first };
        }
        let negative = by_via && matches!(self.server.state, ServerState::Completed | ServerState::Confirmed);
        let own_success = same_dialog
            && self.server.state == ServerState::Accepted
            && self.server.replied_locally
            && *self.server.to_tag == *ack.to_tag();
        if !negative && !own_success {
            return AckStep::NotOurs;
        }
        let first = self.server.bound.is_set();
        if first {
            let row = self.server_row(ServerEvent::Ack);
            self.server.state = row.next;
            self.arm_server(now, row, settings);
        }
        AckStep::Absorbed { first }
    }
}

#[cfg(test)]
mod tests;
