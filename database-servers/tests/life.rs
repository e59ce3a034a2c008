//! Servers start, survive an outage with their data, hang when told to, and leave nothing behind.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use database_servers::{DatabaseServer, Product, start_or_skip};

fn lives_through_outages(product: Product) {
    let Some(mut server) = start_or_skip(product) else { return };
    server.execute("CREATE TABLE kept (a INT); INSERT INTO kept VALUES (41);").unwrap();
    server.stop().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err(), "a stopped server refuses connections");
    server.start_again().unwrap();
    assert_eq!(server.execute("SELECT a + 1 FROM kept;").unwrap().trim(), "42");
    server.kill().unwrap();
    assert!(server.execute("SELECT 1;").is_err());
    server.start_again().unwrap();
    assert_eq!(server.execute("SELECT a + 1 FROM kept;").unwrap().trim(), "42");
    server.freeze().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_ok(), "the kernel takes connections of a hung server");
    server.thaw().unwrap();
    assert!(server.execute("SELEKT 1;").unwrap_err().to_lowercase().contains("syntax"));
    server.freeze().unwrap();
    let directory = server.directory().to_owned();
    assert!(directory.exists());
    drop(server);
    assert!(!directory.exists(), "a dropped server is removed, even a frozen one");
}

#[test]
fn postgres_lives_through_outages_and_leaves_nothing() {
    lives_through_outages(Product::Postgres);
}

#[test]
fn mariadb_lives_through_outages_and_leaves_nothing() {
    lives_through_outages(Product::Mariadb);
}

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "started by a_server_dies_with_the_process_that_started_it"]
fn holder_of_a_server() {
    let Some(server) = start_or_skip(Product::Postgres) else { return };
    println!("holds {} {}", server.port(), server.directory().display());
    std::thread::park();
}

#[test]
fn a_server_dies_with_the_process_that_started_it() {
    if matches!(DatabaseServer::start(Product::Postgres), Err(database_servers::Trouble::NotInstalled(_))) {
        println!("skipped: PostgreSQL is not installed");
        return;
    }
    let program = std::env::current_exe().unwrap();
    let mut holder =
        Command::new(program).args(["--exact", "holder_of_a_server", "--ignored", "--nocapture"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find_map(|line| line.split_once("holds ").map(|(_, place)| place.to_owned())).unwrap();
    let (port, directory) = line.split_once(' ').unwrap();
    let (port, directory): (u16, PathBuf) = (port.parse().unwrap(), directory.into());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    holder.kill().unwrap();
    holder.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while directory.exists() || TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < end, "the server outlives its holder");
        std::thread::sleep(Duration::from_millis(20));
    }
}
