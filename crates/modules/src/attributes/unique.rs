//! The lists `$xavu`: one value or one set of fields for each name.

use script::exports::XavpPath;
use script::value::Value;

use super::{Content, ENTRIES_MAX, Root, full};

/// One value or one set of fields for each name: `$xavu`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Unique {
    pub(super) roots: Vec<Root>,
}

impl Unique {
    /// The root of this name.
    pub fn root(&self, name: &[u8]) -> Option<&Root> {
        self.roots.iter().find(|root| root.name[..] == *name)
    }

    /// All roots, newest first.
    pub fn all(&self) -> impl Iterator<Item = &Root> {
        self.roots.iter().rev()
    }

    /// Reads `$xavu(root)` or `$xavu(root=>key)`.
    pub fn read(&self, path: &XavpPath) -> Value {
        let Some(root) = self.root(&path.root) else { return Value::Null };
        match (&path.key, &root.content) {
            (None, Content::Plain(value)) => value.clone(),
            (None, Content::Fields(_)) => Value::text(format!("<<xavu:{}>>", root.name)),
            (Some(_), Content::Plain(_)) => Value::Null,
            (Some((key, _)), Content::Fields(fields)) => {
                fields.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone()).unwrap_or_default()
            }
        }
    }

    /// Sets, replaces or (null) removes.
    pub fn write(&mut self, path: &XavpPath, value: Value) -> Result<(), String> {
        let position = self.roots.iter().position(|root| root.name == path.root);
        let Some((key, _)) = &path.key else {
            if let Some(position) = position {
                self.roots.remove(position);
            }
            return if value.is_null() { Ok(()) } else { self.add(Root { name: path.root.clone(), content: Content::Plain(value) }) };
        };
        if let Some(root) = position.and_then(|position| self.roots.get_mut(position)) {
            if let Content::Fields(fields) = &mut root.content {
                fields.retain(|(own, _)| own != key);
                if !value.is_null() {
                    if fields.len() >= ENTRIES_MAX {
                        return Err(full());
                    }
                    fields.push((key.clone(), value));
                }
                return Ok(());
            }
            if !value.is_null() {
                root.content = Content::Fields(vec![(key.clone(), value)]);
            }
            return Ok(());
        }
        if value.is_null() {
            Ok(())
        } else {
            self.add(Root { name: path.root.clone(), content: Content::Fields(vec![(key.clone(), value)]) })
        }
    }

    fn add(&mut self, root: Root) -> Result<(), String> {
        if self.roots.len() >= ENTRIES_MAX {
            return Err(full());
        }
        self.roots.push(root);
        Ok(())
    }
}
