//! Dialogs in a database while calls run: rows are there before anybody hears of them, and troubles of the database are not
//! troubles of the calls.

mod support;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use storage::backend::ConnectOptions;
use storage::{Backend, Column, Selection, TableNames, Url};

use support::sip::{Call, Dialog, Party, header, headers, reply};
use support::{Folder, RELAY, Server, duolog, finish, path_text, text, until};

/// A proxy that stores its dialogs in this file.
fn storing(file: &Path, mode: u32, more: &str) -> Server {
    let url = format!("sqlite://{}", path_text(file));
    let parameters = format!(
        "loadmodule \"db_sqlite.so\"\nmodparam(\"dialog\", \"db_url\", \"{url}\")\nmodparam(\"dialog\", \"db_mode\", {mode})\n{more}"
    );
    let server = Server::with(&parameters, RELAY);
    // Commands are answered a little before the database is open.
    until("the database", || server.ask_json("dlg.db_status", "[]").filter(|status| status.contains("\"well\"")));
    server
}

fn open(file: &Path) -> Box<dyn Backend> {
    let url = Url::parse(&format!("sqlite://{}", path_text(file))).unwrap();
    let patience = Duration::from_secs(10);
    let options = ConnectOptions { connect_timeout: patience, call_timeout: patience, may_create: false, fetch_rows: 0 };
    storage::connect(&url, options).unwrap()
}

/// Call-ID and state of each row.
fn rows(backend: &mut dyn Backend) -> Vec<(String, u32)> {
    let mut rows = Vec::new();
    let outcome = backend.load(&TableNames::default(), &Selection::All, &mut |row| {
        let call_id = row.cell(Column::CallId).to_text().map(|text| support::text(&text)).unwrap_or_default();
        rows.push((call_id, row.cell(Column::State).number().unwrap_or(0)));
        ControlFlow::Continue(())
    });
    outcome.unwrap();
    rows.sort();
    rows
}

/// Somebody else who writes into the file: nobody can until he is dropped.
struct Lock(rusqlite::Connection);

impl Lock {
    fn take(file: &Path) -> Lock {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Lock(connection)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.execute_batch("ROLLBACK");
    }
}

/// A caller and a callee.
struct Pair {
    caller: Party,
    callee: Party,
}

/// A call that was answered.
struct Answered {
    call: Call,
    target: String,
    routes: Vec<String>,
}

impl Pair {
    fn of(server: &Server) -> Pair {
        let proxy = ([127, 0, 0, 1], server.port).into();
        Pair { caller: Party::udp("127.0.0.1:0", proxy), callee: Party::udp("127.0.0.1:0", proxy) }
    }

    /// Talks to another proxy on the same sockets.
    fn turn_to(&mut self, server: &Server) {
        for party in [&mut self.caller, &mut self.callee] {
            if let Party::Udp(_, proxy) = party {
                *proxy = ([127, 0, 0, 1], server.port).into();
            }
        }
    }

    /// INVITE up to the callee; gives what has to be answered.
    fn invited(&mut self, id: &str) -> (Call, String) {
        let uri = format!("sip:bob@{}", self.callee.address());
        let call = Call::new(id, &uri);
        let invite = call.request(&self.caller, "INVITE", 1, &uri, "");
        self.caller.send(&invite);
        (call, self.callee.expect("INVITE "))
    }

    /// The callee answers so.
    fn answer(&mut self, arrived: &str, status: &str) {
        self.callee.send(&reply(arrived, &self.callee, status, "bob"));
    }

    /// INVITE, 180, 200: the caller has the answer when this returns.
    fn answered(&mut self, id: &str) -> Answered {
        let (call, arrived) = self.invited(id);
        self.answer(&arrived, "180 Ringing");
        self.answer(&arrived, "200 OK");
        let answer = self.caller.expect("SIP/2.0 200");
        let mut routes = headers(&answer, "Record-Route");
        routes.reverse();
        let contact = header(&answer, "Contact").unwrap();
        let target = contact.trim_start_matches('<').split('>').next().unwrap().to_owned();
        Answered { call, target, routes }
    }

    fn request(&mut self, answered: &Answered, method: &str, number: u32) {
        let dialog = Dialog { target: &answered.target, remote_tag: "bob", routes: &answered.routes };
        let request = answered.call.request_within(&self.caller, method, number, &dialog, "");
        self.caller.send(&request);
    }

