//! Dialogs as RPC shows them: fields, order, nulls (spec dialog 7.2, 7.3).

use std::borrow::Cow;

use ::dialog::view::LegView;
use ::dialog::{AttributeValue, DialogView, Engine, State};
use sip::time::Now;

use crate::rpc::Item;

type Field = (Cow<'static, str>, Item);

fn number(name: &'static str, value: impl Into<i64>) -> Field {
    (Cow::Borrowed(name), Item::Integer(value.into()))
}

fn text(name: &'static str, value: &[u8]) -> Field {
    (Cow::Borrowed(name), Item::text(value))
}

/// The whole dialog at this time.
pub(super) fn dialog(view: &DialogView, now: Now) -> Item {
    Item::Structure(fields(view, now))
}

/// The whole dialog, then what observers add to it.
pub(super) fn dialog_with_context(dialogs: &Engine, view: &DialogView, now: Now) -> Item {
    let mut fields = fields(view, now);
    fields.extend(dialogs.listing_context(view).into_iter().map(|(name, value)| {
        let item = match value {
            AttributeValue::Number(number) => Item::Integer(number),
            AttributeValue::Text(text) => Item::Text(text),
        };
        (name, item)
    }));
    Item::Structure(fields)
}

fn fields(view: &DialogView, now: Now) -> Vec<Field> {
    let now_seconds = u32::try_from(now.date.seconds()).unwrap_or(u32::MAX);
    let is_over = view.state == State::Deleted;
    let profiles = if is_over { Vec::new() } else { view.profiles.iter().map(profile).collect() };
    let variables = if is_over {
        Vec::new()
    } else {
        let pair = |(key, value): &(Vec<u8>, Vec<u8>)| Item::Structure(vec![(name_of(key), Item::text(value))]);
        view.variables.iter().map(pair).collect()
    };
    vec![
        number("h_entry", view.id.entry),
        number("h_id", view.id.id),
        number("ref", view.references),
        text("call-id", &view.call_id),
        text("from_uri", &view.from_uri),
        text("to_uri", &view.to_uri),
        number("state", view.state.number()),
        number("start_ts", view.start_time),
        number("init_ts", view.init_time),
        number("end_ts", view.end_time),
        number("duration", view.duration(now_seconds)),
        number("timeout", view.timeout),
        number("lifetime", view.lifetime),
        number("dflags", view.dialog_flags),
        number("sflags", view.script_flags),
        number("iflags", view.internal_flags),
        (Cow::Borrowed("caller"), leg(&view.caller)),
        (Cow::Borrowed("callee"), leg(&view.callee)),
        (Cow::Borrowed("profiles"), Item::Array(profiles)),
        (Cow::Borrowed("variables"), Item::Array(variables)),
    ]
}

/// The line of `dlg.dump_file`: other names, no nulls, profiles and variables as members of one object (spec dialog 7.7).
pub(super) fn dumped(view: &DialogView) -> Item {
    let is_over = view.state == State::Deleted;
    let profiles = view.profiles.iter().filter(|_| !is_over);
    let profiles = profiles.map(|profile| (Cow::Owned(profile.name.to_string()), Item::text(profile.value.as_deref().unwrap_or_default())));
    let variables = view.variables.iter().filter(|_| !is_over).map(|(key, value)| (name_of(key), Item::text(value)));
    Item::Structure(vec![
        number("h_entry", view.id.entry),
        number("h_id", view.id.id),
        number("ref", view.references),
        text("call_id", &view.call_id),
        text("from_uri", &view.from_uri),
        text("to_uri", &view.to_uri),
        number("state", view.state.number()),
        number("start_ts", view.start_time),
        number("init_ts", view.init_time),
        number("end_ts", view.end_time),
        number("timeout", view.timeout),
        number("lifetime", view.lifetime),
        number("dflags", view.dialog_flags),
        number("sflags", view.script_flags),
        number("iflags", view.internal_flags),
        (Cow::Borrowed("caller"), dumped_leg(&view.caller)),
        (Cow::Borrowed("callee"), dumped_leg(&view.callee)),
        (Cow::Borrowed("profiles"), Item::Structure(profiles.collect())),
        (Cow::Borrowed("variables"), Item::Structure(variables.collect())),
    ])
}

fn dumped_leg(leg: &LegView) -> Item {
    let cseq = leg.cseq.map(|cseq| cseq.to_string()).unwrap_or_default();
    Item::Structure(vec![
        text("tag", &leg.tag),
        text("contact", &leg.contact),
        text("cseq", cseq.as_bytes()),
        text("route_set", &leg.route_set),
        text("socket", &leg.socket),
    ])
}

fn name_of(key: &[u8]) -> Cow<'static, str> {
    Cow::Owned(String::from_utf8_lossy(key).into_owned())
}

