//! All statistics of a node: those that modules declare and those that the configuration defines.

use super::store::Variable;
use crate::node::Node;
use crate::registry::Statistic;

/// One statistic, wherever it is kept.
#[derive(Clone, Copy)]
pub enum Entry<'a> {
    Declared(&'static Statistic),
    Defined(&'a Variable),
}

impl<'a> Entry<'a> {
    /// The group it is listed in.
    pub fn group(&self) -> &'a str {
        match self {
            Entry::Declared(statistic) => statistic.group,
            Entry::Defined(variable) => &variable.group,
        }
    }

    /// Its name in the group.
    pub fn name(&self) -> &'a str {
        match self {
            Entry::Declared(statistic) => statistic.name,
            Entry::Defined(variable) => &variable.name,
        }
    }

    /// Its value now.
    pub fn value(&self, node: &Node) -> i64 {
        match self {
            Entry::Declared(statistic) => (statistic.read)(node),
            Entry::Defined(variable) => variable.value(),
        }
    }

    /// Sets 0 where that is allowed.
    pub fn reset(&self, node: &Node) {
        match self {
            Entry::Declared(statistic) => {
                if let Some(reset) = statistic.reset {
                    reset(node);
                }
            }
            Entry::Defined(variable) => variable.reset(),
        }
    }
}

fn unsorted(node: &Node) -> impl Iterator<Item = Entry<'_>> {
    let declared = node.loaded.modules.iter().flat_map(|module| module.statistics.iter()).map(Entry::Declared);
    let defined = node.states.statistics.variables.list.iter().chain(&node.states.counters.variables.list).map(Entry::Defined);
    declared.filter(|entry| has_group(node, entry.group())).chain(defined)
}

/// Groups that the configuration may leave out: without streams nobody counts them, and dialogs have a parameter for it.
fn has_group(node: &Node, group: &str) -> bool {
    match group {
        "tcp" => !node.core.disable_tcp,
        "dialog" => node.states.dialog.enable_stats,
        _ => true,
    }
}

/// Every statistic of the loaded modules and the script, sorted by group and name.
pub fn entries(node: &Node) -> Vec<Entry<'_>> {
    let mut all: Vec<Entry<'_>> = unsorted(node).collect();
    all.sort_by(|one, other| (one.group(), one.name()).cmp(&(other.group(), other.name())));
    all
}

/// What a request for statistics names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    All,
    Group(&'a str),
    Name { group: Option<&'a str>, name: &'a str },
}

impl<'a> Selection<'a> {
    /// `all`, `group:`, `group:name`, `group.name` or `name`.
    pub fn parse(text: &'a str) -> Selection<'a> {
        match text.split_once([':', '.']) {
            _ if text == "all" => Selection::All,
            Some((group, "")) => Selection::Group(group),
            Some((group, name)) => Selection::Name { group: Some(group), name },
            None => Selection::Name { group: None, name: text },
        }
    }

    fn takes(&self, entry: &Entry<'_>) -> bool {
        match self {
            Selection::All => true,
            Selection::Group(group) => entry.group() == *group,
            Selection::Name { group, name } => entry.name() == *name && group.is_none_or(|group| entry.group() == group),
        }
    }
}

/// The statistics a selection names.
pub fn select<'a>(node: &'a Node, selection: Selection<'_>) -> Vec<Entry<'a>> {
    entries(node).into_iter().filter(|entry| selection.takes(entry)).collect()
}

/// The value of one statistic; None when there is none of this name.
pub fn read(node: &Node, name: &[u8]) -> Option<i64> {
    let selection = Selection::parse(std::str::from_utf8(name).ok()?);
    unsorted(node).find(|entry| selection.takes(entry)).map(|entry| entry.value(node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_name_all_a_group_or_one() {
        assert_eq!(Selection::parse("all"), Selection::All);
        assert_eq!(Selection::parse("core:"), Selection::Group("core"));
        assert_eq!(Selection::parse("core:x"), Selection::Name { group: Some("core"), name: "x" });
        assert_eq!(Selection::parse("core.x"), Selection::Name { group: Some("core"), name: "x" });
        assert_eq!(Selection::parse("x"), Selection::Name { group: None, name: "x" });
    }
}
