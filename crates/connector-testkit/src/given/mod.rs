//! What an author gives to the suite: accesses, worlds to read, records to write, webhooks.

mod access;
mod accuracy;
mod acting;
mod reading;
mod webhooks;
mod writing;

pub use access::Access;
pub use accuracy::Accuracy;
pub use acting::Acting;
pub use reading::Reading;
pub(crate) use reading::{Change, Failure};
pub use webhooks::Webhooks;
pub(crate) use writing::Expected;
pub use writing::Writing;
