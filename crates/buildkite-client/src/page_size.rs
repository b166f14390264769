//! How many builds a page asks for: as many as the server can bear.

use crate::pages::MAX_PER_PAGE;

/// So many pages in a row must come whole before the page size doubles again.
const PAGES_BEFORE_GROWTH: u32 = 4;

/// How many builds to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSize {
    size: u32,
    whole: u32,
}

impl PageSize {
    /// Begins with so many.
    pub(crate) fn new(size: u32) -> Self {
        Self {
            size: size.clamp(1, MAX_PER_PAGE),
            whole: 0,
        }
    }

    pub(crate) fn get(self) -> u32 {
        self.size
    }

    /// Halves it; false if it is 1 already.
    pub(crate) fn shrink(&mut self) -> bool {
        let shrinks = self.size > 1;
        *self = Self {
            size: (self.size / 2).max(1),
            whole: 0,
        };
        shrinks
    }

    /// A page came whole.
    pub(crate) fn grow(&mut self) {
        self.whole += 1;
        if self.whole == PAGES_BEFORE_GROWTH {
            *self = Self {
                size: (self.size * 2).min(MAX_PER_PAGE),
                whole: 0,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_size_halves_down_to_one_and_grows_back_slowly() {
        let mut size = PageSize::new(MAX_PER_PAGE);
        let mut sizes = vec![size.get()];
        while size.shrink() {
            sizes.push(size.get());
        }
        assert_eq!(sizes, [100, 50, 25, 12, 6, 3, 1]);

        for _ in 0..4 * PAGES_BEFORE_GROWTH - 1 {
            size.grow();
        }
        assert_eq!(size.get(), 8);
        for _ in 0..100 {
            size.grow();
        }
        assert_eq!(size.get(), MAX_PER_PAGE);
    }
}
