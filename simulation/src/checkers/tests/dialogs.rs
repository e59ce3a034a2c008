//! D1 to D13.

use dialog::{Direction, EndReason, Occurrence, OccurrenceKind, State};

use super::*;

fn lives() -> Lives {
    Lives::new(0, PROMISES)
}

fn at_state(state: State) -> DialogView {
    DialogView { state, ..answered() }
}

#[test]
fn d1_a_state_that_goes_back_is_found() {
    let (new, confirmed, early) = (dialog(), at_state(State::Confirmed), at_state(State::Early));
    let up = answered();
    let mut checker = lives();
    let sights = [
        (0, told(&new, OccurrenceKind::Created)),
        (1, told(&up, OccurrenceKind::Answered)),
        (2, told(&confirmed, OccurrenceKind::Confirmed)),
    ];
    assert_eq!(seen(&mut checker, &sights), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(3, vec![early])), ["D1"]);
}

#[test]
fn d1_a_call_that_is_confirmed_without_an_answer_is_found() {
    let (new, confirmed) = (dialog(), at_state(State::Confirmed));
    assert_eq!(seen(&mut lives(), &[(0, told(&new, OccurrenceKind::Created)), (1, told(&confirmed, OccurrenceKind::Confirmed))]), ["D1"]);
}

#[test]
fn d2_a_bye_that_ends_a_ringing_call_is_found() {
    let (new, early, over) = (dialog(), at_state(State::Early), at_state(State::Deleted));
    let bye = request("BYE", 2, &["z9hG4bK1"]);
    let ended = Sight::Dialog { dialog: &over, occurrence: Occurrence::of(OccurrenceKind::Terminated), cause: Some(&bye) };
    let sights = [(0, told(&new, OccurrenceKind::Created)), (1, told(&early, OccurrenceKind::Early)), (2, ended)];
    assert_eq!(seen(&mut lives(), &sights), ["D2"]);
}

#[test]
fn d2_a_failure_that_ends_an_answered_call_is_found() {
    let (new, up, over) = (dialog(), answered(), at_state(State::Deleted));
    let failure = reply(486, &["z9hG4bK1"]);
    let ended = Sight::Dialog { dialog: &over, occurrence: Occurrence::of(OccurrenceKind::Failed), cause: Some(&failure) };
    let sights = [(0, told(&new, OccurrenceKind::Created)), (1, told(&up, OccurrenceKind::Answered)), (2, ended)];
    assert_eq!(seen(&mut lives(), &sights), ["D2"]);
}

#[test]
fn d2_an_answer_after_the_end_by_bye_is_found() {
    let (new, up, over) = (dialog(), answered(), at_state(State::Deleted));
    let sights = [
        (0, told(&new, OccurrenceKind::Created)),
        (1, told(&up, OccurrenceKind::Answered)),
        (2, told(&over, OccurrenceKind::Terminated)),
        (3, told(&up, OccurrenceKind::Answered)),
    ];
    assert_eq!(seen(&mut lives(), &sights), ["D2", "D2"]);
}

#[test]
fn d3_two_ends_of_one_life_are_found() {
    let (new, up, over) = (dialog(), answered(), at_state(State::Deleted));
    let failed =
        [(0, told(&new, OccurrenceKind::Created)), (1, told(&over, OccurrenceKind::Failed)), (2, told(&over, OccurrenceKind::Failed))];
    assert_eq!(seen(&mut lives(), &failed), ["D3"]);
    let ended = [
        (0, told(&new, OccurrenceKind::Created)),
        (1, told(&up, OccurrenceKind::Answered)),
        (2, told(&over, OccurrenceKind::Expired)),
        (3, told(&over, OccurrenceKind::Terminated)),
        (4, told(&over, OccurrenceKind::Terminated)),
    ];
    assert_eq!(seen(&mut lives(), &ended), ["D3"]);
}

