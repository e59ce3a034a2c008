//! Walks over all dialogs, page by page, while calls come and go.

use super::*;
use crate::limits::LISTING_PAGE;

fn made(engine: &Engine, count: usize, host: &str) -> Vec<DialogId> {
    (0..count).map(|number| create(engine, at(0.0), format!("{number}@{host}").as_bytes())).collect()
}

/// The rest of a walk.
fn rest(engine: &Engine, walk: &mut crate::Walk) -> Vec<DialogId> {
    let mut met = Vec::new();
    loop {
        let page = engine.next_page(at(0.0), walk);
        assert!(page.len() <= LISTING_PAGE);
        if page.is_empty() {
            return met;
        }
        met.extend(page.iter().map(|view| view.id));
    }
}

fn end(engine: &Engine, id: DialogId) {
    reply(engine, at(1.0), id, 486);
    assert!(engine.release(at(1.0), id));
}

#[test]
fn every_dialog_that_lives_during_a_walk_is_met_once_in_the_order_of_numbers() {
    let engine = engine(&[("hash_size", 8)]);
    let mut lasting = made(&engine, 700, "lasting");
    let ending = made(&engine, 300, "ending");
    let mut walk = engine.walk(None);
    let mut met: Vec<DialogId> = engine.next_page(at(0.0), &mut walk).iter().map(|view| view.id).collect();
    assert_eq!(met.len(), LISTING_PAGE);
    ending.iter().for_each(|id| end(&engine, *id));
    made(&engine, 300, "late");
    met.extend(rest(&engine, &mut walk));
    assert!(met.is_sorted() && met.windows(2).all(|pair| pair[0] != pair[1]));
    lasting.sort_unstable();
    let met_lasting: Vec<DialogId> = met.iter().copied().filter(|id| lasting.contains(id)).collect();
    assert_eq!(met_lasting, lasting);
    assert_eq!(engine.next_page(at(0.0), &mut walk), [], "a walk that is over stays over");
}

#[test]
fn a_walk_goes_on_behind_a_dialog_that_is_gone() {
    let engine = engine(&[("hash_size", 8)]);
    let mut all = made(&engine, 100, "x");
    all.sort_unstable();
    let (seen, left) = all.split_at(50);
    let last = seen[49];
    end(&engine, last);
    assert_eq!(rest(&engine, &mut engine.walk(Some(last))), left);
    assert_eq!(rest(&engine, &mut engine.walk(Some(DialogId { entry: 7, id: u32::MAX }))), []);
    assert_eq!(rest(&engine, &mut engine.walk(Some(DialogId { entry: u32::MAX, id: 1 }))), []);
}

#[test]
fn a_walk_with_one_lock_group_meets_all_chunks() {
    let engine = engine(&[("hash_size", 1)]);
    let mut all = made(&engine, 3_000, "x");
    all.sort_unstable();
    assert_eq!(rest(&engine, &mut engine.walk(None)), all);
}
