//! Where the results of a destination that acts are stored.

use std::path::Path;

use connector_core::{
    Destination, Error, ErrorKind, JsonObject, Outcome, Record, Result, Stream, StreamName,
    WritePlan,
};

use crate::PrivateFile;

/// Stores results.
pub struct ResultSink(Kind);

enum Kind {
    /// A file of JSON lines, one result each.
    File(PrivateFile),
    /// Any destination, as records of one stream.
    Destination {
        destination: Box<dyn Destination>,
        stream: Option<StreamName>,
    },
}

impl ResultSink {
    /// Appends each result to a file as one line of JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file.
    pub fn file(path: &Path) -> Result<Self> {
        let file = PrivateFile::append(path, "results")?;
        Ok(Self(Kind::File(file)))
    }

    /// Writes each result to a destination, which has not been started.
    pub fn destination(destination: Box<dyn Destination>) -> Self {
        Self(Kind::Destination {
            destination,
            stream: None,
        })
    }

    /// Prepares for the results of a sync.
    ///
    /// # Errors
    /// Those of the destination's start.
    pub(crate) async fn start(&mut self, sync: &str, results: Stream) -> Result<()> {
        let Kind::Destination {
            destination,
            stream,
        } = &mut self.0
        else {
            return Ok(());
        };
        *stream = Some(results.name.clone());
        let sync = format!("{} of {sync}", results.name);
        let plan = WritePlan::preferred(sync, [results], &destination.capabilities())?;
        destination.start(&plan).await?;
        Ok(())
    }

    /// Takes results. They are durable after the next [`commit`](Self::commit).
    ///
    /// # Errors
    /// [`ErrorKind::Io`], and those of the destination.
    pub(crate) async fn write(&mut self, results: &[JsonObject]) -> Result<()> {
        match &mut self.0 {
            Kind::File(file) => {
                let mut lines = results.iter().map(JsonObject::single_line);
                lines.try_for_each(|line| file.write_line(&line))
            }
            Kind::Destination {
                destination,
                stream: Some(stream),
            } => {
                let record = |data: &JsonObject| Record::new(stream.clone(), data.clone());
                let records = results.iter().map(record).collect();
                expect_accepted(destination.write(records).await?)
            }
            Kind::Destination { stream: None, .. } => {
                let message = "results were written before the sync started";
                Err(Error::new(ErrorKind::Internal, message))
            }
        }
    }

    /// Makes everything taken durable.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) async fn commit(&mut self) -> Result<()> {
        match &mut self.0 {
            Kind::File(file) => file.sync(),
            Kind::Destination { destination, .. } => destination.commit(None).await,
        }
    }

    /// Ends the results. No call may follow.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) async fn finish(&mut self) -> Result<()> {
        self.commit().await?;
        match &mut self.0 {
            Kind::File(_) => Ok(()),
            Kind::Destination { destination, .. } => destination.finish().await,
        }
    }
}

fn expect_accepted(outcomes: Vec<Outcome>) -> Result<()> {
    let reason = outcomes.into_iter().find_map(|outcome| match outcome {
        Outcome::Rejected(reason) => Some(reason),
        _ => None,
    });
    let Some(reason) = reason else { return Ok(()) };
    let message = format!("the destination of the results rejects one: {reason}");
    Err(Error::new(ErrorKind::Data, message))
}
