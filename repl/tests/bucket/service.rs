//! A service that understands as much of S3 as a store needs, with its objects in memory.
//!
//! Source of its behaviour: Amazon S3 API Reference (GetObject, HeadObject, PutObject, DeleteObject, DeleteObjects,
//! ListObjectsV2, CreateMultipartUpload, UploadPart, CompleteMultipartUpload).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use percent_encoding::percent_decode_str;

/// Objects by bucket and key, each with its version.
#[derive(Default)]
struct Objects {
    kept: BTreeMap<String, (Vec<u8>, u64)>,
    parts: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    written: u64,
    /// What was asked, as method and path.
    asked: Vec<String>,
}

#[derive(Clone)]
pub struct Service {
    pub address: String,
    objects: Arc<Mutex<Objects>>,
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

type Response = (u16, Vec<(&'static str, String)>, Vec<u8>);

impl Service {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = Self { address, objects: Arc::default() };
        let answering = service.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let service = answering.clone();
                thread::spawn(move || service.answer(stream.unwrap()));
            }
        });
        service
    }

    /// The keys that are there.
    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().kept.keys().cloned().collect()
    }

    pub fn put(&self, key: &str, content: &[u8]) {
        self.objects.lock().unwrap().put(key, content.to_vec());
    }

    /// What was asked since somebody looked.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.objects.lock().unwrap().asked)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = Request::read(&mut reader) {
            let is_head = request.method == "HEAD";
            let (status, headers, body) = self.objects.lock().unwrap().of(request);
            let mut head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("Last-Modified: Fri, 24 May 2024 10:00:00 GMT\r\n\r\n");
            let body = if is_head { &[][..] } else { &body };
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err() {
                return;
            }
        }
    }
}

impl Request {
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query = query.map(|(name, value)| (name.to_owned(), decoded(&value.replace('+', " ")))).collect();
        let path = decoded(path.trim_start_matches('/'));
        Some(Self { method, path, query, headers, body })
    }
}

impl Objects {
    fn put(&mut self, key: &str, content: Vec<u8>) -> String {
        self.written += 1;
        self.kept.insert(key.to_owned(), (content, self.written));
        tag(self.written)
    }

    fn of(&mut self, request: Request) -> Response {
        let Request { method, path, query, headers, body } = request;
        self.asked.push(format!("{method} {path}"));
        let header = |name: &str| headers.get(name).map(String::as_str);
        match method.as_str() {
            "GET" if query.contains_key("list-type") => {
                self.list(&path, query.get("prefix").map_or("", String::as_str))
            }
            "GET" | "HEAD" => match self.kept.get(&path) {
                Some((content, version)) => part(content, header("range"), *version),
                None => missing(),
            },
            "PUT" if query.contains_key("partNumber") => {
                let parts = self.parts.entry(query["uploadId"].clone()).or_default();
                parts.insert(query["partNumber"].parse().unwrap(), body);
                (200, vec![("ETag", tag(0))], Vec::new())
            }
            "PUT" => {
                let there = self.kept.get(&path).map(|(_, version)| tag(*version));
                let is_wanted = match (header("if-none-match"), header("if-match")) {
                    (Some("*"), _) => there.is_none(),
                    (_, Some(wanted)) => there.as_deref() == Some(wanted),
                    _ => true,
                };
                if !is_wanted {
                    return (412, Vec::new(), b"<Error><Code>PreconditionFailed</Code></Error>".to_vec());
                }
                (200, vec![("ETag", self.put(&path, body))], Vec::new())
            }
            "POST" if query.contains_key("uploads") => {
                let body = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
                let body = body.replace(">u<", &format!(">{}<", self.asked.len()));
                (200, Vec::new(), body.into_bytes())
            }
            "POST" if query.contains_key("uploadId") => {
                let parts = self.parts.remove(&query["uploadId"]).unwrap();
                let tag = self.put(&path, parts.into_values().flatten().collect());
                let body = format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>");
                (200, Vec::new(), body.into_bytes())
            }
            "DELETE" => {
                self.kept.remove(&path);
                (204, Vec::new(), Vec::new())
            }
            "POST" => {
                let text = String::from_utf8(body).unwrap();
                let mut told = "<DeleteResult>".to_owned();
                for (key, _) in text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")) {
                    self.kept.remove(&format!("{}/{key}", path.trim_end_matches('/')));
                    told.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
                }
                told.push_str("</DeleteResult>");
                (200, Vec::new(), told.into_bytes())
            }
            _ => (501, Vec::new(), Vec::new()),
        }
    }

    fn list(&self, bucket: &str, prefix: &str) -> Response {
        let bucket = bucket.trim_end_matches('/');
        let mut body = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
        for (path, (content, version)) in &self.kept {
            let Some((_, key)) = path.split_once('/').filter(|(own, _)| *own == bucket) else { continue };
            if key.starts_with(prefix) {
                body.push_str(&format!(
                    "<Contents><Key>{key}</Key><LastModified>2024-05-24T10:00:00.000Z</LastModified><ETag>{}</ETag>\
                     <Size>{}</Size></Contents>",
                    tag(*version),
                    content.len()
                ));
            }
        }
        body.push_str("</ListBucketResult>");
        (200, Vec::new(), body.into_bytes())
    }
}

fn part(content: &[u8], range: Option<&str>, version: u64) -> Response {
    let tag = ("ETag", tag(version));
    let Some((from, to)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return (200, vec![tag], content.to_vec());
    };
    let all = content.len();
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, (to + 1).min(all)),
        (Ok(from), Err(_)) => (from, all),
        (Err(_), Ok(last)) => (all.saturating_sub(last), all),
        _ => (0, all),
    };
    let range = format!("bytes {from}-{}/{all}", to.saturating_sub(1));
    (206, vec![tag, ("Content-Range", range)], content[from..to].to_vec())
}

fn missing() -> Response {
    (404, Vec::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec())
}

fn tag(version: u64) -> String {
    format!("\"{version}\"")
}
