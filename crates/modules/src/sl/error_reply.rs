//! Internal errors as status codes and reasons (spec proxy-core 1.5).

/// Code and phrase of an internal error.
fn meaning(error: i32) -> (u16, &'static str) {
    match error {
        -477 => (477, "Unfortunately error on sending to next hop occurred"),
        -478 => (478, "Unresolvable destination"),
        -479 => (479, "Regretfully, we were not able to process the URI"),
        -400 => (400, "Bad Request"),
        -9 => (400, "Transaction tuple incomplete"),
        -11 => (500, "Error in external logic"),
        -12 => (500, "Forking capacity exceeded"),
        -13 => (400, "Bad To"),
        -15 => (400, "Invalid character in q parameter"),
        -16 => (400, "Empty q parameter"),
        -17 => (400, "Q parameter too big"),
        -18 => (400, "Decimal part missing in q"),
        -2 => (500, "Message processing error"),
        -20 => (500, "Internal processing error"),
        -487 => (487, "Transaction canceled"),
        _ => (500, "I'm terribly sorry, server error occurred"),
    }
}

/// Status code and reason `PHRASE (N/MODULE)` of an internal error; `module` is `TM` or `SL`.
pub fn error_reply(error: i32, module: &str) -> (u16, String) {
    let (code, phrase) = meaning(error);
    (code, format!("{phrase} ({}/{module})", error.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::error_reply;

    #[test]
    fn the_reason_names_the_internal_code() {
        assert_eq!(error_reply(-478, "TM"), (478, "Unresolvable destination (478/TM)".to_owned()));
        assert_eq!(error_reply(-6, "SL"), (500, "I'm terribly sorry, server error occurred (6/SL)".to_owned()));
    }
}
