//! A SQLite file with many answered calls, a proxy that starts with it, and both parties of every call.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dialog::{DialogId, cookie, hash};
use storage::backend::ConnectOptions;
use storage::{Backend, Batch, Cell, Column, DialogRow, Operation, Selection, TableNames, Url};

use crate::support::sip::{Party, header, reply};
use crate::support::{Folder, Server, free_port, path_text, until};

/// Stored numbers begin here: far above those a start draws.
pub const FIRST_ID: u32 = 1_000_000;

/// Loose routing within dialogs; what the callee sees tells whether the dialog was found whole.
const ROUTES: &str = r#"
request_route {
	if (has_totag()) {
		if (loose_route()) {
			append_hf("X-Account: $dlg_var(account)\r\n");
			if (is_known_dlg()) append_hf("X-Known: yes\r\n");
			t_relay();
			exit;
		}
		sl_send_reply("404", "Not Here");
		exit;
	}
	if (is_method("OPTIONS") && $hdr(X-Load) != $null) {
		if ($hdr(X-Load) == "all") dlg_db_load_extra(); else dlg_db_load_callid("$hdr(X-Load)");
		sl_send_reply("200", "Loaded $rc");
		exit;
	}
	if (is_method("OPTIONS")) { sl_send_reply("200", "Alive"); exit; }
	if (is_method("INVITE")) { dlg_manage(); record_route(); }
	t_relay();
}
"#;

