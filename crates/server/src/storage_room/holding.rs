//! What a worker wants to send meets the gate here, and what may leave is sent.

use std::sync::atomic::Ordering;

use modules::outbox::Outbox;
use storage::held::Leave;
use transport::outbox::Datagrams;

use super::gate::{Gate, Put, sends};
use super::refusal;
use super::room::StorageRoom;
use crate::logging::level;
use crate::shell::Shell;

impl StorageRoom {
    /// Holds back what the outbox sends if anything before it is not committed; everything else in it is done then. What is
    /// left in the outbox may leave.
    pub fn hold(&self, shell: &Shell, worker: u32, outbox: &mut Outbox, datagrams: &mut Datagrams<'_>) {
        let Some(gate) = &self.gate else { return };
        let noted = shell.proxy.node.dialogs.changes_noted();
        let is_committed = gate.is_committed(noted);
        if !is_committed {
            self.bell.ring();
        }
        self.let_overdue_go(gate, shell, worker, datagrams);
        if outbox.effects.is_empty() {
            return;
        }
        if gate.concerns(noted) {
            let Outbox { effects, bytes } = &mut *outbox;
            effects.retain(|effect| {
                let is_sent = sends(effect);
                if !is_sent {
                    shell.carry(worker, effect, bytes, datagrams);
                }
                is_sent
            });
            if effects.is_empty() {
                return;
            }
            match gate.put(shell.clock.now().time, noted, outbox) {
                Put::NotNeeded => {}
                // The leader alone looks at deadlines.
                Put::Held { is_first } => {
                    if is_first && worker != 0 {
                        shell.wake();
                    }
                    return;
                }
                Put::HeldAndOpened => {
                    shell.logger.write_braked(0, level::ERROR, "dialog", "too many messages wait for their commit: they leave before it");
                    self.release(shell, worker, datagrams);
                    return;
                }
            }
        }
        if !is_committed && gate.is_open() {
            self.unsaved(shell, outbox);
        }
    }

    /// What waited as long as anything may.
    fn let_overdue_go(&self, gate: &Gate, shell: &Shell, worker: u32, datagrams: &mut Datagrams<'_>) {
        let Some(deadline) = gate.deadline() else { return };
        let now = shell.clock.now().time;
        if deadline > now {
            return;
        }
        if !self.settings().refuses_unstored && gate.open_if_overdue(now) {
            let text = format!(
                "a commit takes longer than db_hold_time, {} ms: messages leave before their changes are committed",
                self.settings().hold_time.as_millis()
            );
            shell.logger.write_braked(0, level::WARNING, "dialog", &text);
        }
        self.release(shell, worker, datagrams);
    }

    /// Sends what may leave.
    pub(super) fn release(&self, shell: &Shell, worker: u32, datagrams: &mut Datagrams<'_>) {
        let Some(gate) = &self.gate else { return };
        gate.release(
            shell.clock.now().time,
            datagrams,
            |datagrams, outbox, leave| {
                if leave == Leave::Unsaved {
                    self.unsaved(shell, outbox);
                }
                for effect in &outbox.effects {
                    shell.carry(worker, effect, &outbox.bytes, datagrams);
                }
            },
            |datagrams| datagrams.flush(),
        );
    }

    /// The messages of this outbox leave although something before them is not committed.
    fn unsaved(&self, shell: &Shell, outbox: &mut Outbox) {
        let node = &shell.proxy.node;
        let count = outbox.effects.iter().filter(|effect| sends(effect)).count() as u64;
        node.states.dialog.storage_health.unheld.fetch_add(count, Ordering::Relaxed);
        if let Some(in_hand) = self.new_in_hand() {
            let refused = refusal::refuse(&node.dialogs, shell.clock.now(), outbox, |id| in_hand.contains(id));
            drop(in_hand);
            if refused > 0 {
                shell.logger.write_braked(0, level::ERROR, "dialog", "a call is refused because its dialog cannot be stored");
            }
        }
    }
}
