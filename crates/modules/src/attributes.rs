//! Attribute-value pairs of a message and then of its transaction: avp, xavp, xavu, xavi (spec cfg-language 10.2, 10.3).

mod unique;

pub use unique::Unique;

use script::exports::{Index, XavpPath};
use script::value::{Text, Value};

/// Most values one kind of list holds for one message; a write beyond it is refused.
pub const ENTRIES_MAX: usize = 4096;

/// Room for entries of a list that is kept for the next message.
const ENTRIES_KEPT_MAX: usize = 16;

/// Everything a script keeps with the transaction.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Attributes {
    /// `$avp`: pairs of name and value, newest last.
    pub avps: Avps,
    /// `$xavp`.
    pub xavps: Nested,
    /// `$xavu`: one value a name.
    pub xavus: Unique,
    /// `$xavi`: as xavp, names ignore case.
    pub xavis: Nested,
}

impl Attributes {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.avps.values.clear();
        self.xavps.roots.clear();
        self.xavus.roots.clear();
        self.xavis.roots.clear();
    }

    /// Entries there is memory for.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        let nested = [&self.xavps.roots, &self.xavus.roots, &self.xavis.roots];
        nested.iter().fold(self.avps.values.capacity(), |room, roots| room + roots.capacity())
    }

    /// Lets go of memory beyond what most messages need.
    pub fn shrink(&mut self) {
        self.avps.values.shrink_to(ENTRIES_KEPT_MAX);
        for roots in [&mut self.xavps.roots, &mut self.xavus.roots, &mut self.xavis.roots] {
            roots.shrink_to(ENTRIES_KEPT_MAX);
        }
    }
}

/// Stacks of values by name: `$avp(name)`. An integer name is written `i:10`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Avps {
    values: Vec<Avp>,
}

/// One value with the flags of `setavpflag`.
#[derive(Debug, Clone, PartialEq)]
struct Avp {
    name: Text,
    value: Value,
    flags: u32,
}

impl Avps {
    /// Pushes a value on top of the name's stack. False: the bound is reached.
    pub fn push(&mut self, name: &[u8], value: Value) -> bool {
        if self.values.len() >= ENTRIES_MAX {
            return false;
        }
        self.values.push(Avp { name: Text::from(name), value, flags: 0 });
        true
    }

    /// The values of a name, newest first.
    pub fn of<'a>(&'a self, name: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a Value> + 'a {
        self.values.iter().rev().filter(move |avp| avp.name[..] == *name).map(|avp| &avp.value)
    }

    /// The flags of the newest value of a name.
    pub fn newest_flags(&mut self, name: &[u8]) -> Option<&mut u32> {
        self.values.iter_mut().rev().find(|avp| avp.name[..] == *name).map(|avp| &mut avp.flags)
    }

    /// How many values the name has.
    pub fn count(&self, name: &[u8]) -> usize {
        self.of(name).count()
    }

    /// Reads as `$avp(name)` or `$(avp(name)[index])` do: `[-1]` is the oldest, `[*]` joins all with `, `.
    pub fn read(&self, name: &[u8], index: Option<Index>) -> Value {
        match index {
            None | Some(Index::Append) => self.of(name).next().cloned().unwrap_or_default(),
            Some(Index::At(number)) => nth(self.of(name), number).cloned().unwrap_or_default(),
            Some(Index::All) => {
                let mut out = Vec::new();
                for value in self.of(name) {
                    if !out.is_empty() {
                        out.extend_from_slice(b", ");
                    }
                    value.append_to(&mut out);
                }
                if self.count(name) == 0 { Value::Null } else { Value::text(out) }
            }
        }
    }

    /// Writes as an assignment does: pushes; `[*]` replaces all; null removes the newest or, with `[*]`, all.
    pub fn write(&mut self, name: &[u8], index: Option<Index>, value: Value) -> Result<(), String> {
        let is_all = index == Some(Index::All);
        if is_all {
            self.remove_all(name);
        }
        if value.is_null() {
            if !is_all {
                self.remove_newest(name);
            }
            return Ok(());
        }
        if self.push(name, value) { Ok(()) } else { Err(full()) }
    }

    /// Removes the newest value of a name.
    pub fn remove_newest(&mut self, name: &[u8]) {
        if let Some(position) = self.values.iter().rposition(|avp| avp.name[..] == *name) {
            self.values.remove(position);
        }
    }

    /// Removes every value of a name.
    pub fn remove_all(&mut self, name: &[u8]) {
        self.values.retain(|avp| avp.name[..] != *name);
    }

    /// All pairs, newest first.
    pub fn all(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.values.iter().rev().map(|avp| (&avp.name, &avp.value))
    }
}

/// What a node of an extended list holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Plain(Value),
    /// Named values, newest last.
    Fields(Vec<(Text, Value)>),
}

