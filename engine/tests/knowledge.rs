//! Apps: fields, event types, tags and data models over events, with spelunk's own app and others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs::{self, File};
use std::sync::Arc;

use futures::TryStreamExt;
use spelunk_datasets::{Event, Generator, GeneratorOptions, write_xml};
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::knowledge::Apps;
use spelunk_engine::lookups::{Lookups, Writable};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Session, SessionOptions};
use tempfile::TempDir;

/// Events and an app, each file with its name.
struct Site {
    folder: TempDir,
    sourcetype: Option<String>,
}

impl Site {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("logs")).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder, sourcetype: None }
    }

    /// Windows events that the project generates.
    fn generated(files: &[(&str, &str)]) -> Self {
        let site = Self::new(files);
        let options = GeneratorOptions { events: 3_000, ..GeneratorOptions::default() };
        let events: Vec<Event> = Generator::new(5, options).map(|generated| generated.event).collect();
        let mut file = File::create(site.folder.path().join("logs/events.xml")).unwrap();
        write_xml(&mut file, events).unwrap();
        site
    }

    fn session(&self) -> Session {
        let app = self.folder.path().join("app");
        let folders = if app.is_dir() { vec![app] } else { Vec::new() };
        let mut apps = Apps::load(&folders).unwrap();
        let macros = apps.macros_with(&[]).unwrap();
        let saved_searches = Arc::new(apps.saved_searches_with(&[]).unwrap());
        let lookups = Arc::new(Lookups::load_over(&folders, &[], Writable::Refused).unwrap());
        let options = SessionOptions {
            apps: Arc::new(apps),
            macros,
            saved_searches,
            lookups,
            sourcetype: self.sourcetype.clone(),
            ..SessionOptions::default()
        };
        let location = Location::Path(self.folder.path().join("logs"));
        Session::new(options, vec![Input { location, index: None }]).unwrap()
    }

    /// The rows as lines of CSV without quotes, several values with `|` between them, and what was said.
    async fn ask(&self, query: &str) -> (Vec<String>, Vec<String>) {
        let search = self.session().search(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let said = search.diagnostics.iter().map(|finding| finding.message.clone()).collect();
        let batches = search.stream.try_collect::<Vec<_>>().await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let texts = batch.columns().iter().map(|column| match cell(column, row, &jiff::tz::TimeZone::UTC) {
                    Cell::Null => String::new(),
                    Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                    Cell::Many(texts) => texts.join("|"),
                });
                rows.push(texts.collect::<Vec<_>>().join(","));
            }
        }
        (rows, said)
    }

    async fn rows(&self, query: &str) -> Vec<String> {
        self.ask(query).await.0
    }

    async fn error(&self, query: &str) -> String {
        match self.session().search(query).await {
            Ok(_) => panic!("{query} runs"),
            Err(error) => format!("{error:?}"),
        }
    }
}

/// What `process_name` is made of, on the raw fields.
const RAW_NAMES: &str = r#"eval name=case(match(source, "Sysmon") AND EventCode IN (1,5,7,9,15,17,18,24),
    replace(Image, "^.*[\\\\/]", ""), match(source, "Sysmon") AND EventCode IN (8,10),
    replace(TargetImage, "^.*[\\\\/]", ""), match(source, "Sysmon") AND EventCode IN (6,25), "unknown",
    match(source, "Security") AND EventCode==4688, replace(NewProcessName, "^.*[\\\\/]", ""),
    match(source, "Security") AND EventCode IN (4673,4674,4689), replace(ProcessName, "^.*[\\\\/]", ""))"#;

