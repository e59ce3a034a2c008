//! Start, command line and end of the real program.

mod support;

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use support::{Folder, PATIENCE, RELAY, Server, configuration, duolog, finish, free_port, path_text, text, until};

fn check(folder: &Folder, configuration: &str, options: &[&str]) -> (i32, String, String) {
    let file = folder.write("check.cfg", configuration);
    let output = finish(duolog().args(options).arg("-c").arg("-f").arg(file));
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn sigterm_ends_the_program_quickly_and_leaves_nothing_behind() {
    let mut server = Server::relay("");
    let pid = std::fs::read_to_string(server.folder.path("pid")).unwrap();
    assert_eq!(pid.trim(), server.child.id().to_string());
    for name in ["ctl", "rpc.sock", "rpc.fifo"] {
        assert!(server.folder.path(name).exists(), "{name}");
    }
    let (status, took) = server.stop();
    assert!(status.success(), "{status}\n{}", server.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
    for name in ["pid", "ctl", "rpc.sock", "rpc.fifo"] {
        assert!(!server.folder.path(name).exists(), "{name} is left behind");
    }
    UdpSocket::bind(("127.0.0.1", server.port)).expect("the port is free again");
}

#[test]
fn sigint_ends_it_too_and_other_signals_do_not() {
    let mut server = Server::relay("");
    for name in ["-HUP", "-USR1", "-USR2", "-PIPE", "-CHLD"] {
        server.signal(name);
    }
    server.assert_serves("signals that ask for nothing");
    server.signal("-INT");
    until("the end after SIGINT", || server.child.try_wait().unwrap());
}

#[test]
fn core_kill_ends_it_as_a_signal_does() {
    let mut server = Server::relay("");
    let _ = server.ask_json("core.kill", "[15]");
    let status = until("the end after core.kill", || server.child.try_wait().unwrap());
    assert!(status.success(), "{status}");
    assert!(!server.folder.path("pid").exists());
}

#[test]
fn a_second_start_on_the_same_port_fails_and_does_not_disturb_the_first() {
    let mut server = Server::relay("");
    let output = finish(duolog().args(["-DD", "-E", "-f"]).arg(server.folder.path("proxy.cfg")).arg("-P").arg(server.folder.path("pid2")));
    assert_eq!(output.status.code(), Some(255));
    let said = text(&output.stderr);
    assert!(said.contains(&format!("127.0.0.1:{}", server.port)), "{said}");
    assert!(said.to_lowercase().contains("in use"), "{said}");
    assert!(!server.folder.path("pid2").exists());
    server.assert_serves("a second start");
    assert!(server.folder.path("ctl").exists());
}

#[test]
fn a_fault_in_the_configuration_is_shown_with_file_line_and_column() {
    let folder = Folder::new();
    let port = free_port();
    let broken = format!("listen = udp:127.0.0.1:{port}\nloadmodule \"sl.so\"\nrequest_route {{\n\tsl_send_reply(\"200\" \"OK\");\n}}\n");
    let file = folder.write("broken.cfg", &broken);
    let output = finish(duolog().args(["-DD", "-E", "-f"]).arg(&file));
    assert_eq!(output.status.code(), Some(255));
    let said = text(&output.stderr);
    assert!(said.contains(&format!("{}:4:", path_text(&file))), "{said}");
    let missing = finish(duolog().args(["-DD", "-E", "-f", "/nonexistent/k.cfg"]));
    assert_eq!(missing.status.code(), Some(255));
    assert!(text(&missing.stderr).contains("/nonexistent/k.cfg"), "{}", text(&missing.stderr));
}

#[test]
fn checking_says_ok_or_what_is_wrong() {
    let folder = Folder::new();
    let port = free_port();
    let good = configuration(&folder, port, &format!("listen = udp:127.0.0.1:{port}\n"), "", RELAY);
    let (code, stdout, stderr) = check(&folder, &good, &[]);
    assert_eq!((code, stdout.trim()), (0, "config file ok, exiting..."), "{stderr}");
    let (code, _, stderr) = check(&folder, &good.replace("t_relay()", "t_realy()"), &[]);
    assert_eq!(code, 255);
    assert!(stderr.contains("check.cfg:") && stderr.contains("t_realy"), "{stderr}");
    let (code, _, stderr) = check(&folder, &good.replace("\"rpc.sock\"", "").replace("\"fifo_name\"", "\"fifo_nmae\""), &[]);
    assert_eq!(code, 255);
    assert!(stderr.contains("fifo_nmae"), "{stderr}");
    let file = folder.write("sub.cfg", &good);
    let output = finish(duolog().arg("check").arg(&file));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let file = folder.write("sub.cfg", &good.replace("request_route {", "request_route { route(NOWHERE);"));
    let output = finish(duolog().arg("check").arg(&file));
    assert_eq!(output.status.code(), Some(255));
    assert!(text(&output.stderr).contains("NOWHERE"), "{}", text(&output.stderr));
    let stored = "modparam(\"dialog\", \"db_mode\", 1)\nmodparam(\"dialog\", \"db_url\", \"mysql:/u:secret@h/d\")\n";
    let file = folder.write("sub.cfg", &good.replace("request_route {", &format!("{stored}request_route {{")));
    let output = finish(duolog().arg("check").arg(&file));
    assert_eq!(output.status.code(), Some(255));
    let said = text(&output.stderr);
    assert!(said.contains("database URL: has no ://") && !said.contains("secret"), "{said}");
    assert!(UdpSocket::bind(("127.0.0.1", port)).is_ok());
}

#[test]
fn version_and_help_are_printed() {
    for option in ["-v", "-V", "--version", "version"] {
        let output = finish(duolog().arg(option));
        assert!(output.status.success());
        assert!(text(&output.stdout).starts_with("version: duolog "), "{}", text(&output.stdout));
    }
    for option in ["-h", "--help", "help"] {
        let output = finish(duolog().arg(option));
        assert!(output.status.success() && text(&output.stdout).contains("-f FILE"));
    }
    let output = finish(duolog().arg("-Z"));
    assert_eq!(output.status.code(), Some(255));
    assert!(text(&output.stderr).contains("-Z"));
}

#[test]
fn options_without_meaning_are_accepted_and_said() {
    let port = free_port();
    let listen = format!("listen = udp:127.0.0.1:{port}\n");
    let mut server = Server::start(port, &listen, "", RELAY, |command| {
        command.args(["-m", "256", "-M", "16", "-x", "fm", "-X", "fm"]).args(["-W", "epoll", "-q", "-L", "/usr/lib"]);
    });
    let log = server.log();
    for option in ["-m and -M", "-x and -X", "-W", "-q", "-L"] {
        assert!(log.contains(&format!("option {option} has no effect")), "{option}: {log}");
    }
    server.assert_serves("all those options");
}

#[test]
fn defines_of_the_command_line_reach_the_configuration() {
    let folder = Folder::new();
    let source = "#!ifndef WITH_DOOR\n#!endif\nlisten = udp:127.0.0.1:DOOR\nloadmodule \"sl.so\"\n#!ifdef WITH_ERROR\nnonsense here\n#!endif\n\
                  request_route { sl_send_reply(\"200\", \"OK\"); }\n";
    let (code, stdout, stderr) = check(&folder, source, &["-A", "DOOR=5099", "-A", "WITH_DOOR"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (code, _, stderr) = check(&folder, source, &["-A", "DOOR=5099", "-A", "WITH_ERROR"]);
    assert_eq!(code, 255, "{stderr}");
    assert!(stderr.contains("check.cfg:6"), "{stderr}");
}

#[test]
fn modules_and_parameters_of_the_command_line_count() {
    let folder = Folder::new();
    let source = "listen = udp:127.0.0.1:5099\nrequest_route { sl_send_reply(\"200\", \"OK\"); }\n";
    assert_eq!(check(&folder, source, &[]).0, 255);
    let (code, _, stderr) = check(&folder, source, &["--loadmodule=sl"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, _, stderr) = check(&folder, source, &["--loadmodule=sl", "--modparam=sl:no_such:i:1"]);
    assert_eq!(code, 255);
    assert!(stderr.contains("no_such"), "{stderr}");
}

#[test]
fn the_service_manager_hears_ready_and_stopping() {
    let folder = Folder::new();
    let manager = UnixDatagram::bind(folder.path("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = free_port();
    let path = folder.path("notify");
    let mut server = Server::start(port, &format!("listen = udp:127.0.0.1:{port}\n"), "", RELAY, |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    let mut buffer = [0; 200];
    let length = manager.recv(&mut buffer).unwrap();
    let said = text(&buffer[..length]);
    assert_eq!(said, format!("READY=1\nMAINPID={}", server.child.id()));
    server.stop();
    // Lines for `systemctl status` may come in between.
    loop {
        let length = manager.recv(&mut buffer).unwrap();
        match text(&buffer[..length]) {
            status if status.starts_with("STATUS=") => {}
            other => return assert_eq!(other, "STOPPING=1"),
        }
    }
}

#[test]
fn without_d_it_goes_to_the_background() {
    let folder = Folder::new();
    let port = free_port();
    let file = folder.write("k.cfg", &configuration(&folder, port, &format!("listen = udp:127.0.0.1:{port}\n"), "", RELAY));
    // Written by the process in the background, which inherits nothing of ours to wait on.
    let output = finish(duolog().arg("-f").arg(file).arg("-P").arg(folder.path("pid")));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let pid = until("the pid file", || std::fs::read_to_string(folder.path("pid")).ok().filter(|text| text.ends_with('\n')));
    until("the control socket", || folder.path("ctl").exists().then_some(()));
    let killed = std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
    assert!(killed.success());
    until("the end of the background process", || (!folder.path("pid").exists()).then_some(()));
}
