//! What each function does, for `spelunk help` and the reference page.

use super::functions;

/// What is said of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doc {
    /// Its name, in the vendor's letters.
    pub name: &'static str,
    /// The names of its arguments; that of the first may be left out.
    pub parameters: &'static [&'static str],
    /// What it does.
    pub summary: &'static str,
    /// A query that uses it.
    pub example: &'static str,
}

impl Doc {
    /// The call with its arguments.
    pub fn syntax(&self) -> String {
        format!("{}({})", self.name, self.parameters.join(", "))
    }
}

/// Every function that is supported, by name.
pub fn docs() -> Vec<Doc> {
    let mut docs: Vec<Doc> = functions::registered()
        .filter_map(|function| {
            let (name, summary, example) = *TEXTS.iter().find(|(name, ..)| *name == function.name)?;
            Some(Doc { name, parameters: function.parameters, summary, example })
        })
        .collect();
    docs.sort_by_key(|doc| doc.name.to_ascii_lowercase());
    docs
}

/// What is said of the function of that name, in any letter case.
pub fn doc(name: &str) -> Option<Doc> {
    docs().into_iter().find(|doc| doc.name.eq_ignore_ascii_case(name))
}

/// Name, summary, example.
const TEXTS: &[(&str, &str, &str)] = &[
    ("accumulate", "Aggregates over the rows so far, row by row.", "head() | accumulate(sum(bytes, as=total))"),
    ("array:append", "Puts values at the end of an array.", "array:append(\"hosts[]\", values=[\"a\"])"),
    (
        "array:contains",
        "Keeps events of whose array an element equals the value.",
        "array:contains(\"user[]\", value=\"admin\")",
    ),
    ("array:dedup", "Keeps each value of an array once.", "array:dedup(\"user[]\")"),
    ("array:drop", "Removes an array.", "array:drop(\"user[]\")"),
    (
        "array:eval",
        "Computes an array out of each element of another.",
        "array:eval(\"v[]\", asArray=\"w[]\", var=x, function={w := x * x})",
    ),
    (
        "array:exists",
        "Keeps events of whose array an element fits the filters.",
        "array:exists(\"v[]\", var=x, condition={x > 3})",
    ),
    (
        "array:filter",
        "Keeps the elements of an array that fit the filters.",
        "array:filter(\"v[]\", var=x, function={x = a*})",
    ),
    ("array:intersection", "The values that all arrays of the events have in common.", "array:intersection(\"v[]\")"),
    ("array:length", "How many elements an array has.", "n := array:length(\"v[]\")"),
    (
        "array:reduceAll",
        "An aggregate over the elements of the arrays of all events.",
        "array:reduceAll(\"v[]\", var=x, function=max(x))",
    ),
    (
        "array:reduceColumn",
        "An aggregate over the elements at the same place of all arrays.",
        "array:reduceColumn(\"v[]\", var=x, function=max(x))",
    ),
    (
        "array:reduceRow",
        "An aggregate over the elements of each event's array.",
        "array:reduceRow(\"v[]\", var=x, function=max(x))",
    ),
    ("array:regex", "Keeps events of whose array an element matches.", "array:regex(\"v[]\", regex=\"^a\")"),
    ("array:rename", "Gives an array another name.", "array:rename(\"v[]\", asArray=\"w[]\")"),
    ("array:reverse", "Turns an array around.", "array:reverse(\"v[]\")"),
    ("array:sort", "Orders the elements of an array.", "array:sort(\"v[]\")"),
    ("array:union", "The values that any array of the events has.", "array:union(\"v[]\")"),
    ("asn", "The autonomous system of an address, out of a local database.", "asn(ip)"),
    ("avg", "The mean of the numbers of a field.", "avg(bytes)"),
    ("base64Decode", "Decodes Base64.", "text := base64Decode(encoded, charset=\"UTF-16LE\")"),
    ("base64Encode", "Encodes as Base64.", "base64Encode(a)"),
    (
        "bitfield:extractFlags",
        "Fields out of the bits of a number.",
        "bitfield:extractFlags(field=flags, output=[[0, hidden]])",
    ),
    (
        "bitfield:extractFlagsAsArray",
        "The names of the bits that are set, as an array.",
        "bitfield:extractFlagsAsArray(field=flags, flagNames=[[0, hidden]], asArray=\"names[]\")",
    ),
    (
        "bitfield:extractFlagsAsString",
        "The names of the bits that are set, as a text.",
        "bitfield:extractFlagsAsString(field=flags, flagNames=[[0, hidden]])",
    ),
    ("bucket", "Aggregates by stretch of time.", "bucket(span=1h, function=count())"),
    (
        "cidr",
        "Keeps events whose address is in one of the networks.",
        "cidr(ip, subnet=[\"10.0.0.0/8\", \"fe80::/10\"])",
    ),
    ("coalesce", "The first of several values that is there.", "user := coalesce([UserName, TargetUserName])"),
    ("collect", "The distinct values of fields, joined.", "groupBy(host, function=collect([user]))"),
    (
        "communityId",
        "The community id of a network flow.",
        "communityId(sourceip=s, destinationip=d, sourceport=sp, destinationport=dp, proto=p)",
    ),
    ("concat", "The texts of several fields, one after the other.", "x := concat([a, b])"),
    ("concatArray", "The elements of an array as one text.", "concatArray(v, separator=\", \")"),
    ("correlate", "Events of several queries that share keys.", "correlate(a: {x=1}, b: {x=2 | y <=> a.y})"),
    ("count", "How many events there are, or how many have a field.", "count(user, distinct=true)"),
    ("counterAsRate", "The growth of a counter by second.", "head() | counterAsRate(bytes)"),
    (
        "createEvents",
        "Events of these texts, instead of those that are searched.",
        "createEvents([\"a=1\", \"a=2\"]) | kvParse()",
    ),
    ("crypto:md5", "The MD5 digest of fields.", "crypto:md5(a)"),
    ("crypto:sha1", "The SHA-1 digest of fields.", "crypto:sha1(a)"),
    ("crypto:sha256", "The SHA-256 digest of fields.", "crypto:sha256(a)"),
    ("default", "Gives fields that are missing a value.", "default(value=\"-\", field=[user, host])"),
    (
        "defineTable",
        "A table made by a query, for match() and readFile(); stands before all other steps.",
        "defineTable(query={a=1}, name=\"t\", include=[user]) | match(table=t, field=user)",
    ),
    ("drop", "Removes fields.", "drop([a, b])"),
    ("dropEvent", "Drops the event.", "case { a=1 | dropEvent(); * }"),
    ("duration", "A length of time in milliseconds.", "d := duration(\"1h\")"),
    ("end", "The end of the time that is searched, in milliseconds since the epoch.", "e := end()"),
    ("eval", "Assigns fields one after the other.", "eval(a=b+1, c=a*2)"),
    ("eventFieldCount", "How many fields an event has.", "eventFieldCount()"),
    ("eventSize", "How many bytes an event has.", "eventSize()"),
    ("fieldset", "The names of the fields that there are.", "fieldset()"),
    ("fieldstats", "How often each field occurs.", "fieldstats()"),
    ("findTimestamp", "Finds a time in a text.", "findTimestamp()"),
    ("format", "A text by a format, as printf writes it.", "format(\"%s has %,d\", field=[host, n], as=line)"),
    ("formatDuration", "A length of time as 1h2m3s.", "formatDuration(ms, precision=2)"),
    ("formatTime", "A time by a format, as strftime writes it.", "day := formatTime(\"%Y-%m-%d\", timezone=Z)"),
    (
        "geography:distance",
        "The metres between two places on earth.",
        "geography:distance(lat1=a, lon1=b, lat2=c, lon2=d, as=m)",
    ),
    ("geohash", "The geohash of a place.", "geohash(lat=a, lon=b)"),
    ("getField", "The value of a field whose name needs quotes.", "x := getField(\"host-name\")"),
    ("groupBy", "Aggregates by the values of fields.", "groupBy([host, user], function=[count(), max(bytes)])"),
    ("hash", "A short digest of fields.", "hash([a, b])"),
    ("hashMatch", "Keeps events of which the digest of a field is the given one.", "hashMatch(\"x\", field=a)"),
    ("hashRewrite", "Puts the digest of a field in its place.", "hashRewrite(a)"),
    ("head", "The oldest events.", "head(10)"),
    ("if", "One of two values, by a condition.", "x := if(n > 5, then=\"many\", else=\"few\")"),
    (
        "in",
        "Keeps events whose field is one of the values, or in a column of a file.",
        "in(user, values=[\"root\", \"admin*\"], ignoreCase=true)",
    ),
    ("ioc:lookup", "Looks indicators up in data that only the vendor has.", "ioc:lookup(field=ip, type=ip_address)"),
    ("ipLocation", "The place of an address, out of a local database.", "ipLocation(ip)"),
    (
        "join",
        "Keeps events whose key a row of another query has, and adds fields of it; `!join` keeps the others.",
        "join(query={a=1}, field=user, key=name, include=[dept], mode=left)",
    ),
    ("json:prettyPrint", "JSON over several lines.", "json:prettyPrint(a)"),
    ("kvParse", "Fields out of key=value pairs.", "kvParse()"),
    ("length", "How many characters a text has.", "n := length(CommandLine)"),
    ("linReg", "The line through points.", "linReg(y=b, x=a)"),
    ("lookup", "The older form of match().", "lookup(user, file=\"users.csv\", include=[dept])"),
    ("lower", "A text in small letters.", "name := lower(FileName)"),
    ("lowercase", "Puts fields in small letters.", "lowercase([FileName])"),
    (
        "match",
        "Keeps events that a row of a table agrees with, and adds its columns.",
        "match(file=\"nets.csv\", field=ip, column=net, mode=cidr, strict=false)",
    ),
    ("math:abs", "A number without its sign.", "x := math:abs(a)"),
    ("math:arccos", "The angle of a cosine.", "x := math:arccos(a)"),
    ("math:arcsin", "The angle of a sine.", "x := math:arcsin(a)"),
    ("math:arctan", "The angle of a tangent.", "x := math:arctan(a)"),
    ("math:arctan2", "The angle of a point.", "a := math:arctan2(y, x=b)"),
    ("math:ceil", "The next whole number.", "x := math:ceil(a)"),
    ("math:cos", "The cosine of an angle.", "x := math:cos(a)"),
    ("math:cosh", "The hyperbolic cosine.", "x := math:cosh(a)"),
    ("math:deg2rad", "Degrees as radians.", "x := math:deg2rad(a)"),
    ("math:exp", "A power of e.", "x := math:exp(a)"),
    ("math:expm1", "A power of e, less 1.", "x := math:expm1(a)"),
    ("math:floor", "The whole number before.", "x := math:floor(a)"),
    ("math:log", "The natural logarithm.", "x := math:log(a)"),
    ("math:log10", "The logarithm to base 10.", "x := math:log10(a)"),
    ("math:log1p", "The natural logarithm of a number and 1.", "x := math:log1p(a)"),
    ("math:log2", "The logarithm to base 2.", "x := math:log2(a)"),
    ("math:mod", "What is left of a division.", "x := math:mod(a, divisor=7)"),
    ("math:pow", "A power.", "x := math:pow(a, exponent=2)"),
    ("math:rad2deg", "Radians as degrees.", "x := math:rad2deg(a)"),
    ("math:sin", "The sine of an angle.", "x := math:sin(a)"),
    ("math:sinh", "The hyperbolic sine.", "x := math:sinh(a)"),
    ("math:sqrt", "The square root.", "x := math:sqrt(a)"),
    ("math:tan", "The tangent of an angle.", "x := math:tan(a)"),
    ("math:tanh", "The hyperbolic tangent.", "x := math:tanh(a)"),
    ("max", "The greatest number of a field.", "max(bytes)"),
    ("min", "The least number of a field.", "min(bytes)"),
    ("neighbor", "Fields of the event before or after.", "head() | neighbor([a], prefix=before)"),
    ("now", "The time at which the query started, in milliseconds since the epoch.", "age := now() - @timestamp"),
    (
        "objectArray:eval",
        "Computes an array out of each object of another.",
        "objectArray:eval(\"in[]\", asArray=\"out[]\", var=x, function={out := x.a})",
    ),
    (
        "objectArray:exists",
        "Keeps events of whose array an object fits the filters.",
        "objectArray:exists(\"in[]\", var=x, condition={x.a=1})",
    ),
    ("parseCEF", "Fields out of the Common Event Format.", "parseCEF()"),
    ("parseCsv", "Fields out of comma-separated values.", "parseCsv(columns=[a, b])"),
    ("parseFixedWidth", "Fields out of columns of fixed width.", "parseFixedWidth(columns=[a, b], widths=[3, 4])"),
    ("parseHexString", "The text that hexadecimal digits stand for.", "parseHexString(a, as=text)"),
    ("parseInt", "The number that digits stand for.", "n := parseInt(a, radix=16)"),
    ("parseJson", "Fields out of JSON.", "parseJson(body, prefix=\"j.\")"),
    ("parseLEEF", "Fields out of the Log Event Extended Format.", "parseLEEF()"),
    ("parseTimestamp", "Reads a time.", "parseTimestamp(\"millis\", field=ts)"),
    ("parseUri", "The parts of an address of the web.", "parseUri(url)"),
    ("parseUrl", "The parts of an address of the web.", "parseUrl(url)"),
    ("parseXml", "Fields out of XML.", "parseXml()"),
    (
        "partition",
        "Aggregates over runs of events that belong together.",
        "head() | partition(count(), condition={a=1})",
    ),
    ("percentile", "Values that so many percent of the numbers lie below.", "percentile(bytes, percentiles=[50, 99])"),
    ("range", "The greatest number less the least.", "range(bytes)"),
    ("rdns", "Names of addresses; nothing is asked of a network.", "rdns(ip)"),
    ("readFile", "The rows of tables, instead of events.", "readFile(\"users.csv\")"),
    (
        "regex",
        "Keeps events whose text matches, and makes fields of named groups.",
        "regex(\"user=(?<user>\\\\S+)\", field=msg, strict=false)",
    ),
    ("rename", "Gives fields other names.", "rename(field=[[a, b], [c, d]])"),
    ("replace", "Replaces what matches.", "replace(\"\\\\s+\", with=\" \", field=CommandLine)"),
    ("reverseDns", "Names of addresses; nothing is asked of a network.", "reverseDns(ip)"),
    ("round", "The nearest whole number.", "round(a)"),
    ("sample", "Some of the events, by chance.", "sample(percentage=10)"),
    ("sankey", "How much flows from each source to each target.", "sankey(source=a, target=b)"),
    ("select", "Keeps these fields only.", "select([a, b])"),
    ("selectFromMax", "Fields of the event with the greatest value.", "selectFromMax(field=bytes, include=[host])"),
    ("selectFromMin", "Fields of the event with the least value.", "selectFromMin(field=bytes, include=[host])"),
    ("selectLast", "Of each field its newest value.", "selectLast([user, host])"),
    (
        "selfJoin",
        "A row for each key of which every clause finds an event.",
        "selfJoin(field=mail, where=[{from=a}, {to=b}], collect=[from, to])",
    ),
    (
        "selfJoinFilter",
        "Keeps events of whose key every clause finds one.",
        "selfJoinFilter(field=aid, where=[{a=1}, {b=2}])",
    ),
    ("series", "The values of fields in the order of events.", "groupBy(host, function=series([a]))"),
    (
        "session",
        "Aggregates over events that follow each other closely.",
        "groupBy(user, function=session(maxpause=15m))",
    ),
    ("setField", "Sets a field whose name is computed.", "setField(target=\"a\", value=b)"),
    ("setTimeInterval", "Bounds the time that is searched.", "setTimeInterval(start=7d)"),
    ("shannonEntropy", "How many bits of surprise a text has by character.", "shannonEntropy(domain)"),
    (
        "slidingTimeWindow",
        "Aggregates over the stretch of time before each event.",
        "head() | slidingTimeWindow(count(), span=1h)",
    ),
    ("slidingWindow", "Aggregates over the last events before each.", "head() | slidingWindow(sum(a), events=5)"),
    (
        "sort",
        "Orders the rows, by numbers from great to small where nothing else is said.",
        "sort([host, n], order=[asc, desc], type=[string, number])",
    ),
    ("split", "An event for each element of an array.", "split(v)"),
    ("splitString", "The parts of a text.", "part := splitString(a, by=\",\", index=0)"),
    ("start", "The start of the time that is searched, in milliseconds since the epoch.", "s := start()"),
    ("stats", "Several aggregates at once.", "stats([count(), avg(bytes)])"),
    ("stdDev", "The standard deviation of the numbers of a field.", "stdDev(bytes)"),
    ("stripAnsiCodes", "Removes the codes of terminals.", "stripAnsiCodes(a)"),
    ("subnet", "The network of an address.", "subnet(ip, bits=24)"),
    ("sum", "The sum of the numbers of a field.", "sum(bytes)"),
    (
        "table",
        "These columns, the newest event first; all rows where no limit is given.",
        "table([@timestamp, host, user], limit=1000)",
    ),
    ("tail", "The newest events.", "tail(10)"),
    ("test", "Keeps events for which an expression is true.", "test(a + b > 2 * c)"),
    ("text:contains", "Whether a text holds another.", "text:contains(string=a, substring=\"x\")"),
    (
        "text:editDistance",
        "How many letters differ between two texts.",
        "d := text:editDistance(target=\"x\", reference=\"y\")",
    ),
    ("text:endsWith", "Whether a text ends with another.", "text:endsWith(a, substring=\"x\")"),
    ("text:length", "How many characters a text has.", "n := text:length(a)"),
    ("text:positionOf", "Where a letter stands in a text.", "n := text:positionOf(a, character=\"x\")"),
    ("text:startsWith", "Whether a text begins with another.", "text:startsWith(a, substring=\"x\")"),
    ("text:substring", "A part of a text.", "x := text:substring(a, begin=0, end=3)"),
    ("text:trim", "A text without the blanks around it.", "x := text:trim(a)"),
    ("time:dayOfMonth", "The day of the month of a time.", "d := time:dayOfMonth()"),
    ("time:dayOfWeek", "The day of the week of a time; Monday is 1.", "d := time:dayOfWeek()"),
    ("time:dayOfWeekName", "The name of the day of a time.", "d := time:dayOfWeekName()"),
    ("time:dayOfYear", "The day of the year of a time.", "d := time:dayOfYear()"),
    ("time:hour", "The hour of a time.", "h := time:hour()"),
    ("time:millisecond", "The millisecond of a time.", "m := time:millisecond()"),
    ("time:minute", "The minute of a time.", "m := time:minute()"),
    ("time:month", "The month of a time.", "m := time:month()"),
    ("time:monthName", "The name of the month of a time.", "m := time:monthName()"),
    ("time:second", "The second of a time.", "s := time:second()"),
    ("time:weekOfYear", "The week of the year of a time.", "w := time:weekOfYear()"),
    ("time:year", "The year of a time.", "y := time:year()"),
    (
        "timeChart",
        "Aggregates by stretch of time, a series for each value.",
        "timeChart(host, span=1h, function=count())",
    ),
    ("tokenHash", "A digest of the kinds of characters of a text.", "tokenHash(a)"),
    ("top", "The values that occur most often.", "top(user, limit=5)"),
    ("transpose", "Rows as columns.", "groupBy(a) | transpose(header=a)"),
    ("unit:convert", "A number in another unit.", "unit:convert(a, from=B, to=MB)"),
    ("upper", "A text in capital letters.", "name := upper(FileName)"),
    ("urlDecode", "A text without the codes of web addresses.", "urlDecode(a)"),
    ("urlEncode", "A text with the codes of web addresses.", "urlEncode(a)"),
    (
        "wildcard",
        "Keeps events of which a field fits a pattern.",
        "wildcard(field=FileName, pattern=\"*cmd*\", ignoreCase=true)",
    ),
    ("worldMap", "How many events are of each place on earth.", "worldMap(ip)"),
    ("writeJson", "Fields as JSON.", "writeJson([a, b], as=j)"),
    ("xml:prettyPrint", "XML over several lines.", "xml:prettyPrint(a)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_explained() {
        let unexplained: Vec<&str> = functions::registered()
            .map(|function| function.name)
            .filter(|name| TEXTS.iter().all(|(known, ..)| known != name))
            .collect();
        assert_eq!(unexplained, [] as [&str; 0]);
        let sorted = TEXTS.windows(2).all(|pair| pair[0].0.to_lowercase() < pair[1].0.to_lowercase());
        assert!(sorted, "the names are in alphabetical order, each once");
    }

    #[test]
    fn every_example_can_be_planned() {
        let (macros, saved_searches) = Default::default();
        let apps = std::sync::Arc::default();
        let knowledge = crate::knowledge::Knowledge {
            macros: &macros,
            saved_searches: &saved_searches,
            apps: &apps,
            lookups: None,
        };
        for doc in docs() {
            let checked = crate::session::check_in(crate::Language::LogScale, doc.example, knowledge);
            // What is refused by reason is explained all the same.
            let planned = match &checked {
                crate::session::Checked::Ok(_) => true,
                crate::session::Checked::PlanError(found) => {
                    found.iter().all(|found| found.code == spelunk_grammar::Code::Unsupported)
                }
                crate::session::Checked::ParseError(_) => false,
            };
            assert!(planned, "{}: {checked:?}", doc.example);
            assert!(doc.example.contains(doc.name), "{}", doc.example);
        }
    }
}