    fn confirm(&mut self, answered: &Answered) {
        self.request(answered, "ACK", 1);
        self.callee.expect("ACK ");
    }

    /// BYE up to the callee; gives what has to be answered.
    fn bye(&mut self, answered: &Answered) -> String {
        self.request(answered, "BYE", 2);
        self.callee.expect("BYE ")
    }

    fn end(&mut self, answered: &Answered) {
        let bye = self.bye(answered);
        self.answer(&bye, "200 OK");
        self.caller.expect("SIP/2.0 200");
    }
}

/// Dialogs in states 3 and 4.
fn live_calls(server: &Server) -> u32 {
    let answer: String = server.ask_json("dlg.stats_active", "[]").unwrap_or_default().split_whitespace().collect();
    let count = |name: &str| -> u32 {
        let rest = answer.split(&format!("\"{name}\":")).nth(1).unwrap_or_default();
        rest.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    count("answering") + count("ongoing")
}

fn names(rows: &[(&str, u32)]) -> Vec<(String, u32)> {
    rows.iter().map(|(id, state)| ((*id).to_owned(), *state)).collect()
}

#[test]
fn in_mode_1_a_change_is_committed_before_anybody_hears_of_it() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "");
    let mut database = open(&file);
    let mut pair = Pair::of(&server);
    for number in 0..20 {
        let id = format!("c{number}");
        let answered = pair.answered(&id);
        assert_eq!(rows(&mut *database), names(&[(&id, 3)]));
        pair.confirm(&answered);
        assert_eq!(rows(&mut *database), names(&[(&id, 4)]));
        let bye = pair.bye(&answered);
        assert_eq!(rows(&mut *database), []);
        pair.answer(&bye, "200 OK");
        pair.caller.expect("SIP/2.0 200");
    }
    let status = server.ask_json("dlg.db_status", "[]").unwrap();
    assert!(status.contains("\"well\""), "{status}");
    assert!(server.log().lines().all(|line| !line.contains("ERROR")), "{}", server.log());
}

#[test]
fn a_call_survives_a_kill_between_its_200_and_its_ack() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let mut pair;
    let answered: Vec<Answered>;
    {
        let server = storing(&file, 1, "");
        pair = Pair::of(&server);
        answered = (0..5).map(|number| pair.answered(&format!("k{number}"))).collect();
        server.signal("-KILL");
    }
    assert_eq!(rows(&mut *open(&file)).len(), 5);
    let server = storing(&file, 1, "");
    pair.turn_to(&server);
    let status = until("all dialogs", || server.ask_json("dlg.stats_active", "[]").filter(|answer| answer.contains("5")));
    assert!(status.contains('5'), "{status}");
    for mut answered in answered {
        // The routes name the port of the one that was killed.
        answered.routes.iter_mut().for_each(|route| *route = with_port(route, server.port));
        pair.confirm(&answered);
        pair.end(&answered);
    }
    until("an empty table", || rows(&mut *open(&file)).is_empty().then_some(()));
}

fn with_port(route: &str, port: u16) -> String {
    let at = route.find("127.0.0.1:").unwrap() + "127.0.0.1:".len();
    let rest = route[at..].trim_start_matches(|digit: char| digit.is_ascii_digit());
    format!("{}{port}{rest}", &route[..at])
}

#[test]
fn while_the_file_is_locked_calls_go_on_and_the_rows_are_right_afterwards() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let mut server = storing(&file, 1, "modparam(\"dialog\", \"db_timeout\", 300)");
    let mut pair = Pair::of(&server);
    let before = pair.answered("before");
    pair.confirm(&before);
    let mut other = open(&file);
    let lock = Lock::take(&file);
    let begun = Instant::now();
    pair.end(&before);
    let during: Vec<Answered> = (0..10).map(|number| pair.answered(&format!("during{number}"))).collect();
    for answered in &during {
        pair.confirm(answered);
    }
    for answered in &during[5..] {
        pair.end(answered);
    }
    // Without a gate that opens each of these messages would wait 200 ms.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    until("the news in the log", || server.log().contains("the database is away").then_some(()));
    let status = server.ask_json("dlg.db_status", "[]").unwrap();
    assert!(status.contains("\"away\""), "{status}");
    assert_eq!(rows(&mut *other), names(&[("before", 4)]));
    drop(lock);
    until("the end of the outage", || server.log().contains("the database caught up").then_some(()));
    let expected = ["during0", "during1", "during2", "during3", "during4"].map(|id| (id, 4));
    assert_eq!(rows(&mut *other), names(&expected));
    // The promise holds again.
    let after = pair.answered("zafter");
    assert_eq!(rows(&mut *other).last(), Some(&("zafter".to_owned(), 3)));
    pair.confirm(&after);
    server.assert_serves("an outage");
}

