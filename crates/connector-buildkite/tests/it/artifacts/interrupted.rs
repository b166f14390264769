//! Content that arrives in several tries.

use super::*;

#[tokio::test]
async fn an_artifact_that_is_cut_short_resumes_where_it_stopped() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(&CONTENT[..5]),
        1,
    )
    .await;
    let rest = ResponseTemplate::new(206)
        .insert_header("content-range", "bytes 5-14/15")
        .set_body_string(&CONTENT[5..]);
    give(&servers, rest, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let fetched = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap();

    assert_eq!((fetched.bytes, fetched.tries), (15, 2));
    assert_eq!(fs::read_to_string(&fetched.path).unwrap(), CONTENT);
    let seen = servers.storage.received_requests().await.unwrap();
    assert_eq!(seen[1].headers["range"], "bytes=5-");
}

#[tokio::test]
async fn a_storage_without_ranges_starts_over() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(&CONTENT[..5]),
        1,
    )
    .await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        1,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let fetched = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap();

    assert_eq!(fs::read_to_string(&fetched.path).unwrap(), CONTENT);
}

#[tokio::test]
async fn content_that_ends_early_is_reported_and_requested_again_after_a_wait() {
    let waits = Arc::new(Waits::default());
    let servers = observed(artifact(SHA1, "out.txt"), waits.clone()).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(&CONTENT[..5]),
        1,
    )
    .await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        1,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

    assert_eq!(fetched.unwrap().tries, 2);
    let told = waits.0.lock().unwrap().join("\n");
    assert!(
        told.contains("the content ends after 5 of 15 bytes"),
        "{told}"
    );
}

#[tokio::test]
async fn content_with_another_checksum_is_fetched_once_more_and_no_more() {
    let servers = servers(artifact(&SHA1.replace('2', "3"), "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        9,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let error = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap_err();

    assert_eq!(servers.storage.received_requests().await.unwrap().len(), 2);
    let path = folder.path().join("j-1/out.txt");
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(!path.exists());
}

#[tokio::test]
async fn a_part_that_does_not_belong_to_the_content_is_discarded() {
    for answers in [
        // The storage says that there is nothing behind what is there.
        vec![
            ResponseTemplate::new(416),
            ResponseTemplate::new(200).set_body_string(CONTENT),
        ],
        // It goes on, and the whole has another checksum.
        vec![
            ResponseTemplate::new(206)
                .insert_header("content-range", "bytes 5-14/15")
                .set_body_string(&CONTENT[5..]),
            ResponseTemplate::new(200).set_body_string(CONTENT),
        ],
    ] {
        let servers = servers(artifact(SHA1, "out.txt")).await;
        for answer in answers {
            give(&servers, answer, 1).await;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("j-1")).unwrap();
        fs::write(folder.path().join("j-1/out.txt.a-1.part"), "stale").unwrap();
        let file = listed(&servers).await;

        let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

        assert_eq!(fs::read_to_string(fetched.unwrap().path).unwrap(), CONTENT);
        assert_eq!(parts(folder.path()), 1);
    }
}

#[tokio::test]
async fn a_part_from_another_place_than_requested_is_refused() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    let rest = ResponseTemplate::new(206)
        .insert_header("content-range", "bytes 3-14/15")
        .set_body_string(&CONTENT[3..]);
    give(&servers, rest, 9).await;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("j-1")).unwrap();
    fs::write(folder.path().join("j-1/out.txt.a-1.part"), &CONTENT[..5]).unwrap();
    let file = listed(&servers).await;

    let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

    assert_eq!(fetched.unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn after_a_broken_connection_the_content_is_resumed_and_that_is_reported() {
    let waits = Arc::new(Waits::default());
    let servers = observed(artifact(SHA1, "out.txt"), waits.clone()).await;
    let storage = TcpListener::bind("127.0.0.1:0").unwrap();
    let location = format!("http://{}/signed", storage.local_addr().unwrap());
    Mock::given(path(
        "/v2/organizations/acme/jobs/j-1/artifacts/a-2/download",
    ))
    .respond_with(ResponseTemplate::new(302).insert_header("location", location))
    .mount(&servers.api)
    .await;
    let seen = thread::spawn(move || {
        [
            "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\nhello",
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 5-14/15\r\n\
             content-length: 10\r\n\r\n, artifact",
        ]
        .map(|answer| {
            let (mut connection, _) = storage.accept().unwrap();
            let mut request = [0; 4096];
            let read = connection.read(&mut request).unwrap();
            connection.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..read]).to_lowercase()
        })
    });
    let folder = tempfile::tempdir().unwrap();
    let mut file = listed(&servers).await;
    file.id = "a-2".to_owned();

    let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

    let fetched = fetched.unwrap();
    assert_eq!((fetched.bytes, fetched.tries), (15, 2));
    assert_eq!(fs::read_to_string(fetched.path).unwrap(), CONTENT);
    let [first, second] = seen.join().unwrap();
    assert!(!first.contains("range: ") && second.contains("range: bytes=5-"));
    assert!(!first.contains("s3cret") && !second.contains("s3cret"));
    let told = waits.0.lock().unwrap().join("\n");
    assert!(told.contains("broke off"), "{told}");
}
