//! `-u`, `-g`, `-t`: names become numbers by the system's files, then root is given up for good.

use std::fs;
use std::io;

/// Numbers to become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub user: Option<u32>,
    pub group: Option<u32>,
    /// Further groups of the user.
    pub supplementary: Vec<u32>,
}

/// Finds the numbers for `-u` and `-g`. A user without `-g` brings its own group. Only `/etc/passwd` and `/etc/group`
/// are consulted; users of a directory service can be given as numbers.
pub fn identity(user: Option<&str>, group: Option<&str>) -> Result<Identity, String> {
    let passwd = if user.is_some() { read("/etc/passwd")? } else { String::new() };
    identity_in(user, group, &passwd, &read("/etc/group")?)
}

fn read(path: &str) -> Result<String, String> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| format!("cannot read {path}: {error}"))
}

fn identity_in(user: Option<&str>, group: Option<&str>, passwd: &str, groups: &str) -> Result<Identity, String> {
    let mut identity = Identity::default();
    let mut name = user.map(str::to_string);
    if let Some(user) = user {
        let entry = passwd
            .lines()
            .map(fields)
            .find(|entry| entry.first() == Some(&user) || (entry.get(2) == Some(&user) && user.parse::<u32>().is_ok()));
        match entry {
            Some(entry) => {
                name = entry.first().map(|name| name.to_string());
                identity.user = entry.get(2).and_then(|text| text.parse().ok());
                identity.group = entry.get(3).and_then(|text| text.parse().ok());
            }
            None => identity.user = user.parse().ok(),
        }
        if identity.user.is_none() {
            return Err(format!("there is no user {user}"));
        }
    }
    if let Some(group) = group {
        let entry = groups.lines().map(fields).find(|entry| entry.first() == Some(&group));
        let number = entry.and_then(|entry| entry.get(2).and_then(|text| text.parse().ok()));
        identity.group = number.or_else(|| group.parse().ok());
        if identity.group.is_none() {
            return Err(format!("there is no group {group}"));
        }
    }
    if let Some(name) = name {
        let is_member = |entry: &Vec<&str>| entry.get(3).is_some_and(|members| members.split(',').any(|one| one == name));
        identity.supplementary =
            groups.lines().map(fields).filter(is_member).filter_map(|entry| entry.get(2).and_then(|text| text.parse().ok())).collect();
    }
    Ok(identity)
}

fn fields(line: &str) -> Vec<&str> {
    line.split(':').collect()
}

impl Identity {
    /// Becomes the identity. Call after binding and before starting threads. Nothing to do is fine.
    pub fn assume(&self) -> io::Result<()> {
        transport::batch::become_user(self.user, self.group, &self.supplementary)?;
        // A kernel that let us come back would have given nothing up.
        let wanted = self.user.filter(|&user| user != 0);
        if wanted.is_some() && transport::batch::become_user(Some(0), None, &[]).is_ok() {
            return Err(io::Error::other("root could be taken back after giving it up"));
        }
        Ok(())
    }
}

/// `-t`: changes the root directory and goes there.
pub fn change_root(directory: &std::path::Path) -> io::Result<()> {
    std::os::unix::fs::chroot(directory)?;
    std::env::set_current_dir("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nkam:x:105:110:SIP:/run:/bin/false\n";
    const GROUPS: &str = "root:x:0:\nkam:x:110:\naudio:x:29:pulse,kam\ncerts:x:111:kam\n";

    #[test]
    fn a_user_brings_its_groups() {
        let found = identity_in(Some("kam"), None, PASSWD, GROUPS).unwrap();
        assert_eq!(found, Identity { user: Some(105), group: Some(110), supplementary: vec![29, 111] });
        assert_eq!(identity_in(Some("105"), None, PASSWD, GROUPS).unwrap(), found);
    }

    #[test]
    fn the_group_option_wins_and_numbers_need_no_entry() {
        assert_eq!(identity_in(Some("kam"), Some("audio"), PASSWD, GROUPS).unwrap().group, Some(29));
        let found = identity_in(Some("4000"), Some("4001"), PASSWD, GROUPS).unwrap();
        assert_eq!((found.user, found.group), (Some(4000), Some(4001)));
        assert_eq!(identity_in(None, None, PASSWD, GROUPS).unwrap(), Identity::default());
    }

    #[test]
    fn unknown_names_are_errors() {
        assert!(identity_in(Some("ghost"), None, PASSWD, GROUPS).unwrap_err().contains("ghost"));
        assert!(identity_in(None, Some("ghosts"), PASSWD, GROUPS).unwrap_err().contains("ghosts"));
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        Identity::default().assume().unwrap();
    }
}
