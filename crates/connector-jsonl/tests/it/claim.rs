//! One run at a time.

use connector_core::Holder;

use super::*;

fn holder(process: u32) -> Holder {
    Holder::new("a-program", process, "a-host", "2026-01-02T03:04:05Z")
}

async fn claim(destination: &mut Box<dyn Destination>, process: u32) -> Result<(), Error> {
    let claim = destination.claim().unwrap();
    claim.claim("s", &holder(process)).await
}

#[tokio::test]
async fn a_second_run_is_refused_with_who_holds_the_file_or_folder() {
    for (name, is_folder) in [("out.jsonl", false), ("out", true)] {
        let (folder, path) = place(name);
        if is_folder {
            fs::create_dir(&path).unwrap();
        }
        let mut first = destination(&path).await;
        claim(&mut first, 17).await.unwrap();
        claim(&mut first, 17).await.unwrap();
        start(&mut first).await.unwrap();

        let error = claim(&mut destination(&path).await, 18).await.unwrap_err();

        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            error.to_string().contains("process 17 on a-host"),
            "{error}"
        );
        drop(first);
        claim(&mut destination(&path).await, 18).await.unwrap();
        let files = fs::read_dir(folder.path()).unwrap();
        assert_eq!(files.count(), 1, "the lock file is gone");
    }
}

#[tokio::test]
async fn a_pipe_has_no_claim() {
    let mut destination = destination(Path::new("-")).await;
    assert!(destination.claim().is_none());
}

#[tokio::test]
async fn a_write_mode_other_than_append_is_refused() {
    let (_folder, path) = place("out.jsonl");
    let mut destination = destination(&path).await;
    for mode in [WriteMode::Upsert, WriteMode::Overwrite] {
        let plan = WritePlan::new("s", [StreamPlan::new(stream("builds"), mode)]);
        let error = destination.start(&plan).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("it supports: append"), "{error}");
    }
    assert!(!path.exists());
}
