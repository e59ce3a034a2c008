//! What goes wrong: liars, crashes and restarts, dates that jump; and what an operator commands.

use modules::rpc::{Parameter, Parameters, Wire};
use sip::message::Message;

use super::{Event, World};
use crate::checkers;
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
            Fault::DateJump(by) => {
                self.trace.note(self.now, &format!("the date jumps by {by} ms"));
                self.jumped += by;
            }
            Fault::Command { proxy } => self.command(proxy),
        }
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
        self.push(away, Event::Restart { proxy });
    }

    pub(super) fn restart(&mut self, proxy: usize) {
        let Some(plan) = self.scenario.proxies.get(proxy) else { return };
        let starts = self.proxies.get(proxy).map_or(1, |node| node.starts + 1);
        let mut start = plan.start.clone();
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
                self.arm(proxy);
            }
            Err(error) => self.verdicts.add("start", self.now, proxy, error),
        }
    }

    /// Ends a call, or asks for something.
    fn command(&mut self, proxy: usize) {
        let now = self.clock();
        let choice = self.random.next_u64();
        let Some(node) = self.proxies.get(proxy).filter(|node| !node.is_down) else { return };
        let mut dialogs = Vec::new();
        node.proxy.node.dialogs.for_each(now, |view| {
            dialogs.push(view.clone());
            true
        });
        dialogs.sort_by_key(|dialog| dialog.id);
        let chosen = dialogs.get((choice >> 8) as usize % dialogs.len().max(1));
        let number = |number: u32| Parameter::Integer(i64::from(number));
        let words = |texts: [&[u8]; 3]| texts.map(|text| Parameter::Text(text.to_vec())).to_vec();
        let (name, values) = match (choice % 8, chosen) {
            (0 | 1, Some(dialog)) => ("dlg.end_dlg", vec![number(dialog.id.entry), number(dialog.id.id)]),
            (2 | 3, Some(dialog)) => ("dlg.terminate_dlg", words([&dialog.call_id, &dialog.caller.tag, &dialog.callee.tag])),
            (4, Some(dialog)) => ("dlg.terminate_dlg", words([&dialog.call_id, &dialog.callee.tag, &dialog.caller.tag])),
            (5, Some(dialog)) => ("dlg.explain", vec![Parameter::Text(dialog.call_id.clone())]),
            _ => (READING.get((choice >> 8) as usize % READING.len()).copied().unwrap_or("dlg.list"), Vec::new()),
        };
        let target = chosen.map(|dialog| dialog.id.to_string()).unwrap_or_default();
        self.trace.note(self.now, &format!("proxy {proxy} is commanded {name} {target}"));
        // An operator may be impatient.
        let times = if (choice >> 40).is_multiple_of(3) { 2 } else { 1 };
        for _ in 0..times {
            let parameters = Parameters::new(Wire::Json, values.clone());
            self.work(proxy, None, None, |node, worker| node.command(worker, now, name, parameters));
        }
    }
}
