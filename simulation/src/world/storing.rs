//! Storage in the world: the keeper and the gate by the world's clock, loading in the background, crashes and stops.

use modules::outbox::{Effect, Outbox, StoredDialogs};
use modules::run::Answer;
use sip::message::Message;
use storage::StorageError;
use storage::batch::Batch;
use storage::held::Leave;
use storage::keeper::{Event as News, Step};

use dialog::{DialogView, OccurrenceKind, Storing};

use super::{Event, World};
use crate::checkers::{Promise, Rows, Sight};
use crate::scenario::ProxyPlan;
use crate::storage_plan::Mutant;
use crate::storage_room::{Asked, Loading, Lot, Storage};

/// Pause before stored dialogs are read again, and before a start is tried again, milliseconds.
const RETRY_PAUSE: u64 = 1_000;
/// Pause before a slot is read again, how long that goes on, and how long requests wait for it, milliseconds.
const FETCH_PAUSE: u64 = 100;
const FETCH_PATIENCE: u64 = 4_500;
const REQUESTS_WAIT_MAX: u64 = 4_900;
/// Longest time until a sleeping writer is awake, milliseconds.
const WAKING_MAX: u64 = 3;
/// Steps of a keeper without anything between them.
const STEPS_MAX: usize = 64;
/// After trouble messages may leave unsaved for so long: the next attempts and a quick commit close the gate.
const UNREST: u64 = 10_000;

/// One thing that happens between a proxy and its database.
#[derive(Debug)]
pub(super) enum StorageEvent {
    /// The keeper is asked.
    Wake,
    /// The tables show what was submitted as this call.
    Applied { call: u64 },
    /// An attempt is answered, perhaps once more.
    Answered { attempt: u64, outcome: Result<(), StorageError>, is_stray: bool },
    /// Somebody looks at what waits.
    Release,
    /// Both tables are read.
    Load(LoadStep),
    /// The first slot that was asked for is read once more.
    Fetch,
    /// It was read.
    Fetched { outcome: Result<(), StorageError> },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LoadStep {
    Begin,
    VariablesRead,
    RowsRead,
    TakeRow,
    Emptied,
}

/// The storage of one proxy, and the checker that knows both its lives.
pub struct Store {
    pub storage: Storage,
    pub rows: Rows,
    /// Loading was given up in `db_mode` 3 before the tables were emptied.
    keeps_old_rows: bool,
}

impl Store {
    /// None: this world has no database for the proxy.
    pub(super) fn of(proxy: usize, plan: &ProxyPlan) -> Option<Store> {
        let plan = plan.storage.as_ref()?;
        let storage = Storage::new(plan);
        let delay = storage.database.delay_max();
        let pace = if plan.storing == Storing::Delayed { plan.period + 1_000 } else { plan.commit_interval + 200 } + 4 * delay;
        Some(Store { storage, rows: Rows::new(proxy, plan.storing, pace), keeps_old_rows: false })
    }
}

impl World {
    fn push_storage(&mut self, proxy: usize, delay: u64, what: StorageEvent) {
        let start = self.proxies.get(proxy).map_or(0, |node| node.starts);
        self.push(delay, Event::Storage { proxy, start, what });
    }

    /// A process that was just started looks at its database. False: it does not answer, so the start has failed.
    pub(super) fn open_storage(&mut self, proxy: usize) -> bool {
        let now = self.clock();
        let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return true };
        if !store.storage.prepare(now, &node.proxy.node.dialogs) {
            self.trace.note(self.now, &format!("proxy {proxy} cannot start: no database"));
            return false;
        }
        store.rows.began(store.storage.database.tables());
        store.keeps_old_rows = !store.storage.database.tables().is_empty();
        if store.storage.room.is_some() {
            self.push_storage(proxy, 1, StorageEvent::Load(LoadStep::Begin));
            self.push_storage(proxy, 1, StorageEvent::Wake);
        }
        true
    }

    pub(super) fn storage_happens(&mut self, proxy: usize, start: u32, what: StorageEvent) {
        if let StorageEvent::Applied { call } = what {
            return self.applied(proxy, call);
        }
        let is_present = self.proxies.get(proxy).is_some_and(|node| node.starts == start);
        if !is_present || self.stores.get(proxy).and_then(Option::as_ref).is_none_or(|store| store.storage.room.is_none()) {
            return;
        }
        match what {
            StorageEvent::Wake => self.drive(proxy, true),
            StorageEvent::Applied { .. } => {}
            StorageEvent::Answered { attempt, outcome, is_stray } => self.answered(proxy, attempt, outcome, is_stray),
            StorageEvent::Release => self.release(proxy),
            StorageEvent::Load(step) => self.load(proxy, step),
            StorageEvent::Fetch => self.fetch(proxy),
            StorageEvent::Fetched { outcome } => self.fetched(proxy, outcome),
        }
    }