#[test]
fn d3_d4_a_life_without_its_routes_is_found() {
    let (new, up, over) = (dialog(), answered(), at_state(State::Deleted));
    let sights = [
        (0, told(&new, OccurrenceKind::Created)),
        (1, told(&up, OccurrenceKind::Answered)),
        (2, told(&over, OccurrenceKind::Terminated)),
        (3, told(&over, OccurrenceKind::Destroyed)),
    ];
    assert_eq!(seen(&mut lives(), &sights), ["D4", "D3"]);
}

#[test]
fn d4_an_end_before_its_start_is_found() {
    let new = dialog();
    let (end, start) = (format!("MARK end {} yes", new.id), format!("MARK start {} yes", new.id));
    let sights = [(0, told(&new, OccurrenceKind::Created)), (1, Sight::Line(&end)), (2, Sight::Line(&start))];
    assert_eq!(seen(&mut lives(), &sights), ["D4", "D4"]);
}

#[test]
fn d5_a_number_given_twice_and_a_dialog_nobody_made_are_found() {
    let new = dialog();
    assert_eq!(seen(&mut lives(), &[(0, told(&new, OccurrenceKind::Created)), (0, told(&new, OccurrenceKind::Created))]), ["D5", "D11"]);
    assert_eq!(seen(&mut lives(), &[(0, told(&new, OccurrenceKind::Early))]), ["D5"]);
    assert_eq!(inspected(&mut lives(), &snapshot(0, vec![dialog(), dialog()])), ["D5", "D5", "D5"]);
}

#[test]
fn d6_a_request_of_other_identifiers_is_found() {
    let up = answered();
    let bye = request("BYE", 2, &["z9hG4bK1"]);
    let sight = |direction| Sight::Dialog {
        dialog: &up,
        occurrence: Occurrence::towards(OccurrenceKind::Terminated, direction),
        cause: Some(&bye),
    };
    assert_eq!(seen(&mut Matching::new(0), &[(0, sight(Direction::Downstream))]), Vec::<&str>::new());
    assert_eq!(seen(&mut Matching::new(0), &[(0, sight(Direction::Upstream))]), ["D6"]);
    let mut stranger = answered();
    stranger.call_id = b"call-2@simulation".to_vec();
    let taken = Occurrence::towards(OccurrenceKind::RequestWithin, Direction::Downstream);
    let sight = Sight::Dialog { dialog: &stranger, occurrence: taken, cause: Some(&bye) };
    assert_eq!(seen(&mut Matching::new(0), &[(0, sight)]), ["D6"]);
}

#[test]
fn d6_tables_that_answer_wrongly_are_found() {
    let up = answered();
    let probes = |answers: &[(Question, Option<Direction>)]| {
        let probe = |(question, way): &(Question, Option<Direction>)| Probe {
            dialog: up.id,
            question: *question,
            found: way.map(|way| (up.id, way)),
        };
        Snapshot { probes: answers.iter().map(probe).collect(), ..snapshot(0, vec![up.clone()]) }
    };
    let good = probes(&[
        (Question::Downstream, Some(Direction::Downstream)),
        (Question::Upstream, Some(Direction::Upstream)),
        (Question::CookieUpstream, Some(Direction::Upstream)),
        (Question::StrangeTag, None),
        (Question::CookieOfOtherCall, None),
    ]);
    assert_eq!(inspected(&mut Matching::new(0), &good), Vec::<&str>::new());
    let bad = probes(&[
        (Question::Downstream, None),
        (Question::Upstream, Some(Direction::Downstream)),
        (Question::StrangeTag, Some(Direction::Downstream)),
        (Question::CookieOfOtherCall, Some(Direction::Upstream)),
    ]);
    assert_eq!(inspected(&mut Matching::new(0), &bad), ["D6"; 4]);
}

fn lifetimes() -> Lifetimes {
    Lifetimes::new(0, PROMISES)
}

#[test]
fn d7_a_dialog_that_outlives_its_lifetime_is_found() {
    let mut checker = lifetimes();
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![dialog()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(400_000, vec![dialog()])), ["D7"]);
    let mut checker = lifetimes();
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![answered()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(60_000, vec![answered()])), ["D7"]);
    let unarmed = Snapshot { dialog_deadline: None, ..snapshot(0, vec![dialog()]) };
    assert_eq!(inspected(&mut lifetimes(), &unarmed), ["D7"]);
}

