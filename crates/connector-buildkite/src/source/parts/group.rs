//! Groups of about the same weight.

use std::num::NonZeroUsize;

/// Puts weighted items, in their order, into up to `at_most` groups of about the same weight.
pub(super) fn group<T>(items: Vec<(u64, T)>, at_most: NonZeroUsize) -> Vec<Vec<T>> {
    if items.len() <= at_most.get() {
        return items.into_iter().map(|(_, item)| vec![item]).collect();
    }
    let total: u128 = items.iter().map(|(weight, _)| u128::from(*weight)).sum();
    let mut groups: Vec<Vec<T>> = (0..at_most.get()).map(|_| Vec::new()).collect();
    let mut before: u128 = 0;
    for (weight, item) in items {
        // The group that the middle of the item falls into.
        let middle = 2 * before + u128::from(weight);
        let place = middle * at_most.get() as u128 / (2 * total).max(1);
        let last = groups.len() - 1;
        groups[usize::try_from(place).unwrap_or(last).min(last)].push(item);
        before += u128::from(weight);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(weights: &[u64], at_most: usize) -> Vec<Vec<u64>> {
        let items = weights.iter().map(|weight| (*weight, *weight)).collect();
        group(items, NonZeroUsize::new(at_most).unwrap())
    }

    #[test]
    fn groups_are_of_about_the_same_weight_and_keep_the_order() {
        assert_eq!(grouped(&[1, 2, 3], 5), [vec![1], vec![2], vec![3]]);
        assert_eq!(grouped(&[1, 2, 3], 1), [[1, 2, 3]]);
        assert_eq!(grouped(&[5, 1, 1, 1, 1, 1], 2), [vec![5], vec![1; 5]]);
        assert_eq!(grouped(&[2, 2, 2, 2], 2), [[2, 2], [2, 2]]);
        assert_eq!(grouped(&[0, 0, 0], 2), [[0, 0, 0]]);
        assert_eq!(grouped(&[9, 1, 1, 1, 9], 3).len(), 3);
    }
}
