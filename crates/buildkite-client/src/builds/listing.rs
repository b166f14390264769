//! A listing as its caller sees it. Each page is prepared in its own task, so that several listings
//! use several processors.

use tokio_util::task::AbortOnDropHandle;

use super::channel::{Inlet, channel};
use super::raw_build::RawBuild;
use super::reader::Reader;
use super::{Listed, ListingProgress};
use crate::error::{Error, Result};

/// A listing as its caller sees it.
pub(super) struct Listing<T, F> {
    /// Absent while a page is being prepared.
    reader: Option<Reader<F>>,
    page: Option<Page<T, F>>,
}

/// A page that is being prepared.
struct Page<T, F> {
    items: Inlet<Listed<T>>,
    task: AbortOnDropHandle<(Reader<F>, Result<Option<ListingProgress>>)>,
}

impl<T, F> Listing<T, F>
where
    T: Send + 'static,
    F: Fn(RawBuild<'_>) -> T + Send + Sync + 'static,
{
    pub(super) fn new(reader: Reader<F>) -> Self {
        Self {
            reader: Some(reader),
            page: None,
        }
    }

    /// The next item, or `None` at the end. Requests a page when the one before it was used up.
    pub(super) async fn next(&mut self) -> Result<Option<Listed<T>>> {
        loop {
            if let Some(page) = &mut self.page {
                if let Some(item) = page.items.next().await {
                    return Ok(Some(item));
                }
                if let Some(progress) = self.end_page().await? {
                    return Ok(Some(Listed::Page(progress)));
                }
            }
            match self.reader.take() {
                Some(reader) if !reader.is_done() => self.page = Some(Page::start(reader)),
                _ => return Ok(None),
            }
        }
    }

    async fn end_page(&mut self) -> Result<Option<ListingProgress>> {
        let Some(page) = self.page.take() else {
            return Ok(None);
        };
        match page.task.await {
            Ok((reader, ended)) => {
                self.reader = Some(reader);
                ended
            }
            Err(stopped) if stopped.is_panic() => {
                std::panic::resume_unwind(stopped.into_panic());
            }
            Err(_) => Err(Error::Setup("the program is ending".to_owned())),
        }
    }
}

impl<T, F> Page<T, F>
where
    T: Send + 'static,
    F: Fn(RawBuild<'_>) -> T + Send + Sync + 'static,
{
    fn start(mut reader: Reader<F>) -> Self {
        let (outlet, items) = channel();
        let task = tokio::spawn(async move {
            let ended = reader.read_page(&outlet).await;
            (reader, ended)
        });
        Self {
            items,
            task: AbortOnDropHandle::new(task),
        }
    }
}