#[tokio::test]
async fn a_data_model_counts_what_the_raw_fields_count() {
    let site = Site::generated(&[]);
    let raw = site.rows(&format!("index=* | {RAW_NAMES} | where isnotnull(name) | stats count by name")).await;
    let model = site.rows("| tstats count from datamodel=Endpoint.Processes by Processes.process_name").await;
    assert!(raw.len() > 10);
    assert_eq!(model, raw);
    let named = "| tstats `security_content_summariesonly` count from datamodel=Endpoint.Processes \
        where Processes.process_name=CMD.exe by Processes.dest | `drop_dm_object_name(Processes)` | table dest count";
    let direct = format!("index=* | {RAW_NAMES} | search name=cmd.exe | stats count by Computer");
    assert_eq!(site.rows(named).await, site.rows(&direct).await);
    assert!(!site.rows(named).await.is_empty());
    for same in [
        "| from datamodel:Endpoint.Processes | stats count by process_name",
        "| datamodel Endpoint Processes search | stats count by Processes.process_name",
        "| datamodel Endpoint Processes flat | stats count by process_name",
        "| pivot Endpoint Processes count(Processes) AS count SPLITROW process_name",
        "| tstats prestats=t count from datamodel=Endpoint.Processes by Processes.process_name | stats count by Processes.process_name",
    ] {
        assert_eq!(site.rows(same).await, raw, "{same}");
    }
}

#[tokio::test]
async fn windows_events_have_common_fields_where_a_search_names_them() {
    let site = Site::generated(&[]);
    let rows = site.rows("eventtype=ms-sysmon-process EventCode=1 | where dest!=Computer OR process!=CommandLine OR process_path!=Image | stats count").await;
    assert_eq!(rows, ["0"]);
    let tagged = site.rows("tag=process tag=report | stats count").await;
    assert_eq!(tagged, site.rows("| tstats count from datamodel=Endpoint.Processes").await);
    assert_ne!(tagged, ["0"]);
    assert_eq!(
        site.rows("eventtype=wineventlog_security EventCode=4688 | head 1 | table signature eventtype tag").await,
        [
            "A new process has been created,spelunk_security_process|wineventlog_security|wineventlog_windows,process|report"
        ]
    );
    // What is there in the events is not hidden by the field that a search makes itself.
    assert_eq!(site.rows("index=* | eval dest=\"x\" | stats count by dest | fields dest").await, ["x"]);
    let (rows, said) = site.ask("tag=nosuch OR eventtype=wineventlog_secrity | stats count").await;
    assert_eq!(rows, ["0"]);
    assert!(said.iter().any(|text| text.contains("no tag \"nosuch\"")), "{said:?}");
    assert!(said.iter().any(|text| text.contains("no event type \"wineventlog_secrity\"")), "{said:?}");
    let (_, said) = site.ask("| tstats count from datamodel=Web").await;
    assert!(said.iter().any(|text| text.contains("no loaded event belongs to the data model \"Web\"")), "{said:?}");
}

#[tokio::test]
async fn names_of_models_and_objects_are_checked() {
    let site = Site::generated(&[]);
    for (query, reason) in [
        ("| tstats count from datamodel=Endpint.Processes", "did you mean \\\"Endpoint\\\"?"),
        ("| tstats count from datamodel=Endpoint.Proceses", "did you mean \\\"Processes\\\"?"),
        ("| tstats count from datamodel=Endpoint", "has several roots"),
        ("| datamodel Endpoint Processes search strict_fields=f", "strict_fields=false"),
        ("| datamodel Endpoint", "no descriptions"),
        ("| pivot Endpoint Processes count(Processes) AS n SPLITROW dest ROWSUMMARY 1", "ROWSUMMARY other than 0"),
    ] {
        assert!(site.error(query).await.contains(reason), "{query}: {}", site.error(query).await);
    }
    let (_, said) = site.ask("| tstats count from datamodel=Endpoint.Processes by Processes.proces_name").await;
    assert!(said.iter().any(|text| text.contains("no event has a field \"Processes.proces_name\"")), "{said:?}");
}

const LINES: &str = "2024-01-01T00:00:00Z login user=ann ip=10.0.0.1 [a|b] took 5ms\n\
                     2024-01-01T00:00:01Z logout user=bob ip=10.0.0.2 [c|d] took 7ms\n";

const PROPS: &str = "[app:log]\nEXTRACT-a = took (?<took>\\d+)ms\nEXTRACT-b = ^(?<first>\\d) in took\n\
    REPORT-p = pair, parts\nKV_MODE = auto\nFIELDALIAS-s = ip AS src user AS actor\n\
    EVAL-took = took * 2\nEVAL-seen = took.\"!\"\nLOOKUP-who = people name AS actor OUTPUT team\nSHOULD_LINEMERGE = 0\n";

