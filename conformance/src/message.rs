//! A SIP message as a test sees it: first line, headers in order, body. Deliberately not the product's parser.

/// A message taken apart.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Message {
    /// Splits text into lines; folded lines are kept as continuation of the value.
    pub fn parse(bytes: &[u8]) -> Message {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.split("\r\n");
        let mut message = Message { first: lines.next().unwrap_or_default().to_owned(), headers: Vec::new(), body: body.to_owned() };
        for line in lines {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = message.headers.last_mut() {
                    value.push_str("\r\n");
                    value.push_str(line);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                message.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        message
    }

    /// Status code of a reply.
    pub fn status(&self) -> Option<u16> {
        self.first.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    /// Method of a request, or of the CSeq of a reply.
    pub fn method(&self) -> String {
        if self.status().is_some() {
            self.value("CSeq").and_then(|value| value.split_whitespace().last().map(str::to_owned)).unwrap_or_default()
        } else {
            self.first.split(' ').next().unwrap_or_default().to_owned()
        }
    }

    /// First value of a header.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| same(own, name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| same(own, name)).map(|(_, value)| value.as_str()).collect()
    }

    /// URI of a request.
    pub fn request_uri(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// As bytes for the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }
}

/// The same header name, compact forms and letter case aside.
pub fn same(left: &str, right: &str) -> bool {
    let long = |name: &str| match name.to_ascii_lowercase().as_str() {
        "v" => "via".to_owned(),
        "f" => "from".to_owned(),
        "t" => "to".to_owned(),
        "i" => "call-id".to_owned(),
        "m" => "contact".to_owned(),
        "l" => "content-length".to_owned(),
        "c" => "content-type".to_owned(),
        other => other.to_owned(),
    };
    long(left) == long(right)
}

/// URI inside a name-addr or bare.
pub fn uri_of(value: &str) -> &str {
    match (value.find('<'), value.find('>')) {
        (Some(start), Some(end)) if start < end => &value[start + 1..end],
        _ => value.split(';').next().unwrap_or(value),
    }
}

/// Parameter of a header value, outside brackets.
pub fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let rest = value.find('>').map_or(value, |end| &value[end..]);
    rest.split(';').skip(1).find_map(|part| {
        let (key, text) = part.split_once('=').unwrap_or((part, ""));
        key.trim().eq_ignore_ascii_case(name).then_some(text.trim())
    })
}
