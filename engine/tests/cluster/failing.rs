//! What is told where a cluster does not work.

use std::fs;

use spelunk_engine::Language;
use spelunk_engine::cluster::roles::{Place, Scheduler};
use spelunk_engine::cluster::{Cluster, greet};

use crate::setting::{Setting, cluster, indexed, start, within, worker};
use crate::{events, local};

const COUNT: &str = "EventCode=1 | stats count by Image";

#[test]
fn there_is_no_scheduler() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let (store, setting) = (indexed(folder.path()), Setting::new());
    let free = Scheduler::listen(&Place::here(0), None).unwrap().url();
    let session = setting.session(&store, Language::Spl, Cluster::at(&free, None).ok());
    let told = setting.run(&session, COUNT).unwrap_err().to_string();
    assert!(told.contains("no scheduler answers at") && told.contains("`spelunk scheduler` starts one"), "{told}");
    // What needs no cluster works without one.
    assert_eq!(setting.run(&session, "| makeresults | eval a=1 | table a").unwrap().rows, [["a"], ["1"]]);
    let told = within(&setting, 20, worker(&free).run()).unwrap_err().to_string();
    assert!(told.contains("no scheduler answers at"), "{told}");
}

#[test]
fn something_else_answers() {
    let setting = Setting::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let told = within(&setting, 30, greet(&Cluster::at(&url, None).unwrap())).unwrap_err().to_string();
    assert!(told.contains(&url), "{told}");
}

#[test]
fn there_is_no_worker() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let (store, setting) = (indexed(folder.path()), Setting::new());
    let scheduler = Scheduler::listen(&Place::here(0), None).unwrap();
    let url = scheduler.url();
    start(scheduler, 0);
    let session = setting.session(&store, Language::Spl, Cluster::at(&url, None).ok());
    let told = setting.run(&session, COUNT).unwrap_err().to_string();
    assert!(told.contains("no worker"), "{told}");
}

/// A store that is not there any more when the workers look for it.
#[test]
fn a_worker_does_not_see_the_store() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let (store, setting) = (indexed(folder.path()), Setting::new());
    let session = setting.session(&store, Language::Spl, cluster());
    let told = setting.block_on(async {
        let search = session.search("EventCode=* | stats count by host EventCode").await.unwrap();
        fs::rename(store.join("events"), store.join("moved")).unwrap();
        let rows: Result<Vec<_>, _> = futures::TryStreamExt::try_collect(search.stream).await;
        spelunk_engine::Error::from(rows.unwrap_err()).to_string()
    });
    assert!(told.contains("cannot read") && told.contains("at the same path on every machine"), "{told}");
    fs::rename(store.join("moved"), store.join("events")).unwrap();
    let here = setting.run(&setting.session(&store, Language::Spl, local()), COUNT).unwrap();
    assert_eq!(setting.run(&session, COUNT).unwrap().rows, here.rows);
}

/// What a function refuses is told in its own words.
#[test]
fn a_search_fails_there_as_here() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let (store, setting) = (indexed(folder.path()), Setting::new());
    for query in ["EventCode=1 | stats count by nosuchfield | head x", "EventCode=1 | eval x=nosuch(1)"] {
        let told =
            |cluster| setting.run(&setting.session(&store, Language::Spl, cluster), query).unwrap_err().to_string();
        assert_eq!(told(local()), told(cluster()));
    }
}
