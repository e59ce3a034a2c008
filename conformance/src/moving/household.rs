//! A move from its first call to its last: what is done on each product and what must hold then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::Options;
use crate::database::Database;
use crate::moving::Plan;
use crate::moving::live_call::{GROUPS, LiveCall, Side};
use crate::subject::{self, Subject};
use crate::template::fill;

/// How long counters and rows may lag behind the calls.
const PATIENCE: Duration = Duration::from_secs(10);

/// What both products run. The headers `X-Was` and `X-Status` show the callee what the script knows of the call.
const CONFIGURATION: &str = r#"
loadmodule "tm"
loadmodule "sl"
loadmodule "rr"
loadmodule "pv"
loadmodule "siputils"
loadmodule "textops"
loadmodule "kex"
loadmodule "db_@DRIVER@"
loadmodule "dialog"
modparam("tm", "wt_timer", 200)
modparam("dialog", "db_url", "@DATABASE@")
modparam("dialog", "db_mode", 1)
modparam("dialog", "default_timeout", 3600)
modparam("dialog", "profiles_no_value", "all")
modparam("dialog", "profiles_with_value", "group")
request_route {
	if (has_totag()) {
		loose_route();
		append_hf("X-Was: $dlg_var(note)\r\n");
		append_hf("X-Status: $DLG_status\r\n");
		if (is_method("INVITE")) {
			$dlg_var(note) = $hdr(X-Note);
			record_route();
		}
		t_relay();
		exit;
	}
	dlg_manage();
	$dlg_var(note) = $hdr(X-Note);
	set_dlg_profile("all");
	set_dlg_profile("group", "$hdr(X-Group)");
	record_route();
	t_relay();
}
"#;

/// The calls that are up, the product that carries them, and the database they are in.
pub struct Household {
    subject: Subject,
    database: Database,
    proxy: String,
    calls: Vec<LiveCall>,
    /// Calls made so far: numbers are never used twice.
    made: usize,
}

impl Household {
    /// Plays a whole move; the summary says what was done.
    pub fn play(plan: &Plan, options: &Options) -> Result<String, String> {
        let first = options.with_subject(&plan.first);
        let second = options.with_subject(&plan.second);
        let proxy = format!("127.0.0.1:{}", loopback_ports::free_port()?);
        let name = format!("moving-{}-{}", plan.first, if plan.is_killed { "killed" } else { "stopped" });
        let mut marks = BTreeMap::new();
        let database = Database::make(&options.database, &subject::folder(&name), "", &mut marks)?;
        let subject = Subject::start(&first, &name, &fill(CONFIGURATION, &marks), &proxy)?;
        let mut household = Household { subject, database, proxy, calls: Vec::new(), made: 0 };
        household.whole_move(plan, &first, &second).map_err(|reason| {
            let log = household.subject.log_tail();
            format!("on {}: {reason}\nlog:\n{log}", household.subject.product)
        })
    }

    fn whole_move(&mut self, plan: &Plan, first: &Options, second: &Options) -> Result<String, String> {
        let started = Instant::now();
        self.add_calls(plan.calls)?;
        self.check("with all calls up")?;
        self.move_to(second, plan.is_killed)?;
        self.check("after the move there")?;
        self.renew(plan.calls / 4)?;
        self.hang_up(plan.calls / 2)?;
        self.check("with half of the calls over")?;
        self.add_calls(plan.calls / 10)?;
        self.check("before the move back")?;
        self.move_to(first, plan.is_killed)?;
        self.check("after the move back")?;
        self.renew(plan.calls / 10)?;
        self.hang_up(self.calls.len())?;
        self.check("with all calls over")?;
        Ok(format!(
            "{} calls made, {} of them hung up, in {:.1} s",
            self.made,
            self.made - self.calls.len(),
            started.elapsed().as_secs_f32()
        ))
    }

