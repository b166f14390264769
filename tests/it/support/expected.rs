//! What must be written, out of what the API serves.

use super::json::{Fields, Records, fields, items, organization_of};

/// The records of builds, given as the API serves them: whole, with all jobs.
pub(crate) fn expected(builds: &[String]) -> Records {
    let mut records = Records::new();
    for build in builds {
        add_build(&mut records, build);
    }
    records
}

/// A build lacks `jobs` and `pipeline`; it and its jobs have the keys of their parents.
fn add_build(records: &mut Records, text: &str) {
    let mut build = fields(text);
    let jobs = build
        .remove("jobs")
        .map_or_else(Vec::new, |jobs| items(&jobs));
    let pipeline = fields(&build.remove("pipeline").unwrap());
    let organization = serde_json::to_string(&organization_of(&build)).unwrap();
    let parents = [
        ("organization_slug", organization),
        ("pipeline_slug", pipeline["slug"].clone()),
        ("pipeline_id", pipeline["id"].clone()),
    ];
    for job in jobs {
        let mut job = fields(&job);
        job.insert("build_id".to_owned(), build["id"].clone());
        job.insert("build_number".to_owned(), build["number"].clone());
        add(records, "jobs", job, &parents);
    }
    add(records, "builds", build, &parents);
}

fn add(records: &mut Records, stream: &str, mut record: Fields, parents: &[(&str, String)]) {
    for (key, value) in parents {
        record.insert((*key).to_owned(), value.clone());
    }
    let key = (stream.to_owned(), record["id"].clone());
    assert!(records.insert(key.clone(), record).is_none(), "{key:?}");
}

/// Says which record or field differs, rather than printing thousands of records.
pub(crate) fn assert_equal(written: &Records, expected: &Records) {
    for (key, wanted) in expected {
        let found = written
            .get(key)
            .unwrap_or_else(|| panic!("{key:?} is missing"));
        for (field, value) in wanted {
            assert_eq!(found.get(field), Some(value), "{key:?}, field {field}");
        }
        assert_eq!(found.len(), wanted.len(), "{key:?} has fields of its own");
    }
    let extra = written.keys().find(|key| !expected.contains_key(key));
    assert_eq!(extra, None, "a record that nobody serves");
}
