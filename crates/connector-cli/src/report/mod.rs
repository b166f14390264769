//! What commands report, as text (`Display`) and as JSON (`Serialize`).
//!
//! The texts contain data of a remote. Escape control characters before you print them on a
//! terminal.

mod catalog;
mod credential;
mod forecast;
mod indent;
mod preview;
mod status;
mod sync;
mod verification;

pub use catalog::CatalogReport;
pub use credential::CredentialText;
pub use forecast::{ForecastReport, Start};
pub use status::StatusReport;
pub use sync::SyncReport;
pub use verification::VerificationReport;

pub(crate) use preview::preview;

use comfy_table::{CellAlignment, Table, presets};

/// A table without lines. The columns from `numbers.start` to `numbers.end` are right-aligned.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    numbers: std::ops::Range<usize>,
) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