#[test]
fn d7_a_deadline_that_comes_nearer_by_itself_is_found_and_a_date_that_jumps_is_not() {
    let sooner = DialogView { timeout: answered().timeout - 10, ..answered() };
    let mut checker = lifetimes();
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![answered()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(1_000, vec![sooner.clone()])), ["D7"]);
    let mut checker = lifetimes();
    let jumped = Snapshot { date: snapshot(1_000, Vec::new()).date - 10, ..snapshot(1_000, vec![sooner.clone()]) };
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![answered()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &jumped), Vec::<&str>::new());
    let mut checker = lifetimes();
    let asked = format!("MARK timeout {} 20", answered().id);
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![answered()])), Vec::<&str>::new());
    assert_eq!(seen(&mut checker, &[(500, Sight::Line(&asked))]), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(1_000, vec![sooner])), Vec::<&str>::new());
}

#[test]
fn d7_an_answered_call_without_lifetime_and_one_whose_byes_never_end_are_found() {
    let unbound = DialogView { timeout: 0, ..answered() };
    let mut checker = lifetimes();
    inspected(&mut checker, &snapshot(0, vec![unbound.clone()]));
    assert_eq!(inspected(&mut checker, &snapshot(10_000, vec![unbound.clone()])), ["D7"]);
    let mut checker = lifetimes();
    assert_eq!(seen(&mut checker, &[(0, told(&unbound, OccurrenceKind::Terminated))]), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(30_000, vec![unbound.clone()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(90_000, vec![unbound])), ["D7"]);
}

#[test]
fn d7_a_lifetime_of_a_dead_dialog_and_one_nobody_serves_are_found() {
    let over = at_state(State::Deleted);
    let mut checker = lifetimes();
    assert_eq!(seen(&mut checker, &[(0, told(&over, OccurrenceKind::Terminated)), (1, told(&over, OccurrenceKind::Expired))]), ["D7"]);
    let mut checker = lifetimes();
    let due = |at| Snapshot { dialog_deadline: Some(1), ..snapshot(at, Vec::new()) };
    assert_eq!(inspected(&mut checker, &due(1_000)), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &due(9_000)), ["D7"]);
    assert_eq!(settled(&mut lifetimes(), &snapshot(0, vec![dialog()])), ["D7"]);
}

