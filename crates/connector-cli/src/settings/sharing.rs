//! Settings that the two sides of a sync share.

use serde_json::Value;

use super::flags::is_common;
use super::side::Side;

/// Passes settings from the source to the destination: those that only the destination has, and
/// those that both have in common.
///
/// If both sides are the same connector, they use the same remote. A setting that both roles
/// declare with the same flag and key, such as the address, then applies to both unless the
/// destination has its own. A credential is never used at another address, and never replaces one
/// of the destination.
pub(super) fn share(source: &mut Side, destination: &mut Side) {
    if source.name() != destination.name() {
        if !source.schema().takes_credential() && destination.schema().takes_credential() {
            let unused = source.credential.take();
            destination.credential = destination.credential.take().or(unused);
        }
        return;
    }
    let mut is_one_remote = true;
    for key in common_keys(source, destination) {
        if let (Some(value), Some(origin)) = (source.get(&key), source.origin(&key))
            && !destination.has(&key)
        {
            destination.set(&key, Value::clone(value), origin.clone());
        }
        is_one_remote &= source.get(&key) == destination.get(&key);
    }
    if is_one_remote && !destination.holds_secret() && destination.credential.is_none() {
        destination.credential.clone_from(&source.credential);
    }
}

/// The settings that choose the remote: both roles declare the same flag for them.
fn common_keys(source: &Side, destination: &Side) -> Vec<String> {
    let flags = source.schema().flags.iter();
    let common = flags.filter(|flag| is_common(flag, destination.schema()));
    common.map(|flag| flag.key.clone()).collect()
}