    fn add_calls(&mut self, count: usize) -> Result<(), String> {
        for _ in 0..count {
            self.made += 1;
            let call = LiveCall::establish(self.made, &self.proxy).map_err(|reason| format!("setting up call {}: {reason}", self.made))?;
            self.calls.push(call);
        }
        Ok(())
    }

    /// Re-INVITEs of either side in turn, from the newest call on, so that old and new ones are met.
    fn renew(&mut self, count: usize) -> Result<(), String> {
        let product = self.subject.product.clone();
        for (place, call) in self.calls.iter_mut().rev().take(count).enumerate() {
            let side = if place % 2 == 0 { Side::Caller } else { Side::Callee };
            call.renew(side, &format!("{product}-{place}")).map_err(|reason| format!("re-INVITE of {}: {reason}", call.call_id))?;
        }
        Ok(())
    }

    /// BYEs of either side in turn: every second call from the oldest on.
    fn hang_up(&mut self, count: usize) -> Result<(), String> {
        let mut staying = Vec::new();
        let total = self.calls.len();
        let mut ended = 0;
        for (place, call) in std::mem::take(&mut self.calls).into_iter().enumerate() {
            let is_chosen = ended < count && (place % 2 == 0 || total - place <= count - ended);
            if is_chosen {
                let side = if ended % 2 == 0 { Side::Caller } else { Side::Callee };
                let call_id = call.call_id.clone();
                call.hang_up(side).map_err(|reason| format!("BYE of {call_id}: {reason}"))?;
                ended += 1;
            } else {
                staying.push(call);
            }
        }
        self.calls = staying;
        Ok(())
    }

    /// Ends the product and starts the other one on the same configuration and database.
    fn move_to(&mut self, options: &Options, is_killed: bool) -> Result<(), String> {
        let rows = self.identifiers()?;
        if is_killed {
            self.subject.kill()?;
        } else {
            self.subject.stop()?;
        }
        self.subject.launch(options)?;
        let after = self.identifiers()?;
        if rows == after { Ok(()) } else { Err(format!("rows before the move:\n{rows}rows after it:\n{after}")) }
    }

    fn identifiers(&self) -> Result<String, String> {
        self.database.run("SELECT callid, hash_entry, hash_id FROM dialog ORDER BY callid")
    }

    /// Counters, profiles and tables say what the calls are.
    fn check(&self, moment: &str) -> Result<(), String> {
        let count = self.calls.len();
        let in_group = |group: &str| self.calls.iter().filter(|call| call.group == group).count();
        self.until(moment, || {
            let statistics = self.subject.rpc(&["stats.get_statistics", "dialog:"])?;
            expect_line(&statistics, &format!("dialog:active_dialogs = {count}"))?;
            expect_line(&self.subject.rpc(&["dlg.profile_get_size", "all"])?, &count.to_string())?;
            for group in (0..GROUPS).map(|group| format!("group{group}")) {
                expect_line(&self.subject.rpc(&["dlg.profile_get_size", "group", &group])?, &in_group(&group).to_string())?;
            }
            expect_line(&self.database.run("SELECT count(*) AS calls FROM dialog WHERE state = 4")?, &format!("calls = {count}"))?;
            let joined = "SELECT count(DISTINCT callid) AS calls FROM dialog JOIN dialog_vars USING (hash_entry, hash_id)";
            expect_line(&self.database.run(joined)?, &format!("calls = {count}"))?;
            expect_line(&self.database.run("SELECT count(*) AS calls FROM dialog")?, &format!("calls = {count}"))
        })
    }

    fn until(&self, moment: &str, check: impl Fn() -> Result<(), String>) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            match check() {
                Ok(()) => return Ok(()),
                Err(reason) if Instant::now() > end => return Err(format!("{moment}: {reason}")),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

fn expect_line(answer: &str, wanted: &str) -> Result<(), String> {
    let is_there = answer.lines().any(|line| line.trim() == wanted);
    if is_there { Ok(()) } else { Err(format!("`{wanted}` is not in:\n{answer}")) }
}
