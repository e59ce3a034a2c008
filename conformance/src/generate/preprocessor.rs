//! Directives at the head of a generated configuration: definitions, conditions, substitutions, included files.

use super::statement::Writer;

/// Names defined by [`definitions`] whatever the seed; statements use them as words and in strings.
pub const NUMBERS: [&str; 4] = ["NUM_A", "NUM_B", "SUM_C", "NUM_D"];
/// Defined to a quoted text.
pub const TEXTS: [&str; 3] = ["TXT_A", "TXT_B", "SUB_D"];
/// Defined for some seeds only.
pub const FLAGS: [&str; 4] = ["FLAG_A", "FLAG_B", "FLAG_C", "WITH_X"];

/// Writes directives; answers the files they include.
pub fn definitions(writer: &mut Writer) -> Vec<(String, String)> {
    let (number, addend) = (writer.random.between(1, 20), writer.random.between(0, 9));
    let define = writer.pick(&["define", "def", "trydefine", "trydef"]);
    let value = writer.pick(&["3", "2+5", "(4*2)", "NUM_A", "0x10"]);
    let operator = writer.pick(&["+", "-", "*"]);
    let text = writer.pick(&["text", "a b", "NUM_A", "x\\\"y"]);
    writer.line(&format!("#!define NUM_A {number}"));
    writer.line(&format!("#!{define} NUM_B {value}"));
    writer.line(&format!("#!define SUM_C NUM_A {operator} NUM_B"));
    writer.line("#!define NUM_D 1 \\");
    writer.line(&format!("  + {addend}"));
    writer.line(&format!("#!define TXT_A \"{text}\""));
    writer.line("#!trydef TXT_A \"other\"");
    writer.line("#!define TXT_B \"first\"");
    if writer.random.once_in(2) {
        let redefine = writer.pick(&["redefine", "redef"]);
        writer.line(&format!("#!{redefine} TXT_B \"second\""));
    }
    for flag in FLAGS {
        if writer.random.once_in(2) {
            writer.line(&format!("#!define {flag}"));
        }
    }
    substitutions(writer);
    included(writer)
}

fn substitutions(writer: &mut Writer) {
    let bare = writer.pick(&["17", "subst", "a b"]);
    let quoted = writer.pick(&["quoted", "5", "x-y"]);
    let rule = writer.pick(&["/marker/changed/", "/mark(er)/<\\1>/g", "!MARKER!x!i", "/^mark/\\0/"]);
    writer.line(&format!("#!substdef \"!SUB_A!{bare}!g\""));
    writer.line(&format!("#!substdefs \"!SUB_D!{quoted}!g\""));
    writer.line(&format!("#!subst \"{rule}\""));
}

/// A file that is there is included, one that is not is imported.
fn included(writer: &mut Writer) -> Vec<(String, String)> {
    writer.line("import_file \"absent.cfg\"");
    let word = writer.pick(&["include_file", "#!include_file", "import_file", "#!import_file"]);
    writer.line(&format!("{word} \"first.cfg\""));
    let mut first = format!("#!define INC_A {}\n", writer.random.between(0, 9));
    first.push_str(&format!("#!ifdef {}\n#!define INC_B 1\n#!else\n#!define INC_B 2\n#!endif\n", writer.pick(&FLAGS)));
    first.push_str("include_file \"second.cfg\"\n");
    let second = format!("#!trydef INC_A 50\n#!trydef INC_C {}\n", writer.pick(&["INC_A", "NUM_A + INC_B", "77"]));
    vec![("first.cfg".to_owned(), first), ("second.cfg".to_owned(), second)]
}
