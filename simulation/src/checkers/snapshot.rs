//! A copy of a proxy's tables at one moment: what recounts are made of.

use std::collections::BTreeSet;

use dialog::settings::MatchMode;
use dialog::{Counts, DialogId, DialogView, Direction, EndReason, Engine, Explanation, StateCounts, cookie};
use proxy::Proxy;
use sip::method::Method;
use sip::time::Now;

/// What a profile says about its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSize {
    pub name: String,
    pub value: Option<Vec<u8>>,
    pub size: u64,
}

/// What the tables are asked about one dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its identifiers as the caller writes them, and as the callee does.
    Downstream,
    Upstream,
    /// Its cookie with either.
    CookieDownstream,
    CookieUpstream,
    /// Its Call-ID with the tag of somebody else.
    StrangeTag,
    /// Its cookie with the Call-ID of somebody else.
    CookieOfOtherCall,
}

impl Question {
    const ALL: [Question; 6] = [
        Question::Downstream,
        Question::Upstream,
        Question::CookieDownstream,
        Question::CookieUpstream,
        Question::StrangeTag,
        Question::CookieOfOtherCall,
    ];
}

/// A question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    pub dialog: DialogId,
    pub question: Question,
    pub found: Option<(DialogId, Direction)>,
}

/// A transaction as checkers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionSight {
    pub branch: Vec<u8>,
    pub sent_by: Vec<u8>,
    pub call_id: Vec<u8>,
    /// Hash of Call-ID and CSeq number.
    pub call: u64,
    pub method: Method,
    pub is_local: bool,
    /// Virtual milliseconds.
    pub created: u64,
}

/// The tables of a proxy.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub at: u64,
    /// The proxy's unix time, seconds.
    pub date: u64,
    pub dialogs: Vec<DialogView>,
    pub counts: Counts,
    /// Calls ended by any reason.
    pub ended_by_reason: u64,
    /// The calls in `dialogs` with their histories.
    pub explanations: Vec<Explanation>,
    pub states: StateCounts,
    /// Records the engine says it holds.
    pub records: u64,
    pub profiles: Vec<ProfileSize>,
    pub probes: Vec<Probe>,
    pub transactions: Vec<TransactionSight>,
    /// Transactions the table says it holds.
    pub transaction_count: usize,
    pub parked: usize,
    pub dialog_deadline: Option<u64>,
    pub transaction_deadline: Option<u64>,
}

impl Snapshot {
    /// Copies the tables.
    pub fn of(proxy: &Proxy, now: Now, profiles: &[&str]) -> Snapshot {
        let engine = &proxy.node.dialogs;
        let mut dialogs = Vec::new();
        engine.for_each(now, |view| {
            dialogs.push(view.clone());
            true
        });
        let mut transactions = Vec::new();
        proxy.node.transactions.for_each(|transaction| {
            let via = transaction.request.top_via();
            transactions.push(TransactionSight {
                branch: via.as_ref().map_or_else(Vec::new, |via| via.branch.to_vec()),
                sent_by: via.as_ref().map_or_else(Vec::new, |via| via.sent_by.to_vec()),
                call_id: transaction.request.call_id().to_vec(),
                call: transaction.call(),
                method: transaction.method(),
                is_local: transaction.is_local(),
                created: transaction.created().0,
            });
        });
        Snapshot {
            at: now.time.0,
            date: now.date.seconds(),
            probes: dialogs.iter().flat_map(|dialog| probes(engine, dialog)).collect(),
            profiles: sizes(engine, &dialogs, profiles),
            ended_by_reason: EndReason::ALL.iter().map(|reason| engine.ended_by(*reason)).sum(),
            explanations: explanations(engine, &dialogs, now),
            dialogs,
            counts: engine.statistics(),
            states: engine.state_counts(false),
            records: engine.len(),
            transactions,
            transaction_count: proxy.node.transactions.len(),
            parked: proxy.parked(),
            dialog_deadline: engine.next_deadline().map(|time| time.0),
            transaction_deadline: proxy.node.transactions.next_deadline().map(|time| time.0),
        }
    }
}

/// The histories of these dialogs, of calls with the same Call-ID once.
fn explanations(engine: &Engine, dialogs: &[DialogView], now: Now) -> Vec<Explanation> {
    let call_ids: BTreeSet<&[u8]> = dialogs.iter().map(|dialog| dialog.call_id.as_slice()).collect();
    let all = call_ids.into_iter().flat_map(|call_id| engine.explain(now, call_id, None));
    all.filter(|call| !call.is_gone).collect()
}

/// Sizes in all and for each value some dialog has.
fn sizes(engine: &Engine, dialogs: &[DialogView], names: &[&str]) -> Vec<ProfileSize> {
    let mut out = Vec::new();
    for name in names {
        let Some(profile) = engine.profiles().find(name) else { continue };
        let mut values: Vec<Option<Vec<u8>>> = vec![None];
        let members = dialogs.iter().flat_map(|dialog| &dialog.profiles).filter(|member| &*member.name == *name);
        values.extend(members.map(|member| member.value.clone()));
        values.sort();
        values.dedup();
        for value in values {
            let size = engine.profiles().size(profile, value.as_deref()).unwrap_or(u64::MAX);
            out.push(ProfileSize { name: (*name).to_owned(), value, size });
        }
    }
    out
}

/// Every question about a dialog whose both tags are known.
fn probes(engine: &Engine, dialog: &DialogView) -> Vec<Probe> {
    let (caller, callee) = (dialog.caller.tag.as_slice(), dialog.callee.tag.as_slice());
    if caller.is_empty() || callee.is_empty() || caller == callee {
        return Vec::new();
    }
    let mut text = Vec::new();
    cookie::write(&mut text, dialog.id);
    let named = |from: &[u8], to: &[u8]| engine.find_by_identifiers(&dialog.call_id, from, to, Direction::None);
    let carried =
        |call_id: &[u8], from: &[u8], to: &[u8]| engine.match_request(MatchMode::CookieOnly, Some(&text), call_id, from, to).found;
    let ask = |question| match question {
        Question::Downstream => named(caller, callee),
        Question::Upstream => named(callee, caller),
        Question::CookieDownstream => carried(&dialog.call_id, caller, callee),
        Question::CookieUpstream => carried(&dialog.call_id, callee, caller),
        Question::StrangeTag => named(caller, b"strange"),
        Question::CookieOfOtherCall => carried(b"strange", caller, callee),
    };
    Question::ALL.into_iter().map(|question| Probe { dialog: dialog.id, question, found: ask(question) }).collect()
}
