//! Scripts that ask databases, and tables of `htable` that live in one.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use database_servers::{Product, start_or_skip};
use storage::backend::ConnectOptions;
use storage::query::QueryBounds;
use storage::{Backend, Url, Value};
use support::sip::{Party, header, options};
use support::{Folder, Server, duolog, finish, free_port, until};

fn open(file: &Path) -> Box<dyn Backend> {
    let url = Url::parse(&format!("sqlite://{}", file.display())).unwrap();
    let second = Duration::from_secs(10);
    storage::connect(&url, ConnectOptions { connect_timeout: second, call_timeout: second, may_create: true, fetch_rows: 0 }).unwrap()
}

fn run(file: &Path, statements: &[&str]) {
    open(file).run_together(&mut statements.iter().map(|statement| (*statement).to_owned())).unwrap();
}

fn ask(file: &Path, statement: &str) -> Vec<Vec<Value>> {
    open(file).query(statement.as_bytes(), QueryBounds { rows_max: 1_000, bytes_max: 1 << 20 }).unwrap().rows
}

fn text(value: &str) -> Value {
    Value::Text(value.as_bytes().to_vec())
}

/// Somebody who has the file locked until told, or dropped.
struct Lock {
    release: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lock {
    fn on(file: &Path) -> Lock {
        let mut backend = open(file);
        let (release, released) = channel::<()>();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            // The first statement is asked for when the transaction has begun.
            let mut wait = std::iter::once(()).map(|()| {
                tell.send(()).unwrap();
                let _ = released.recv();
                "DELETE FROM waits WHERE 1=0".to_owned()
            });
            backend.run_together(&mut wait).unwrap();
        });
        told.recv_timeout(support::PATIENCE).unwrap();
        Lock { release: Some(release), thread: Some(thread) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.release = None;
        self.thread.take().map(JoinHandle::join);
    }
}

fn party(server: &Server) -> Party {
    Party::udp("127.0.0.1:0", SocketAddr::from(([127, 0, 0, 1], server.port)))
}

fn wish(server: &Server, party: &Party, call: &str, wish: &str) -> String {
    let request = options(party, call, SocketAddr::from(([127, 0, 0, 1], server.port)));
    request.replace("Max-Forwards: 70\r\n", &format!("Max-Forwards: 70\r\nX-Wish: {wish}\r\n"))
}

const MODULES: &str = "loadmodule \"db_sqlite.so\"\nloadmodule \"sqlops.so\"\n";

const ROUTES: &str = r#"
request_route {
	if ($hdr(X-Wish) == "write") {
		sql_query("slow", "insert into waits(name) values('$(ci{s.escape.common})')");
		append_to_reply("X-Code: $rc\r\n");
	} else {
		sql_query("fast", "select id, name from people where name='$fU'", "ra");
		append_to_reply("X-Code: $rc\r\nX-Row: $dbr(ra=>[0,0]) $dbr(ra=>[0,1])\r\n");
	}
	sl_send_reply("200", "Done");
}
"#;

#[test]
fn requests_are_answered_while_another_database_is_locked() {
    let folder = Folder::new();
    let (slow, fast) = (folder.path("slow"), folder.path("fast"));
    run(&slow, &["create table waits(name varchar(64))"]);
    run(&fast, &["create table people(id integer, name varchar(64))", "insert into people values(7,'alice')"]);
    let connections = format!(
        "{MODULES}modparam(\"sqlops\", \"sqlcon\", \"slow=>sqlite://{}\")\nmodparam(\"sqlops\", \"sqlcon\", \"fast=>sqlite://{}\")\n",
        slow.display(),
        fast.display()
    );
    let mut server = Server::with(&connections, ROUTES);
    let mut writer = party(&server);
    let lock = Lock::on(&slow);
    let locked = Instant::now();
    for number in 0..20 {
        let request = wish(&server, &writer, &format!("write-{number}"), "write");
        writer.send(&request);
    }
    let mut reader = party(&server);
    let mut slowest = Duration::ZERO;
    for number in 0..1000 {
        let request = wish(&server, &reader, &format!("read-{number}"), "read");
        let began = Instant::now();
        reader.send(&request);
        let answer = reader.expect("SIP/2.0 200");
        slowest = slowest.max(began.elapsed());
        assert_eq!(header(&answer, "X-Code").as_deref(), Some("1"));
        assert_eq!(header(&answer, "X-Row").as_deref(), Some("7 alice"));
    }
    assert!(slowest < Duration::from_secs(1), "a request waited {slowest:?}");
    assert!(writer.next_within(Duration::from_secs(2).saturating_sub(locked.elapsed())).is_none(), "nobody may write yet");
    drop(lock);
    for _ in 0..20 {
        assert_eq!(header(&writer.expect("SIP/2.0 200"), "X-Code").as_deref(), Some("2"));
    }
    assert_eq!(ask(&slow, "select count(*) from waits"), [[Value::Integer(20)]]);
    server.assert_serves("a locked database");
}

