//! Tests of the command line.

use super::*;

fn parse(text: &str) -> Result<CommandLine, CommandLineError> {
    CommandLine::parse(text.split_whitespace().map(OsString::from))
}

#[test]
fn the_usual_service_line_is_understood() {
    let line = parse("-P /run/k.pid -f /etc/k.cfg -m 256 -M 16 -x fm -X fm -u kam -g kam -E -DD -w /var -A WITH_TLS -A N=5").unwrap();
    assert_eq!(line.configuration_path(), PathBuf::from("/etc/k.cfg"));
    assert_eq!(line.background, Background::Foreground);
    assert!(line.log_to_stderr);
    assert_eq!(line.user.as_deref(), Some("kam"));
    assert_eq!(line.defines, [("WITH_TLS".into(), None), ("N".into(), Some("5".into()))]);
    assert_eq!(line.notes.len(), 2, "{:?}", line.notes);
}

#[test]
fn letters_join_and_values_may_follow_directly() {
    let line = parse("-DDEddfx.cfg -ludp:127.0.0.1:5080 -l lo").unwrap();
    assert_eq!(line.background, Background::Foreground);
    assert_eq!(line.debug, Some(1));
    assert_eq!(line.configuration, Some("x.cfg".into()));
    assert_eq!(line.listen, ["udp:127.0.0.1:5080", "lo"]);
    assert_eq!(parse("-DDD").unwrap().background, Background::Detached);
    assert_eq!(parse("").unwrap().background, Background::Detached);
}

#[test]
fn long_options_take_their_value_either_way() {
    let line = parse("--modparam=a:b:s:c:d --modparam x:y:i:-7 --debug=3 --substdef=/A/B/").unwrap();
    assert_eq!(line.module_parameters[0].value, "c:d");
    assert!(line.module_parameters[1].is_number);
    assert_eq!(line.debug, Some(3));
    assert_eq!(line.substitutions, [("substdef".into(), "/A/B/".into())]);
}

#[test]
fn subcommands_take_what_follows() {
    let line = parse("check --all-errors my.cfg").unwrap();
    assert_eq!((line.action, line.configuration), (Action::Check, Some("my.cfg".into())));
    let line = parse("rpc dlg.list -1 x").unwrap();
    assert_eq!(line.action, Action::Rpc { method: "dlg.list".into(), arguments: vec!["-1".into(), "x".into()] });
}

#[test]
fn mistakes_are_named() {
    for (text, word) in [
        ("-f", "-f"),
        ("-Z", "-Z"),
        ("--nonsense=1", "--nonsense"),
        ("--debug", "--debug"),
        ("-n zero", "zero"),
        ("-n 0", "at least 1"),
        ("-A 1x", "1x"),
        ("--modparam=a:b:s", "module:name:type:value"),
        ("--modparam=a:b:i:x", "x"),
        ("rpc", "method"),
        ("db", "db create"),
        ("db drop", "drop"),
        ("db create a b", "one URL"),
        ("start", "start"),
        ("check a b", "one file"),
        ("-a maybe", "maybe"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[test]
fn every_option_that_is_parsed_stands_in_the_help() {
    for letter in "aAbcdDeEfgGhIKlLmMnNOPqQrRsStTuvwWxXY".chars() {
        assert!(HELP.contains(&format!("-{letter}")), "-{letter}");
    }
}
