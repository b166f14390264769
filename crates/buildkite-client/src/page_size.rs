//! How many builds to request per page: as many as the server can handle.

/// The largest page that Buildkite serves (API facts 4.1).
pub(crate) const MAX_PER_PAGE: u32 = 100;
/// The page size doubles after this many complete pages in a row.
const PAGES_BEFORE_GROWTH: u32 = 4;

/// How many builds to request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSize {
    size: u32,
    complete: u32,
}

impl PageSize {
    /// Starts with this size, limited to what Buildkite serves.
    pub(crate) fn new(size: u32) -> Self {
        Self {
            size: size.clamp(1, MAX_PER_PAGE),
            complete: 0,
        }
    }

    pub(crate) fn get(self) -> u32 {
        self.size
    }

    /// Halves the size. Returns false if it is 1 already.
    pub(crate) fn shrink(&mut self) -> bool {
        let shrinks = self.size > 1;
        *self = Self::new(self.size / 2);
        shrinks
    }

    /// Counts a complete page.
    pub(crate) fn grow(&mut self) {
        self.complete += 1;
        if self.complete == PAGES_BEFORE_GROWTH {
            *self = Self::new(self.size * 2);
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
