//! The module of this binary: scripts ask `talk_exceeds()`, `talk.minutes` shows the books, `talk.end` hangs up on an account.

use std::sync::Arc;

use dialog::{Wish, WishRefused};
use modules::Worker;
use modules::registry::{Function, Module};
use modules::rpc::{Command, Fault, Item, Parameters, Reply};
use script::exports::{Argument, Flow, Kind};

use crate::books::{Account, Books};

/// What the binary adds to the names a configuration and its operator know.
pub static MODULE: Module = Module {
    name: "talk",
    checks: &[],
    functions: &[Function::new("talk_exceeds", 2..=2, &[Kind::Format, Kind::Integer], exceeds)],
    variables: &[],
    parameters: &[],
    commands: &[
        Command::new("talk.minutes", "Talk time by account: account.", minutes).array(),
        Command::new("talk.end", "Ends the calls of an account: account.", end),
    ],
    statistics: &[],
    events: &[],
};

fn books(worker: &Worker) -> Result<Arc<Books>, Fault> {
    worker.node.dialogs.observer().ok_or_else(|| Fault::new(500, "the books are not kept: the observer was not added"))
}

/// `talk_exceeds(account, minutes)`: has the account talked more than so many minutes?
fn exceeds(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let [account, minutes] = arguments else { return Flow::Code(-1) };
    let Ok(books) = books(worker) else { return Flow::Code(-1) };
    let talked = books.account(&account.text()).map_or(0, |account| account.minutes);
    Flow::from(i64::try_from(talked).is_ok_and(|talked| talked > minutes.integer()))
}

fn minutes(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let books = books(worker)?;
    match parameters.text_if_given()? {
        None => Ok(Reply::many(books.accounts().iter().map(|(name, account)| item(name, account)).collect())),
        Some(name) => {
            let account = books.account(&name).ok_or_else(|| Fault::new(404, "No such account"))?;
            Ok(Reply::one(item(&name, &account)))
        }
    }
}

fn item(name: &[u8], account: &Account) -> Item {
    let number = |number: u64| Item::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    Item::Structure(vec![
        ("account".into(), Item::text(name)),
        ("calls".into(), number(account.calls)),
        ("seconds".into(), number(account.milliseconds / 1000)),
        ("minutes".into(), number(account.minutes)),
        ("talking".into(), number(account.talking)),
    ])
}

/// The credit of an account is over: its calls are wished to end, the worker sends the BYEs when this command is done.
fn end(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let name = parameters.text_converted()?;
    let talks = books(worker)?.talks_of(&name);
    let refused = |refusal: WishRefused| Fault::new(503, refusal.to_string());
    for dialog in &talks {
        worker.node.dialogs.wish(Wish::End { dialog: *dialog, leg: None, headers: Vec::new() }).map_err(refused)?;
    }
    Ok(Reply::one(Item::Integer(i64::try_from(talks.len()).unwrap_or(i64::MAX))))
}