pub fn now() -> u32 {
    u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

pub fn call_id(number: u32) -> String {
    format!("stored-{number}@x")
}

/// A file of calls and where their parties and their proxy are.
pub struct Calls {
    folder: Folder,
    pub port: u16,
    pub caller: Party,
    pub callee: Party,
    /// Slots the numbers were counted in.
    slots: u32,
}

impl Calls {
    /// So many calls with one variable and two profiles each, stored with so many slots; `change` has the last word.
    pub fn stored(count: u32, slots: u32, change: impl Fn(u32, &mut DialogRow)) -> Calls {
        let folder = Folder::new();
        let port = free_port();
        let proxy = SocketAddr::from(([127, 0, 0, 1], port));
        let (caller, callee) = (Party::udp("127.0.0.1:0", proxy), Party::udp("127.0.0.1:0", proxy));
        let calls = Calls { folder, port, caller, callee, slots };
        let mut backend = calls.connect(true);
        let names = TableNames::default();
        backend.create(&names).unwrap();
        let numbers: Vec<u32> = (0..count).collect();
        for some in numbers.chunks(1_000) {
            let operations = some.iter().map(|number| {
                let mut row = calls.row(*number);
                change(*number, &mut row);
                let variables = vec![(b"account".to_vec(), format!("account{number}").into_bytes())];
                Operation::Put { row: Box::new(row), is_new: true, variables: Some(variables) }
            });
            backend.apply(&names, &Batch { operations: operations.collect(), is_retry: false }).unwrap();
        }
        calls
    }

    pub fn id(&self, number: u32) -> DialogId {
        DialogId { entry: hash::slot(call_id(number).as_bytes(), self.slots), id: FIRST_ID + number }
    }

    fn row(&self, number: u32) -> DialogRow {
        let id = self.id(number);
        let mut row = DialogRow::default();
        let numbers = [
            (Column::HashEntry, id.entry),
            (Column::HashId, id.id),
            (Column::State, 4),
            (Column::StartTime, now() - 60),
            (Column::Timeout, now() + 3_600),
            (Column::ScriptFlags, 0),
            (Column::InternalFlags, 0),
        ];
        for (column, number) in numbers {
            *row.cell_mut(column) = Cell::Integer(i64::from(number));
        }
        let socket = format!("udp:127.0.0.1:{}", self.port);
        let texts = [
            (Column::CallId, call_id(number)),
            (Column::FromUri, "sip:alice@example.com".to_owned()),
            (Column::FromTag, format!("a{number}")),
            (Column::ToUri, "sip:bob@example.com".to_owned()),
            (Column::ToTag, format!("b{number}")),
            (Column::CallerCseq, "1".to_owned()),
            (Column::CalleeCseq, "0".to_owned()),
            (Column::CallerContact, format!("sip:alice@{}", self.caller.address())),
            (Column::CalleeContact, format!("sip:bob@{}", self.callee.address())),
            (Column::CallerSocket, socket.clone()),
            (Column::CalleeSocket, socket),
            (Column::RequestUri, "sip:bob@example.com".to_owned()),
            (Column::ExtraData, r#"{"profiles":[{"name":"caller","value":"alice"},{"name":"all"}]}"#.to_owned()),
        ];
        for (column, text) in texts {
            row.cell_mut(column).set_text(text.as_bytes());
        }
        row
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path("calls.sqlite")
    }

    pub fn connect(&self, may_create: bool) -> Box<dyn Backend> {
        let url = Url::parse(&format!("sqlite://{}", path_text(&self.file()))).unwrap();
        let seconds = Duration::from_secs(5);
        storage::connect(&url, ConnectOptions { connect_timeout: seconds, call_timeout: seconds, may_create, fetch_rows: 200 }).unwrap()
    }

    /// Rows in the table now.
    pub fn rows(&self) -> Vec<DialogRow> {
        let mut rows = Vec::new();
        let mut keep = |row: &DialogRow| {
            rows.push(row.clone());
            std::ops::ControlFlow::Continue(())
        };
        self.connect(false).load(&TableNames::default(), &Selection::All, &mut keep).unwrap();
        rows
    }

    /// Lines of the configuration; `more` are further parameters.
    pub fn parameters(&self, more: &str) -> String {
        format!(
            "loadmodule \"db_sqlite.so\"\nmodparam(\"dialog\", \"db_url\", \"sqlite://{}\")\n\
             modparam(\"dialog\", \"profiles_with_value\", \"caller\")\nmodparam(\"dialog\", \"profiles_no_value\", \"all\")\n\
             modparam(\"rr\", \"append_fromtag\", 0)\n{more}\n",
            path_text(&self.file())
        )
    }

    /// The proxy on this file.
    pub fn serve(&self, more: &str) -> Server {
        let listen = format!("listen = udp:127.0.0.1:{}\n", self.port);
        Server::start(self.port, &listen, &self.parameters(more), ROUTES, |_| {})
    }

    /// The text of a configuration that is to fail.
    pub fn configuration(&self, folder: &Folder, more: &str) -> String {
        let listen = format!("listen = udp:127.0.0.1:{}\n", self.port);
        crate::support::configuration(folder, self.port, &listen, &self.parameters(more), ROUTES)
    }

    /// Sends a request of the caller within a stored call.
    pub fn send(&mut self, number: u32, method: &str) {
        let mut did = Vec::new();
        cookie::write(&mut did, self.id(number));
        let (port, did) = (self.port, String::from_utf8(did).unwrap());
        let (own, other) = (self.caller.address(), self.callee.address());
        let request = format!(
            "{method} sip:bob@{other} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{number}{method}\r\n\
             Route: <sip:127.0.0.1:{port};lr;did={did}>\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a{number}\r\n\
             To: <sip:bob@example.com>;tag=b{number}\r\nCall-ID: {}\r\nCSeq: 2 {method}\r\nContact: <sip:alice@{own}>\r\nContent-Length: 0\r\n\r\n",
            call_id(number)
        );
        self.caller.send(&request);
    }

    /// The callee gets the request of a call, sees the dialog's variable in it, and answers.
    pub fn expect_whole(&mut self, number: u32, method: &str) {
        let arrived = self.callee.expect(&format!("{method} "));
        assert_eq!(header(&arrived, "Call-ID"), Some(call_id(number)), "{arrived}");
        assert_eq!(header(&arrived, "X-Account"), Some(format!("account{number}")), "{arrived}");
        assert_eq!(header(&arrived, "X-Known").as_deref(), Some("yes"), "{arrived}");
        let answer = reply(&arrived, &self.callee, "200 OK", "");
        self.callee.send(&answer);
        self.caller.expect("SIP/2.0 200");
    }

    /// Sends a request and sees it through.
    pub fn request(&mut self, number: u32, method: &str) {
        self.send(number, method);
        self.expect_whole(number, method);
    }
}

/// A number of `dlg.db_status`.
pub fn status(server: &Server, name: &str) -> i64 {
    let answer = server.ask_json("dlg.db_status", "[]").expect("an answer");
    number_in(&answer, name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// A statistic of the group `dialog`.
pub fn statistic(server: &Server, name: &str) -> i64 {
    let answer = server.ask_json("stats.get_statistics", &format!("[\"{name}\"]")).expect("an answer");
    let behind = answer.split(&format!("{name} = ")).nth(1).unwrap_or_else(|| panic!("no {name} in {answer}"));
    behind.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn number_in(json: &str, name: &str) -> Option<i64> {
    let behind = json.split(&format!("\"{name}\":")).nth(1)?;
    behind.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Waits for the end of loading.
pub fn await_loaded(server: &Server) {
    until("the end of loading", || (status(server, "loading") == 0).then_some(()));
}