#[test]
fn a_statement_that_takes_too_long_fails_and_the_next_one_works() {
    let folder = Folder::new();
    let slow = folder.path("slow");
    run(&slow, &["create table waits(name varchar(64))"]);
    let connections = format!(
        "{MODULES}modparam(\"sqlops\", \"sqlcon\", \"slow=>sqlite://{0}\")\nmodparam(\"sqlops\", \"sqlcon\", \"fast=>sqlite://{0}\")\nmodparam(\"sqlops\", \"query_timeout\", 200)\n",
        slow.display()
    );
    let mut server = Server::with(&connections, ROUTES);
    let mut writer = party(&server);
    let lock = Lock::on(&slow);
    let request = wish(&server, &writer, "late", "write");
    writer.send(&request);
    assert_eq!(header(&writer.expect("SIP/2.0 200"), "X-Code").as_deref(), Some("-1"));
    drop(lock);
    let request = wish(&server, &writer, "in-time", "write");
    writer.send(&request);
    assert_eq!(header(&writer.expect("SIP/2.0 200"), "X-Code").as_deref(), Some("2"));
    assert!(server.log().contains("cannot do the query [insert into waits"), "{}", server.log());
    assert_eq!(ask(&slow, "select count(*) from waits"), [[Value::Integer(1)]]);
    server.assert_serves("a statement that took too long");
}

#[test]
fn a_database_that_is_not_there_at_the_start_is_used_when_it_comes() {
    let folder = Folder::new();
    let place = folder.path("later");
    let connections = |mode: i32| {
        let file = place.join("calls");
        format!(
            "{MODULES}modparam(\"sqlops\", \"sqlcon\", \"slow=>sqlite://{0}\")\nmodparam(\"sqlops\", \"sqlcon\", \"fast=>sqlite://{0}\")\nmodparam(\"sqlops\", \"connect_mode\", {mode})\n",
            file.display()
        )
    };
    // Without connect_mode 1 the start fails.
    let port = free_port();
    let own = Folder::new();
    let file =
        own.write("proxy.cfg", &support::configuration(&own, port, &format!("listen = udp:127.0.0.1:{port}\n"), &connections(0), ROUTES));
    let output = finish(duolog().arg("-f").arg(&file).args(["-DD", "-E", "-Y"]).arg(&own.0));
    assert_eq!(output.status.code(), Some(255));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("there is no directory") && told.contains("mkdir"), "{told}");

    let mut server = Server::with(&connections(1), ROUTES);
    let mut party = party(&server);
    let request = wish(&server, &party, "early", "read");
    party.send(&request);
    assert_eq!(header(&party.expect("SIP/2.0 200"), "X-Code").as_deref(), Some("-1"));
    std::fs::create_dir(&place).unwrap();
    run(&place.join("calls"), &["create table people(id integer, name varchar(64))", "insert into people values(7,'alice')"]);
    let mut number = 0;
    until("the database to be used", || {
        number += 1;
        let request = wish(&server, &party, &format!("later-{number}"), "read");
        party.send(&request);
        (header(&party.expect("SIP/2.0 200"), "X-Row").as_deref() == Some("7 alice")).then_some(())
    });
    server.assert_serves("a database that came late");
}

