//! The lexer and the preprocessor, rule by rule (spec cfg-language 1, 2, 18).

use std::collections::HashMap;

use super::*;
use crate::diagnostic::Severity;
use crate::preprocess::defines::Version;

#[derive(Default)]
struct Disk {
    files: HashMap<String, Vec<u8>>,
    environment: HashMap<String, String>,
}

impl Files for Disk {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.files.get(path).cloned().ok_or_else(|| "no such file".to_string())
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}

struct Outcome {
    tokens: Vec<Token>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Outcome {
    /// Tokens in a short notation: words and symbols as they are, numbers as values, texts in quotes.
    fn shown(&self) -> String {
        self.tokens.iter().map(shown).collect::<Vec<_>>().join(" ")
    }
}

fn shown(token: &Token) -> String {
    match &token.kind {
        TokenKind::Word(word) | TokenKind::NumberWord(word) => word.clone(),
        TokenKind::Integer(number, _) => number.to_string(),
        TokenKind::Ip6(address) => address.to_string(),
        TokenKind::Text(bytes) => format!("\"{}\"", String::from_utf8_lossy(bytes)),
        TokenKind::Variable(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        TokenKind::Select(bytes) => format!("@{}", String::from_utf8_lossy(bytes)),
        TokenKind::Attribute(name) => format!("%{name}"),
        TokenKind::Symbol(symbol) => (*symbol).to_string(),
        TokenKind::End => "END".to_string(),
    }
}

fn lex_files(files: &[(&str, &str)]) -> Outcome {
    let mut disk = Disk::default();
    for (path, text) in files {
        disk.files.insert((*path).to_string(), text.as_bytes().to_vec());
    }
    disk.environment.insert("HOME".to_string(), "/root".to_string());
    lex_disk(&mut disk, files[0].0)
}

fn lex_disk(disk: &mut Disk, path: &str) -> Outcome {
    let mut lexer = Lexer::new(disk, Defines::predefined(Version::default(), "linux"));
    lexer.open(path).expect("the main file");
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next_token();
        if token.is_end() {
            break;
        }
        tokens.push(token);
    }
    let diagnostics = lexer.report.into_diagnostics();
    let of = |severity| diagnostics.iter().filter(|one| one.severity == severity).map(|one| one.message.clone()).collect();
    Outcome { tokens, errors: of(Severity::Error), warnings: of(Severity::Warning) }
}

fn lex(text: &str) -> Outcome {
    lex_files(&[("k.cfg", text)])
}

/// The tokens of a text without errors.
fn tokens(text: &str) -> String {
    let outcome = lex(text);
    assert_eq!(outcome.errors, Vec::<String>::new(), "{text}");
    outcome.shown()
}

#[test]
fn blanks_line_ends_and_a_byte_order_mark_are_passed_over() {
    assert_eq!(tokens("\u{feff}a\r\n\tb \x08 \\\n c"), "a b c");
}

#[test]
fn unknown_bytes_are_skipped_with_one_warning_each() {
    let outcome = lex("a ? b ` c ? d");
    assert_eq!(outcome.shown(), "a b c d");
    assert_eq!(outcome.warnings.len(), 2);
}

#[test]
fn comments_of_all_kinds_end_where_they_should() {
    assert_eq!(tokens("a # x\nb // y\nc /* 1 /* 2 */ 3 */ d \"# no // comment\" #last"), "a b c d \"# no // comment\"");
    assert_eq!(lex("a /* b").warnings, ["this comment is not closed: everything up to the end of the file belongs to it"]);
    assert_eq!(tokens("#! define A 1\nA"), "A");
}

#[test]
fn escapes_in_double_quotes_are_decoded_and_others_stay() {
    assert_eq!(tokens(r#""tab\tq\"x\x41\101" "#), "\"tab\tq\"xAA\"");
    assert_eq!(tokens(r#""\1 \. \d \$ \\" "#), r#""\1 \. \d \$ \""#);
    assert_eq!(tokens("\"a\\\nb\nc\""), "\"ab\nc\"");
    assert_eq!(tokens(r"'a \n \'"), r#""a \n \""#);
}

#[test]
fn adjacent_double_quoted_texts_join_and_single_quoted_ones_do_not() {
    assert_eq!(tokens("\"a\" \n \"b\"\"c\""), "\"abc\"");
    assert_eq!(tokens("\"a\" 'b'"), "\"a\" \"b\"");
    assert_eq!(tokens("#!define A \"x\"\nf(A \"y\")"), "f ( \"xy\" )");
}

#[test]
fn a_text_without_its_end_is_an_error() {
    assert_eq!(lex("\"abc").errors, ["this text is not closed"]);
    assert_eq!(lex("'abc").errors, ["this text is not closed"]);
    assert_eq!(lex("\"abc\\").errors, ["this text is not closed"]);
}

#[test]
fn numbers_have_four_notations() {
    assert_eq!(tokens("0 31 0x1F 017 101b 2 1a2 09"), "0 31 31 15 5 2 1a2 09");
    assert!(matches!(lex("09").tokens[0].kind, TokenKind::NumberWord(_)));
    assert_eq!(tokens("4294967296"), "4294967296");
    assert_eq!(lex("99999999999999999999").errors, ["the number 99999999999999999999 is too large"]);
}

#[test]
fn ip6_addresses_are_one_token() {
    assert_eq!(tokens("udp:[fe80::1]:5060"), "udp : [ fe80::1 ] : 5060");
    assert_eq!(tokens("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
    assert_eq!(tokens("a:b"), "a : b");
}

#[test]
fn words_with_colons_are_single_tokens() {
    assert_eq!(tokens("msg:len uri:host uri:port uri:portx msg : len"), "msg:len uri:host uri:port uri : portx msg : len");
}

#[test]
fn variables_are_tokens_with_balanced_parentheses() {
    assert_eq!(tokens("$ru=$(hdr(X)[1]{s.len});"), "$ru = $(hdr(X)[1]{s.len}) ;");
    assert_eq!(tokens("$avp(s:x)==$sht(a=>$ci::(b))"), "$avp(s:x) == $sht(a=>$ci::(b))");
    assert_eq!(tokens("$? $rc==1 $retcode $ruri.user"), "$? $rc == 1 $retcode $ruri.user");
    assert_eq!(lex("$var(x\n)").errors, ["this variable is not closed"]);
    assert_eq!(lex("$ ;").errors, ["a variable name is missing after `$`"]);
}

#[test]
fn a_name_that_begins_like_the_return_code_needs_the_long_form() {
    let outcome = lex("$rcv(x)");
    assert_eq!(outcome.errors, ["`$rcv` is read as `$rc` or `$retcode` and more letters"]);
    assert_eq!(tokens("$(rcv(x))"), "$(rcv(x))");
}

#[test]
fn selects_are_one_token() {
    assert_eq!(tokens("@cfg_get.group.name @via[0].host @hf_value[\"a b\"].p"), "@cfg_get.group.name @via[0].host @hf_value[\"a b\"].p");
}

#[test]
fn defines_expand_as_whole_words_in_code_only() {
    let text = "#!define FOO 5+5\n#!define BAR FOO\n#!define GONE\nFOO BAR GONE \"FOO\" FOOX $var(FOO) # FOO";
    assert_eq!(tokens(text), "5 + 5 5 + 5 \"FOO\" FOOX $var(FOO)");
}

#[test]
fn a_define_named_like_a_keyword_has_no_effect() {
    assert_eq!(tokens("#!define if 7\n#!define children 8\nif children"), "if children");
}

#[test]
fn define_texts_go_to_the_end_of_the_line_and_may_continue() {
    assert_eq!(tokens("#!define LISTEN udp:10.0.0.1:5060\nlisten=LISTEN"), "listen = udp : 10 . 0 . 0 . 1 : 5060");
    assert_eq!(tokens("#!define A 1 + \\\n 2\r\nA"), "1 + 2");
    assert_eq!(tokens("!!define A 1\nA"), "1");
    assert_eq!(tokens("x #!def A 1\nA"), "x 1");
}

#[test]
fn a_comment_in_a_define_is_taken_off_with_a_warning() {
    let outcome = lex("#!define A 5 # five\n#!define U \"sip://x # y\"\nA; U;");
    assert_eq!(outcome.shown(), "5 ; \"sip://x # y\" ;");
    assert_eq!(outcome.warnings.len(), 1);
}

#[test]
fn defining_twice_is_an_error_and_the_other_forms_are_not() {
    assert_eq!(lex("#!define A 1\n#!define A 2\nA").errors, ["already defined: A"]);
    assert_eq!(tokens("#!define A 1\n#!trydef A 2\nA"), "1");
    assert_eq!(tokens("#!define A 1\n#!redefine A 2\nA"), "2");
    assert_eq!(tokens("#!define A 1\n#!undef A\nA"), "A");
    assert_eq!(tokens("#!tryundef A\nA"), "A");
    assert_eq!(lex("#!undef ABC").warnings, ["not defined: ABC"]);
    assert_eq!(lex("#!define A-B 1").errors, ["'-' is not allowed in the name of a define"]);
    assert_eq!(lex("#!define \n").errors, ["a name is missing after the directive"]);
}

#[test]
fn endless_and_exploding_defines_end_with_an_error() {
    assert_eq!(lex("#!define A B\n#!define B A\nA").errors, ["the define A contains itself (in the text of the define A)"]);
    let mut text = String::from("#!define X0 a a a a a a a a\n");
    for level in 1..20 {
        text += &format!("#!define X{level} {}\n", format!("X{} ", level - 1).repeat(8));
    }
    assert!(!lex(&(text + "X19")).errors.is_empty());
}

#[test]
fn conditions_choose_the_text_that_is_read() {
    assert_eq!(tokens("#!define A\n#!ifdef A\n1\n#!else\n2\n#!endif\n3"), "1 3");
    assert_eq!(tokens("#!ifndef A\n1\n#!else\n2\n#!endif\n3"), "1 3");
    assert_eq!(tokens("#!ifdef A rest\n#!ifdef B\n1\n#!else\n2\n#!endif\n3\n#!endif\n4"), "4");
    assert_eq!(tokens("#!ifdef KAMAILIO_6\n1\n#!endif\n"), "1");
    assert_eq!(tokens("  #!ifdef A\n\"open #!endif\n 5"), "5");
}

#[test]
fn conditions_on_expressions_choose_too() {
    assert_eq!(tokens("#!define N 5\n#!ifexp N > 4 && KAMAILIO_VERSION >= 5006000\n1\n#!else\n2\n#!endif\n"), "1");
    assert_eq!(tokens("#!defexp N 4 * 2.5\n#!defexps S \"a\" + \"b\"\nN S"), "10 \"ab\"");
    assert_eq!(lex("#!ifexp 1 +\na\n#!endif\n").errors, ["bad preprocessor expression: a value is missing"]);
}

#[test]
fn in_a_switched_off_region_commented_directives_count() {
    assert_eq!(tokens("#!ifdef A\n##!ifdef B\n1\n#!endif\n2\n#!endif\n3"), "3");
    assert_eq!(tokens("#!ifdef A\n# #!endif\n3"), "3");
}

#[test]
fn text_after_endif_is_tolerated_with_a_warning() {
    let outcome = lex("#!ifdef A\n1\n#!else # other\n2\n#!endif # A\n3");
    assert_eq!(outcome.shown(), "2 3");
    assert_eq!(outcome.warnings.len(), 2);
    assert_eq!(tokens("#!ifdef A\n1\n#!endif"), "");
}

#[test]
fn open_and_stray_conditions_are_reported() {
    assert_eq!(lex("#!ifdef A\n1\n").errors, ["this condition has no `#!endif`"]);
    assert_eq!(lex("#!ifdef KAMAILIO_6\n1\n").errors, ["this condition has no `#!endif`"]);
    assert_eq!(lex("#!else\n#!endif\n1").warnings.len(), 2);
}

#[test]
fn the_environment_gives_values() {
    assert_eq!(tokens("#!defenv HOME\n#!defenvs H=HOME\n#!trydefenv NONE\nH NONE"), "\"/root\" NONE");
    assert_eq!(lex("#!defenv NONE\n").errors, ["environment variable `NONE` is not set"]);
}

#[test]
fn substitutions_change_texts_variables_and_nothing_else() {
    let text = "#!subst \"/old/new/g\"\n#!substdef \"!DBURL!text://u@h!g\"\n#!substdefs \"/NAME/bob/\"\n";
    assert_eq!(
        tokens(&format!("{text}\"old old\" $var(old) old 'old' \"DBURL\" NAME, \"NAME\"")),
        "\"new new\" $var(new) old \"new\" \"text://u@h\" \"bob\" , \"bob\""
    );
    assert_eq!(tokens("#!define P 5060\n#!substdef \"/PORT/$def(P)/\"\n\"PORT\" PORT"), "\"5060\" 5060");
    assert_eq!(tokens("#!substdef \"/H/$env(HOME)/\"\n\"H\""), "\"/root\"");
    assert_eq!(lex("#!subst \"/a/b/q\"\n").errors, ["unknown flag `q` of a substitution"]);
    assert_eq!(lex("#!subst abc\n").errors, ["a quoted substitution is missing after the directive"]);
}

#[test]
fn files_are_included_as_given_or_beside_the_including_file() {
    let files = [
        ("/etc/k.cfg", "a\n#!include_file \"sub/one.cfg\" b\ninclude_file \"two.cfg\"\nimport_file \"none.cfg\"\nX c"),
        ("/etc/sub/one.cfg", "one\n#!define X 9\n!!include_file \"deep.cfg\""),
        ("/etc/sub/deep.cfg", "deep"),
        ("two.cfg", "two"),
    ];
    let outcome = lex_files(&files);
    assert_eq!(outcome.errors, Vec::<String>::new());
    assert_eq!(outcome.shown(), "a one deep b two 9 c");
}

#[test]
fn missing_and_circular_includes_are_errors() {
    assert_eq!(lex("include_file \"x.cfg\"").errors, ["cannot open the included file `x.cfg`: no such file"]);
    assert_eq!(lex("include_file \"k.cfg\" a").errors, ["`k.cfg` includes itself"]);
    assert_eq!(lex("#!include_file x.cfg\n").errors, ["a path in double quotes is missing after the directive"]);
    assert_eq!(lex("#!ifdef A\n#!include_file \"x.cfg\"\n#!endif\n").errors, Vec::<String>::new());
}

#[test]
fn conditions_may_open_and_close_in_different_files() {
    let files = [("k.cfg", "include_file \"a.cfg\"\n1\n#!endif\n2"), ("a.cfg", "#!ifdef NO\nx\n")];
    let outcome = lex_files(&files);
    assert_eq!((outcome.shown().as_str(), outcome.errors.len()), ("2", 0));
}

#[test]
fn places_count_lines_and_bytes_from_one() {
    let outcome = lex("a\n  \"x\ny\" #!define D 1 + 2\n\nD");
    let text = &outcome.tokens[1].span;
    assert_eq!((text.line, text.column, text.end_line, text.end_column), (2, 3, 3, 3));
    let within = &outcome.tokens[3].span;
    assert_eq!((within.line, within.column, within.end_column), (5, 1, 2));
}

#[test]
fn blanks_between_tokens_are_remembered() {
    let glued: Vec<bool> = lex("a.b - c").tokens.iter().map(|token| token.is_glued).collect();
    assert_eq!(glued.get(1..), Some(&[true, true, false, false][..]));
}
