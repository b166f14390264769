//! What an author gives to the suite: what the connector is opened with, what it reads, what it
//! writes, and what it must make of webhooks and records.

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