#[tokio::test]
async fn the_operations_of_props_follow_each_other() {
    let mut site = Site::new(&[
        ("logs/app.log", LINES),
        ("app/default/props.conf", PROPS),
        (
            "app/default/transforms.conf",
            "[pair]\nREGEX = \\[(\\w)\\|(\\w)\\]\nFORMAT = left::$1 right::$2\n[parts]\nREGEX = (?<inner>\\w\\|\\w)\n\
             [people]\nfilename = people.csv\n",
        ),
        ("app/lookups/people.csv", "name,team\nann,red\n"),
        ("app/default/savedsearches.conf", "[Logins of ann]\nsearch = actor=ann | table took team\n"),
        (
            "app/local/eventtypes.conf",
            "[enter]\nsearch = login actor=ann\n[in_or_out]\nsearch = eventtype=enter OR logout\n",
        ),
        ("app/local/tags.conf", "[eventtype=in_or_out]\nsession = enabled\n[team=red]\nvip = enabled\n"),
    ]);
    site.sourcetype = Some("app:log".into());
    // Expressions see what was there before all of them; the lookup what the alias made.
    assert_eq!(
        site.rows("index=* | table took seen first left right inner src actor team").await,
        ["14,7!,7,c,d,c|d,10.0.0.2,bob,", "10,5!,5,a,b,a|b,10.0.0.1,ann,red"]
    );
    assert_eq!(site.rows("src=10.0.0.2 | stats count by actor").await, ["bob,1"]);
    assert_eq!(site.rows("eventtype=enter | stats values(user)").await, ["ann"]);
    assert_eq!(site.rows("tag=session | stats dc(actor)").await, ["2"]);
    assert_eq!(site.rows("tag::team=vip | table actor eventtype").await, ["ann,enter|in_or_out"]);
    assert_eq!(site.rows("NOT tag=vip | table actor").await, ["bob"]);
    assert_eq!(site.rows("actor=ann | tags team | table tag::team").await, ["vip"]);
    let query = "index=* | tags outputfield=t inclname=t inclvalue=t team | table t";
    assert_eq!(site.rows(query).await, ["", "team::red::vip"]);
    // A saved search names fields too.
    let query = "| savedsearch \"Logins of ann\"";
    assert_eq!(site.rows(query).await, ["10,red"]);
    // Of other sourcetypes nothing is made.
    site.sourcetype = Some("other".into());
    assert_eq!(site.rows("index=* | stats count(took) AS n").await, ["0"]);
}

#[tokio::test]
async fn values_of_one_name_add_up_where_the_transform_says_so() {
    let transforms = "[all]\nREGEX = (\\w+)~(\\w+)\nFORMAT = $1::$2\nMV_ADD = true\n\
                      [first]\nREGEX = (\\w+):(\\w+)\nFORMAT = $1::$2\n\
                      [between]\nDELIMS = \";\", \"/\"\nMV_ADD = 1\n";
    let mut site = Site::new(&[
        ("logs/app.log", "2024-01-01T00:00:00Z to~ann to~bob n:1 n:2 ;x/1;x/2;\n"),
        ("app/default/props.conf", "[app:log]\nREPORT-p = all, first, between\nKV_MODE = none\n"),
        ("app/default/transforms.conf", transforms),
    ]);
    site.sourcetype = Some("app:log".into());
    assert_eq!(site.rows("index=* | table to n x").await, ["ann|bob,1,1|2"]);
}

#[tokio::test]
async fn an_app_that_describes_events_silences_our_own() {
    let site = Site::generated(&[(
        "app/default/props.conf",
        "[source::XmlWinEventLog:Microsoft-Windows-Sysmon/Operational]\nEVAL-dest = \"elsewhere\"\n",
    )]);
    assert_eq!(
        site.rows("index=* source=*Sysmon* | stats count(process_name) AS n values(dest) AS d").await,
        ["0,elsewhere"]
    );
    assert_ne!(site.rows("index=* source=*Security EventCode=4688 | stats count(process_name) AS n").await, ["0"]);
}

