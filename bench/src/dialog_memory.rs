//! Measures the resident memory of confirmed dialogs: two profiles, one variable, typical texts.

use dialog::settings::ParameterValue;
use dialog::{
    Begin, CalleeLeg, Cause, Direction, Engine, InDialogRequest, NewDialog, PendingProfile, ReplyKind, RequestMethod, Settings, StatedCause,
};
use sip::time::{Date, Now, Time};

/// Resident bytes of this process as Linux tells them; `None` elsewhere.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Makes so many dialogs in this process and prints what one takes.
pub fn held(count: u32) -> Result<(), String> {
    let mut settings = Settings::default();
    let defined = settings.set("profiles_no_value", ParameterValue::Text("all"));
    let defined = defined.and_then(|_| settings.set("profiles_with_value", ParameterValue::Text("caller")));
    defined.map_err(|error| error.to_string())?;
    let now = Now { time: Time(1), date: Date(1_795_380_273_000) };
    let engine = Engine::new(now, settings);
    let (Some(all), Some(caller)) = (engine.profiles().find("all"), engine.profiles().find("caller")) else {
        return Err("a profile is missing".to_owned());
    };
    let before = resident_bytes().ok_or("the kernel does not tell the resident memory")?;
    for number in 0..count {
        let call_id = format!("{number}-19529@192.0.2.17");
        let from_tag = format!("{number}SIPpTag00");
        let to_tag = format!("{number}SIPpTag01");
        let value = format!("user{}", number % 1000);
        let new = NewDialog {
            call_id: call_id.as_bytes(),
            from_uri: b"sip:alice@example.com",
            to_uri: b"sip:bob@example.com",
            request_uri: b"sip:bob@127.0.0.1:15060",
            from_tag: from_tag.as_bytes(),
            contact: b"sip:alice@127.0.0.1:15070",
            route_set: b"",
            cseq: 1,
            socket: b"udp:127.0.0.1:15060",
            variables: &[(b"account", b"12345678")],
            profiles: &[PendingProfile::of(all, None), PendingProfile::of(caller, Some(value.as_bytes()))],
            ..NewDialog::default()
        };
        let Begin::Created(id) = engine.begin(now, &new) else {
            return Err(format!("dialog {number} was refused"));
        };
        let callee = CalleeLeg {
            tag: to_tag.as_bytes(),
            contact: b"sip:127.0.0.1:15080;transport=UDP",
            socket: b"udp:127.0.0.1:15060",
            ..CalleeLeg::default()
        };
        if let Some(change) = engine.reply_begin(now, id, ReplyKind::Success) {
            engine.reply_finish(now, change, Some(&callee), Cause::HERE);
        }
        let ack = InDialogRequest {
            method: RequestMethod::Ack,
            direction: Direction::Downstream,
            cseq: Some(1),
            contact: None,
            timeout: None,
            stated: StatedCause::default(),
            cause: Cause::HERE,
        };
        if let Some(change) = engine.request_begin(now, id, &ack) {
            engine.request_finish(now, change, &ack);
        }
    }
    let after = resident_bytes().unwrap_or(before);
    println!("dialogs                {}", engine.statistics().active);
    println!("bytes per dialog       {}", after.saturating_sub(before) / u64::from(count.max(1)));
    Ok(())
}
