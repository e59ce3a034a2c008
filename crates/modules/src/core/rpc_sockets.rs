//! RPC commands that list local sockets and aliases, for the core and corex.

use super::rpc::field;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::sockets::{bracketed, word};
use crate::worker::Worker;

/// `core.sockets_list`.
pub(super) fn sockets(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let items = worker.node.sockets.list.iter().map(|socket| {
        let address = bracketed(socket.address.ip());
        Item::Structure(vec![field(
            "socket",
            Item::Structure(vec![
                field("proto", Item::text(word(socket.protocol))),
                field("address", Item::text(&address)),
                field("port", Item::text(socket.address.port().to_string())),
                field("mcast", Item::text("no")),
                field("mhomed", Item::text("no")),
                field("virtual", Item::text("no")),
            ]),
        )])
    });
    Ok(Reply::one(Item::Array(items.collect())))
}

fn alias_port(port: Option<u16>) -> Item {
    port.map_or_else(|| Item::text("*"), |port| Item::Integer(i64::from(port)))
}

/// `core.aliases_list`.
pub(super) fn aliases(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let list = worker.node.sockets.aliases.iter().rev().map(|alias| {
        let alias = Item::Structure(vec![
            field("proto", Item::text(alias.protocol.map_or("*", word))),
            field("address", Item::text(&alias.host)),
            field("port", alias_port(alias.port)),
        ]);
        Item::Structure(vec![field("alias", alias)])
    });
    let has_callbacks = if worker.node.states.corex.has_subdomains() { "yes" } else { "no" };
    Ok(Reply::one(Item::Structure(vec![
        field("myself_callbacks", Item::text(has_callbacks)),
        field("aliases", Item::Array(list.collect())),
    ])))
}

/// `corex.list_sockets`.
pub fn sockets_of_corex(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let items = worker.node.sockets.list.iter().map(|socket| {
        let address = bracketed(socket.address.ip());
        let advertise = match &socket.advertise {
            Some((host, Some(port))) => format!("{host}:{port}"),
            Some((host, None)) => host.clone(),
            None => "-".to_owned(),
        };
        Item::Structure(vec![
            field("PROTO", Item::text(word(socket.protocol))),
            field("NAME", Item::text(&address)),
            field("ADDRLIST", Item::Structure(vec![field("ADDR", Item::text(&address))])),
            field("PORT", Item::text(socket.address.port().to_string())),
            field("MCAST", Item::text("no")),
            field("MHOMED", Item::text("no")),
            field("VIRTUAL", Item::text("no")),
            field("SOCKNAME", Item::text(socket.name.as_deref().unwrap_or("-"))),
            field("ADVERTISE", Item::text(advertise)),
        ])
    });
    Ok(Reply::many(items.collect()))
}

/// `corex.list_aliases`.
pub fn aliases_of_corex(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let items = worker.node.sockets.aliases.iter().rev().map(|alias| {
        Item::Structure(vec![
            field("PROTO", Item::text(alias.protocol.map_or("*", word))),
            field("ADDR", Item::text(&alias.host)),
            field("PORT", Item::Integer(i64::from(alias.port.unwrap_or(0)))),
        ])
    });
    Ok(Reply::many(items.collect()))
}
