//! Serial forking by priority: `t_load_contacts`, `t_next_contacts`, `t_next_contact_flow` (spec proxy-core 7.5.6).
//!
//! The destinations are kept in an xavp of the transaction, one root a contact, the next one newest.

use script::exports::{Argument, Flow};
use script::value::{Text, Value};

use super::limits::CONTACTS_MAX;
use crate::attributes::{Content, Names, Root};
use crate::run::Target;
use crate::worker::{Random, Worker};

/// Priority of a contact that names none: behind all others.
const PRIORITY_DEFAULT: i32 = -1;
/// Nothing is left.
const NOTHING_LEFT: i32 = -2;

/// `t_load_contacts([mode])`: takes the request URI and the branches into the list. Mode 0 orders them by descending
/// priority; those of one priority are forked in parallel, and if that is all of them they stay where they are. Mode 1 draws
/// one after the other with its priority as weight; those without weight come last.
pub fn t_load_contacts(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_drawn = arguments.first().is_some_and(|mode| mode.integer() == 1);
    let Some(list) = worker.node.states.tm.contacts_list.clone() else { return not_configured(worker) };
    let run = &mut worker.run;
    if run.branches.is_empty() {
        return Flow::Code(1);
    }
    let own = Target { uri: Some(Text::from(run.request_uri())), ..run.target.clone() };
    let own = (!run.is_target_consumed).then_some(own);
    let mut targets: Vec<Target> = own.into_iter().chain(run.branches.iter().cloned()).take(CONTACTS_MAX).collect();
    let first = targets.first().map(priority);
    if !is_drawn && targets.iter().all(|target| Some(priority(target)) == first) {
        return Flow::Code(1);
    }
    run.branches.clear();
    if is_drawn {
        targets = drawn(targets, &mut worker.random);
    } else {
        targets.sort_by_key(|target| std::cmp::Reverse(priority(target)));
    }
    let flows = worker.node.states.tm.contact_flows_list.clone();
    let (targets, others) = if flows.is_some() { apart(targets) } else { (targets, Vec::new()) };
    let xavps = &mut worker.run.attributes.xavps;
    xavps.remove_all(Names::Exact, &list);
    let next_priorities: Vec<Option<i32>> = targets.iter().skip(1).map(|target| Some(priority(target))).chain([None]).collect();
    for (target, next) in targets.iter().zip(next_priorities).rev() {
        let ends_group = is_drawn || next != Some(priority(target));
        if !xavps.push(root(&list, target, ends_group)) {
            return Flow::Code(-1);
        }
    }
    if let Some(flows) = flows {
        xavps.remove_all(Names::Exact, &flows);
        for target in others.iter().rev() {
            if !xavps.push(root(&flows, target, true)) {
                return Flow::Code(-1);
            }
        }
    }
    Flow::Code(1)
}

/// Draws contacts without putting them back, each with its priority as weight.
fn drawn(mut targets: Vec<Target>, random: &mut Random) -> Vec<Target> {
    let weight = |target: &Target| u64::try_from(priority(target)).unwrap_or(0);
    let mut ordered = Vec::with_capacity(targets.len());
    loop {
        let total: u64 = targets.iter().map(weight).sum();
        if total == 0 {
            break;
        }
        let mut left = random.below(total);
        let index = targets.iter().position(|target| {
            let own = weight(target);
            let is_hit = left < own;
            left = left.saturating_sub(own);
            is_hit
        });
        ordered.push(targets.remove(index.unwrap_or(0)));
    }
    ordered.append(&mut targets);
    ordered
}

/// Contacts by their first flow, and the further flows of instances seen already (RFC 5626).
fn apart(targets: Vec<Target>) -> (Vec<Target>, Vec<Target>) {
    let mut first: Vec<Target> = Vec::with_capacity(targets.len());
    let mut others = Vec::new();
    for target in targets {
        let is_known = target.instance.is_some() && first.iter().any(|known| known.instance == target.instance);
        if is_known { others.push(target) } else { first.push(target) }
    }
    (first, others)
}

/// `t_next_contacts()`: the next group of equal priority becomes the request's destinations. -2: nothing left.
pub fn t_next_contacts(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(list) = worker.node.states.tm.contacts_list.clone() else { return not_configured(worker) };
    let mut targets = Vec::new();
    while let Some((target, ends_group)) = newest(worker, &list) {
        worker.run.attributes.xavps.remove_newest(Names::Exact, &list);
        targets.push(target);
        if ends_group || targets.len() >= CONTACTS_MAX {
            break;
        }
    }
    let mut targets = targets.into_iter();
    let Some(first) = targets.next() else { return Flow::Code(NOTHING_LEFT) };
    let run = &mut worker.run;
    run.target = first;
    run.is_target_consumed = false;
    run.branches = targets.collect();
    Flow::Code(1)
}