#[test]
fn d7_a_call_hung_up_before_its_answer_that_goes_on_is_found() {
    let early = at_state(State::Early);
    let (bye, ok) = (request("BYE", 2, &["z9hG4bKb"]), reply(200, &["z9hG4bKi"]));
    let hung_up = Sight::Dialog { dialog: &early, occurrence: Occurrence::of(OccurrenceKind::RequestWithin), cause: Some(&bye) };
    let up = answered();
    let taken = Sight::Dialog { dialog: &up, occurrence: Occurrence::of(OccurrenceKind::Answered), cause: Some(&ok) };
    let mut checker = lifetimes();
    assert_eq!(seen(&mut checker, &[(0, hung_up), (0, taken)]), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(8_000, vec![answered()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(12_000, vec![answered()])), ["D7"]);
}

#[test]
fn a_dialog_forced_into_a_state_follows_no_table_and_is_counted_all_the_same() {
    let forced = at_state(State::Deleted);
    let mut verdicts = Verdicts::default();
    verdicts.forced.insert((0, forced.id));
    let mut lives = lives();
    lives.see(0, &told(&dialog(), OccurrenceKind::Created), &mut verdicts);
    lives.see(1, &told(&forced, OccurrenceKind::Terminated), &mut verdicts);
    lives.see(2, &told(&answered(), OccurrenceKind::Answered), &mut verdicts);
    assert!(verdicts.list.is_empty(), "{:?}", verdicts.list);
    let mut miscounted = snapshot(3, vec![forced]);
    miscounted.counts.ended += 1;
    Counts::new(0).inspect(&miscounted, &mut verdicts);
    assert_eq!(broken(&verdicts), ["D9"]);
}

fn byes() -> Byes {
    Byes::new(0, PROXY)
}

#[test]
fn d8_a_bye_with_an_old_cseq_and_a_second_bye_are_found() {
    let info = message("INFO sip:b@x SIP/2.0", "INFO", 500, &["z9hG4bK1"], "Route: <sip:10.0.0.1;lr;did=1.2>\r\n");
    let (low, again) = (request("BYE", 101, &["z9hG4bK2"]), request("BYE", 601, &["z9hG4bK3"]));
    assert_eq!(seen(&mut byes(), &[(0, came(&info)), (1, left(&low)), (2, left(&again))]), ["D8", "D8"]);
}

#[test]
fn d8_a_bye_on_a_wrong_way_is_found() {
    let routes = "Contact: <sip:b@10.0.2.1:5060>\r\nRecord-Route: <sip:10.0.0.9;lr>\r\nRecord-Route: <sip:10.0.0.1;lr>\r\n";
    let ok = message("SIP/2.0 200 OK", "INVITE", 1, &["z9hG4bK1"], routes);
    let bye = |uri: &str, route: &str| message(&format!("BYE {uri} SIP/2.0"), "BYE", 101, &["z9hG4bK2"], route);
    let good = bye("sip:b@10.0.2.1:5060", "Route: <sip:10.0.0.9;lr>\r\n");
    let elsewhere = bye("sip:b@10.0.2.9:5060", "Route: <sip:10.0.0.9;lr>\r\n");
    let own = bye("sip:b@10.0.2.1:5060", "Route: <sip:10.0.0.9;lr>, <sip:10.0.0.1;lr>\r\n");
    assert_eq!(seen(&mut byes(), &[(0, came(&ok)), (1, left(&good))]), Vec::<&str>::new());
    assert_eq!(seen(&mut byes(), &[(0, came(&ok)), (1, left(&elsewhere))]), ["D8"]);
    assert_eq!(seen(&mut byes(), &[(0, came(&ok)), (1, left(&own))]), ["D8"]);
}

#[test]
fn d8_a_bye_that_was_refused_for_now_may_follow_once_more() {
    let (first, second) = (request("BYE", 101, &["z9hG4bK2"]), request("BYE", 102, &["z9hG4bK3"]));
    let busy = message("SIP/2.0 503 Busy", "BYE", 101, &["z9hG4bK2"], "Retry-After: 2\r\n");
    let gone = message("SIP/2.0 481 Gone", "BYE", 101, &["z9hG4bK2"], "");
    assert_eq!(seen(&mut byes(), &[(0, left(&first)), (1, came(&busy)), (2, left(&second))]), Vec::<&str>::new());
    assert_eq!(seen(&mut byes(), &[(0, left(&first)), (1, came(&gone)), (2, left(&second))]), ["D8"]);
}

#[test]
fn d8_a_call_ended_towards_one_side_only_is_found() {
    let (bye, over) = (request("BYE", 101, &["z9hG4bK2"]), at_state(State::Deleted));
    assert_eq!(seen(&mut byes(), &[(1, left(&bye)), (2, told(&over, OccurrenceKind::Destroyed))]), ["D8"]);
    let hung_up = request("BYE", 2, &["z9hG4bK9"]);
    let crossed = [(0, came(&hung_up)), (1, left(&bye)), (2, told(&over, OccurrenceKind::Destroyed))];
    assert_eq!(seen(&mut byes(), &crossed), Vec::<&str>::new());
}

#[test]
fn d9_statistics_that_drift_are_found() {
    let mut drifted = snapshot(0, vec![dialog()]);
    drifted.counts.early += 1;
    assert_eq!(inspected(&mut Counts::new(0), &drifted), ["D9", "D9"]);
    assert_eq!(settled(&mut Counts::new(0), &drifted), ["D9"]);
    let forgotten = Snapshot { records: 2, ..snapshot(0, vec![dialog()]) };
    assert_eq!(inspected(&mut Counts::new(0), &forgotten), ["D9"]);
}

#[test]
fn d13_an_end_without_a_reason_and_a_reason_that_changes_are_found() {
    let ended_by = |end_reason| DialogView { end_reason, ..at_state(State::Deleted) };
    let (bye, rpc, nothing) = (ended_by(Some(EndReason::CallerBye)), ended_by(Some(EndReason::Rpc)), ended_by(None));
    let reasons = || Reasons::new(0);
    let hung_up = request("BYE", 2, &["z9hG4bKb"]);
    let good = [(0, came(&hung_up)), (1, told(&bye, OccurrenceKind::Terminated)), (2, told(&bye, OccurrenceKind::Destroyed))];
    assert_eq!(seen(&mut reasons(), &good), Vec::<&str>::new());
    let changed = [(0, came(&hung_up)), (1, told(&rpc, OccurrenceKind::Terminated)), (2, told(&bye, OccurrenceKind::Destroyed))];
    assert_eq!(seen(&mut reasons(), &changed), ["D13"]);
    assert_eq!(seen(&mut reasons(), &[(1, told(&nothing, OccurrenceKind::Failed))]), ["D13"]);
    assert_eq!(seen(&mut reasons(), &[(1, told(&bye, OccurrenceKind::Answered))]), ["D13"]);
    assert_eq!(inspected(&mut reasons(), &snapshot(0, vec![bye.clone()])), Vec::<&str>::new());
    assert_eq!(inspected(&mut reasons(), &snapshot(0, vec![nothing])), ["D13"]);
    let uncounted = Snapshot { ended_by_reason: 0, ..snapshot(0, vec![bye]) };
    assert_eq!(inspected(&mut reasons(), &uncounted), ["D13"]);
}

#[test]
fn d13_an_end_blamed_on_somebody_who_did_nothing_is_found() {
    let ended_by = |end_reason| DialogView { end_reason: Some(end_reason), ..at_state(State::Deleted) };
    let (bye, cancel) = (request("BYE", 2, &["z9hG4bKb"]), request("CANCEL", 1, &["z9hG4bKi"]));
    let over = ended_by(EndReason::CallerBye);
    let gone = |dialog| (2, told(dialog, OccurrenceKind::Destroyed));
    assert_eq!(seen(&mut Reasons::new(0), &[(1, came(&bye)), gone(&over)]), Vec::<&str>::new());
    assert_eq!(seen(&mut Reasons::new(0), &[gone(&over)]), ["D13"]);
    let by_callee = ended_by(EndReason::CalleeBye);
    assert_eq!(seen(&mut Reasons::new(0), &[(1, came(&bye)), gone(&by_callee)]), ["D13"]);
    let cancelled = ended_by(EndReason::Cancel);
    assert_eq!(seen(&mut Reasons::new(0), &[(1, came(&cancel)), gone(&cancelled)]), Vec::<&str>::new());
    assert_eq!(seen(&mut Reasons::new(0), &[gone(&cancelled)]), ["D13"]);
    let commanded = ended_by(EndReason::Rpc);
    let command = Sight::Commanded { dialog: &over, name: "dlg.end_dlg" };
    assert_eq!(seen(&mut Reasons::new(0), &[(1, command), gone(&commanded)]), Vec::<&str>::new());
    assert_eq!(seen(&mut Reasons::new(0), &[gone(&commanded)]), ["D13"]);
    let scripted = ended_by(EndReason::Script);
    let asked = format!("MARK asked {} all call-1@simulation", over.id);
    assert_eq!(seen(&mut Reasons::new(0), &[(1, Sight::Line(&asked)), gone(&scripted)]), Vec::<&str>::new());
    assert_eq!(seen(&mut Reasons::new(0), &[gone(&scripted)]), ["D13"]);
}

#[test]
fn d10_a_cseq_that_falls_and_a_shift_that_changes_are_found() {
    let with = |cseq| {
        let mut dialog = answered();
        dialog.caller.cseq = Some(cseq);
        dialog
    };
    let mut checker = Sequences::new(0);
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![with(7)])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(1, vec![with(6)])), ["D10"]);

    let (one, two) = (request("INFO", 2, &["z9hG4bKa"]), request("INFO", 3, &["z9hG4bKb"]));
    let (kept, moved) = (request("INFO", 2, &["z9hG4bKo", "z9hG4bKa"]), request("INFO", 4, &["z9hG4bKp", "z9hG4bKb"]));
    let own = request("INFO", 3, &["z9hG4bKown"]);
    let without = [(0, came(&one)), (1, left(&kept)), (2, came(&two)), (3, left(&moved))];
    assert_eq!(seen(&mut Sequences::new(0), &without), ["D10"]);
    let with_own = [(0, came(&one)), (1, left(&kept)), (2, left(&own)), (3, came(&two)), (4, left(&moved))];
    assert_eq!(seen(&mut Sequences::new(0), &with_own), Vec::<&str>::new());
}

