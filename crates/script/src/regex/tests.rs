//! Tests of patterns and substitutions.

use super::*;
use crate::test_host::{TestCatalogue, TestHost};
use crate::value::Value;
use crate::variable::Known;

fn matches(pattern: &str, subject: &str) -> bool {
    Pattern::compile(pattern.as_bytes(), Flags::OPERATOR).expect("the pattern is good").is_match(subject.as_bytes())
}

#[test]
fn classes_and_sets_follow_posix() {
    assert!(matches("^[[:digit:]]+$", "123"));
    assert!(!matches("^[[:digit:]]+$", "12a"));
    assert!(matches("^[]a]+$", "]a"));
    assert!(matches(r"^[\.]$", "\\"), "a backslash in a set is itself");
    assert!(matches("^[^]x]$", "a") && !matches("^[^]x]$", "]"));
    assert!(matches("^[a-]+$", "a-"));
    assert!(matches("^[[.-.]]$", "-"));
    assert!(matches("^[[:alpha:]_-]+$", "a_-B"));
}

#[test]
fn a_negated_set_excludes_letters_in_both_cases_when_case_is_ignored() {
    let outside = Pattern::compile(b"[^a-z0-9]", Flags::OPERATOR).expect("good");
    assert!(!outside.is_match(b"bob12"));
    assert!(!outside.is_match(b"BOB12"));
    assert!(outside.is_match(b"bob-12"));
    assert!(Pattern::compile(b"[^a-z]", Flags::CASE).expect("good").is_match(b"B"));
}

#[test]
fn case_is_ignored_and_the_match_is_unanchored() {
    assert!(matches("^A", "abc"));
    assert!(matches("B", "abc"));
    assert!(!Pattern::compile(b"B", Flags::CASE).expect("good").is_match(b"abc"));
}

#[test]
fn word_ends_and_unknown_escapes_follow_the_c_library() {
    assert!(matches(r"\<bob\>", "sip:bob@x"));
    assert!(!matches(r"\<ob\>", "sip:bob@x"));
    assert!(matches(r"^\d$", "d") && !matches(r"^\d$", "5"), "as in glibc, \\d is the letter d");
    assert!(matches(r"^\w+\.$", "ab_1."));
}

#[test]
fn newline_flag_makes_lines() {
    let text = b"one\ntwo";
    assert!(!Pattern::compile(b"^two", Flags::OPERATOR).expect("good").is_match(text));
    assert!(Pattern::compile(b"one.two", Flags::OPERATOR).expect("good").is_match(text));
    assert!(Pattern::compile(b"^two", Flags::ARGUMENT).expect("good").is_match(text));
    assert!(!Pattern::compile(b"one.two", Flags::ARGUMENT).expect("good").is_match(text));
    assert!(!Pattern::compile(b"one[^x]two", Flags::ARGUMENT).expect("good").is_match(text));
}

#[test]
fn repetitions_are_posix_not_lazy() {
    let pattern = Pattern::compile(b"a+?", Flags::CASE).expect("good");
    assert_eq!(pattern.find(b"aaa"), Some((0, 3)));
    assert!(matches("^a{2}$", "aa") && matches("^a{,2}$", "a") && matches("^(ab){1,}$", "abab"));
    assert!(matches("^a)$", "a)"), "an unmatched ) is itself");
}

#[test]
fn bad_patterns_say_what_is_wrong() {
    for pattern in ["(", "[a", "*a", "a|*", "a{", "a{3,2}", "[[:nope:]]", "[z-a]", "\\", "a{1001}", r"(a)\1"] {
        let error = Pattern::compile(pattern.as_bytes(), Flags::CASE).expect_err(pattern);
        assert!(!error.is_empty());
    }
}

#[test]
fn dynamic_patterns_are_kept_and_bounded() {
    for number in 0..DYNAMIC_PATTERNS_MAX * 3 {
        let text = format!("^{number}$");
        let pattern = Pattern::dynamic(text.as_bytes(), Flags::CASE).expect("good");
        assert!(pattern.is_match(number.to_string().as_bytes()));
    }
    let first = Pattern::dynamic(b"^same$", Flags::CASE).expect("good");
    let second = Pattern::dynamic(b"^same$", Flags::CASE).expect("good");
    assert!(Arc::ptr_eq(&first, &second));
    let other = Pattern::dynamic(b"^same$", Flags::OPERATOR).expect("good");
    assert!(other.is_match(b"SAME") && !second.is_match(b"SAME"));
}

fn substitution(text: &str) -> Result<Substitution, String> {
    Substitution::parse(text.as_bytes(), &Known(&TestCatalogue))
}

fn substituted(text: &str, subject: &str) -> Option<String> {
    let mut host = TestHost::default();
    host.vars.insert(b"x".to_vec(), Value::Integer(42));
    let made = crate::vm::substitute(&mut host, &substitution(text).expect("good"), subject.as_bytes())?;
    Some(String::from_utf8_lossy(&made.0).into_owned())
}

#[test]
fn substitutions_replace_once_or_everywhere() {
    assert_eq!(substituted("/o/0/", "foo boo").as_deref(), Some("f0o boo"));
    assert_eq!(substituted("/o/0/g", "foo boo").as_deref(), Some("f00 b00"));
    assert_eq!(substituted("/O/0/gi", "foo").as_deref(), Some("f00"));
    assert_eq!(substituted("/O/0/g", "foo"), None);
    assert_eq!(substituted(r"#^sip:(.*)@(.*)$#\2/\1#", "sip:bob@x").as_deref(), Some("x/bob"));
    assert_eq!(substituted(r"/a\/b/c\/d/", "a/b").as_deref(), Some("c/d"));
    assert_eq!(substituted("/b/<$var(x)>$$/", "abc").as_deref(), Some("a<42>$c"));
    assert_eq!(substituted(r"/x*/-/g", "abc"), None);
    assert_eq!(substituted(r"/x*/-/g", "xxaxx"), None);
    assert_eq!(substituted(r"/x*/-/", "xxaxx").as_deref(), Some("-axx"));
}

#[test]
fn bad_substitutions_are_refused() {
    for text in ["", "/", "/a/", "/a/b", "/a/b/q", r"/a/\1/", "/(/b/", r"\a\b\"] {
        assert!(substitution(text).is_err(), "{text}");
    }
}