/// Splunk Admin Manual, "props.conf": a stanza is about events whose whole name it has.
#[tokio::test]
async fn stanzas_for_event_logs_as_text_are_not_for_those_as_xml() {
    let props = "[source::(WMI:WinEventLog|WinEventLog)...]\nEVAL-a = \"text\"\nEVAL-b = \"text\"\n\
                 [WinEventLog]\nEVAL-c = \"text\"\n\
                 [XmlWinEventLog]\nEVAL-c = \"any\"\nEVAL-d = \"any\"\n\
                 [XmlWinEventLog:Microsoft-Windows-Sysmon/Operational]\nEVAL-d = \"sysmon\"\n\
                 [source::XmlWinEventLog:...]\nEVAL-b = \"xml\"\n";
    let site = Site::generated(&[("app/default/props.conf", props)]);
    let of = |log: &str| format!("index=* source=*{log} | stats count(a) AS a values(b) values(c) values(d)");
    assert_eq!(site.rows(&of("Sysmon/Operational")).await, ["0,xml,any,sysmon"]);
    assert_eq!(site.rows(&of("Security")).await, ["0,xml,any,any"]);
}

/// Splunk Admin Manual, "transforms.conf", `MV_ADD`, `SOURCE_KEY`; "props.conf", `REPORT-`, `LOOKUP-`.
#[tokio::test]
async fn transforms_see_what_those_before_them_found() {
    let transforms = "[block]\nREGEX = \\[(.*)\\]\nFORMAT = body::$1\n\
                      [pairs]\nSOURCE_KEY = body\nREGEX = (\\w+):(\\w+)\nFORMAT = $1::$2\nMV_ADD = 1\n\
                      [said]\nREGEX = (\\w+):(\\d+)\nFORMAT = told::\"$1 is $2\" kind::number\n\
                      [keys]\nREGEX = (?<_KEY_1>[a-z]+)=(?<_VAL_1>\\d+)\n\
                      [table]\nfilename = table.csv\n";
    let site = Site::new(&[
        (
            "logs/events.json",
            "{\"m\":\"[user:bob user:eve n:7] size=3\",\"n\":\"7\",\"k\":\"x\",\"v\":\"own\"}\n{\"m\":\"\",\"v\":\"own\"}\n",
        ),
        (
            "app/default/props.conf",
            "[_json]\nREPORT-p = block, pairs\nREPORT-s = said, keys\nLOOKUP-t = table k OUTPUT v\n",
        ),
        ("app/default/transforms.conf", transforms),
        ("app/lookups/table.csv", "k,v\nx,found\n"),
    ]);
    // What the reader found already is not found once more, and what cannot be looked up stays.
    assert_eq!(
        site.rows("index=* | sort -k | table user n v told kind size").await,
        ["bob|eve,7,found,n is 7,number,3", ",,own,,,"]
    );
}

/// Splunk Knowledge Manager Manual, "Use default fields", "Default datetime fields".
#[tokio::test]
async fn events_have_the_parts_of_their_time() {
    let site = Site::new(&[
        (
            "logs/visits.json",
            "{\"_time\":\"2024-03-09T08:07:06Z\",\"n\":1}\n{\"_time\":\"2024-03-10T17:00:00Z\",\"n\":2,\"date_hour\":3}\n",
        ),
        ("app/default/props.conf", "[source::...]\nEVAL-m = n * 2\n"),
    ]);
    let query = "index=* date_wday=saturday | eval x=m \
                 | table x date_year date_month date_mday date_hour date_minute date_second date_zone";
    assert_eq!(site.rows(query).await, ["2,2024,march,9,8,7,6,0"]);
    assert_eq!(site.rows("index=* | sort n | table date_h*").await, ["8", "3"]);
    assert_eq!(site.rows("index=* date_hour>=3 date_hour<5 | table n").await, ["2"]);
    assert_eq!(site.rows("index=* | stats count BY date_wday").await, ["saturday,1", "sunday,1"]);
}

