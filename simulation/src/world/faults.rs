//! What goes wrong: liars, forgers, crashes and restarts, dates that jump; and what an operator commands.

use dialog::{DialogView, cookie};
use modules::rpc::{Parameter, Parameters, Wire};
use sip::message::Message;

use super::{Event, World};
use crate::checkers::{self, Sight, text};
use crate::proxy_node::ProxyNode;
use crate::scenario::{Fault, LIAR};
use crate::streams::Towards;

/// Commands that only read; a proxy under load has to answer them.
const READING: &[&str] = &[
    "dlg.list",
    "dlg.list_ctx",
    "dlg.briefing",
    "dlg.stats_active",
    "dlg.profile_limits",
    "dlg.audit",
    "tm.stats",
    "tm.list",
    "htable.dump",
];

impl World {
    pub(super) fn go_wrong(&mut self, fault: Fault) {
        match fault {
            Fault::Lie { is_stream } => self.lie(is_stream),
            Fault::Crash { proxy, away } => self.crash(proxy, away),
            Fault::Stop { proxy, away } => self.stop(proxy, away),
            Fault::DateJump(by) => {
                self.trace.note(self.now, &format!("the date jumps by {by} ms"));
                self.jumped += by;
            }
            Fault::Command { proxy } => self.command(proxy),
            Fault::Forgery { proxy } => self.forge(proxy),
        }
    }

    /// The dialogs of a proxy that is up, in the order of their numbers.
    fn dialogs(&self, proxy: usize) -> Vec<DialogView> {
        let mut dialogs = Vec::new();
        if let Some(node) = self.proxies.get(proxy).filter(|node| !node.is_down) {
            node.proxy.node.dialogs.for_each(self.clock(), |view| {
                dialogs.push(view.clone());
                true
            });
        }
        dialogs.sort_by_key(|dialog| dialog.id);
        dialogs
    }

    /// A request that must not touch the dialog it names: the cookie with another Call-ID, or its Call-ID with other tags.
    fn forge(&mut self, proxy: usize) {
        let dialogs = self.dialogs(proxy);
        let choice = self.random.next_u64();
        let Some(to) = self.proxies.get(proxy).map(|node| node.address) else { return };
        let Some(dialog) = dialogs.get((choice >> 8) as usize % dialogs.len().max(1)) else { return };
        let method = ["BYE", "INVITE", "UPDATE"].get((choice >> 4) as usize % 3).copied().unwrap_or("BYE");
        let mut did = Vec::new();
        cookie::write(&mut did, dialog.id);
        let (call_id, from, target) = match choice % 3 {
            0 => (format!("forged-{}@liar", choice >> 32), text(&dialog.caller.tag), text(&dialog.callee.tag)),
            1 => (text(&dialog.call_id), format!("forged{}", choice >> 40), text(&dialog.callee.tag)),
            _ => (text(&dialog.call_id), text(&dialog.caller.tag), format!("forged{}", choice >> 40)),
        };
        // Before the answer any To-tag may be that of a callee.
        let is_to_be_believed = choice % 3 == 2 && dialog.callee.tag.is_empty();
        if dialog.caller.tag.is_empty() || target.is_empty() || is_to_be_believed {
            return;
        }
        let (own, did) = (LIAR, text(&did));
        let bytes = format!(
            "{method} sip:nobody@{own} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKforged{choice}\r\nMax-Forwards: 70\r\nRoute: <sip:{to};lr;did={did}>\r\nFrom: <sip:a@liar>;tag={from}\r\nTo: <sip:b@liar>;tag={target}\r\nCall-ID: {call_id}\r\nCSeq: 90000 {method}\r\nContact: <sip:liar@{own}>\r\nContent-Length: 0\r\n\r\n"
        );
        self.trace.note(self.now, &format!("somebody forges {method} for dialog {}", dialog.id));
        self.deliver(own, to, bytes.as_bytes());
    }

    fn lie(&mut self, is_stream: bool) {
        let bytes = self.damaged_message();
        let target = self.random.below(self.proxies.len() as u64) as usize;
        let Some(to) = self.proxies.get(target).map(|proxy| proxy.address) else { return };
        if let Ok(message) = Message::from_bytes(&bytes) {
            self.verdicts.tainted.insert(message.call_id().to_vec());
        }
        if !is_stream {
            return self.deliver(LIAR, to, &bytes);
        }
        // On a stream the framing decides what is a message, and damage may join two of them.
        if self.proxies.get(target).is_some_and(|node| !node.is_down)
            && let Some(number) = self.streams.connect(target, LIAR)
        {
            self.write(number, Towards::Proxy, &bytes);
        }
    }

