//! Reading a case file: the `cfg` and `timeline` blocks of a Markdown file.

use std::path::Path;

/// One case.
pub struct Case {
    /// The configuration, without `listen` and control socket: the runner adds them.
    pub configuration: String,
    pub timeline: Vec<(usize, String)>,
    /// The `sql` block: run on the case's database before the subject starts.
    pub statements: String,
    /// `only: duolog` or `only: kamailio` in the prose: a feature the other subject does not have.
    pub only: Option<String>,
    /// `database: sqlite` in the prose: statements another database would not take.
    pub database: Option<String>,
}

/// Reads a case; the error names the file's fault.
pub fn read(path: &Path) -> Result<Case, String> {
    parse(&std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// Reads the text of a case.
pub fn parse(text: &str) -> Result<Case, String> {
    let mut case = Case { configuration: String::new(), timeline: Vec::new(), statements: String::new(), only: None, database: None };
    let mut block: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        match (&block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some(kind.trim().to_owned()),
            (Some(_), Some(_)) => block = None,
            (Some(kind), None) if kind == "cfg" => {
                case.configuration.push_str(line);
                case.configuration.push('\n');
            }
            (Some(kind), None) if kind == "sql" => {
                case.statements.push_str(line);
                case.statements.push('\n');
            }
            (Some(kind), None) if kind == "timeline" => case.timeline.push((index + 1, line.to_owned())),
            (Some(_), None) => {}
            (None, None) => {
                if let Some(subject) = line.strip_prefix("only: ") {
                    case.only = Some(subject.trim().to_owned());
                }
                if let Some(driver) = line.strip_prefix("database: ") {
                    case.database = Some(driver.trim().to_owned());
                }
            }
        }
    }
    if case.configuration.is_empty() || case.timeline.is_empty() {
        return Err("a case needs a cfg block and a timeline block".to_owned());
    }
    Ok(case)
}
