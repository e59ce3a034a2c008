//! Listings of dialogs as long answers: a walk over all dialogs, what is shown of which, and where it begins and ends.

use std::sync::Arc;

use ::dialog::{DialogId, DialogView, ProfileId, Walk};
use script::regex::Pattern;
use sip::time::Now;

use super::rpc_fields;
use crate::listing::{Listing, Pages};
use crate::node::Node;
use crate::rpc::{Fault, Item, Parameter, Parameters};
use crate::worker::Worker;

/// Dialogs of a profile whose copies are made for one page.
const MEMBERS_OF_PAGE: usize = 32;

/// Which part of a listing is asked for: our own options `limit NUMBER` and `after H_ENTRY:H_ID`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: Option<usize>,
    pub(super) after: Option<DialogId>,
}

impl Window {
    /// Takes the options out of the parameters.
    pub(super) fn take(parameters: &mut Parameters) -> Result<Window, Fault> {
        let limit = match parameters.take_option("limit") {
            None => None,
            Some(given) => Some(above_zero(&given).ok_or_else(|| Fault::new(400, "limit wants a number above 0: limit 100"))?),
        };
        let after = match parameters.take_option("after") {
            None => None,
            Some(given) => {
                let wanted = || Fault::new(400, "after wants h_entry and h_id of a dialog: after 2556:10719");
                Some(dialog_named(&given).ok_or_else(wanted)?)
            }
        };
        Ok(Window { limit, after })
    }

    /// Was any part asked for?
    pub(super) fn is_set(self) -> bool {
        self != Window::default()
    }
}

fn above_zero(given: &Parameter) -> Option<usize> {
    let number = match given {
        Parameter::Integer(number) => usize::try_from(*number).ok(),
        Parameter::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Parameter::Double(_) | Parameter::Unreadable(_) => None,
    };
    number.filter(|number| *number > 0)
}

fn dialog_named(given: &Parameter) -> Option<DialogId> {
    let Parameter::Text(text) = given else { return None };
    let (entry, id) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some(DialogId { entry: entry.parse().ok()?, id: id.parse().ok()? })
}

/// Which dialogs are shown.
pub(super) enum Wanted {
    All,
    /// Whose text of that kind matches.
    Matching(fn(&DialogView) -> &[u8], Comparison),
    /// Answered after this unix time.
    AnsweredAfter(u64),
    AnsweredBefore(u64),
    Members(ProfileId, Option<Vec<u8>>),
}

/// How a text is compared.
pub(super) enum Comparison {
    Equal(Vec<u8>),
    Prefix(Vec<u8>),
    Pattern(Arc<Pattern>),
}

impl Wanted {
    fn accepts(&self, node: &Node, view: &DialogView) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Matching(field, Comparison::Equal(text)) => field(view) == &text[..],
            Wanted::Matching(field, Comparison::Prefix(text)) => field(view).starts_with(text),
            Wanted::Matching(field, Comparison::Pattern(pattern)) => pattern.is_match(field(view)),
            Wanted::AnsweredAfter(time) => u64::from(view.start_time) > *time,
            Wanted::AnsweredBefore(time) => u64::from(view.start_time) < *time,
            Wanted::Members(profile, value) => {
                let profiles = node.dialogs.profiles();
                let value = value.as_ref().filter(|_| profiles.has_value(*profile) == Some(true));
                let name = profiles.name(*profile);
                let mut memberships = view.profiles.iter().filter(|membership| Some(&membership.name) == name.as_ref());
                memberships.any(|membership| value.is_none() || membership.value.as_ref() == value)
            }
        }
    }
}

/// What is shown of a dialog.
pub(super) enum Shape {
    Whole,
    /// The whole with what observers add.
    WithContext,
    /// One field for each letter.
    Short(Vec<u8>),
    /// As `dlg.dump_file` writes it.
    Dumped,
}