    fn damaged_message(&mut self) -> Vec<u8> {
        let mut bytes = if self.random.below(2) == 0 || self.overheard.is_empty() {
            let count = self.scenario.hostile.len() as u64;
            self.scenario.hostile.get(self.random.below(count) as usize).cloned().unwrap_or_default()
        } else {
            let place = self.random.below(self.overheard.len() as u64) as usize;
            self.overheard.get(place).cloned().unwrap_or_default()
        };
        for _ in 0..self.random.below(4) {
            let place = self.random.below(bytes.len() as u64) as usize;
            let value = self.random.next_u64() as u8;
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        bytes
    }

    /// Memory is gone, with timers, parked scripts and connections; the network goes on.
    fn crash(&mut self, proxy: usize, away: u64) {
        let Some(node) = self.proxies.get_mut(proxy).filter(|node| !node.is_down) else { return };
        node.is_down = true;
        node.tick_at = None;
        self.streams.close_all_of(proxy);
        self.verdicts.has_crashed = true;
        self.trace.note(self.now, &format!("proxy {proxy} crashes"));
        self.close_storage(proxy, false);
        self.push(away, Event::Restart { proxy });
    }

    pub(super) fn restart(&mut self, proxy: usize) {
        let Some(plan) = self.scenario.proxies.get(proxy) else { return };
        let starts = self.proxies.get(proxy).map_or(1, |node| node.starts + 1);
        let mut start = plan.stored_start();
        start.seed = start.seed.wrapping_add(u64::from(starts) << 48);
        self.trace.note(self.now, &format!("proxy {proxy} starts again"));
        match ProxyNode::start(&start, self.clock()) {
            Ok(node) => {
                let family = checkers::all(proxy, start.address, plan.promises);
                if let (Some(place), Some(families)) = (self.proxies.get_mut(proxy), self.checkers.get_mut(proxy)) {
                    *place = node;
                    place.starts = starts;
                    *families = family;
                }
                if self.open_storage(proxy) {
                    self.arm(proxy);
                } else {
                    self.start_fails(proxy);
                }
            }
            Err(error) => self.verdicts.add("start", self.now, proxy, error),
        }
    }

    /// Somebody starts it once more, a second later.
    pub(super) fn start_fails(&mut self, proxy: usize) {
        if let Some(node) = self.proxies.get_mut(proxy) {
            node.is_down = true;
        }
        self.push(1_000, Event::Restart { proxy });
    }

    /// Ends a call, or asks for something.
    fn command(&mut self, proxy: usize) {
        let now = self.clock();
        let choice = self.random.next_u64();
        if self.proxies.get(proxy).is_none_or(|node| node.is_down) {
            return;
        }
        let dialogs = self.dialogs(proxy);
        let chosen = dialogs.get((choice >> 8) as usize % dialogs.len().max(1));
        let number = |number: u32| Parameter::Integer(i64::from(number));
        let words = |texts: [&[u8]; 3]| texts.map(|text| Parameter::Text(text.to_vec())).to_vec();
        let state = 1 + (choice >> 24) % 6;
        let (name, values) = match (choice % 12, chosen) {
            (0 | 1, Some(dialog)) => ("dlg.end_dlg", vec![number(dialog.id.entry), number(dialog.id.id)]),
            (2 | 3, Some(dialog)) => ("dlg.terminate_dlg", words([&dialog.call_id, &dialog.caller.tag, &dialog.callee.tag])),
            (4, Some(dialog)) => ("dlg.terminate_dlg", words([&dialog.call_id, &dialog.callee.tag, &dialog.caller.tag])),
            (5, Some(dialog)) => ("dlg.explain", vec![Parameter::Text(dialog.call_id.clone())]),
            (6, Some(dialog)) => ("dlg.terminate_dlg", words([&dialog.call_id, &dialog.caller.tag, b"strange"])),
            (7, Some(dialog)) => ("dlg.set_state", {
                let mut values = words([&dialog.call_id, &dialog.caller.tag, &dialog.callee.tag]);
                values.push(Parameter::Integer(state as i64));
                values
            }),
            (8, _) => ("dlg.bridge_dlg", words([b"sip:alice@10.0.1.1:5060", b"sip:bob@10.0.2.1:5060", b"."])),
            _ => (READING.get((choice >> 8) as usize % READING.len()).copied().unwrap_or("dlg.list"), Vec::new()),
        };
        let target = chosen.map(|dialog| dialog.id.to_string()).unwrap_or_default();
        self.trace.note(self.now, &format!("proxy {proxy} is commanded {name} {target}"));
        // Tags find the first of several dialogs that share them.
        for dialog in dialogs.iter().filter(|dialog| chosen.is_some_and(|chosen| chosen.call_id == dialog.call_id)) {
            if name == "dlg.set_state" {
                if let Some(Some(store)) = self.stores.get_mut(proxy) {
                    store.rows.refused_all(vec![dialog.id]);
                }
                self.verdicts.forced.insert((proxy, dialog.id));
            }
            self.show(proxy, &Sight::Commanded { dialog, name });
        }
        // An operator may be impatient.
        let times = if (choice >> 40).is_multiple_of(3) { 2 } else { 1 };
        for _ in 0..times {
            let parameters = Parameters::new(Wire::Json, values.clone());
            self.work(proxy, None, None, |node, worker| node.command(worker, now, name, parameters));
        }
    }
}
