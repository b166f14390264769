//! The agents of an organization. Only some of them are listed.

use super::Owner;

pub(super) fn fill(owner: &mut Owner<'_>) {
    let organization = owner.organization;
    for agent in organization.agents.iter().flatten() {
        owner.put("agents", &[], agent.object.clone());
    }
}