#[test]
fn d11_a_callee_that_changes_is_found() {
    let (new, up) = (dialog(), answered());
    let mut other = answered();
    other.callee.tag = b"C".to_vec();
    let sights = [
        (0, told(&new, OccurrenceKind::Created)),
        (1, told(&up, OccurrenceKind::Answered)),
        (2, told(&other, OccurrenceKind::RequestWithin)),
    ];
    assert_eq!(seen(&mut lives(), &sights), ["D11"]);
    let ok = reply(200, &["z9hG4bK1"]);
    let answered = Sight::Dialog { dialog: &other, occurrence: Occurrence::of(OccurrenceKind::Answered), cause: Some(&ok) };
    assert_eq!(seen(&mut lives(), &[(0, told(&new, OccurrenceKind::Created)), (1, answered)]), ["D11"]);
}

#[test]
fn d11_a_second_dialog_beside_a_living_one_is_found() {
    let (first, second) = (dialog(), DialogView { id: dialog::DialogId { entry: 0, id: 4_000_000 }, ..dialog() });
    let over = at_state(State::Deleted);
    let (one, two) = (request("INVITE", 1, &["z9hG4bKa"]), request("INVITE", 1, &["z9hG4bKb"]));
    fn made<'a>(dialog: &'a DialogView, cause: &'a Message) -> Sight<'a> {
        Sight::Dialog { dialog, occurrence: Occurrence::of(OccurrenceKind::Created), cause: Some(cause) }
    }
    assert_eq!(seen(&mut lives(), &[(0, made(&first, &one)), (1, made(&second, &two))]), ["D11"]);
    let ended = [(0, made(&first, &one)), (1, told(&over, OccurrenceKind::Failed)), (2, made(&second, &two))];
    assert_eq!(seen(&mut lives(), &ended), Vec::<&str>::new());
    let copied = [(0, made(&first, &one)), (1, told(&over, OccurrenceKind::Failed)), (2, made(&second, &one))];
    assert_eq!(seen(&mut lives(), &copied), ["D11"]);
}

#[test]
fn d12_a_lost_variable_a_lost_flag_and_a_lost_lifetime_are_found() {
    let new = dialog();
    let start = format!("x: MARK start {} <null>", new.id);
    assert_eq!(seen(&mut lives(), &[(0, told(&new, OccurrenceKind::Created)), (0, Sight::Line(&start))]), ["D12"]);
    let turn = format!("MARK turn {} 4 5", new.id);
    assert_eq!(seen(&mut lives(), &[(0, told(&new, OccurrenceKind::Created)), (0, Sight::Line(&turn))]), ["D12"]);
    let managed = format!("MARK managed {} {}", new.id, new.lifetime + 1);
    let mut checker = lives();
    assert_eq!(seen(&mut checker, &[(0, told(&new, OccurrenceKind::Created)), (0, Sight::Line(&managed))]), Vec::<&str>::new());
    let without = DialogView { script_flags: 0, ..dialog() };
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![without])), ["D12", "D12"]);
}