#[test]
fn after_an_outage_with_a_single_change_the_promise_holds_again() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_timeout\", 200)");
    let mut pair = Pair::of(&server);
    let lock = Lock::take(&file);
    let first = pair.answered("first");
    until("the news in the log", || server.log().contains("the database is away").then_some(()));
    drop(lock);
    until("a well database", || server.ask_json("dlg.db_status", "[]").filter(|status| status.contains("\"well\"")));
    let mut database = open(&file);
    for number in 0..5 {
        pair.answered(&format!("next{number}"));
        assert_eq!(rows(&mut *database).len(), 2 + number);
    }
    pair.confirm(&first);
    assert_eq!(rows(&mut *database).first(), Some(&("first".to_owned(), 4)));
}

#[test]
fn a_file_that_is_taken_away_and_put_back_gets_what_happened_meanwhile() {
    let folder = Folder::new();
    let (file, away) = (folder.path("calls.sqlite"), folder.path("elsewhere.sqlite"));
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_timeout\", 500)");
    let mut pair = Pair::of(&server);
    let before = pair.answered("before");
    pair.confirm(&before);
    std::fs::rename(&file, &away).unwrap();
    let during = pair.answered("during");
    pair.confirm(&during);
    pair.end(&before);
    until("the news in the log", || server.log().contains("the database is away").then_some(()));
    assert!(!file.exists(), "an empty file would be taken for the right one at the next start");
    std::fs::rename(&away, &file).unwrap();
    until("the end of the outage", || server.log().contains("the database caught up").then_some(()));
    assert_eq!(rows(&mut *open(&file)), names(&[("during", 4)]));
}

#[test]
fn a_slow_commit_lets_messages_go_after_the_hold_time_in_their_order() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_hold_time\", 300)");
    let mut pair = Pair::of(&server);
    let answered = pair.answered("one");
    pair.confirm(&answered);
    let mut other = open(&file);
    let lock = Lock::take(&file);
    let (_, arrived) = pair.invited("two");
    let begun = Instant::now();
    for status in ["180 Ringing", "183 Progress", "200 OK"] {
        pair.answer(&arrived, status);
    }
    let mut seen = Vec::new();
    while !seen.last().is_some_and(|line: &String| line.contains("200")) {
        let message = pair.caller.next_within(Duration::from_secs(5)).expect("a reply");
        seen.push(message.lines().next().unwrap().to_owned());
    }
    let order: Vec<&str> = seen.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(order, ["100", "180", "183", "200"]);
    let held = begun.elapsed();
    assert!(held >= Duration::from_millis(290) && held < Duration::from_millis(1_500), "{held:?}");
    drop(lock);
    until("the row", || (rows(&mut *other).len() == 2).then_some(()));
    // Nobody is told of trouble that passed within the time a call of the database may take.
    assert!(!server.log().contains("the database is away"), "{}", server.log());
    until("the closed gate", || server.ask_json("dlg.db_status", "[]").filter(|status| status.contains("\"well\"")));
}

#[test]
fn what_is_held_leaves_after_the_hold_time_though_nothing_else_happens() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_hold_time\", 100)");
    let mut pair = Pair::of(&server);
    let mut held = Vec::new();
    // At several moments of the second after which timers wake the proxy anyway.
    for number in 0..4 {
        let (_, arrived) = pair.invited(&format!("quiet{number}"));
        let lock = Lock::take(&file);
        let begun = Instant::now();
        pair.answer(&arrived, "200 OK");
        pair.caller.expect("SIP/2.0 200");
        held.push(begun.elapsed());
        drop(lock);
        until("a closed gate", || server.ask_json("dlg.db_status", "[]").filter(|status| status.contains("\"well\"")));
        std::thread::sleep(Duration::from_millis(230));
    }
    held.sort();
    assert!(held[0] >= Duration::from_millis(95) && held[2] < Duration::from_millis(250), "{held:?}");
}