fn profile(profile: &::dialog::ProfileView) -> Item {
    match &profile.value {
        None => Item::text(profile.name.as_bytes()),
        Some(value) => Item::Structure(vec![(Cow::Owned(profile.name.to_string()), Item::text(value))]),
    }
}

/// A party; before the answer the callee's texts are null, and so is a socket that is not known.
fn leg(leg: &LegView) -> Item {
    let is_known = leg.cseq.is_some();
    let field = |name: &'static str, value: &[u8]| {
        let item = if is_known || !value.is_empty() { Item::text(value) } else { Item::Null };
        (Cow::Borrowed(name), item)
    };
    let cseq = leg.cseq.map(|cseq| cseq.to_string()).unwrap_or_default();
    Item::Structure(vec![
        field("tag", &leg.tag),
        field("contact", &leg.contact),
        field("cseq", cseq.as_bytes()),
        field("route_set", &leg.route_set),
        (Cow::Borrowed("socket"), if leg.socket.is_empty() { Item::Null } else { Item::text(&leg.socket) }),
    ])
}

/// The short form: one field for each letter.
pub(super) fn briefing(view: &DialogView, letters: &[u8]) -> Item {
    let mut fields = vec![number("h_entry", view.id.entry), number("h_id", view.id.id)];
    for letter in letters {
        fields.push(match letter {
            b'f' => text("from_uri", &view.from_uri),
            b't' => text("to_uri", &view.to_uri),
            b'c' => text("call-id", &view.call_id),
            b'F' => text("from_tag", &view.caller.tag),
            b'T' => text("to_tag", &view.callee.tag),
            b'I' => number("init_ts", view.init_time),
            b'S' => number("start_ts", view.start_time),
            b'E' => number("end_ts", view.end_time),
            b's' => number("state", view.state.number()),
            _ => continue,
        });
    }
    Item::Structure(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(item: &Item) -> Vec<&str> {
        match item {
            Item::Structure(fields) => fields.iter().map(|(name, _)| &name[..]).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_party_that_never_answered_is_null() {
        let Item::Structure(fields) = leg(&LegView::default()) else { panic!("no structure") };
        assert!(fields.iter().all(|(_, item)| *item == Item::Null));
    }

    #[test]
    fn an_answered_party_has_texts_even_if_empty() {
        let view = LegView { tag: b"t".to_vec(), cseq: Some(0), ..LegView::default() };
        let item = leg(&view);
        assert_eq!(names(&item), ["tag", "contact", "cseq", "route_set", "socket"]);
        let Item::Structure(fields) = item else { panic!("no structure") };
        assert_eq!(fields[1].1, Item::text(""));
        assert_eq!(fields[2].1, Item::text("0"));
    }

    #[test]
    fn a_profile_with_value_is_a_pair() {
        let with = ::dialog::ProfileView {
            name: "caller".into(),
            value: Some(b"alice".to_vec()),
            place: ::dialog::Place::Ordinary,
            unique: String::new(),
        };
        assert_eq!(profile(&with), Item::Structure(vec![("caller".into(), Item::text("alice"))]));
        let without = ::dialog::ProfileView { value: None, ..with };
        assert_eq!(profile(&without), Item::text("caller"));
    }
}
