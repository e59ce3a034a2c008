//! What the subject says it holds: the lines of `dlg.dump_file`, which both programs write, however many there are.

use std::fmt;

use serde_json::Value;

use crate::subject::Subject;

/// A dialog as the subject tells it.
pub struct Dialog(Value);

impl fmt::Debug for Dialog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// All dialogs, ended ones among them as long as their records are kept.
pub fn dialogs(subject: &Subject) -> Result<Vec<Dialog>, String> {
    let path = subject.folder().join("dialogs.json");
    let _ = std::fs::remove_file(&path);
    subject.ask(&["dlg.dump_file", &path.display().to_string()])?;
    // Without a dialog there may be no file.
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).map(Dialog).map_err(|error| format!("{}: {error} in {line}", path.display())))
        .collect()
}

impl Dialog {
    /// A number of the dialog.
    pub fn number(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A text of the dialog; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field of the `caller` or `callee`.
    pub fn of_leg(&self, leg: &str, name: &str) -> &str {
        self.0.get(leg).and_then(|leg| leg.get(name)).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its profiles or variables, in order of their names.
    pub fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let members = self.0.get(name).and_then(Value::as_object);
        let mut pairs: Vec<(String, String)> =
            members.into_iter().flatten().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
        pairs.sort();
        pairs
    }

    /// The value of a variable.
    pub fn variable(&self, key: &str) -> Option<&str> {
        self.0.get("variables")?.get(key)?.as_str()
    }

    /// It has ended; its record is kept for stragglers.
    pub fn has_ended(&self) -> bool {
        self.number("state") == 5
    }

    /// Its hash slot and number there.
    pub fn id(&self) -> (i64, i64) {
        (self.number("h_entry"), self.number("h_id"))
    }
}
