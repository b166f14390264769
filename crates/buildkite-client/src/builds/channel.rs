//! A channel from the task that prepares a page to the reader of the listing, bounded by bytes.
//!
//! A page can have 100 builds of 30 KB or of 700 KB, so a number of builds would be a poor bound.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many KiB of builds, as they arrived, are prepared ahead of the reader of a listing.
const ROOM_KIB: u32 = 1024;

/// The end that sends.
pub(super) struct Outlet<T> {
    items: UnboundedSender<(T, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

/// The end that receives.
pub(super) struct Inlet<T>(UnboundedReceiver<(T, OwnedSemaphorePermit)>);

pub(super) fn channel<T>() -> (Outlet<T>, Inlet<T>) {
    let (items, receiver) = unbounded_channel();
    let room = Arc::new(Semaphore::new(ROOM_KIB as usize));
    (Outlet { items, room }, Inlet(receiver))
}

impl<T> Outlet<T> {
    /// Sends an item that was made of this many bytes, when there is room for it. One that is
    /// larger than all the room waits until it is alone.
    pub(super) async fn send(&self, item: T, bytes: usize) {
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
        let kib = kib.clamp(1, ROOM_KIB);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await;
        let room = room.expect("the semaphore is never closed");
        // The error means that nobody listens any more. Then the sender is about to be stopped.
        let _unheard = self.items.send((item, room));
    }
}

impl<T> Inlet<T> {
    /// The next item, or `None` when the sender is gone.
    pub(super) async fn next(&mut self) -> Option<T> {
        let (item, _room) = self.0.recv().await?;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_sender_waits_when_its_reader_is_behind_by_the_room_and_not_before() {
        let (outlet, mut inlet) = channel();
        let half = ROOM_KIB as usize * 1024 / 2;
        let has_room = |item| outlet.send(item, half).now_or_never().is_some();

        assert!(has_room(1) && has_room(2));
        assert!(!has_room(3));
        assert_eq!(inlet.next().now_or_never(), Some(Some(1)));
        assert!(has_room(4));
    }

    #[test]
    fn an_item_larger_than_the_room_passes_alone() {
        let (outlet, mut inlet) = channel();
        assert!(outlet.send(1, usize::MAX).now_or_never().is_some());
        assert!(outlet.send(2, 0).now_or_never().is_none());
        assert_eq!(inlet.next().now_or_never(), Some(Some(1)));
        assert!(outlet.send(2, usize::MAX).now_or_never().is_some());
    }
}