#[test]
fn an_answer_over_tcp_waits_for_its_commit_too() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_hold_time\", 9000)");
    let proxy = ([127, 0, 0, 1], server.port).into();
    let mut pair = Pair { caller: Party::tcp(proxy), callee: Party::udp("127.0.0.1:0", proxy) };
    let (_, arrived) = pair.invited("tcp");
    let lock = Lock::take(&file);
    pair.answer(&arrived, "200 OK");
    while let Some(message) = pair.caller.next_within(Duration::from_millis(300)) {
        assert!(!message.contains("200 OK"), "{message}");
    }
    drop(lock);
    pair.caller.expect("SIP/2.0 200");
    assert_eq!(rows(&mut *open(&file)), names(&[("tcp", 3)]));
}

#[test]
fn a_stop_sends_what_waits_for_its_commit() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let mut server = storing(&file, 1, "modparam(\"dialog\", \"db_hold_time\", 9000)");
    let mut pair = Pair::of(&server);
    let (_, arrived) = pair.invited("held");
    let lock = Lock::take(&file);
    pair.answer(&arrived, "200 OK");
    until("the answer in the proxy", || (live_calls(&server) == 1).then_some(()));
    server.signal("-TERM");
    until("the stop", || server.ask_json("dlg.stats_active", "[]").is_none_or(|answer| answer.contains("stopping")).then_some(()));
    drop(lock);
    pair.caller.expect("SIP/2.0 200");
    server.stop();
    assert_eq!(rows(&mut *open(&file)), names(&[("held", 3)]));
}

#[test]
fn in_mode_3_calls_that_ended_stay_away_though_the_tables_were_locked_at_the_start() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let mut server = storing(&file, 3, "");
    let mut pair = Pair::of(&server);
    let [mut ends, _] = ["ends", "stays"].map(|id| {
        let answered = pair.answered(id);
        pair.confirm(&answered);
        answered
    });
    server.stop();
    let lock = Lock::take(&file);
    let mut server = storing(&file, 3, "modparam(\"dialog\", \"db_timeout\", 300)");
    pair.turn_to(&server);
    until("both calls", || (live_calls(&server) == 2).then_some(()));
    ends.routes.iter_mut().for_each(|route| *route = with_port(route, server.port));
    pair.end(&ends);
    drop(lock);
    until("empty tables", || rows(&mut *open(&file)).is_empty().then_some(()));
    server.stop();
    assert_eq!(rows(&mut *open(&file)), names(&[("stays", 4)]));
}

#[test]
fn a_call_that_cannot_be_stored_is_refused_where_that_is_wanted() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_failure_mode\", 1)\nmodparam(\"dialog\", \"db_timeout\", 300)");
    let mut pair = Pair::of(&server);
    let stored = pair.answered("stored");
    pair.confirm(&stored);
    let lock = Lock::take(&file);
    // The first one while the database is slow, the second one when it is known to be away.
    for id in ["refused1", "refused2"] {
        let (_, arrived) = pair.invited(id);
        pair.answer(&arrived, "200 OK");
        let failure = pair.caller.expect("SIP/2.0 500 Call Not Stored");
        assert_eq!(header(&failure, "Retry-After").as_deref(), Some("5"), "{failure}");
        let bye = pair.callee.expect("BYE ");
        assert!(header(&bye, "Reason").is_some_and(|reason| reason.contains("cause=500")), "{bye}");
        pair.answer(&bye, "200 OK");
        until("the news in the log", || server.log().contains("the database is away").then_some(()));
    }
    // Calls that were there before go on.
    pair.end(&stored);
    drop(lock);
    let mut database = open(&file);
    until("an empty table", || rows(&mut *database).is_empty().then_some(()));
    until("a well database", || server.ask_json("dlg.db_status", "[]").filter(|status| status.contains("\"well\"")));
    let again = pair.answered("again");
    pair.confirm(&again);
    assert_eq!(rows(&mut *database), names(&[("again", 4)]));
}

#[test]
fn a_clean_stop_stores_every_live_call_in_every_mode() {
    for mode in 1..=3 {
        let folder = Folder::new();
        let file = folder.path("calls.sqlite");
        let mut server = storing(&file, mode, "");
        let mut pair = Pair::of(&server);
        let calls: Vec<Answered> = (0..4).map(|number| pair.answered(&format!("s{number}"))).collect();
        for answered in &calls[1..] {
            pair.confirm(answered);
        }
        pair.end(&calls[3]);
        let mut database = open(&file);
        let expected = names(&[("s0", 3), ("s1", 4), ("s2", 4)]);
        assert_eq!(rows(&mut *database), if mode == 1 { expected.clone() } else { Vec::new() }, "mode {mode}");
        let (status, time) = server.stop();
        assert!(status.success() && time < Duration::from_secs(3), "mode {mode}: {status} {time:?}");
        assert_eq!(rows(&mut *database), expected, "mode {mode}\n{}", server.log());
    }
}

