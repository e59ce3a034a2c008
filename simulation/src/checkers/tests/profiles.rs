//! P1, P2, P5 and P6.

use super::*;

fn profiles() -> Profiles {
    Profiles::new(0, PROMISES)
}

fn size(size: u64) -> ProfileSize {
    ProfileSize { name: "account".to_owned(), value: Some(b"a".to_vec()), size }
}

fn member(state: State) -> DialogView {
    let member =
        dialog::ProfileView { name: "account".into(), value: Some(b"a".to_vec()), place: dialog::Place::Ordinary, unique: String::new() };
    DialogView { state, profiles: vec![member], ..dialog() }
}

#[test]
fn p1_a_size_that_is_no_recount_is_found() {
    let miscounted = Snapshot { profiles: vec![size(0)], ..snapshot(0, vec![member(State::Early)]) };
    assert_eq!(inspected(&mut profiles(), &miscounted), ["P1"]);
    let left_over = Snapshot { profiles: vec![size(1)], ..snapshot(0, Vec::new()) };
    assert_eq!(settled(&mut profiles(), &left_over), ["P1"]);
}

#[test]
fn p2_an_ended_member_is_found() {
    let dead = Snapshot { profiles: vec![size(0)], ..snapshot(0, vec![member(State::Deleted)]) };
    assert_eq!(inspected(&mut profiles(), &dead), ["P2"]);
}

#[test]
fn p5_a_membership_that_counts_wrongly_is_found() {
    let lines = [
        ("MARK member set 1 2", true),
        ("MARK member set 1 1", false),
        ("MARK member twice 1 2", true),
        ("MARK member unset 2 1", true),
        ("MARK member unset 2 2", false),
        ("MARK member none 2 2", true),
        ("MARK member none 2 1", false),
        ("MARK member none <null> <null>", false),
    ];
    for (line, holds) in lines {
        assert_eq!(seen(&mut profiles(), &[(0, Sight::Line(line))]).is_empty(), holds, "{line}");
    }
    let mut twice = member(State::Early);
    twice.profiles.extend(member(State::Early).profiles);
    let doubled = Snapshot { profiles: vec![size(2)], ..snapshot(0, vec![twice]) };
    assert!(inspected(&mut profiles(), &doubled).contains(&"P5"));
}

#[test]
fn p6_a_limit_that_lets_too_many_in_is_found() {
    let both = vec![member(State::Early), member(State::Early)];
    let crowded = Snapshot { profiles: vec![size(2)], ..snapshot(0, both) };
    assert_eq!(inspected(&mut profiles(), &crowded), ["P6"]);
}

#[test]
fn p6_a_limit_that_refuses_too_early_is_found() {
    let invite = request("INVITE", 1, &["z9hG4bK1"]);
    let refusal = message("SIP/2.0 486 Call Limit Reached", "INVITE", 1, &["z9hG4bK1"], "");
    let sight = || Sight::Sent { message: &refusal, to: SOMEWHERE, cause: Some(&invite) };
    let mut checker = profiles();
    let mut verdicts = Verdicts::default();
    checker.see(0, &sight(), &mut verdicts);
    assert!(verdicts.wants_look);
    let full = Snapshot { profiles: vec![size(1)], ..snapshot(0, vec![member(State::Early)]) };
    assert_eq!(inspected(&mut checker, &full), Vec::<&str>::new());

    let other = request("INVITE", 1, &["z9hG4bK2"]);
    let refusal = message("SIP/2.0 486 Call Limit Reached", "INVITE", 1, &["z9hG4bK2"], "");
    seen(&mut checker, &[(0, Sight::Sent { message: &refusal, to: SOMEWHERE, cause: Some(&other) })]);
    assert_eq!(inspected(&mut checker, &snapshot(0, Vec::new())), ["P6"]);
    seen(&mut checker, &[(0, Sight::Sent { message: &refusal, to: SOMEWHERE, cause: Some(&other) })]);
    assert_eq!(inspected(&mut checker, &snapshot(0, Vec::new())), Vec::<&str>::new(), "a repeated refusal is no new one");
}
