//! Finds the values in a stream of JSON texts or in a JSON array, without reading them.

use super::blocks::Cutter;

/// A state machine over the bytes of a stream. It knows strings and brackets, no more: what it finds may still be
/// broken.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonScanner {
    /// Whether the values are the elements of an array.
    pub(crate) in_array: bool,
    depth: u32,
    in_string: bool,
    escaped: bool,
    in_scalar: bool,
    /// Where the value began that has not ended yet.
    start: Option<usize>,
    /// The last byte of the value that is no white space.
    previous: u8,
    at: usize,
    at_line_start: bool,
}

impl JsonScanner {
    pub(crate) fn new(in_array: bool) -> Self {
        JsonScanner { in_array, at_line_start: true, ..JsonScanner::default() }
    }

    /// Where the next value begins and ends, if it ends in `bytes`.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        while let Some(&byte) = bytes.get(self.at) {
            let at_line_start = std::mem::replace(&mut self.at_line_start, byte == b'\n');
            if self.depth > 0 && at_line_start && byte == b'{' && !matches!(self.previous, b':' | b',' | b'[') {
                // A text that begins in column 1 where no value can begin: the one before it is only half there.
                self.depth = 0;
                self.at_line_start = true;
                if let Some(start) = self.start.take() {
                    return Some((start, self.at));
                }
            }
            let here = self.at;
            self.at = self.at.saturating_add(1);
            if self.in_string {
                match byte {
                    // No string goes over the end of a line.
                    b'\n' => self.in_string = false,
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                self.previous = byte;
                continue;
            }
            if let Some(found) = self.outside_string(byte, here) {
                return Some(found);
            }
        }
        None
    }

    fn outside_string(&mut self, byte: u8, here: usize) -> Option<(usize, usize)> {
        if self.in_scalar {
            if !matches!(byte, b'\n' | b',' | b']') {
                return None;
            }
            self.in_scalar = false;
            if byte == b']' {
                self.in_array = false;
            }
            return Some((self.start.take()?, here));
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return None,
            b'"' => {
                self.in_string = true;
                self.escaped = false;
                if self.depth == 0 {
                    self.start = Some(here);
                    self.in_scalar = true;
                }
            }
            b'[' if self.depth == 0 && !self.in_array => self.in_array = true,
            b'{' | b'[' => {
                if self.depth == 0 {
                    self.start = Some(here);
                }
                self.depth = self.depth.saturating_add(1);
            }
            b']' if self.depth == 0 => self.in_array = false,
            b'}' | b']' if self.depth > 0 => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some((self.start.take()?, self.at));
                }
            }
            b',' if self.depth == 0 => {}
            _ if self.depth == 0 => {
                self.start = Some(here);
                self.in_scalar = true;
            }
            _ => {}
        }
        self.previous = byte;
        None
    }

    /// What is left at the end of the stream: where a value begins that does not end.
    pub(crate) fn unfinished(&self) -> Option<usize> {
        self.start
    }
}

/// Cuts a stream of JSON texts, or an array.
#[derive(Debug)]
pub(crate) struct JsonCutter {
    scanner: JsonScanner,
    /// Whether the block that was cut last ended inside an array.
    ends_in_array: bool,
    begins_in_array: bool,
    last: Option<(usize, bool)>,
}

impl JsonCutter {
    pub(crate) fn new() -> Self {
        JsonCutter { scanner: JsonScanner::new(false), ends_in_array: false, begins_in_array: false, last: None }
    }

    /// Whether the block that comes next, and was perhaps cut already, begins inside an array.
    pub(crate) fn begins_in_array(&mut self) -> bool {
        std::mem::replace(&mut self.begins_in_array, self.ends_in_array)
    }
}

impl Cutter for JsonCutter {
    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some((_, end)) = self.scanner.next(bytes) {
            // The end of a scalar is known from the byte after it, which may have closed the array.
            if self.scanner.at == end {
                self.last = Some((end, self.scanner.in_array));
            }
        }
        self.last.map(|(end, _)| end)
    }

    fn advance(&mut self, cut: usize) {
        if let Some((_, in_array)) = self.last.take_if(|(end, _)| *end == cut) {
            self.ends_in_array = in_array;
        }
        self.scanner.at = self.scanner.at.saturating_sub(cut);
        self.scanner.start = self.scanner.start.map(|start| start.saturating_sub(cut));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use super::*;

    fn values(text: &str) -> Vec<&str> {
        let mut scanner = JsonScanner::new(false);
        let mut found = Vec::new();
        while let Some((start, end)) = scanner.next(text.as_bytes()) {
            found.push(&text[start..end]);
        }
        found
    }

    #[test]
    fn values_are_found_in_arrays_and_streams() {
        assert_eq!(values(r#"[{"a":"}"}, {"b":[1,{"c":"\"]"}]},7,"x,y" ]"#).len(), 4);
        assert_eq!(
            values("{\n  \"a\": 1\n}\n{\n  \"a\": {\"b\":2}\n}\n"),
            ["{\n  \"a\": 1\n}", "{\n  \"a\": {\"b\":2}\n}"]
        );
        assert_eq!(values(r#"{"a":1}{"b":2} {"c":3}"#), [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]);
    }

    #[test]
    fn half_a_value_does_not_swallow_the_next() {
        assert_eq!(values("{\n \"a\": \"x\n{\n \"b\": 2\n}\n")[1], "{\n \"b\": 2\n}");
        assert_eq!(values("{\"a\":\n{\"b\":1}}"), ["{\"a\":\n{\"b\":1}}"]);
    }
}
