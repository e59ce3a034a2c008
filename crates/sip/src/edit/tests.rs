//! Order of insertions, merging of deletions, several lists at once; checked against a plain model.

use super::*;

fn applied(bytes: &[u8], lists: &[&Edits]) -> String {
    let mut out = Vec::new();
    with_lists(bytes, lists, |walk| walk.write(&mut out, 0, bytes.len() as u32, true));
    String::from_utf8(out).expect("text")
}

fn span(start: u32, end: u32) -> Span {
    Span { start, end }
}

#[test]
fn texts_at_one_place_stand_in_the_order_of_the_calls() {
    let mut edits = Edits::new();
    edits.insert_before(3, b"1");
    edits.insert_after(3, b"a");
    edits.insert_before(3, b"2");
    edits.insert_after(3, b"b");
    edits.replace(span(3, 4), b"X");
    edits.replace(span(3, 3), b"Y");
    assert_eq!(applied(b"012345", &[&edits]), "0121a2bXY45");
}

#[test]
fn deletions_merge_and_texts_inside_them_survive() {
    let mut edits = Edits::new();
    edits.remove(span(1, 3));
    edits.remove(span(6, 8));
    edits.insert_after(5, b"[in]");
    edits.remove(span(2, 7));
    edits.remove(span(2, 7));
    assert_eq!(applied(b"0123456789", &[&edits]), "0[in]89");
    assert_eq!(edits.deletions, [span(1, 8)]);
    assert!(edits.deletes(span(3, 8)) && !edits.deletes(span(0, 2)));
}

#[test]
fn several_lists_act_as_one_list_of_calls() {
    let mut request = Edits::new();
    request.insert_after(2, b"a");
    request.insert_before(2, b"1");
    request.remove(span(0, 1));
    let mut branch = Edits::new();
    branch.insert_after(2, b"b");
    branch.insert_before(2, b"2");
    branch.remove(span(3, 4));
    assert_eq!(applied(b"01234", &[&request, &branch]), "1a1b224");
    let mut joined = request.clone();
    joined.append(&branch);
    assert_eq!(applied(b"01234", &[&joined]), "1a1b224");
}

#[test]
fn edits_of_a_body_are_forgotten_for_a_new_one() {
    let mut edits = Edits::new();
    edits.insert_after(1, b"kept");
    edits.insert_after(4, b"gone");
    edits.remove(span(2, 6));
    edits.replace(span(5, 6), b"gone");
    edits.forget_from(4);
    assert_eq!(applied(b"01234567", &[&edits]), "0kept14567");
}

#[test]
fn an_empty_list_changes_nothing_and_clear_forgets() {
    let mut edits = Edits::default();
    assert!(edits.is_empty());
    edits.insert_after(0, b"");
    edits.remove(span(4, 4));
    edits.remove(span(4, 2));
    assert!(edits.is_empty());
    edits.insert_after(0, b"x");
    assert!(!edits.is_empty() && !edits.touches_body(5));
    edits.insert_after(7, b"x");
    assert!(edits.touches_body(5));
    edits.clear();
    assert_eq!(applied(b"0123", &[&edits]), "0123");
}

#[test]
fn the_bound_on_edits_is_told_and_holds() {
    let mut edits = Edits::new();
    for _ in 0..EDITS_MAX + 10 {
        edits.insert_after(0, b"x");
    }
    assert!(edits.has_overflowed());
    assert_eq!(applied(b"", &[&edits]).len(), EDITS_MAX);
}

/// The bytes that are left, and the texts at each offset in the order of the calls.
struct Model {
    deleted: [bool; 41],
    texts: Vec<Vec<String>>,
}

impl Model {
    fn applied(&self, bytes: &[u8]) -> String {
        let mut out = String::new();
        for at in 0..=bytes.len() {
            out.push_str(&self.texts[at].concat());
            if at < bytes.len() && !self.deleted[at] {
                out.push(bytes[at] as char);
            }
        }
        out
    }
}

#[test]
fn random_edits_agree_with_a_plain_model_over_one_and_many_lists() {
    let bytes: Vec<u8> = (0..40u8).map(|index| b'!' + index).collect();
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut random = move |bound: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as u32 % bound
    };
    for round in 0..3000 {
        let list_count = 1 + random(10) as usize;
        let mut lists = vec![Edits::new(); list_count];
        let mut model = Model { deleted: [false; 41], texts: vec![Default::default(); 41] };
        for (index, list) in lists.iter_mut().enumerate() {
            for call in 0..random(6) {
                let (start, length) = (random(41), random(12));
                let end = (start + length).min(40);
                let text = format!("<{index}.{call}>");
                let kind = random(4);
                if kind == 0 || kind == 3 {
                    (start..end).for_each(|at| model.deleted[at as usize] = true);
                }
                let texts = &mut model.texts[start as usize];
                match kind {
                    0 => list.remove(span(start, end)),
                    1 => {
                        list.insert_before(start, text.as_bytes());
                        texts.push(text);
                    }
                    2 => {
                        list.insert_after(start, text.as_bytes());
                        texts.push(text);
                    }
                    _ => {
                        list.replace(span(start, end), text.as_bytes());
                        texts.push(text);
                    }
                }
            }
        }
        let lists: Vec<&Edits> = lists.iter().collect();
        assert_eq!(applied(&bytes, &lists), model.applied(&bytes), "round {round}");
    }
}
