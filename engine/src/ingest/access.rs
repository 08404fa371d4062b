//! The access logs of web servers: Apache's common and combined formats.
//!
//! Field names: Splunk's transform `access-extractions`.

/// The fields of a line.
#[derive(Debug)]
pub(crate) struct Access<'l> {
    pub(crate) sourcetype: &'static str,
    pub(crate) fields: Vec<(&'static str, &'l str)>,
    /// When the request came.
    pub(crate) time: &'l str,
}

impl<'l> Access<'l> {
    /// Reads `client ident user [time] "request" status bytes "referer" "user agent" "cookie" ...`.
    pub(crate) fn of(line: &'l str) -> Option<Self> {
        let mut rest = Rest(line);
        let (client, ident, user) = (rest.word()?, rest.word()?, rest.word()?);
        let time = rest.bracketed()?;
        let request = rest.quoted()?;
        let (status, bytes) = (rest.word()?, rest.word()?);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(status) || !(bytes == "-" || is_number(bytes)) {
            return None;
        }
        let mut fields = vec![("clientip", client), ("ident", ident), ("user", user), ("req_time", time)];
        add_request(request, &mut fields);
        fields.extend([("status", status), ("bytes", bytes)]);
        let mut sourcetype = "access_common";
        if let Some(referer) = rest.quoted() {
            sourcetype = "access_combined";
            fields.push(("referer", referer));
            fields.extend(domain(referer).map(|domain| ("referer_domain", domain)));
            fields.extend(rest.quoted().map(|agent| ("useragent", agent)));
            if let Some(cookie) = rest.quoted() {
                if cookie.contains('=') {
                    sourcetype = "access_combined_wcookie";
                }
                fields.push(("cookie", cookie));
            }
        }
        let other = rest.0.trim();
        if !other.is_empty() {
            fields.push(("other", other));
        }
        Some(Access { sourcetype, fields, time })
    }
}

fn add_request<'l>(request: &'l str, fields: &mut Vec<(&'static str, &'l str)>) {
    let mut words = request.split_ascii_whitespace();
    let (Some(method), Some(uri)) = (words.next(), words.next()) else { return };
    fields.extend([("method", method), ("uri", uri)]);
    let mut path = uri;
    if let Some(domain) = domain(uri) {
        fields.push(("uri_domain", domain));
        path = uri.get(domain.len()..).filter(|path| !path.is_empty()).unwrap_or("/");
    }
    if let Some((before, query)) = path.split_once('?') {
        path = before;
        fields.push(("uri_query", query));
    }
    fields.push(("uri_path", path));
    if let Some((folder, file)) = path.rsplit_once('/') {
        if !file.is_empty() {
            fields.push(("file", file));
        }
        let root = folder.trim_start_matches('/').split('/').next().unwrap_or_default();
        if !root.is_empty() {
            fields.push(("root", root));
        }
    }
    fields.extend(words.next().and_then(|version| version.strip_prefix("HTTP/")).map(|version| ("version", version)));
}

/// `https://example.org` of an address.
fn domain(address: &str) -> Option<&str> {
    let start = address.find("://")?.saturating_add(3);
    let end = address.get(start..)?.find(['/', '?']).map_or(address.len(), |at| start.saturating_add(at));
    address.get(..end)
}

struct Rest<'l>(&'l str);

impl<'l> Rest<'l> {
    fn word(&mut self) -> Option<&'l str> {
        let text = self.0.trim_start_matches(' ');
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        self.0 = rest;
        (!word.is_empty() && !word.starts_with('"')).then_some(word)
    }

    fn bracketed(&mut self) -> Option<&'l str> {
        let (inner, rest) = self.0.trim_start_matches(' ').strip_prefix('[')?.split_once(']')?;
        self.0 = rest;
        Some(inner)
    }

    /// Text in quotes; a quote inside has a backslash before it.
    fn quoted(&mut self) -> Option<&'l str> {
        let text = self.0.trim_start_matches(' ').strip_prefix('"')?;
        let mut is_escaped = false;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    self.0 = text.get(at.saturating_add(1)..).unwrap_or_default();
                    return text.get(..at);
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_fields_are_those_that_splunk_names() {
        let line = "10.0.0.9 - alice [24/May/2024:10:01:00 +0000] \"GET /shop/cart.do?id=7&q=%22 HTTP/1.1\" 200 512 \
                    \"https://example.org/a?b\" \"Mozilla/5.0 (\\\"x\\\")\" \"JSESSIONID=1\" 77";
        let access = Access::of(line).unwrap();
        assert_eq!(access.sourcetype, "access_combined_wcookie");
        assert_eq!(access.time, "24/May/2024:10:01:00 +0000");
        for pair in [
            ("clientip", "10.0.0.9"),
            ("user", "alice"),
            ("method", "GET"),
            ("uri", "/shop/cart.do?id=7&q=%22"),
            ("uri_path", "/shop/cart.do"),
            ("uri_query", "id=7&q=%22"),
            ("root", "shop"),
            ("file", "cart.do"),
            ("version", "1.1"),
            ("status", "200"),
            ("bytes", "512"),
            ("referer_domain", "https://example.org"),
            ("useragent", "Mozilla/5.0 (\\\"x\\\")"),
            ("other", "77"),
        ] {
            assert!(access.fields.contains(&pair), "{pair:?} in {access:?}");
        }
        let common = Access::of("::1 - - [24/May/2024:10:01:00 +0000] \"-\" 408 -").unwrap();
        assert_eq!(common.sourcetype, "access_common");
        for line in ["", "a b c [d] \"e\" f g", "a b c [d", "x - - [t] \"GET / HTTP/1.0 200 1"] {
            assert!(Access::of(line).is_none(), "{line}");
        }
    }
}
