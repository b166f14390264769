//! How the fake behaves where the API leaves a choice, or where a test wants it to misbehave.

use chrono::TimeDelta;

/// What the routes need to know besides the world.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) link_style: LinkStyle,
    pub(crate) has_last_link: bool,
    pub(crate) deep_page_limit: usize,
    pub(crate) max_per_page: usize,
    /// Lists whose paging is not documented are paged.
    pub(crate) pages_plain_lists: bool,
    /// Build lists round the times they filter by down to seconds.
    pub(crate) cuts_to_seconds: bool,
    /// Neighbors in build lists are swapped.
    pub(crate) is_disordered: bool,
    pub(crate) has_date: bool,
    /// How far the `Date` header is ahead of the clock.
    pub(crate) date_skew: TimeDelta,
    /// Milliseconds after its creation during which `meta_data` does not find a build.
    pub(crate) meta_data_delay: i64,
    /// The filter `meta_data` matches every build.
    pub(crate) ignores_meta_data: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            link_style: LinkStyle::Absent,
            has_last_link: true,
            deep_page_limit: 10_000,
            max_per_page: 100,
            pages_plain_lists: false,
            cuts_to_seconds: false,
            is_disordered: false,
            has_date: true,
            date_skew: TimeDelta::zero(),
            meta_data_delay: 0,
            ignores_meta_data: false,
        }
    }
}

/// The `Link` header of a list that fits on one page. Both forms were observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStyle {
    /// No header.
    Absent,
    /// A header without a value.
    Empty,
}