/// One root of an extended list.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    pub name: Text,
    pub content: Content,
}

impl Root {
    /// The fields, empty for a plain value. Newest last.
    pub fn fields(&self) -> &[(Text, Value)] {
        match &self.content {
            Content::Fields(fields) => fields,
            Content::Plain(_) => &[],
        }
    }
}

/// Stacks of roots with fields: `$xavp(root[i]=>field[j])`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Nested {
    /// Newest last.
    roots: Vec<Root>,
}

/// Does a list compare names exactly (xavp) or ignoring case (xavi)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Exact,
    IgnoreCase,
}

impl Names {
    fn same(self, one: &[u8], other: &[u8]) -> bool {
        match self {
            Names::Exact => one == other,
            Names::IgnoreCase => one.eq_ignore_ascii_case(other),
        }
    }
}

impl Nested {
    /// Positions in `roots` of a name, newest first.
    fn positions(&self, names: Names, name: &[u8]) -> Vec<usize> {
        let mut found: Vec<usize> =
            (0..self.roots.len()).filter(|at| self.roots.get(*at).is_some_and(|root| names.same(&root.name, name))).collect();
        found.reverse();
        found
    }

    /// The root at an index: none and `[*]` mean the newest, `[-1]` the oldest.
    pub fn root(&self, names: Names, name: &[u8], index: Option<Index>) -> Option<&Root> {
        let position = at(&self.positions(names, name), index)?;
        self.roots.get(position)
    }

    /// How many roots have this name.
    pub fn count(&self, names: Names, name: &[u8]) -> usize {
        self.roots.iter().filter(|root| names.same(&root.name, name)).count()
    }

    /// All roots, newest first.
    pub fn all(&self) -> impl Iterator<Item = &Root> {
        self.roots.iter().rev()
    }

    /// The newest value of a field in the newest root of this name.
    pub fn field(&self, names: Names, root: &[u8], field: &[u8]) -> Option<&Value> {
        self.root(names, root, None)?.fields().iter().rev().find(|(own, _)| names.same(own, field)).map(|(_, value)| value)
    }

    /// Pushes a root. False: the bound is reached.
    pub fn push(&mut self, root: Root) -> bool {
        if self.roots.len() >= ENTRIES_MAX {
            return false;
        }
        self.roots.push(root);
        true
    }

    /// Reads a path; a root with fields reads as `<<xavp:NAME>>`.
    pub fn read(&self, names: Names, path: &XavpPath) -> Value {
        let Some(root) = self.root(names, &path.root, path.root_index) else { return Value::Null };
        match (&path.key, &root.content) {
            (None, Content::Plain(value)) => value.clone(),
            (None, Content::Fields(_)) => Value::text(format!("<<xavp:{}>>", root.name)),
            (Some(_), Content::Plain(_)) => Value::Null,
            (Some((key, index)), Content::Fields(fields)) => {
                let mut found = fields.iter().rev().filter(|(own, _)| names.same(own, key)).map(|(_, value)| value);
                match index {
                    Some(Index::At(number)) => nth(found, *number).cloned().unwrap_or_default(),
                    _ => found.next().cloned().unwrap_or_default(),
                }
            }
        }
    }

    /// Writes a path, as spec cfg-language 10.3 tells.
    pub fn write(&mut self, names: Names, path: &XavpPath, value: Value) -> Result<(), String> {
        match &path.key {
            None => self.write_root(names, &path.root, path.root_index, value),
            Some((key, index)) if value.is_null() => {
                self.remove_field(names, &path.root, path.root_index, key, *index);
                Ok(())
            }
            Some((key, _)) if path.root_index.is_none() => {
                let content = Content::Fields(vec![(key.clone(), value)]);
                if self.push(Root { name: path.root.clone(), content }) { Ok(()) } else { Err(full()) }
            }
            Some((key, index)) => self.write_field(names, path, key, *index, value),
        }
    }

    fn write_root(&mut self, names: Names, name: &Text, index: Option<Index>, value: Value) -> Result<(), String> {
        let positions = self.positions(names, name);
        match index {
            Some(Index::All) => self.remove_all(names, name),
            Some(Index::At(_)) => {
                let Some(position) = at(&positions, index) else { return Ok(()) };
                if value.is_null() {
                    self.roots.remove(position);
                } else if let Some(root) = self.roots.get_mut(position) {
                    root.content = Content::Plain(value);
                }
                return Ok(());
            }
            _ => {}
        }
        if value.is_null() {
            if index.is_none() {
                self.remove_newest(names, name);
            }
            return Ok(());
        }
        if self.push(Root { name: name.clone(), content: Content::Plain(value) }) { Ok(()) } else { Err(full()) }
    }