/// Kills the server under a script that asks it, and starts it again.
fn survives_its_server(product: Product, module: &str) {
    let Some(mut database) = start_or_skip(product) else { return };
    let more = format!(
        "loadmodule \"{module}.so\"\nloadmodule \"sqlops.so\"\nmodparam(\"sqlops\", \"sqlcon\", \"ca=>{}\")\nmodparam(\"sqlops\", \"query_timeout\", 1000)\n",
        database.url()
    );
    let routes = "request_route {\n\tsql_query(\"ca\", \"select 7 as id\", \"ra\");\n\tappend_to_reply(\"X-Code: $rc\\r\\n\");\n\tsl_send_reply(\"200\", \"Done\");\n}\n";
    let mut server = Server::with(&more, routes);
    let mut party = party(&server);
    let mut number = 0;
    let mut code = |server: &Server| {
        number += 1;
        let request = wish(server, &party, &format!("ask-{number}"), "x");
        let began = Instant::now();
        party.send(&request);
        let answer = header(&party.expect("SIP/2.0 200"), "X-Code").unwrap_or_default();
        assert!(began.elapsed() < Duration::from_secs(5), "a request waited {:?}", began.elapsed());
        answer
    };
    assert_eq!(code(&server), "1");
    database.kill().unwrap();
    assert_eq!([code(&server), code(&server)], ["-1", "-1"]);
    database.start_again().unwrap();
    until("statements that work again", || (code(&server) == "1").then_some(()));
    database.freeze().unwrap();
    assert_eq!(code(&server), "-1", "a server that hangs");
    database.thaw().unwrap();
    until("statements that work again", || (code(&server) == "1").then_some(()));
    assert!(!server.log().contains(database_servers::PASSWORD), "{}", server.log());
    server.assert_serves("a server that went away");
}

#[test]
fn scripts_go_on_when_postgresql_went_away_and_came_back() {
    survives_its_server(Product::Postgres, "db_postgres");
}

#[test]
fn scripts_go_on_when_mariadb_went_away_and_came_back() {
    survives_its_server(Product::Mariadb, "db_mysql");
}

#[test]
fn a_url_without_its_module_and_a_call_without_its_connection_stop_the_start() {
    for (more, routes, reason) in [
        (
            "loadmodule \"sqlops.so\"\nmodparam(\"sqlops\", \"sqlcon\", \"ca=>mysql://u:secret@h/d\")\n",
            "request_route { exit; }",
            "db_mysql",
        ),
        (MODULES, "request_route { sql_query(\"none\", \"select 1\", \"ra\"); }", "there is no connection"),
        ("loadmodule \"sqlops.so\"\nmodparam(\"sqlops\", \"sqlcon\", \"nonsense\")\n", "request_route { exit; }", "NAME=>URL"),
        (
            "modparam(\"htable\", \"db_url\", \"postgres://u:secret@h/d\")\nmodparam(\"htable\", \"htable\", \"a=>dbtable=t\")\n",
            "request_route { exit; }",
            "db_postgres",
        ),
    ] {
        let (port, own) = (free_port(), Folder::new());
        let file = own.write("proxy.cfg", &support::configuration(&own, port, &format!("listen = udp:127.0.0.1:{port}\n"), more, routes));
        let output = finish(duolog().arg("-c").arg("-f").arg(&file));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(255) && told.contains(reason) && !told.contains("secret"), "{reason}: {told}");
    }
}

