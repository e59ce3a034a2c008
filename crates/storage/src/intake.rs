//! Stored rows on their way into the engine: what became of each is counted, and told of a few times each kind.

use dialog::{DialogId, Engine};
use sip::time::Now;

use crate::columns::Column;
use crate::dialogs::{self, Skipped, Surroundings};
use crate::row::DialogRow;
use crate::variable_table::VariableTable;

/// Rows of one kind that are told of; more are only counted.
pub const COMPLAINTS_OF_A_KIND_MAX: u32 = 10;

/// What can be wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Trouble {
    /// Slot, number, state or start are missing or unknown (an error in Kamailio, too).
    Unusable,
    /// Another column that must hold something does not.
    Incomplete,
    /// Stored with another `hash_size`.
    OtherHashSize,
    /// The engine does not take it.
    Refused,
    /// A socket that is not ours any more; the dialog was taken without.
    LostSocket,
    /// Its timeout route is gone; taken without.
    LostRoute,
    /// Some of its memberships are of no profile of today; taken without.
    LostMemberships,
}

impl Trouble {
    const ALL: [Trouble; 7] = [
        Trouble::Unusable,
        Trouble::Incomplete,
        Trouble::OtherHashSize,
        Trouble::Refused,
        Trouble::LostSocket,
        Trouble::LostRoute,
        Trouble::LostMemberships,
    ];

    /// As summaries name it.
    fn words(self) -> &'static str {
        match self {
            Trouble::Unusable => "without usable numbers",
            Trouble::Incomplete => "incomplete",
            Trouble::OtherHashSize => "of another hash_size",
            Trouble::Refused => "refused",
            Trouble::LostSocket => "without their socket",
            Trouble::LostRoute => "without their timeout route",
            Trouble::LostMemberships => "without some profiles",
        }
    }

    /// Is the row passed over?
    fn is_loss(self) -> bool {
        !matches!(self, Trouble::LostSocket | Trouble::LostRoute | Trouble::LostMemberships)
    }

    fn of(skipped: Skipped) -> Option<Trouble> {
        match skipped {
            Skipped::Exists | Skipped::Ended => None,
            Skipped::Unusable(Column::HashEntry | Column::HashId | Column::State | Column::StartTime) | Skipped::UnknownState(_) => {
                Some(Trouble::Unusable)
            }
            Skipped::Unusable(_) => Some(Trouble::Incomplete),
            Skipped::OtherHashSize => Some(Trouble::OtherHashSize),
            Skipped::Refused(_) => Some(Trouble::Refused),
        }
    }
}

/// Something to be logged about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub trouble: Trouble,
    pub text: String,
}

/// Counts of one loading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// Rows seen.
    pub rows: u64,
    /// Dialogs that are in the engine because of this.
    pub taken: u64,
    /// In memory before.
    pub existing: u64,
    /// Ended between the reading of the row and now.
    pub ended: u64,
    /// Taken, with their time over: they expire at once.
    pub expired: u64,
    troubles: [u64; Trouble::ALL.len()],
    complaints: [u32; Trouble::ALL.len()],
    /// From where to where dialogs of another `hash_size` went, when that is wanted.
    moved: Option<Vec<(DialogId, DialogId)>>,
}

impl Intake {
    /// One that takes dialogs stored with another `hash_size`, too, and remembers them.
    pub fn rehashing() -> Intake {
        Intake { moved: Some(Vec::new()), ..Intake::default() }
    }