const MODEL: &str = r#"{"modelName": "Shop", "objects": [
    {"objectName": "Sales", "parentName": "BaseEvent", "constraints": [{"search": "kind=sale"}],
     "fields": [{"fieldName": "item"}, {"fieldName": "price"}],
     "calculations": [
       {"calculationType": "Eval", "expression": "if(isnull(item) OR item=\"\",\"unknown\",item)", "outputFields": [{"fieldName": "item"}]},
       {"calculationType": "Eval", "expression": "if(price>10,\"dear\",\"cheap\")", "outputFields": [{"fieldName": "class"}]},
       {"calculationType": "Rex", "inputField": "class", "expression": "^(?<letter>.)", "outputFields": [{"fieldName": "letter"}]}]},
    {"objectName": "Gifts", "parentName": "Sales", "constraints": [{"search": "gift=1"}], "fields": [{"fieldName": "to"}]},
    {"objectName": "Lost", "parentName": "Gone", "constraints": []}]}"#;

#[tokio::test]
async fn an_app_about_every_event_log_alike_leaves_ours_to_each_of_them() {
    let props = "[(::){0}XmlWinEventLog:*\\S+]\nTRANSFORMS-x = y\n\
        [XmlWinEventLog]\nEVAL-vendor_product = \"Any\"\nEVAL-shared = \"shared\"\nREPORT-x = wel-col-kv\n\
        [source::XmlWinEventLog:Security]\nEVAL-vendor_product = \"Theirs\"\n\
        EXTRACT-x = \\<Data Name\\='TargetUserName'\\>(?<taken>[^\\<]+)\\<\\/Data\\>\n";
    let site = Site::generated(&[("app/default/props.conf", props)]);
    let products = site.rows("index=* | stats count by source vendor_product | fields - count").await;
    let of = |source: &str| products.iter().find(|row| row.contains(source)).cloned().unwrap_or_default();
    assert!(of("Sysmon").ends_with(",Microsoft Sysmon") && of("Security").ends_with(",Theirs"), "{products:?}");
    let query = "source=*Sysmon* EventCode=1 shared=shared | stats dc(process_name) as names | where names > 5";
    assert_eq!(site.rows(query).await.len(), 1);
    let same = "source=*Security taken=* | where taken!=TargetUserName | stats count";
    assert_eq!(site.rows(same).await, ["0"]);
    assert_ne!(site.rows("source=*Security taken=* | stats count").await, ["0"]);
}

/// Two exports of a started process: as tools print event logs, and as forwarders flatten them.
const EXPORTS: &str = concat!(
    r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":4688,"##,
    r##""TimeCreated":{"#attributes":{"SystemTime":"2024-05-01T10:00:00Z"}},"Channel":"Security","Computer":"one"},"##,
    r##""EventData":{"NewProcessName":"C:\\a\\b.exe","CommandLine":"b \"<x>\" & c"}}}"##,
    "\n",
    r##"{"EventTime":"2024-05-01 10:00:01","EventID":4688,"Channel":"security","Hostname":"two","##,
    r##""SourceName":"Microsoft-Windows-Security-Auditing","NewProcessName":"C:\\a\\c.exe","Rights":["r&1","r2"]}"##,
    "\n"
);

#[tokio::test]
async fn what_an_app_takes_out_of_xml_it_takes_out_of_exports_too() {
    let props = "[XmlWinEventLog]\nREPORT-0 = elements\n\
        [source::XmlWinEventLog:Security]\nREPORT-d = computer_as_dest\n\
        EXTRACT-n = <Data Name='NewProcessName'>(?<started>[^<]+)<\\/Data>\n\
        EXTRACT-c = <Data Name='CommandLine'>(?<line>[^<]+)<\\/Data>\n\
        EXTRACT-r = <Rights>r&amp;1<\\/Rights><Rights>(?<right>[^<]+)<\n\
        EXTRACT-j = \"NewProcessName\":\"(?<json>[^\"]+)\n\
        EXTRACT-o = <Data Name='Nowhere'>(?<nowhere>[^<]+)<\n";
    // After the first, a field may have several values.
    let transforms = "[elements]\nREGEX = <(\\w*)>([^<]*)</\\1>\nFORMAT = $1::$2\nMV_ADD = 1\n\
        [computer_as_dest]\nREGEX = <Computer>([^<]+)<\\/Computer>\nFORMAT = dest::$1\n";
    let app = [("app/default/props.conf", props), ("app/default/transforms.conf", transforms)];
    let site = Site::new(&[("logs/events.jsonl", EXPORTS), app[0], app[1]]);
    let query = "EventCode=4688 | sort _time | table dest started line json nowhere right";
    assert_eq!(
        site.rows(query).await,
        ["one,C:\\a\\b.exe,b \"&lt;x>\" &amp; c,C:\\\\a\\\\b.exe,,", "two,C:\\a\\c.exe,,C:\\\\a\\\\c.exe,,r2"]
    );
    assert_eq!(site.rows("started=*c.exe | stats count by dest").await, ["two,1"]);
}

