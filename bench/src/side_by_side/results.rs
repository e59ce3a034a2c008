//! What a run found, written down: a page and a plot in `bench/results`, a table in the README.

use std::fmt::Write;
use std::fs;

use super::machine::Machine;
use super::{Headline, Stage};
use crate::subject::workspace;

/// Between these lines the README holds the table.
const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// Writes all three.
pub fn write(machine: &Machine, stage: &Stage) -> Result<(), String> {
    let folder = workspace().join("bench/results");
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(told)?;
    let name = machine.date.as_str();
    if let Some(plot) = &stage.plot {
        let svg = plot.svg("CPU per call over load", "calls a second", "microseconds of CPU a call");
        fs::write(folder.join(format!("{name}.svg")), svg).map_err(told)?;
    }
    fs::write(folder.join(format!("{name}.md")), page(machine, stage)).map_err(told)?;
    let path = workspace().join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| format!("README.md: {error}"))?;
    fs::write(&path, with_table(&readme, &table(machine, &stage.headlines))?).map_err(|error| format!("README.md: {error}"))?;
    println!("\nwritten: bench/results/{name}.md, its plot, and the table of README.md");
    Ok(())
}

fn page(machine: &Machine, stage: &Stage) -> String {
    let mut out = format!("# Side by side, {}\n\n{machine}.\n\n", machine.date);
    out.push_str(
        "Made by `cargo xtask bench`. Ratios are duolog to Kamailio in the same minutes; absolute figures drift with the machine.\n\n",
    );
    if stage.plot.is_some() {
        let _ = writeln!(out, "![CPU per call over load]({}.svg)\n", machine.date);
    }
    let sections: Vec<String> = stage.sections.iter().map(super::table::Section::markdown).collect();
    out + &sections.join("\n")
}

fn table(machine: &Machine, headlines: &[Headline]) -> String {
    let mut out = String::from("| | Kamailio | duolog | ratio |\n|---|---|---|---|\n");
    for line in headlines {
        let _ = writeln!(out, "| {} | {} | {} | {} |", line.what, line.theirs, line.ours, line.ratio);
    }
    let name = &machine.date;
    let _ = write!(out, "\nMeasured on {machine}. All figures: [bench/results/{name}.md](bench/results/{name}.md).\n");
    out
}

/// The text with another table between the marks.
fn with_table(readme: &str, table: &str) -> Result<String, String> {
    let parts = readme.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("README.md has no lines {BEGIN} and {END}"))?;
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let readme = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        assert_eq!(with_table(&readme, "new\n").unwrap(), format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert!(with_table("no marks", "new").is_err() && with_table(BEGIN, "new").is_err());
    }
}
