//! How a stream is written: as the host asks, if the destination supports that.

use connector_core::{Capabilities, Result, Stream, StreamPlan, WriteMode};
use host_kit::{Level, Notice};

use super::ConfiguredStream;

impl ConfiguredStream {
    /// The mode in which it is written, and what the user should know about that.
    ///
    /// A host's generation ids are ignored: PyAirbyte sends the same ones in every sync, so
    /// they do not mean that rows are to be deleted.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if no mode is possible.
    pub(super) fn write_mode(
        &self,
        stream: &Stream,
        capabilities: &Capabilities,
    ) -> Result<(WriteMode, Option<Notice>)> {
        let preferred = capabilities.preferred_mode(stream)?;
        let Some(word) = self.destination_sync_mode.as_deref() else {
            return Ok((preferred, None));
        };
        let asked = asked(word);
        let say = |level, why: &str, mode| {
            let what = consequence(mode, capabilities.acts);
            Some(Notice::Log(level, format!("{}: {why}{what}", stream.name)))
        };
        match self.obstacle(asked, stream, capabilities) {
            None if asked == Some(WriteMode::Overwrite) => {
                let mode = WriteMode::Overwrite;
                Ok((mode, say(Level::Info, "", mode)))
            }
            None => Ok((asked.unwrap_or(preferred), None)),
            // A destination that acts does so for each record, in any mode.
            Some(_) if capabilities.acts && asked != Some(WriteMode::Overwrite) => {
                Ok((preferred, None))
            }
            Some(why) => {
                let why = format!("`{word}` {why}: ");
                Ok((preferred, say(Level::Warn, &why, preferred)))
            }
        }
    }

    /// Why a stream cannot be written in the requested mode.
    fn obstacle(
        &self,
        asked: Option<WriteMode>,
        stream: &Stream,
        capabilities: &Capabilities,
    ) -> Option<&'static str> {
        let Some(mode) = asked else {
            return Some("is not known here");
        };
        if mode == WriteMode::Overwrite && self.is_incremental() {
            return Some("would lose what an incremental sync does not send again");
        }
        let plan = StreamPlan::new(stream.clone(), mode);
        let is_possible = capabilities.expect(&plan).is_ok();
        (!is_possible).then_some("is not possible here")
    }
}

fn asked(word: &str) -> Option<WriteMode> {
    match word {
        "append" => Some(WriteMode::Append),
        "append_dedup" => Some(WriteMode::Upsert),
        "overwrite" | "overwrite_dedup" => Some(WriteMode::Overwrite),
        _ => None,
    }
}

fn consequence(mode: WriteMode, acts: bool) -> &'static str {
    match mode {
        _ if acts => "each record takes effect, nothing is deleted",
        WriteMode::Upsert => "rows are added or replaced by their key, none is deleted",
        WriteMode::Overwrite => "all rows are replaced at the end of the sync by those that came",
        _ => "rows are added, none is deleted",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ALL: [WriteMode; 3] = [WriteMode::Upsert, WriteMode::Append, WriteMode::Overwrite];

    /// The mode, and the notice.
    fn decide(configured: Value, modes: &[WriteMode]) -> (WriteMode, Option<Notice>) {
        let mut configured = configured;
        configured["stream"]["name"] = "builds".into();
        let configured: ConfiguredStream = serde_json::from_value(configured).unwrap();
        let stream = Stream::new("builds", "", json!({})).with_primary_key(configured.key());
        let capabilities = Capabilities::new(modes.iter().copied());
        configured.write_mode(&stream, &capabilities).unwrap()
    }

    fn keyed(word: &str) -> Value {
        json!({
            "stream": {"source_defined_primary_key": [["id"]]},
            "destination_sync_mode": word,
            "sync_mode": "full_refresh",
        })
    }

    fn warning(notice: Option<Notice>) -> String {
        let Some(Notice::Log(Level::Warn, text)) = notice else {
            panic!("{notice:?}");
        };
        text
    }

    #[test]
    fn each_word_has_its_mode() {
        for (word, mode) in [
            ("append", WriteMode::Append),
            ("append_dedup", WriteMode::Upsert),
            ("overwrite", WriteMode::Overwrite),
        ] {
            let (decided, notice) = decide(keyed(word), &ALL);
            assert_eq!(decided, mode, "{word}");
            let is_announced = matches!(notice, Some(Notice::Log(Level::Info, _)));
            assert_eq!(
                is_announced,
                mode == WriteMode::Overwrite,
                "{word}: {notice:?}"
            );
        }
    }

    #[test]
    fn rows_are_kept_with_a_warning_where_they_cannot_be_replaced() {
        let modes = [WriteMode::Upsert, WriteMode::Append];
        let (mode, notice) = decide(keyed("overwrite"), &modes);
        assert_eq!(mode, WriteMode::Upsert);
        let text = warning(notice);
        assert!(
            text.ends_with("replaced by their key, none is deleted"),
            "{text}"
        );
    }

    #[test]
    fn rows_are_kept_where_only_changes_come() {
        let mut configured = keyed("overwrite");
        configured["sync_mode"] = "incremental".into();
        let (mode, notice) = decide(configured.clone(), &ALL);
        assert_eq!(mode, WriteMode::Upsert);
        assert!(warning(notice).contains("incremental"));
        // As PyAirbyte writes it for a stream that can only be read in full.
        configured["stream"]["supported_sync_modes"] = json!(["full_refresh"]);
        assert_eq!(decide(configured, &ALL).0, WriteMode::Overwrite);
    }

    #[test]
    fn equal_generations_delete_nothing() {
        let mut configured = keyed("append_dedup");
        configured["generation_id"] = 1.into();
        configured["minimum_generation_id"] = 1.into();
        assert_eq!(decide(configured, &ALL), (WriteMode::Upsert, None));
    }

    #[test]
    fn a_stream_without_a_key_is_appended_and_the_user_hears_why() {
        let configured = json!({"stream": {}, "destination_sync_mode": "append_dedup"});
        let (mode, notice) = decide(configured, &ALL);
        assert_eq!(mode, WriteMode::Append);
        let text = "builds: `append_dedup` is not possible here: rows are added, none is deleted";
        assert_eq!(warning(notice), text);
    }
}