    /// Takes a row with its variables. `tell` gets what is to be logged.
    pub fn take(
        &mut self,
        engine: &Engine,
        now: Now,
        row: &DialogRow,
        variables: &mut VariableTable,
        surroundings: &dyn Surroundings,
        tell: &mut dyn FnMut(Complaint),
    ) {
        self.rows += 1;
        let id = row.id().map(|(entry, id)| DialogId { entry, id });
        let own = id.map(|id| variables.of(id.entry, id.id)).unwrap_or_default();
        if let Some(id) = id
            && self.moved.is_none()
            && engine.contains(id)
        {
            self.existing += 1;
            return;
        }
        let loaded = match dialogs::load(engine, now, row, &own, surroundings, self.moved.is_some()) {
            Ok(loaded) => loaded,
            Err(skipped) => return self.skip(row, skipped, tell),
        };
        self.taken += 1;
        if let (Some(moved), Some(id)) = (&mut self.moved, id.filter(|id| *id != loaded.id)) {
            moved.push((id, loaded.id));
        }
        let timeout = dialogs::timeout_of(engine, row);
        self.expired += u64::from(u64::from(timeout) <= now.date.seconds());
        let name = |column| row.cell(column).to_text().map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        if loaded.lost_socket {
            self.complain(Trouble::LostSocket, tell, || {
                let sockets = [Column::CallerSocket, Column::CalleeSocket].map(name).join("> and <");
                format!("dialog [{}]: of the sockets <{sockets}> not all are ours", loaded.id)
            });
        }
        if loaded.lost_route {
            self.complain(Trouble::LostRoute, tell, || {
                format!("dialog [{}]: there is no timeout route '{}'", loaded.id, name(Column::TimeoutRouteName))
            });
        }
        if loaded.lost_memberships > 0 {
            let text = || format!("dialog [{}]: {} of its profiles cannot be joined", loaded.id, loaded.lost_memberships);
            self.complain(Trouble::LostMemberships, tell, text);
        }
    }

    fn skip(&mut self, row: &DialogRow, skipped: Skipped, tell: &mut dyn FnMut(Complaint)) {
        match (skipped, Trouble::of(skipped)) {
            (_, Some(trouble)) => self.complain(trouble, tell, || {
                let id = row.id().map(|(entry, id)| format!(" [{entry}:{id}]")).unwrap_or_default();
                let call_id = row.cell(Column::CallId).to_text().unwrap_or_default();
                format!("stored dialog{id} with Call-ID '{}' is passed over: {skipped}", String::from_utf8_lossy(&call_id))
            }),
            (Skipped::Ended, None) => self.ended += 1,
            (_, None) => self.existing += 1,
        }
    }

    fn complain(&mut self, trouble: Trouble, tell: &mut dyn FnMut(Complaint), text: impl FnOnce() -> String) {
        if let (Some(count), Some(told)) = (self.troubles.get_mut(trouble as usize), self.complaints.get_mut(trouble as usize)) {
            *count += 1;
            if *told < COMPLAINTS_OF_A_KIND_MAX {
                *told += 1;
                tell(Complaint { trouble, text: text() });
            }
        }
    }

    /// How many rows had this trouble.
    pub fn count(&self, trouble: Trouble) -> u64 {
        self.troubles.get(trouble as usize).copied().unwrap_or(0)
    }

    /// How many rows were passed over because something is wrong with them.
    pub fn skipped(&self) -> u64 {
        Trouble::ALL.into_iter().filter(|trouble| trouble.is_loss()).map(|trouble| self.count(trouble)).sum()
    }

    /// From where to where dialogs of another `hash_size` went.
    pub fn take_moved(&mut self) -> Vec<(DialogId, DialogId)> {
        self.moved.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// `12 dialogs, 1 of them expired; passed over: 2 incomplete`.
    pub fn summary(&self) -> String {
        let mut text = format!("{} dialogs", self.taken);
        if self.expired > 0 {
            text.push_str(&format!(", {} of them over in time", self.expired));
        }
        if self.existing > 0 {
            text.push_str(&format!(", {} more were in memory already", self.existing));
        }
        for (is_loss, head) in [(false, "; taken "), (true, "; passed over: ")] {
            let some = Trouble::ALL.into_iter().filter(|trouble| trouble.is_loss() == is_loss && self.count(*trouble) > 0);
            let some: Vec<String> = some.map(|trouble| format!("{} {}", self.count(trouble), trouble.words())).collect();
            if !some.is_empty() {
                text.push_str(head);
                text.push_str(&some.join(", "));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
