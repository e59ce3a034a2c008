//! D8: a BYE made here is one a side, numbered above all seen, and takes the way the party itself named.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use dialog::{DialogId, DialogView, OccurrenceKind};
use sip::message::Message;
use sip::method::Method;

use super::{Checker, Sight, Verdicts, branch_at, identity, mark, text};
use crate::party::address_of;

/// Call-ID and tag of the party a request goes to.
type Side = (Vec<u8>, Vec<u8>);

/// How a party is reached, as its own messages said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    contact: Vec<u8>,
    /// Route entries in the order to write; None: not to be known from one message (a spiral).
    routes: Option<Vec<Vec<u8>>>,
}

/// A dialog by its Call-ID, From tag and To tag.
type Fork = (Vec<u8>, Vec<u8>, Vec<u8>);

/// BYEs of one proxy's own.
pub struct Byes {
    proxy: usize,
    address: SocketAddr,
    /// Highest CSeq that met a dialog here: each fork counts for itself.
    sequences: BTreeMap<Fork, u32>,
    /// Branches of BYEs made here.
    byes: BTreeMap<Fork, BTreeSet<Vec<u8>>>,
    /// The ways a party named; a copy of its INVITE that makes another dialog names another.
    ways: BTreeMap<Side, Vec<Way>>,
    /// A party hung up by itself.
    hung_up: BTreeSet<Vec<u8>>,
    /// Branches of BYEs made here that were answered so that another one may follow.
    refused: BTreeSet<Vec<u8>>,
    /// Calls that may have been brought back to life by force.
    forced: BTreeSet<Vec<u8>>,
    /// The script ended the dialog towards one side.
    one_sided: BTreeSet<DialogId>,
    /// Calls whose parties named their ways in a former life of the proxy.
    loaded: BTreeSet<Vec<u8>>,
    /// The fork of the last request, and the highest number before it.
    last: Option<(Fork, Option<u32>)>,
}

impl Byes {
    /// A checker for the proxy at `address`.
    pub fn new(proxy: usize, address: SocketAddr) -> Byes {
        Byes {
            proxy,
            address,
            sequences: BTreeMap::new(),
            byes: BTreeMap::new(),
            ways: BTreeMap::new(),
            hung_up: BTreeSet::new(),
            refused: BTreeSet::new(),
            forced: BTreeSet::new(),
            one_sided: BTreeSet::new(),
            loaded: BTreeSet::new(),
            last: None,
        }
    }

    fn received(&mut self, message: &Message) {
        self.learn_way(message);
        if !message.is_request() {
            if message.method() == Method::Bye && matches!(message.status(), 500 | 503) {
                self.refused.insert(branch_at(message, 0));
            }
            return;
        }
        if message.method() == Method::Bye {
            self.hung_up.insert(message.call_id().to_vec());
        }
        // A request within a dialog that carries no cookie here never meets it: the outer pass of a spiral.
        let meets = message.to_tag().is_empty() || message.routes().next().is_some_and(|route| text(route.whole).contains("did="));
        // An ACK may belong to an INVITE of a former life whose number was not written in time.
        let is_new = message.method() != Method::Ack || !self.loaded.contains(message.call_id());
        let Some(cseq) = message.cseq().filter(|_| meets && is_new) else { return };
        let key = (message.call_id().to_vec(), message.from_tag().to_vec(), message.to_tag().to_vec());
        self.last = Some((key.clone(), self.sequences.get(&key).copied()));
        let highest = self.sequences.entry(key).or_default();
        *highest = (*highest).max(cseq.number);
    }

    /// Contact and Record-Route of an INVITE tell the way to the caller, those of its 2xx the way to the callee.
    fn learn_way(&mut self, message: &Message) {
        if message.method() != Method::Invite {
            return;
        }
        let Some(contact) = message.contacts().next().map(|contact| contact.uri.to_vec()) else { return };
        let entries: Vec<Vec<u8>> = message.record_routes().map(|entry| entry.whole.trim_ascii().to_vec()).collect();
        let call = message.call_id().to_vec();
        if message.is_request() {
            let is_own = |entry: &Vec<u8>| address_of(&text(entry)) == Some(self.address);
            let routes = (!entries.iter().any(is_own)).then_some(entries);
            if message.to_tag().is_empty() {
                self.learn((call, message.from_tag().to_vec()), Way { contact, routes });
            }
            return;
        }
        if !(200..300).contains(&message.status()) {
            return;
        }
        let own: Vec<usize> = (0..entries.len())
            .filter(|place| entries.get(*place).is_some_and(|entry| address_of(&text(entry)) == Some(self.address)))
            .collect();
        let routes = match own.as_slice() {
            [place] => entries.get(..*place).map(|nearer| nearer.iter().rev().cloned().collect()),
            _ => None,
        };
        self.learn((call, message.to_tag().to_vec()), Way { contact, routes });
    }