/// `t_next_contact_flow()`: another flow of the instance whose branch failed becomes a branch. -2: there is none.
pub fn t_next_contact_flow(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(list) = worker.node.states.tm.contact_flows_list.clone() else { return not_configured(worker) };
    let transaction = worker.run.tm.transaction.as_ref();
    let branch = worker.run.tm.reply.branch.and_then(|index| transaction?.branches.get(index));
    let Some(instance) = branch.map(|branch| branch.start.instance.clone()).filter(|instance| !instance.is_empty()) else {
        return Flow::Code(NOTHING_LEFT);
    };
    let mut kept = Vec::new();
    let mut found = None;
    while let Some((target, _)) = newest(worker, &list) {
        worker.run.attributes.xavps.remove_newest(Names::Exact, &list);
        if target.instance.as_deref() == Some(&instance[..]) {
            found = Some(target);
            break;
        }
        kept.push(target);
    }
    for target in kept.iter().rev() {
        worker.run.attributes.xavps.push(root(&list, target, true));
    }
    let Some(target) = found else { return Flow::Code(NOTHING_LEFT) };
    worker.run.branches.push(target);
    Flow::Code(1)
}

fn not_configured(worker: &mut Worker) -> Flow {
    worker.log(-1, "tm", "the parameter xavp_contact (contacts_avp, contact_flows_avp) is not set");
    Flow::Code(-1)
}

fn priority(target: &Target) -> i32 {
    target.q.filter(|q| *q >= 0).unwrap_or(PRIORITY_DEFAULT)
}

fn root(list: &Text, target: &Target, ends_group: bool) -> Root {
    let mut fields: Vec<(Text, Value)> = Vec::with_capacity(10);
    let texts = [
        ("uri", &target.uri),
        ("dst_uri", &target.next_hop),
        ("path", &target.path),
        ("instance", &target.instance),
        ("ruid", &target.ruid),
        ("ua", &target.user_agent),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.push((Text::from(name), Value::Text(text.clone())));
        }
    }
    if let Some(socket) = target.socket {
        fields.push((Text::from("sock"), Value::Integer(i64::from(socket))));
    }
    fields.push((Text::from("flags"), Value::Integer(i64::from(target.flags))));
    fields.push((Text::from("q_flag"), Value::Integer(i64::from(ends_group))));
    Root { name: list.clone(), content: Content::Fields(fields) }
}

/// The contact on top of a list, and whether it is the last of its group.
fn newest(worker: &Worker, list: &Text) -> Option<(Target, bool)> {
    let root = worker.run.attributes.xavps.root(Names::Exact, list, None)?;
    let field = |name: &str| root.fields().iter().find(|(own, _)| own[..] == *name.as_bytes()).map(|(_, value)| value);
    let text = |name: &str| match field(name) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let number = |name: &str| match field(name) {
        Some(Value::Integer(number)) => *number,
        _ => -1,
    };
    let target = Target {
        uri: text("uri"),
        next_hop: text("dst_uri"),
        path: text("path"),
        socket: u16::try_from(number("sock")).ok(),
        q: None,
        flags: u32::try_from(number("flags")).unwrap_or(0),
        instance: text("instance"),
        ruid: text("ruid"),
        user_agent: text("ua"),
    };
    Some((target, number("q_flag") != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str, q: Option<i32>) -> Target {
        Target { uri: Some(Text::from(uri)), q, ..Target::default() }
    }

    #[test]
    fn contacts_are_drawn_by_weight_and_those_without_come_last() {
        let mut random = Random::new(7);
        let (mut first, rounds) = (0, 3_000);
        for _ in 0..rounds {
            let ordered = drawn(
                vec![target("backup", None), target("none", Some(0)), target("light", Some(250)), target("heavy", Some(750))],
                &mut random,
            );
            let uris: Vec<String> = ordered.iter().filter_map(|target| target.uri.as_ref().map(ToString::to_string)).collect();
            assert_eq!(uris.get(2..).unwrap_or_default(), ["backup", "none"]);
            first += usize::from(uris.first().is_some_and(|uri| uri == "heavy"));
        }
        assert!((rounds * 70 / 100..rounds * 80 / 100).contains(&first), "{first}");
    }
}