#[tokio::test]
async fn channels_are_the_same_in_any_letter_case() {
    let site = Site::new(&[("logs/events.jsonl", EXPORTS)]);
    let query = "| tstats count from datamodel=Endpoint.Processes by Processes.dest Processes.process_name";
    assert_eq!(site.rows(query).await, ["one,b.exe,1", "two,c.exe,1"]);
}

#[tokio::test]
async fn the_header_of_an_event_has_the_names_of_its_xml() {
    let site = Site::generated(&[]);
    let query = "source=*Security | where Guid=ProviderGuid AND Name=SourceName AND Provider_Name=SourceName AND isnotnull(ProcessID) AND \
        event_id=RecordNumber AND id=RecordNumber AND dvc_nt_host=host | stats count";
    assert_eq!(site.rows(query).await, site.rows("source=*Security | stats count").await);
}

#[tokio::test]
async fn data_models_of_others() {
    let site = Site::new(&[
        (
            "logs/shop.json",
            "{\"_time\":1,\"kind\":\"sale\",\"item\":\"pen\",\"price\":3}\n{\"_time\":2,\"kind\":\"sale\",\"price\":30,\"gift\":1,\"to\":\"eve\"}\n{\"_time\":3,\"kind\":\"visit\"}\n",
        ),
        ("app/default/data/models/Shop.json", MODEL),
        ("app/default/data/models/Broken.json", "{"),
    ]);
    let query = "| tstats count values(Sales.letter) AS l from datamodel=Shop by Sales.item Sales.class";
    assert_eq!(site.rows(query).await, ["pen,cheap,1,c", "unknown,dear,1,d"]);
    let query = "| tstats count from datamodel=Shop where nodename=Sales.Gifts by Sales.item, Sales.Gifts.to";
    assert_eq!(site.rows(query).await, ["unknown,eve,1"]);
    assert_eq!(site.rows("| tstats count from datamodel=Shop.Gifts by Sales.class").await, ["dear,1"]);
    assert_eq!(site.rows("| from datamodel:Shop.Sales | search class=cheap | table item price").await, ["pen,3"]);
    assert!(site.error("| tstats count from datamodel=Shop.Lost").await.contains("\\\"Gone\\\", which is not there"));
    assert!(site.error("| tstats count from datamodel=Broken.X").await.contains("cannot be used"));
}

#[test]
fn what_is_wrong_with_an_app_is_named_and_the_rest_counts() {
    let site = Site::new(&[
        ("app/default/props.conf", "[a]\nEXTRACT-x = (?<\nEVAL-y = 1\n[broken\nTZ = UTC\n"),
        ("app/default/eventtypes.conf", "[empty]\n"),
        ("app/default/tags.conf", "[nothing]\nx = enabled\n"),
        ("app/macros/bad.yml", "name: [\n"),
        ("app/macros/good.yml", "name: good\ndefinition: x=1\n"),
    ]);
    let mut apps = Apps::load(&[site.folder.path().join("app")]).unwrap();
    let told = apps.problems.join("\n");
    for part in [
        "props.conf:1: [a] EXTRACT-x: ",
        "props.conf:4: the header",
        "eventtypes.conf:1: ",
        "tags.conf:1: ",
        "bad.yml: ",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(apps.ignored, 1);
    assert!(apps.macros_with(&[]).unwrap().get("good").is_some());
    let reason = |name: &str| Apps::load(&[site.folder.path().join(name)]).unwrap_err().to_string();
    assert!(reason("none").contains("none: "));
    assert!(reason("logs").contains("it is no app"));
    fs::write(site.folder.path().join("x.spl"), "").unwrap();
    assert!(reason("x.spl").contains("it is no packed app"));
}
