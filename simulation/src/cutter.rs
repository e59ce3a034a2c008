//! A program built on dialogs, as the simulator runs it at every proxy: it ends one call in five, at some stage.

use dialog::{Kinds, Notice, Observer, OccurrenceKind, Wish};

const STAGES: [OccurrenceKind; 4] = [OccurrenceKind::Created, OccurrenceKind::Early, OccurrenceKind::Answered, OccurrenceKind::Confirmed];
/// One call in so many is ended.
const SHARE: u32 = 5;

/// The stage at which the call with this Call-ID is ended: the same in each run of a seed, so checkers know it too.
pub fn stage_of(call_id: &[u8]) -> Option<OccurrenceKind> {
    let sum: u32 = call_id.iter().map(|byte| u32::from(*byte)).sum();
    sum.is_multiple_of(SHARE).then(|| STAGES.get((sum / SHARE) as usize % STAGES.len()).copied()).flatten()
}

/// The program.
pub struct Cutter;

impl Observer for Cutter {
    fn wants(&self) -> Kinds {
        Kinds::of(&STAGES)
    }

    fn on(&self, notice: &Notice<'_>) {
        if stage_of(&notice.dialog.call_id) == Some(notice.occurrence.kind) {
            // A queue without room is the engine's answer to a flood; the call goes on then.
            let _ = notice.engine.wish(Wish::End { dialog: notice.dialog.id, leg: None, headers: Vec::new() });
        }
    }
}