    fn fields_mut(&mut self, names: Names, root: &[u8], index: Option<Index>) -> Option<&mut Vec<(Text, Value)>> {
        let position = at(&self.positions(names, root), index)?;
        match &mut self.roots.get_mut(position)?.content {
            Content::Fields(fields) => Some(fields),
            Content::Plain(_) => None,
        }
    }

    fn write_field(&mut self, names: Names, path: &XavpPath, key: &Text, index: Option<Index>, value: Value) -> Result<(), String> {
        let Some(fields) = self.fields_mut(names, &path.root, path.root_index) else { return Ok(()) };
        match index {
            Some(Index::At(_)) => {
                if let Some(field) = field_position(fields, names, key, index).and_then(|position| fields.get_mut(position)) {
                    field.1 = value;
                }
                return Ok(());
            }
            Some(Index::All) => fields.retain(|(own, _)| !names.same(own, key)),
            _ => {}
        }
        if fields.len() >= ENTRIES_MAX {
            return Err(full());
        }
        fields.push((key.clone(), value));
        Ok(())
    }

    fn remove_field(&mut self, names: Names, root: &[u8], root_index: Option<Index>, key: &[u8], index: Option<Index>) {
        let Some(fields) = self.fields_mut(names, root, root_index) else { return };
        if index == Some(Index::All) {
            fields.retain(|(own, _)| !names.same(own, key));
        } else if let Some(position) = field_position(fields, names, key, index) {
            fields.remove(position);
        }
    }

    /// Sets a field of the newest root, replacing its newest value; makes the root when there is none.
    pub fn set_field(&mut self, names: Names, root: &[u8], key: &[u8], value: Value) -> bool {
        if let Some(fields) = self.fields_mut(names, root, None) {
            if let Some(position) = field_position(fields, names, key, None) {
                if let Some(field) = fields.get_mut(position) {
                    field.1 = value;
                }
            } else if fields.len() < ENTRIES_MAX {
                fields.push((Text::from(key), value));
            } else {
                return false;
            }
            return true;
        }
        if self.root(names, root, None).is_some() {
            return false;
        }
        self.push(Root { name: Text::from(root), content: Content::Fields(vec![(Text::from(key), value)]) })
    }

    /// Removes the newest field of this name in the newest root. False: there was none.
    pub fn remove_newest_field(&mut self, names: Names, root: &[u8], key: &[u8]) -> bool {
        let Some(fields) = self.fields_mut(names, root, None) else { return false };
        let found = field_position(fields, names, key, None);
        if let Some(position) = found {
            fields.remove(position);
        }
        found.is_some()
    }

    /// Removes the newest root of a name. False: there was none.
    pub fn remove_newest(&mut self, names: Names, name: &[u8]) -> bool {
        let found = self.positions(names, name).first().copied();
        if let Some(position) = found {
            self.roots.remove(position);
        }
        found.is_some()
    }

    /// Removes every root of a name.
    pub fn remove_all(&mut self, names: Names, name: &[u8]) {
        self.roots.retain(|root| !names.same(&root.name, name));
    }

    /// Replaces the content of the root at an index; false when there is none.
    pub fn replace(&mut self, names: Names, name: &[u8], index: i64, content: Content) -> bool {
        let position = at(&self.positions(names, name), Some(Index::At(index)));
        let Some(root) = position.and_then(|position| self.roots.get_mut(position)) else { return false };
        root.content = content;
        true
    }

    /// Drops the `count` newest roots of a name, so that `[count]` becomes `[0]`. False: there are none.
    pub fn shift_left(&mut self, names: Names, name: &[u8], count: usize) -> bool {
        let is_there = self.count(names, name) > 0;
        for _ in 0..count.min(self.count(names, name)) {
            self.remove_newest(names, name);
        }
        is_there
    }
}

fn full() -> String {
    format!("more than {ENTRIES_MAX} values")
}

/// Picks from newest-first items: negative numbers count from the oldest.
fn nth<T>(mut items: impl DoubleEndedIterator<Item = T>, number: i64) -> Option<T> {
    match usize::try_from(number) {
        Ok(number) => items.nth(number),
        Err(_) => usize::try_from(-(number + 1)).ok().and_then(|number| items.nth_back(number)),
    }
}

fn at(positions: &[usize], index: Option<Index>) -> Option<usize> {
    let number = match index {
        Some(Index::At(number)) => number,
        _ => 0,
    };
    nth(positions.iter().copied(), number)
}

fn field_position(fields: &[(Text, Value)], names: Names, key: &[u8], index: Option<Index>) -> Option<usize> {
    let mut found: Vec<usize> =
        fields.iter().enumerate().filter(|(_, (own, _))| names.same(own, key)).map(|(position, _)| position).collect();
    found.reverse();
    at(&found, index)
}

#[cfg(test)]
mod tests;
