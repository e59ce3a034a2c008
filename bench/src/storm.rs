//! Storms a limit on calls from many threads and counts what must never happen: a call above the limit, or a refusal while
//! there was room.
//!
//! How the violations are found: a thread counts itself in `inside` after it got a place and out before it gives it back, so
//! `inside` never exceeds the places really taken; above the limit is a violation. Each attempt is counted in `begun` before it
//! starts; a refusal or a return of a place is counted in `over` after it is finished. Whoever had a place at some moment
//! of an attempt had begun before its end and was not over before its start, so with fewer than `limit` of those, beside the
//! attempt itself, a refusal is a violation. With no more wishes than places no refusal may happen at all.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

use dialog::settings::ParameterValue;
use dialog::{Begin, DialogId, Engine, Limit, NewDialog, ProfileId, Settings};
use sip::time::{Date, Now, Time};

const LIMIT: u32 = 100;
const NOW: Now = Now { time: Time(1), date: Date(1_795_380_273_000) };

/// What one storm found; nanoseconds of each acquisition.
#[derive(Default)]
struct Findings {
    inside: AtomicI64,
    begun: AtomicI64,
    over: AtomicI64,
    above_limit: AtomicU64,
    refused: AtomicU64,
    refused_with_room: AtomicU64,
}

struct Storm<'a> {
    engine: &'a Engine,
    profile: ProfileId,
    value: Option<&'a [u8]>,
    findings: Findings,
}

impl Storm<'_> {
    /// Acquires `count` times in turn for the dialogs, and releases the place when a dialog's turn comes again.
    fn thread(&self, dialogs: &[DialogId], count: usize) -> Vec<u32> {
        let mut held = vec![false; dialogs.len()];
        let mut nanoseconds = Vec::with_capacity(count);
        let mut turn = 0;
        while nanoseconds.len() < count {
            turn = (turn + 1) % dialogs.len();
            let (Some(id), Some(held)) = (dialogs.get(turn), held.get_mut(turn)) else { break };
            if std::mem::take(held) {
                self.release(*id);
            } else {
                let (is_held, took) = self.acquire(*id);
                *held = is_held;
                nanoseconds.push(took);
            }
            // The only dialog of a thread gives its place back at once.
            if dialogs.len() == 1 && std::mem::take(held) {
                self.release(*id);
            }
        }
        for (id, _) in dialogs.iter().zip(&held).filter(|(_, held)| **held) {
            self.release(*id);
        }
        nanoseconds
    }

    fn acquire(&self, id: DialogId) -> (bool, u32) {
        let findings = &self.findings;
        let over_before = findings.over.load(SeqCst);
        findings.begun.fetch_add(1, SeqCst);
        let start = Instant::now();
        let acquired = self.engine.profile_acquire(NOW, id, self.profile, self.value, Limit::of(LIMIT));
        let took = u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX);
        if acquired.is_ok() {
            let inside = findings.inside.fetch_add(1, SeqCst) + 1;
            findings.above_limit.fetch_add(u64::from(inside > i64::from(LIMIT)), SeqCst);
        } else {
            let wanted = findings.begun.load(SeqCst) - over_before - 1;
            findings.refused_with_room.fetch_add(u64::from(wanted < i64::from(LIMIT)), SeqCst);
            findings.refused.fetch_add(1, SeqCst);
            findings.over.fetch_add(1, SeqCst);
        }
        (acquired.is_ok(), took)
    }

    fn release(&self, id: DialogId) {
        self.findings.inside.fetch_sub(1, SeqCst);
        if self.engine.profile_leave(NOW, id, self.profile, self.value) != Ok(true) {
            eprintln!("dialog {id} lost its membership");
        }
        self.findings.over.fetch_add(1, SeqCst);
    }
}

fn dialogs(engine: &Engine, thread: usize, count: usize) -> Vec<DialogId> {
    let made = (0..count).filter_map(|number| {
        let call_id = format!("{thread}-{number}@storm");
        let new = NewDialog { call_id: call_id.as_bytes(), from_tag: b"a", contact: b"sip:a@192.0.2.1", ..NewDialog::default() };
        match engine.begin(NOW, &new) {
            Begin::Created(id) => Some(id),
            Begin::Spiral(_) | Begin::Refused(_) => None,
        }
    });
    made.collect()
}

fn settings() -> Result<Settings, dialog::SettingsError> {
    let mut settings = Settings::default();
    settings.set("profiles_no_value", ParameterValue::Text("all"))?;
    settings.set("profiles_with_value", ParameterValue::Text("gateway"))?;
    Ok(settings)
}

/// Runs one storm and prints it; says whether nothing forbidden happened.
fn storm(name: &str, value: Option<&[u8]>, threads: usize, dialogs_of_thread: usize, count: usize) -> bool {
    let Ok(settings) = settings() else { return false };
    let engine = Engine::new(NOW, settings);
    let Some(profile) = engine.profiles().find(name) else { return false };
    let storm = Storm { engine: &engine, profile, value, findings: Findings::default() };
    let start = Instant::now();
    let mut nanoseconds: Vec<u32> = std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .map(|thread| {
                let storm = &storm;
                scope.spawn(move || storm.thread(&dialogs(storm.engine, thread, dialogs_of_thread), count))
            })
            .collect();
        spawned.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    let elapsed = start.elapsed();
    nanoseconds.sort_unstable();
    let at = |part: f64| {
        let place = (nanoseconds.len().saturating_sub(1) as f64 * part) as usize;
        f64::from(nanoseconds.get(place).copied().unwrap_or(0)) / 1000.0
    };
    let findings = &storm.findings;
    let (above, refused) = (findings.above_limit.load(SeqCst), findings.refused.load(SeqCst));
    let with_room = findings.refused_with_room.load(SeqCst);
    let needless = if threads * dialogs_of_thread <= LIMIT as usize { refused } else { with_room };
    let left = engine.profiles().size(profile, value);
    let limits = engine.profiles().limits(profile, value, 1);
    let differences = engine.profiles_audit().map_or(u64::MAX, |audit| audit.different);
    println!(
        "{name:8} {threads} threads, {} wishes for {LIMIT} places: {} acquisitions in {:.2} s, refused {refused}, peak {}",
        threads * dialogs_of_thread,
        nanoseconds.len(),
        elapsed.as_secs_f64(),
        limits.first().map_or(0, |limit| limit.peak),
    );
    println!("         above the limit {above}, refused with room {needless}, left behind {}, audit {differences}", left.unwrap_or(1));
    println!(
        "         one step: p50 {:.2}  p99 {:.2}  p99.9 {:.2}  p99.99 {:.2}  max {:.0} µs",
        at(0.5),
        at(0.99),
        at(0.999),
        at(0.9999),
        at(1.0)
    );
    let complete = nanoseconds.len() == threads * count;
    complete && above == 0 && needless == 0 && left == Some(0) && differences == 0
}

/// Storms with `threads` threads that acquire `count` times each, with as many wishes as threads and with four times as many.
pub fn storms(threads: usize, count: usize) -> Result<(), String> {
    let mut is_sound = true;
    for (name, value) in [("gateway", Some(&b"gw1"[..])), ("all", None)] {
        for dialogs_of_thread in [1, 4] {
            is_sound &= storm(name, value, threads.max(1), dialogs_of_thread, count);
        }
    }
    if is_sound { Ok(()) } else { Err("the limit was not kept".to_owned()) }
}
