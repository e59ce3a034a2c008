//! RPC commands of `jsonrpcs`.

use crate::rpc::{Fault, Item, Parameters, Reply, Wire};
use crate::worker::Worker;

/// `jsonrpc.echo [text [integer]]`: both again.
pub(super) fn echo(_worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    if parameters.left() == 0 {
        return Ok(Reply::empty());
    }
    // BINRPC reads `6` as the number it looks like.
    parameters.converts |= parameters.wire == Wire::Binrpc;
    let mut items = vec![Item::Text(parameters.text_converted()?)];
    items.extend(parameters.integer().ok().map(Item::Integer));
    Ok(Reply::many(items))
}