    fn learn(&mut self, side: Side, way: Way) {
        let ways = self.ways.entry(side).or_default();
        if !ways.contains(&way) {
            ways.push(way);
        }
    }

    /// A BYE with one Via was made here.
    fn sent(&mut self, at: u64, message: &Message, verdicts: &mut Verdicts) {
        let is_own = message.is_request() && message.method() == Method::Bye && message.vias().count() == 1;
        if !is_own || !verdicts.is_honest(message.call_id()) {
            return;
        }
        let key = (message.call_id().to_vec(), message.from_tag().to_vec(), message.to_tag().to_vec());
        let branches = self.byes.entry(key.clone()).or_default();
        if !branches.insert(branch_at(message, 0)) {
            return;
        }
        let refused = branches.iter().filter(|branch| self.refused.contains(*branch)).count();
        let count = branches.len() - refused;
        let call = text(message.call_id());
        let mut broken = |what: String| verdicts.add("D8", at, self.proxy, format!("BYE of {call} {what}"));
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let of = |to_tag: &[u8]| self.sequences.get(&(key.0.clone(), key.1.clone(), to_tag.to_vec())).copied().unwrap_or(0);
        let highest = of(message.to_tag()).max(of(b""));
        // One that is sent again may have been overtaken by the BYE of a proxy beyond, once the record is gone.
        if number <= highest && refused == 0 {
            broken(format!("has CSeq {number}, {highest} was seen"));
        }
        let is_forced = self.forced.contains(message.call_id());
        if !is_forced && (message.from_tag().is_empty() || message.to_tag().is_empty()) {
            broken(String::from("lacks a tag"));
        }
        if count > 1 && !is_forced {
            broken(format!("is number {count} to one side"));
        }
        if self.loaded.contains(&key.0) {
            return;
        }
        let Some(ways) = self.ways.get(&(key.0, key.2)) else { return };
        if ways.iter().all(|way| message.request_uri() != way.contact) {
            broken(format!("goes to {}, the party is elsewhere", text(message.request_uri())));
        }
        let routes: Vec<Vec<u8>> = message.routes().map(|entry| entry.whole.trim_ascii().to_vec()).collect();
        if ways.iter().all(|way| way.routes.as_ref().is_some_and(|wanted| *wanted != routes)) {
            let shown: Vec<_> = routes.iter().map(|entry| text(entry)).collect();
            broken(format!("has the routes {}, which the party did not name", shown.join(", ")));
        }
    }

    /// `MARK asked DIALOG SIDE`
    fn line(&mut self, line: &str) {
        let Some(mut words) = mark(line).filter(|_| line.contains("MARK asked ")) else { return };
        let (dialog, side) = (words.nth(1).and_then(identity), words.next());
        if let Some(dialog) = dialog.filter(|_| side != Some("all")) {
            self.one_sided.insert(dialog);
        }
    }

    /// A call this proxy ended has heard of it on both sides.
    fn ended(&mut self, at: u64, dialog: &DialogView, verdicts: &mut Verdicts) {
        let is_one_sided = self.one_sided.remove(&dialog.id) || !verdicts.is_unforced(self.proxy, dialog.id);
        if is_one_sided || !verdicts.is_honest(&dialog.call_id) || self.hung_up.contains(&dialog.call_id) {
            return;
        }
        let told = |from: &[u8], to: &[u8]| self.byes.contains_key(&(dialog.call_id.clone(), from.to_vec(), to.to_vec()));
        let (caller_tag, callee_tag) = (&dialog.caller.tag, &dialog.callee.tag);
        let (callee, caller) = (told(caller_tag, callee_tag), told(callee_tag, caller_tag));
        if caller != callee && !dialog.callee.tag.is_empty() {
            let side = if caller { "caller" } else { "callee" };
            verdicts.add("D8", at, self.proxy, format!("only the {side} of {} got a BYE", text(&dialog.call_id)));
        }
    }
}

impl Checker for Byes {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Received { message, .. } => self.received(message),
            Sight::Sent { message, .. } => self.sent(at, message, verdicts),
            Sight::Line(line) => self.line(line),
            // It meets its dialog later, and a BYE made here meanwhile knows nothing of it.
            Sight::Awaits => {
                if let Some((fork, before)) = self.last.take() {
                    match before {
                        Some(before) => self.sequences.insert(fork, before),
                        None => self.sequences.remove(&fork),
                    };
                }
            }
            Sight::Commanded { dialog, name: "dlg.set_state" } => {
                self.forced.insert(dialog.call_id.clone());
            }
            Sight::Dialog { dialog, occurrence, .. } if occurrence.kind == OccurrenceKind::Loaded => {
                self.loaded.insert(dialog.call_id.clone());
                if !verdicts.is_unforced(self.proxy, dialog.id) {
                    self.forced.insert(dialog.call_id.clone());
                }
            }
            Sight::Dialog { dialog, occurrence, .. } if occurrence.kind == OccurrenceKind::Destroyed => self.ended(at, dialog, verdicts),
            _ => {}
        }
    }
}