impl Shape {
    /// The dialog in this shape at this unix time.
    pub(super) fn item(&self, node: &Node, view: &DialogView, now: Now) -> Item {
        match self {
            Shape::Whole => rpc_fields::dialog(view, now),
            Shape::WithContext => rpc_fields::dialog_with_context(&node.dialogs, view, now),
            Shape::Short(letters) => rpc_fields::briefing(view, letters),
            Shape::Dumped => rpc_fields::dumped(view),
        }
    }
}

/// A listing over all dialogs, in the order of their numbers. Times are those of the moment it was asked for.
pub(super) fn dialogs(worker: &Worker, window: Window, wanted: Wanted, shape: Shape) -> Listing {
    let walk = worker.node.dialogs.walk(window.after);
    let left = window.limit.unwrap_or(usize::MAX);
    Listing::new(Dialogs { node: Arc::clone(&worker.node), now: worker.now, walk, left, wanted, shape })
}

struct Dialogs {
    node: Arc<Node>,
    now: Now,
    walk: Walk,
    left: usize,
    wanted: Wanted,
    shape: Shape,
}

impl Pages for Dialogs {
    fn next_page(&mut self) -> Option<Vec<Item>> {
        if self.left == 0 {
            return None;
        }
        let page = self.node.dialogs.next_page(self.now, &mut self.walk);
        if page.is_empty() {
            return None;
        }
        let wanted = page.iter().filter(|view| self.wanted.accepts(&self.node, view)).take(self.left);
        let items: Vec<Item> = wanted.map(|view| self.shape.item(&self.node, view, self.now)).collect();
        self.left -= items.len();
        Some(items)
    }
}

/// The members of a profile in the order of its slots and of joining; a dialog that joined twice comes twice.
pub(super) fn members(worker: &Worker, profile: ProfileId, value: Option<Vec<u8>>) -> Listing {
    Listing::new(Members { node: Arc::clone(&worker.node), now: worker.now, profile, value, ids: None })
}

struct Members {
    node: Arc<Node>,
    now: Now,
    profile: ProfileId,
    value: Option<Vec<u8>>,
    /// Those not shown yet, once they were looked for.
    ids: Option<std::vec::IntoIter<DialogId>>,
}

