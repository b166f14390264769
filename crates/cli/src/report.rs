//! The table at the end of a sync, and how to look at what was written.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};
use sync_runner::{Ending, Report, StreamProgress, StreamStatus, Traffic};

use crate::{output, text};

/// Where the records went, for the closing line.
#[derive(Debug)]
pub(crate) struct Written {
    /// The connector's name.
    pub(crate) connector: &'static str,
    pub(crate) path: Option<String>,
    /// As the user may type it again: `sqlite:buildkite.db`.
    pub(crate) label: String,
    /// Nothing was sent.
    pub(crate) is_dry: bool,
}

/// Says what was done.
pub(crate) fn show(report: &Report, written: &Written) {
    if report.tries == 0 && report.ending == Ending::Failed {
        // It ended before it began: the error says all there is to say.
        return;
    }
    output::say(table(report).trim_fmt());
    output::say("");
    output::say(summary(report));
    if let Some(hint) = hint(report, written) {
        output::say(hint);
    }
}

/// Says how many records were refused and why; also to who wants to hear nothing else.
pub(crate) fn warn_of_rejected(report: &Report) {
    for stream in report.progress.streams.iter().filter(|s| s.rejected > 0) {
        let count = match stream.rejected {
            1 => "1 record was".to_owned(),
            count => format!("{} records were", HumanCount(count)),
        };
        let reasons = stream.reasons.join("; ");
        output::warning(format_args!(
            "{}: {count} refused{}: {reasons}",
            stream.stream,
            match stream.rejected - stream.set_aside {
                0 => " and set aside",
                _ => "",
            }
        ));
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["stream", "records", "size", "requests", "waited", "state"]);
    for stream in &report.progress.streams {
        let state = state(stream, report.ending);
        let (records, bytes) = (stream.records, stream.bytes);
        table.add_row(row(
            stream.stream.as_str(),
            records,
            bytes,
            &stream.traffic,
            state,
        ));
    }
    let progress = &report.progress;
    let (records, bytes) = (progress.records(), progress.bytes());
    table.add_row(row("total", records, bytes, &progress.total, ""));
    for column in table.column_iter_mut().skip(1).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(name: &str, records: u64, bytes: u64, traffic: &Traffic, state: &str) -> [String; 6] {
    [
        name.to_owned(),
        HumanCount(records).to_string(),
        HumanBytes(bytes).to_string(),
        HumanCount(traffic.requests).to_string(),
        text::duration(traffic.waited()),
        state.to_owned(),
    ]
}

fn state(stream: &StreamProgress, ending: Ending) -> &'static str {
    match (stream.status, ending) {
        (StreamStatus::Complete, _) if stream.rejected > 0 => "complete, some refused",
        (StreamStatus::Complete, _) => "complete",
        (StreamStatus::Pending, _) => "not begun",
        (_, Ending::Stopped) => "stopped",
        _ => "incomplete",
    }
}

fn summary(report: &Report) -> String {
    let total = &report.progress.total;
    let is_new = !report.resumed || report.progress.records() > 0;
    let (ending, rest) = match report.ending {
        Ending::Complete if report.progress.rejected() > 0 => match report.progress.lost() {
            0 => ("Complete", " Refused records were set aside."),
            _ => ("Finished", " Records were refused."),
        },
        Ending::Complete if is_new => ("Complete", ""),
        Ending::Complete => ("Complete", " There was nothing to read."),
        Ending::Stopped => ("Stopped", " The next sync goes on from here."),
        Ending::Incomplete => ("Finished", " Not all streams are complete."),
        _ => ("Failed", ""),
    };
    let mut summary = format!("{ending} after {}", text::duration(report.elapsed));
    if total.retries > 0 {
        summary += &format!(", {} requests repeated", HumanCount(total.retries));
    }
    if !total.rate_limited.is_zero() {
        let waited = text::duration(total.rate_limited);
        summary += &format!(", {waited} of it spent waiting for the rate limit");
    }
    let gone = report.progress.gone();
    if gone > 0 {
        summary += &format!(
            "; {} records are gone at the source and marked",
            HumanCount(gone)
        );
    }
    summary + "." + rest
}

/// Where the records are, and a first look at them.
fn hint(report: &Report, written: &Written) -> Option<String> {
    let Written {
        connector,
        path,
        label,
        is_dry,
    } = written;
    let streams = report.progress.streams.iter();
    let largest = streams.max_by_key(|stream| stream.records)?;
    if largest.records == 0 {
        return None;
    }
    let path = path.as_deref();
    Some(match (*connector, path) {
        _ if *is_dry => "A dry run: nothing was sent.".to_owned(),
        ("jsonl", Some("-")) => return None,
        ("sqlite", Some(path)) => {
            let query = format!("select * from {} limit 5", largest.stream);
            let quoted = for_shell(path);
            format!("Written to {path}. Look into it:\n    sqlite3 -box {quoted} '{query}'")
        }
        _ => format!("Written to {label}."),
    })
}

/// A path as it must be typed.
fn for_shell(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(for_shell("data/b-1.db"), "data/b-1.db");
        assert_eq!(for_shell("my 'own'.db"), r"'my '\''own'\''.db'");
    }
}
