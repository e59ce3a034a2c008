//! Profiles of a dialog as the JSON of the column `xdata` (spec dialog 6.7).

use dialog::{Place, ProfileView};
use serde_json::Value;

/// A membership out of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredMembership {
    pub name: String,
    pub value: Option<String>,
    /// In the headroom of a limit: a key of ours, which Kamailio passes over.
    pub is_priority: bool,
}

/// Appends the JSON of the memberships, newest first as they are listed.
pub fn write(profiles: &[ProfileView], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"profiles\":[");
    for (place, profile) in profiles.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{\"name\":" } else { b",{\"name\":" });
        write_text(out, profile.name.as_bytes());
        if let Some(value) = &profile.value {
            out.extend_from_slice(b",\"value\":");
            write_text(out, value);
        }
        out.extend_from_slice(b",\"puid\":");
        write_text(out, profile.unique.as_bytes());
        if profile.place == Place::Priority {
            out.extend_from_slice(b",\"place\":\"priority\"");
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
}

/// Shortens the JSON to so many bytes: first without what can be made anew, then without the oldest memberships. None: it
/// fits as it is, or cannot be read.
pub fn shortened(text: &[u8], bytes_max: usize) -> Option<String> {
    if text.len() <= bytes_max {
        return None;
    }
    let mut value: Value = serde_json::from_slice(text).ok()?;
    let list = value.get_mut("profiles")?.as_array_mut()?;
    for entry in list.iter_mut().filter_map(Value::as_object_mut) {
        entry.remove("puid");
    }
    loop {
        let text = value.to_string();
        if text.len() <= bytes_max {
            return Some(text);
        }
        value.get_mut("profiles")?.as_array_mut()?.pop()?;
    }
}

/// Reads the memberships; `lost` counts those that cannot be read.
pub fn read(text: &[u8], lost: &mut u32) -> Vec<StoredMembership> {
    let parsed: Option<Value> = serde_json::from_slice(text).ok();
    let Some(list) = parsed.as_ref().and_then(|value| value.get("profiles")?.as_array()) else {
        *lost = lost.saturating_add(u32::from(!text.is_empty()));
        return Vec::new();
    };
    let mut memberships = Vec::with_capacity(list.len());
    for entry in list {
        match entry.get("name").and_then(Value::as_str) {
            Some(name) => memberships.push(StoredMembership {
                name: name.to_owned(),
                value: entry.get("value").and_then(Value::as_str).map(str::to_owned),
                is_priority: entry.get("place").and_then(Value::as_str) == Some("priority"),
            }),
            None => *lost = lost.saturating_add(1),
        }
    }
    memberships
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(profiles: &[ProfileView]) -> Vec<u8> {
        let mut text = Vec::new();
        write(profiles, &mut text);
        text
    }

    fn profile(name: &str, value: Option<&str>, place: Place) -> ProfileView {
        ProfileView { name: name.into(), value: value.map(|value| value.as_bytes().to_vec()), place, unique: format!("dlgp-1-2-{name}") }
    }

    #[test]
    fn kamailios_json_is_read_and_ours_is_like_it() {
        let text = br#"{"profiles":[{"name":"all","puid":"dlgp-6b0354b6-57be-4"},{"name":"caller","value":"alice","puid":"x","expires":9,"flags":1}]}"#;
        let mut lost = 0;
        let read_back = read(text, &mut lost);
        let expected = [
            StoredMembership { name: "all".to_owned(), ..StoredMembership::default() },
            StoredMembership { name: "caller".to_owned(), value: Some("alice".to_owned()), is_priority: false },
        ];
        assert_eq!((&read_back[..], lost), (&expected[..], 0));
        let own = written(&[profile("all", None, Place::Ordinary), profile("caller", Some("a\"b"), Place::Priority)]);
        let wanted = r#"{"profiles":[{"name":"all","puid":"dlgp-1-2-all"},{"name":"caller","value":"a\"b","puid":"dlgp-1-2-caller","place":"priority"}]}"#;
        assert_eq!(String::from_utf8_lossy(&own), wanted);
        assert!(read(&own, &mut lost)[1].is_priority);
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        for (text, memberships, losses) in
            [(&b"{"[..], 0, 1), (b"", 0, 0), (b"[]", 0, 1), (br#"{"profiles":[{"value":"x"},{"name":"a"},7]}"#, 1, 2)]
        {
            let mut lost = 0;
            assert_eq!((read(text, &mut lost).len(), lost), (memberships, losses));
        }
    }

    #[test]
    fn a_text_too_long_loses_what_can_be_made_anew_then_the_oldest() {
        let profiles: Vec<ProfileView> =
            (0..8).map(|number| profile(&format!("profile{number}"), Some("some value"), Place::Ordinary)).collect();
        let text = written(&profiles);
        assert_eq!(shortened(&text, text.len()), None);
        let mut lost = 0;
        let short = shortened(&text, 400).unwrap();
        assert!(short.len() <= 400 && !short.contains("puid"));
        assert_eq!(read(short.as_bytes(), &mut lost).len(), 8);
        let shorter = shortened(&text, 200).unwrap();
        let kept = read(shorter.as_bytes(), &mut lost);
        assert!(shorter.len() <= 200 && !kept.is_empty() && kept.len() < 8 && kept[0].name == "profile0");
    }
}