    fn applied(&mut self, proxy: usize, call: u64) {
        let Some(Some(store)) = self.stores.get_mut(proxy) else { return };
        if let Err(text) = store.storage.database.apply(call) {
            self.verdicts.add("K4", self.now, proxy, text);
        }
    }

    fn answered(&mut self, proxy: usize, attempt: u64, outcome: Result<(), StorageError>, is_stray: bool) {
        let now = self.clock();
        let Some(room) =
            self.stores.get_mut(proxy).and_then(Option::as_mut).map(|store| (store.storage.plan.mutant, &mut store.storage.room))
        else {
            return;
        };
        let (mutant, Some(room)) = room else { return };
        let kind = outcome.as_ref().map_or_else(|error| format!("{:?}", error.kind), |()| String::from("done"));
        self.trace.note(self.now, &format!("proxy {proxy} storage attempt {attempt}: {kind}"));
        let outcome = if mutant == Some(Mutant::FailuresAreIgnored) { Ok(()) } else { outcome };
        let attempt = if is_stray && mutant == Some(Mutant::StrayAnswersAreBelieved) { room.attempt } else { attempt };
        room.keeper.finished(now, attempt, outcome);
        self.drive(proxy, false);
    }

    /// Asks the keeper until it has nothing to do at this moment. `is_awoken`: the moment it wanted to be asked at has come.
    fn drive(&mut self, proxy: usize, is_awoken: bool) {
        let now = self.clock();
        let mut pushed = Vec::new();
        let mut unsaved_at_end = None;
        {
            let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return };
            let Store { storage: Storage { plan, database, room: Some(room) }, rows, .. } = store else { return };
            let engine = &node.proxy.node.dialogs;
            if is_awoken {
                room.wake_at = None;
            }
            for _ in 0..STEPS_MAX {
                match room.keeper.next(now, engine) {
                    Step::Apply { attempt, batch } => {
                        let mut batch: Batch = batch.clone();
                        room.attempt = attempt;
                        room.spoil(self.now, &mut batch, plan.mutant);
                        rows.refused_all(database.refused_of(&batch));
                        let rows_written = batch.operations.len();
                        let (call, fate) = database.submit(self.now, batch);
                        self.trace.note(self.now, &format!("proxy {proxy} storage attempt {attempt}: {rows_written} rows"));
                        match fate.applied {
                            Some(applied) => pushed.push((applied, StorageEvent::Applied { call })),
                            None => database.forget(call),
                        }
                        pushed.push((fate.answered, StorageEvent::Answered { attempt, outcome: fate.outcome, is_stray: false }));
                        if let Some(later) = fate.repeated {
                            pushed.push((later, StorageEvent::Answered { attempt, outcome: Ok(()), is_stray: true }));
                        }
                    }
                    Step::WaitUntil(at) if at.0 <= self.now => {}
                    Step::WaitUntil(at) => {
                        if room.wake_at.is_none_or(|wake| wake > at.0) {
                            room.wake_at = Some(at.0);
                            pushed.push((at.0 - self.now, StorageEvent::Wake));
                        }
                        break;
                    }
                    Step::WaitForAnswer | Step::WaitForChange => break,
                    Step::Done { unsaved } => {
                        unsaved_at_end = Some(unsaved);
                        break;
                    }
                }
            }
            let news: Vec<News> = room.keeper.events().collect();
            for event in &news {
                room.tell_gate(event, engine, plan.mutant);
                if !matches!(event, News::Committed { .. }) {
                    self.trace.note(self.now, &format!("proxy {proxy} storage {event:?}"));
                }
            }
        }
        for (delay, what) in pushed {
            self.push_storage(proxy, delay, what);
        }
        self.release(proxy);
        if let Some(unsaved) = unsaved_at_end {
            self.stopped(proxy, unsaved);
        }
    }

    /// Something may have been noted: a writer that sleeps is woken.
    pub(super) fn ring(&mut self, proxy: usize) {
        let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return };
        let Storage { database, room: Some(room), .. } = &mut store.storage else { return };
        if !room.is_all_committed(&node.proxy.node.dialogs) {
            let at = self.now + database.random().below(WAKING_MAX);
            if room.wake_at.is_none_or(|wake| wake > at) {
                room.wake_at = Some(at);
                self.push_storage(proxy, at - self.now, StorageEvent::Wake);
            }
        }
    }

    /// The dialogs as they are after a step.
    pub(super) fn observe(&mut self, proxy: usize) {
        let at = self.now;
        if self.stores.get(proxy).is_none_or(Option::is_none) {
            return;
        }
        let (dialogs, date) = (self.all_dialogs(proxy), self.clock().date.seconds());
        if let Some(Some(store)) = self.stores.get_mut(proxy) {
            store.rows.observe(at, date, &dialogs);
        }
    }

    fn all_dialogs(&self, proxy: usize) -> Vec<DialogView> {
        let mut dialogs = Vec::new();
        if let Some(node) = self.proxies.get(proxy) {
            node.proxy.node.dialogs.for_each(self.clock(), |view| {
                dialogs.push(view.clone());
                true
            });
        }
        dialogs
    }

    /// A dialog was made: its number is its own.
    pub(super) fn check_number(&mut self, proxy: usize, dialog: &DialogView) {
        if let Some(Some(store)) = self.stores.get_mut(proxy) {
            store.rows.created(self.now, dialog.id, store.storage.database.tables(), &mut self.verdicts);
        }
    }

    /// What the sends of an outbox promise, when the proxy stores dialogs.
    pub(super) fn promise(&self, proxy: usize, outbox: &Outbox) -> Option<Promise> {
        let store = self.stores.get(proxy)?.as_ref()?;
        store.storage.room.as_ref()?.gate.as_ref()?;
        let range = |effect: &Effect| match effect {
            Effect::Send { bytes, .. } | Effect::StreamSend { bytes, .. } => Some(bytes.clone()),
            _ => None,
        };
        let texts = outbox.effects.iter().filter_map(range).filter_map(|range| outbox.bytes.get(range));
        let call_ids: Vec<Vec<u8>> =
            texts.filter_map(|bytes| Message::from_bytes(bytes).ok()).map(|message| message.call_id().to_vec()).collect();
        Some(store.rows.promise(self.now, &call_ids))
    }

    /// Lets the sends of an outbox wait for their commit. None: they wait; else they may leave now.
    pub(super) fn hold(&mut self, proxy: usize, outbox: Outbox) -> Option<Outbox> {
        let Some(promise) = self.promise(proxy, &outbox) else { return Some(outbox) };
        let now = self.clock();
        let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return Some(outbox) };
        let Store { storage: Storage { plan, room: Some(room), .. }, .. } = store else { return Some(outbox) };
        let engine = &node.proxy.node.dialogs;
        let number = room.must_hold(engine).filter(|_| plan.mutant != Some(Mutant::GateIsMissing));
        let Some(number) = number else {
            let is_saved = room.is_all_committed(engine) || plan.mutant == Some(Mutant::GateIsMissing);
            self.leaves(proxy, &promise, if is_saved { Leave::Committed } else { Leave::Unsaved });
            return Some(outbox);
        };
        room.hold(now.time, number, Lot { outbox, promise });
        self.release(proxy);
        None
    }

    fn leaves(&mut self, proxy: usize, promise: &Promise, leave: Leave) {
        let at = self.now;
        let Some(Some(store)) = self.stores.get_mut(proxy) else { return };
        let database = &store.storage.database;
        let is_stopping = store.storage.room.as_ref().is_some_and(|room| room.is_stopping || room.is_sluggish);
        let is_troubled = is_stopping || database.troubled().is_some_and(|troubled| at < troubled + UNREST);
        store.rows.left(at, promise, leave, database.tables(), is_troubled, &mut self.verdicts);
    }

    /// Sends what may leave.
    fn release(&mut self, proxy: usize) {
        let now = self.clock();
        let mut lots = Vec::new();
        let mut again = None;
        {
            let Some(Some(store)) = self.stores.get_mut(proxy) else { return };
            let Some(room) = &mut store.storage.room else { return };
            let Some(gate) = &mut room.gate else { return };
            if gate.deadline().is_some_and(|deadline| deadline <= now.time) {
                gate.open();
            }
            while let Some(lot) = gate.take(now.time) {
                lots.push(lot);
            }
            match gate.deadline() {
                Some(deadline) if room.release_at.is_none_or(|at| at <= self.now || at > deadline.0) => {
                    room.release_at = Some(deadline.0);
                    again = Some(deadline.0 - self.now);
                }
                _ => {}
            }
        }
        if let Some(delay) = again {
            self.push_storage(proxy, delay, StorageEvent::Release);
        }
        for (Lot { outbox, promise }, leave) in lots {
            self.trace.note(self.now, &format!("proxy {proxy} lets {} messages go: {leave:?}", outbox.effects.len()));
            self.leaves(proxy, &promise, leave);
            self.send_all(proxy, &outbox);
        }
    }

    /// A request waits for the dialogs of its slot.
    pub(super) fn ask_for_slot(&mut self, proxy: usize, worker: usize, ticket: u64, which: &StoredDialogs) {
        let (at, start) = (self.now, self.proxies.get(proxy).map_or(0, |node| node.starts));
        let room = self.stores.get_mut(proxy).and_then(Option::as_mut).and_then(|store| store.storage.room.as_mut());
        let (Some(room), StoredDialogs::OfSlot(entry)) = (room, which) else {
            let answer = Answer::DialogsLoaded(Err(String::from("there is no database here")));
            return self.push(1, Event::Answer { proxy, start, worker, ticket, answer });
        };
        room.loading.asked.push_back(Asked { at, worker, ticket, entry: *entry });
        if room.loading.asked.len() == 1 {
            self.fetch(proxy);
        }
    }

    fn fetch(&mut self, proxy: usize) {
        let Some(Some(store)) = self.stores.get_mut(proxy) else { return };
        let fate = store.storage.database.fate(self.now);
        self.push_storage(proxy, fate.answered, StorageEvent::Fetched { outcome: fate.outcome });
    }

    fn fetched(&mut self, proxy: usize, outcome: Result<(), StorageError>) {
        let now = self.clock();
        let mut answer = outcome.as_ref().map(|()| 0).map_err(ToString::to_string);
        let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return };
        let Some(asked) = store.storage.room.as_mut().and_then(|room| room.loading.asked.front().copied()) else { return };
        let engine = &node.proxy.node.dialogs;
        if outcome.is_err() && self.now < asked.at + FETCH_PATIENCE && engine.is_loading() {
            return self.push_storage(proxy, FETCH_PAUSE, StorageEvent::Fetch);
        }
        if let Some(room) = &mut store.storage.room {
            room.loading.asked.pop_front();
        }
        if outcome.is_err() || asked.at + REQUESTS_WAIT_MAX <= self.now {
            // Its requests are handled without their dialogs: what comes of those calls is not promised.
            let calls = store.rows.calls_of_slot(asked.entry);
            self.trace.note(self.now, &format!("proxy {proxy} cannot load {} calls in time", calls.len()));
            self.verdicts.tainted.extend(calls);
        }
        let is_read = outcome.is_ok() && !engine.slot_is_loaded(asked.entry);
        if is_read {
            let mut variables = store.storage.variables(Some(asked.entry), engine.settings().hash_size);
            let rows: Vec<_> =
                store.storage.database.tables().rows().filter(|row| row.id().is_some_and(|id| id.0 == asked.entry)).cloned().collect();
            rows.iter().for_each(|row| store.storage.take_row(&node.proxy, now, row, &mut variables));
            engine.mark_slot_loaded(asked.entry);
            answer = Ok(rows.len() as u64);
        }
        self.trace.note(self.now, &format!("proxy {proxy} slot {}: {answer:?}", asked.entry));
        self.show_loaded(proxy);
        if is_read && let Some(Some(store)) = self.stores.get(proxy) {
            store.rows.slot_loaded(self.now, asked.entry, &mut self.verdicts);
        }
        let start = self.proxies.get(proxy).map_or(0, |node| node.starts);
        let answer = Answer::DialogsLoaded(answer);
        self.push(0, Event::Answer { proxy, start, worker: asked.worker, ticket: asked.ticket, answer });
        let has_more = self.loading(proxy).is_some_and(|loading| !loading.asked.is_empty());
        if has_more {
            self.fetch(proxy);
        }
    }

    fn loading(&mut self, proxy: usize) -> Option<&mut Loading> {
        self.stores.get_mut(proxy)?.as_mut()?.storage.room.as_mut().map(|room| &mut room.loading)
    }

    fn load(&mut self, proxy: usize, step: LoadStep) {
        let now = self.clock();
        let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return };
        let engine = &node.proxy.node.dialogs;
        let storage = &mut store.storage;
        if !storage.room.as_ref().is_some_and(|room| room.loading.is_active) {
            return;
        }
        let reading = |storage: &mut Storage, next: LoadStep| {
            let fate = storage.database.fate(now.time.0);
            let next = if fate.outcome.is_ok() { (0, next) } else { (RETRY_PAUSE, LoadStep::Begin) };
            Some((fate.answered + next.0, next.1))
        };
        let next = match step {
            LoadStep::Begin => reading(storage, LoadStep::VariablesRead),
            LoadStep::VariablesRead => {
                let variables = storage.variables(None, engine.settings().hash_size);
                if let Some(room) = &mut storage.room {
                    room.loading.variables = variables;
                }
                reading(storage, LoadStep::RowsRead)
            }
            LoadStep::RowsRead => {
                let rows = storage.shuffled_rows();
                if let Some(room) = &mut storage.room {
                    room.loading.rows = rows;
                }
                Some((storage.load_pause(), LoadStep::TakeRow))
            }
            LoadStep::TakeRow if storage.database.is_away(now.time.0) => Some((RETRY_PAUSE, LoadStep::Begin)),
            LoadStep::TakeRow => {
                if storage.plan.mutant == Some(Mutant::EndedCallsAreLoaded) {
                    engine.finish_loading();
                    engine.begin_loading();
                }
                let mut variables = storage.room.as_mut().map(|room| std::mem::take(&mut room.loading.variables)).unwrap_or_default();
                let row = storage.room.as_mut().and_then(|room| room.loading.rows.pop());
                if let Some(row) = &row {
                    storage.take_row(&node.proxy, now, row, &mut variables);
                }
                if let Some(room) = &mut storage.room {
                    room.loading.variables = variables;
                }
                match row {
                    Some(_) => Some((storage.load_pause(), LoadStep::TakeRow)),
                    None if storage.plan.storing == Storing::AtStop => {
                        let fate = storage.database.fate(now.time.0);
                        let is_emptied = fate.outcome.is_ok();
                        store.keeps_old_rows = !is_emptied;
                        Some((fate.answered, LoadStep::Emptied))
                    }
                    None => None,
                }
            }
            LoadStep::Emptied => {
                if !store.keeps_old_rows {
                    storage.database.empty();
                }
                None
            }
        };
        self.show_loaded(proxy);
        match next {
            Some((delay, step)) => self.push_storage(proxy, delay, StorageEvent::Load(step)),
            None => self.loading_done(proxy),
        }
    }

    fn loading_done(&mut self, proxy: usize) {
        self.trace.note(self.now, &format!("proxy {proxy} has loaded its dialogs"));
        let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy)) else { return };
        node.proxy.node.dialogs.finish_loading();
        store.rows.loading_done(self.now, &mut self.verdicts);
        let Some(room) = &mut store.storage.room else { return };
        room.loading.is_active = false;
        if room.is_stopping {
            self.stop_keeper(proxy);
        }
    }

    /// Dialogs that were just taken from rows, as the observers are told.
    fn show_loaded(&mut self, proxy: usize) {
        let occurrences = self.proxies.get(proxy).map(|node| node.occurrences()).unwrap_or_default();
        let date = self.clock().date.seconds();
        for (dialog, occurrence) in &occurrences {
            self.trace.dialog(self.now, proxy, dialog, *occurrence);
            if occurrence.kind == OccurrenceKind::Loaded
                && let Some(Some(store)) = self.stores.get_mut(proxy)
            {
                store.rows.loaded(self.now, dialog, date, &mut self.verdicts);
            }
            self.show(proxy, &Sight::Dialog { dialog, occurrence: *occurrence, cause: None });
        }
        self.observe(proxy);
        self.ring(proxy);
        if self.proxies.get(proxy).is_some_and(|node| !node.is_down) {
            self.arm(proxy);
        }
    }

    /// A request of a stored dialog must not be handled before the dialog is there. `waits`: it was put aside.
    pub(super) fn check_waiting(&mut self, proxy: usize, cause: Option<&Message>, waits: bool) {
        let Some(Some(store)) = self.stores.get(proxy) else { return };
        // One that lacks what every message must have is dropped, whatever it belongs to.
        let is_within = |cause: &&Message| cause.is_request() && cause.check_required().is_ok() && !cause.to_tag().is_empty();
        let Some(request) = cause.filter(is_within) else { return };
        if !waits && store.storage.room.is_some() && store.rows.is_waited_for(request.call_id(), request.from_tag(), request.to_tag()) {
            let text = format!(
                "{} of {} is handled before its dialog is loaded",
                request.method().name(),
                crate::checkers::text(request.call_id())
            );
            self.verdicts.add("K3", self.now, proxy, text);
        }
    }

    /// The process was killed, or it has stopped.
    pub(super) fn close_storage(&mut self, proxy: usize, is_saved: bool) {
        self.observe(proxy);
        let Some(Some(store)) = self.stores.get_mut(proxy) else { return };
        store.storage.killed();
        store.rows.ended(self.now, store.storage.database.tables(), is_saved, &mut self.verdicts);
    }

    /// Workers end, then what is not saved is.
    pub(super) fn stop(&mut self, proxy: usize, away: u64) {
        let Some(node) = self.proxies.get_mut(proxy).filter(|node| !node.is_down) else { return };
        node.is_down = true;
        node.tick_at = None;
        self.streams.close_all_of(proxy);
        self.verdicts.has_crashed = true;
        self.trace.note(self.now, &format!("proxy {proxy} stops"));
        self.away = away;
        let Some(room) = self.stores.get_mut(proxy).and_then(Option::as_mut).and_then(|store| store.storage.room.as_mut()) else {
            return self.push(away, Event::Restart { proxy });
        };
        room.is_stopping = true;
        let is_at_stop = self.stores.get(proxy).and_then(Option::as_ref).is_some_and(|store| store.storage.plan.storing == Storing::AtStop);
        let waits = is_at_stop && self.loading(proxy).is_some_and(|loading| loading.is_active);
        if !waits {
            if let Some(loading) = self.loading(proxy) {
                loading.is_active = false;
            }
            self.stop_keeper(proxy);
        }
    }

    fn stop_keeper(&mut self, proxy: usize) {
        let now = self.clock();
        if let (Some(node), Some(Some(store))) = (self.proxies.get(proxy), self.stores.get_mut(proxy))
            && let Some(room) = &mut store.storage.room
        {
            room.keeper.stop(now, &node.proxy.node.dialogs);
        }
        self.drive(proxy, false);
    }

    fn stopped(&mut self, proxy: usize, unsaved: usize) {
        self.trace.note(self.now, &format!("proxy {proxy} has stopped, {unsaved} changes are lost"));
        if let Some(Some(store)) = self.stores.get_mut(proxy)
            && let Some(gate) = store.storage.room.as_mut().and_then(|room| room.gate.as_mut())
        {
            gate.open();
        }
        self.release(proxy);
        let keeps_old_rows = self
            .stores
            .get(proxy)
            .and_then(Option::as_ref)
            .is_some_and(|store| store.storage.plan.storing == Storing::AtStop && store.keeps_old_rows);
        self.close_storage(proxy, unsaved == 0 && !keeps_old_rows);
        let away = self.away;
        self.push(away, Event::Restart { proxy });
    }

    /// Once a second: rows against dialogs.
    pub(super) fn check_rows(&mut self, proxy: usize) {
        if self.proxies.get(proxy).is_some_and(|node| !node.is_down) {
            self.observe(proxy);
        }
        let Some(node) = self.proxies.get(proxy).filter(|node| !node.is_down) else { return };
        let Some(Some(store)) = self.stores.get(proxy) else { return };
        let (engine, tables) = (&node.proxy.node.dialogs, store.storage.database.tables());
        let Some(room) = &store.storage.room else {
            if store.storage.plan.storing == Storing::Never {
                store.rows.untouched(self.now, tables, &mut self.verdicts);
            }
            return;
        };
        let is_loading = room.loading.is_active;
        match store.storage.plan.storing {
            Storing::Never => {}
            Storing::AtStop if !is_loading && !store.keeps_old_rows => store.rows.untouched(self.now, tables, &mut self.verdicts),
            Storing::AtStop => {}
            Storing::Realtime | Storing::Delayed => {
                if !is_loading && room.is_all_committed(engine) {
                    store.rows.compare(self.now, self.clock().date.seconds(), &self.all_dialogs(proxy), tables, &mut self.verdicts);
                }
                let recovery = store.rows.recovery();
                let troubled = store.storage.database.troubled();
                if troubled.is_none_or(|troubled| troubled + recovery < self.now) {
                    store.rows.fresh(self.now, tables, &mut self.verdicts);
                }
            }
        }
    }
}
