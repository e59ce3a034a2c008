//! List semantics as the specification tells them.

use super::*;

fn text(value: &str) -> Value {
    Value::text(value)
}

fn path(root: &str, root_index: Option<Index>, key: Option<(&str, Option<Index>)>) -> XavpPath {
    XavpPath { root: Text::from(root), root_index, key: key.map(|(key, index)| (Text::from(key), index)) }
}

#[test]
fn avp_is_a_stack_newest_first() {
    let mut avps = Avps::default();
    for number in 1..=3 {
        avps.write(b"m", None, Value::Integer(number)).unwrap();
    }
    assert_eq!(avps.read(b"m", None), Value::Integer(3));
    assert_eq!(avps.read(b"m", Some(Index::All)), text("3, 2, 1"));
    assert_eq!(avps.read(b"m", Some(Index::At(1))), Value::Integer(2));
    assert_eq!(avps.read(b"m", Some(Index::At(-1))), Value::Integer(1));
    assert_eq!(avps.read(b"m", Some(Index::At(-4))), Value::Null);
    avps.write(b"m", Some(Index::At(0)), Value::Integer(9)).unwrap();
    assert_eq!(avps.read(b"m", Some(Index::All)), text("9, 3, 2, 1"));
    avps.write(b"m", Some(Index::All), Value::Integer(7)).unwrap();
    assert_eq!(avps.read(b"m", Some(Index::All)), text("7"));
    avps.write(b"m", None, Value::Null).unwrap();
    assert_eq!(avps.read(b"m", None), Value::Null);
}

#[test]
fn avp_null_removes_only_the_newest() {
    let mut avps = Avps::default();
    avps.push(b"a", text("x"));
    avps.push(b"a", text("y"));
    avps.write(b"a", None, Value::Null).unwrap();
    assert_eq!(avps.read(b"a", None), text("x"));
    avps.write(b"a", Some(Index::All), Value::Null).unwrap();
    assert_eq!(avps.count(b"a"), 0);
}

#[test]
fn xavp_without_root_index_always_pushes_a_new_root() {
    let mut list = Nested::default();
    let exact = Names::Exact;
    list.write(exact, &path("a", None, Some(("k", None))), text("1")).unwrap();
    list.write(exact, &path("a", None, Some(("j", None))), text("2")).unwrap();
    assert_eq!(list.count(exact, b"a"), 2);
    assert_eq!(list.read(exact, &path("a", None, Some(("k", None)))), Value::Null);
    assert_eq!(list.read(exact, &path("a", Some(Index::At(1)), Some(("k", None)))), text("1"));
}

#[test]
fn xavp_with_root_index_adds_into_an_existing_root_and_else_does_nothing() {
    let mut list = Nested::default();
    let exact = Names::Exact;
    let into = path("a", Some(Index::At(0)), Some(("k", None)));
    list.write(exact, &into, text("1")).unwrap();
    assert_eq!(list.count(exact, b"a"), 0);
    list.write(exact, &path("a", None, Some(("k", None))), text("1")).unwrap();
    list.write(exact, &into, text("2")).unwrap();
    assert_eq!(list.read(exact, &into), text("2"));
    list.write(exact, &path("a", Some(Index::At(0)), Some(("k", Some(Index::At(0))))), text("3")).unwrap();
    assert_eq!(list.read(exact, &path("a", None, Some(("k", Some(Index::At(0)))))), text("3"));
    assert_eq!(list.read(exact, &path("a", None, Some(("k", Some(Index::At(1)))))), text("1"));
    list.write(exact, &path("a", Some(Index::At(0)), Some(("k", Some(Index::All)))), Value::Null).unwrap();
    assert_eq!(list.read(exact, &into), Value::Null);
    list.write(exact, &path("a", Some(Index::All), None), Value::Null).unwrap();
    assert_eq!(list.count(exact, b"a"), 0);
}

#[test]
fn xavi_ignores_case_and_xavu_keeps_one_value() {
    let mut list = Nested::default();
    list.write(Names::IgnoreCase, &path("Ab", None, Some(("Key", None))), text("1")).unwrap();
    assert_eq!(list.read(Names::IgnoreCase, &path("aB", None, Some(("kEY", None)))), text("1"));
    let mut unique = Unique::default();
    unique.write(&path("u", None, Some(("a", None))), text("1")).unwrap();
    unique.write(&path("u", None, Some(("a", None))), text("2")).unwrap();
    unique.write(&path("u", None, Some(("b", None))), text("3")).unwrap();
    assert_eq!(unique.read(&path("u", None, Some(("a", None)))), text("2"));
    assert_eq!(unique.read(&path("u", None, Some(("b", None)))), text("3"));
    unique.write(&path("u", None, None), Value::Null).unwrap();
    assert_eq!(unique.root(b"u"), None);
}

#[test]
fn a_full_list_refuses_more() {
    let mut avps = Avps::default();
    for _ in 0..ENTRIES_MAX {
        assert!(avps.push(b"a", Value::Integer(1)));
    }
    assert!(avps.write(b"a", None, Value::Integer(1)).is_err());
}