#[test]
fn a_stop_without_its_database_ends_in_time_and_says_what_is_lost() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let mut server = storing(&file, 1, "modparam(\"dialog\", \"db_timeout\", 200)");
    let mut pair = Pair::of(&server);
    let _lock = Lock::take(&file);
    for number in 0..3 {
        pair.answered(&format!("lost{number}"));
    }
    let (status, time) = server.stop();
    assert!(status.success() && time < Duration::from_secs(9), "{status} {time:?}");
    assert!(server.log().contains("changes of 3 dialogs are NOT stored"), "{}", server.log());
}

#[test]
fn commands_change_nothing_once_the_last_changes_are_stored() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let server = storing(&file, 1, "modparam(\"dialog\", \"db_timeout\", 2000)");
    let mut pair = Pair::of(&server);
    let _lock = Lock::take(&file);
    pair.answered("c");
    server.signal("-TERM");
    until("a refusal", || server.ask_json("dlg.stats_active", "[]").filter(|answer| answer.contains("the proxy is stopping")));
}

#[test]
fn two_proxies_do_not_share_a_file() {
    let folder = Folder::new();
    let file = folder.path("calls.sqlite");
    let mut first = storing(&file, 1, "");
    let said = failed_start(&format!("sqlite://{}", path_text(&file)), "loadmodule \"db_sqlite.so\"\n");
    assert!(said.contains(&format!("the process {} keeps its dialogs in this file", first.child.id())), "{said}");
    first.assert_serves("a second one that did not start");
}

#[test]
fn a_start_that_cannot_store_says_why_and_what_helps() {
    let said = failed_start("sqlite:///nowhere/at/all.sqlite", "loadmodule \"db_sqlite.so\"\n");
    assert!(said.contains("/nowhere/at/all.sqlite") && said.contains("No such file"), "{said}");
    let said = failed_start("sqlite:///nowhere/calls.sqlite", "");
    assert!(said.contains("loadmodule \"db_sqlite.so\""), "{said}");
    let said = failed_start("oracle://u:secret@h/d", "");
    assert!(said.contains("db_url") || said.contains("database"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

fn failed_start(url: &str, modules: &str) -> String {
    let folder = Folder::new();
    let port = support::free_port();
    let more = format!("{modules}modparam(\"dialog\", \"db_url\", \"{url}\")\nmodparam(\"dialog\", \"db_mode\", 1)\n");
    let listen = format!("listen = udp:127.0.0.1:{port}\n");
    let file = folder.write("proxy.cfg", &support::configuration(&folder, port, &listen, &more, RELAY));
    let output = finish(duolog().arg("-f").arg(&file).args(["-DD", "-E", "-Y"]).arg(&folder.0));
    assert_eq!(output.status.code(), Some(255), "{}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn tables_are_made_by_a_command() {
    let folder = Folder::new();
    let file = folder.path("made.sqlite");
    let url = format!("sqlite://{}", path_text(&file));
    for _ in 0..2 {
        let output = finish(duolog().args(["db", "create", &url]));
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("dialog (version 7)"), "{}", text(&output.stdout));
    }
    open(&file).check(&TableNames::default()).unwrap();
    let output = finish(duolog().args(["db", "create", "sqlite:///nowhere/at/all.sqlite"]));
    assert!(!output.status.success() && text(&output.stderr).contains("nowhere"), "{}", text(&output.stderr));
    // With the names of a configuration.
    let other = folder.path("other.sqlite");
    let cfg = folder.write(
        "p.cfg",
        &format!(
            "loadmodule \"tm.so\"\nloadmodule \"rr.so\"\nloadmodule \"dialog.so\"\nmodparam(\"dialog\", \"table_name\", \"calls\")\n\
             modparam(\"dialog\", \"db_url\", \"sqlite://{}\")\nrequest_route {{ drop; }}\n",
            path_text(&other)
        ),
    );
    let output = finish(duolog().arg("-f").arg(&cfg).args(["db", "create"]));
    assert!(text(&output.stdout).contains("calls (version 7)"), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(open(&other).check(&TableNames { dialogs: String::from("calls"), ..TableNames::default() }).is_ok());
}