impl Pages for Members {
    fn next_page(&mut self) -> Option<Vec<Item>> {
        let dialogs = &self.node.dialogs;
        let ids = self.ids.get_or_insert_with(|| dialogs.profile_members(self.profile, self.value.as_deref()).into_iter());
        let page: Vec<DialogId> = ids.take(MEMBERS_OF_PAGE).collect();
        if page.is_empty() {
            return None;
        }
        let views = page.into_iter().filter_map(|id| dialogs.view(self.now, id));
        Some(views.map(|view| Shape::Whole.item(&self.node, &view, self.now)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use ::dialog::{AttributeValue, Notice, Observer};

    use super::*;
    use crate::fixture::{request, run, worker};
    use crate::rpc::{Reply, Wire};

    const CONFIGURATION: &str = "loadmodule \"tm.so\"\nloadmodule \"rr.so\"\nloadmodule \"dialog.so\"\n\
        modparam(\"dialog\", \"profiles_no_value\", \"all\")\nrequest_route { dlg_manage(); set_dlg_profile(\"all\"); return 1; }\n";

    /// What a command answers.
    fn ask(worker: &mut Worker, name: &str, words: &[&str]) -> Result<Vec<Item>, Fault> {
        let command = super::super::rpc::COMMANDS.iter().find(|command| command.name == name).expect("a command");
        let mut parameters = Parameters::new(Wire::Json, words.iter().map(|word| text(word)).collect());
        let reply: Reply = (command.run)(worker, &mut parameters)?;
        match &reply.listing {
            Some(listing) => listing.gathered(100, 100).map(|reply| reply.items),
            None => Ok(reply.items),
        }
    }

    fn names(item: &Item) -> Vec<&str> {
        match item {
            Item::Structure(fields) => fields.iter().map(|(name, _)| &name[..]).collect(),
            _ => Vec::new(),
        }
    }

    /// Adds what the module `sst` of Kamailio adds (spec dialog 13.50).
    struct SessionTimer;

    impl Observer for SessionTimer {
        fn on(&self, _notice: &Notice<'_>) {}

        fn listing_context(&self, dialog: &DialogView) -> Vec<(Cow<'static, str>, AttributeValue)> {
            assert!(!dialog.call_id.is_empty());
            let supported = AttributeValue::Text(b"both".to_vec());
            vec![("sst_supported_flags".into(), supported), ("sst_interval".into(), AttributeValue::Number(90))]
        }
    }

    #[test]
    fn listings_with_context_end_with_the_fields_of_observers() {
        let mut worker = worker(CONFIGURATION);
        worker.node.dialogs.observe(Arc::new(SessionTimer));
        run(&mut worker, &request("INVITE", "sip:bob@example.com", "", "Contact: <sip:alice@192.0.2.1:5090>\n"));
        let call_id = worker.node.dialogs.view(worker.now, worker.run.dialog.context.dialog.expect("a dialog")).expect("a copy").call_id;
        let call_id = String::from_utf8(call_id).expect("text");
        for (name, words) in [("dlg.list", vec![]), ("dlg.list_match", vec!["callid", "sw", ""]), ("dlg.dlg_list", vec![&call_id[..]])] {
            let words: Vec<&str> = words.iter().map(|word| if word.is_empty() { &call_id[..2] } else { word }).collect();
            let plain = ask(&mut worker, name, &words).expect("an answer");
            assert_eq!((plain.len(), names(&plain[0]).last().copied()), (1, Some("variables")), "{name}");
            let with_context = ask(&mut worker, &format!("{name}_ctx"), &words).expect("an answer");
            assert_eq!(names(&with_context[0])[20..], ["sst_supported_flags", "sst_interval"], "{name}");
            assert_eq!(names(&with_context[0])[..20], names(&plain[0])[..], "{name}");
        }
    }

    #[test]
    fn nothing_matching_is_a_fault_and_no_calls_are_an_empty_list() {
        let mut worker = worker(CONFIGURATION);
        assert_eq!(ask(&mut worker, "dlg.list", &[]), Ok(Vec::new()));
        assert_eq!(ask(&mut worker, "dlg.profile_list", &["all"]), Ok(Vec::new()));
        assert_eq!(ask(&mut worker, "dlg.list_match", &["callid", "eq", "x"]), Err(Fault::new(404, "Not found")));
        assert_eq!(ask(&mut worker, "dlg.profile_list", &["all", "limit", "0"]).map_err(|fault| fault.code), Err(400));
    }

    fn window(values: Vec<Parameter>) -> Result<Window, Fault> {
        Window::take(&mut Parameters::new(Wire::Binrpc, values))
    }

    fn text(text: &str) -> Parameter {
        Parameter::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn a_window_is_a_number_and_a_dialog() {
        let given = window(vec![text("limit"), Parameter::Integer(100), text("after"), text("2556:10719")]);
        assert_eq!(given, Ok(Window { limit: Some(100), after: Some(DialogId { entry: 2556, id: 10719 }) }));
        assert_eq!(window(vec![text("limit"), text("5")]).map(|window| window.limit), Ok(Some(5)));
        assert!(!window(Vec::new()).is_ok_and(Window::is_set));
    }

    #[test]
    fn a_window_that_cannot_be_read_says_what_it_should_be() {
        for number in [Parameter::Integer(0), Parameter::Integer(-1), text("many"), Parameter::Double(1.5)] {
            assert!(window(vec![text("limit"), number]).is_err_and(|fault| fault.code == 400 && fault.text.contains("limit 100")));
        }
        for place in [text("5"), text("1:"), text(":1"), text("1:-1"), text("1:4294967296"), text("a:b"), Parameter::Integer(7)] {
            assert!(window(vec![text("after"), place]).is_err_and(|fault| fault.code == 400 && fault.text.contains("after 2556:10719")));
        }
    }
}