const COUNTING: &str = r#"
request_route {
	$sht(a=>seen) = 5;
	$sht(a=>it's) = "a'b\\";
	append_to_reply("X-Row: $sht(a=>old) $sht(a=>arr[1]) $sht(a=>arr::size) $sht(b=>k)\r\n");
	sl_send_reply("200", "Done");
}
"#;

fn tables(file: &Path) -> String {
    let parameter = |name: &str, value: &str| format!("modparam(\"htable\", \"{name}\", \"{value}\")\n");
    [
        "loadmodule \"db_sqlite.so\"\n".to_owned(),
        parameter("db_url", &format!("sqlite://{}", file.display())),
        parameter("htable", "a=>size=4;dbtable=ta;dbmode=1"),
        parameter("htable", "b=>size=4;dbtable=tb;cols='k,v,w'"),
        parameter("htable", "c=>size=4"),
    ]
    .concat()
}

const CREATE: [&str; 4] = [
    "create table ta(id integer primary key, key_name varchar(64), key_type integer, value_type integer, key_value varchar(128), expires integer default 0)",
    "insert into ta(key_name,key_type,value_type,key_value) values('old',0,0,'here'),('arr',1,0,'x'),('arr',1,1,'9')",
    "create table tb(k varchar(10), v varchar(10), w integer)",
    "insert into tb values('k','v',null)",
];

#[test]
fn tables_are_loaded_before_the_first_request_and_stored_at_the_stop() {
    let folder = Folder::new();
    let file = folder.path("tables");
    run(&file, &CREATE);
    let mut server = Server::with(&tables(&file), COUNTING);
    let mut party = party(&server);
    let request = wish(&server, &party, "first", "x");
    party.send(&request);
    assert_eq!(header(&party.expect("SIP/2.0 200"), "X-Row").as_deref(), Some("here 9 2 v,*"));
    let (status, _) = server.stop();
    assert!(status.success());
    let stored = ask(&file, "select key_name, key_type, value_type, key_value from ta order by key_name");
    let row = |key: &str, kind: i64, value: &str| vec![text(key), Value::Integer(0), Value::Integer(kind), text(value)];
    let expected = [
        row("arr::size", 1, "2"),
        row("arr[0]", 0, "x"),
        row("arr[1]", 1, "9"),
        row("it's", 0, "a'b\\"),
        row("old", 0, "here"),
        row("seen", 1, "5"),
    ];
    let kind = |row: &Vec<Value>| row.get(2).cloned();
    assert_eq!(stored.iter().map(kind).collect::<Vec<_>>().len(), expected.len(), "{stored:?}");
    for row in expected {
        // An integer of an array is one again.
        assert!(stored.contains(&row), "{row:?} in {stored:?}");
    }
}

#[test]
fn tables_are_loaded_and_stored_on_demand() {
    let folder = Folder::new();
    let file = folder.path("tables");
    run(&file, &CREATE);
    let mut server = Server::with(&tables(&file), COUNTING);
    run(&file, &["update ta set key_value='changed' where key_name='old'", "delete from ta where key_name='arr'"]);
    let says = |server: &Server, method: &str, table: &str, expected: &str| {
        let answer = server.ask_json(method, &format!("[\"{table}\"]")).unwrap_or_default();
        assert!(answer.contains(expected), "{method} {table}: {answer}");
    };
    says(&server, "htable.reload", "a", "Ok. Htable reloaded.");
    says(&server, "htable.dump", "a", "changed");
    assert!(!server.ask_json("htable.dump", "[\"a\"]").unwrap_or_default().contains("arr"));
    server.ask_json("htable.sets", "[\"a\",\"new\",\"text\"]").unwrap();
    says(&server, "htable.store", "a", "Ok. Htable successfully stored to DB.");
    assert_eq!(ask(&file, "select key_value from ta order by key_name"), [[text("text")], [text("changed")]]);
    says(&server, "htable.reload", "c", "No database htable");
    says(&server, "htable.store", "nix", "No such htable");
    run(&file, &["drop table ta"]);
    says(&server, "htable.reload", "a", "Htable reload failed");
    says(&server, "htable.store", "a", "Htable store failed");
    says(&server, "htable.dump", "a", "changed");
    server.assert_serves("a table that is gone");
}

#[test]
fn a_table_that_cannot_be_loaded_stops_the_start() {
    let folder = Folder::new();
    let file = folder.path("tables");
    run(&file, &["create table other(a integer)"]);
    let (port, own) = (free_port(), Folder::new());
    let text = support::configuration(&own, port, &format!("listen = udp:127.0.0.1:{port}\n"), &tables(&file), COUNTING);
    let configuration = own.write("proxy.cfg", &text);
    let output = finish(duolog().arg("-f").arg(&configuration).args(["-DD", "-E", "-Y"]).arg(&own.0));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(255) && told.contains("no such table: ta"), "{told}");
}
