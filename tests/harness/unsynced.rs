//! A power cut: what a killed program wrote and never synced is put back to what it was, as a disk may
//! do. `tests/peers/unsynced.c`, loaded into the program, keeps the journal read here.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::Folder;

pub struct Unsynced {
    folder: Folder,
    root: PathBuf,
}

struct Record {
    kind: char,
    inode: u64,
    offset: u64,
    /// Of the file, before.
    size: u64,
    path: PathBuf,
    data: Vec<u8>,
}

impl Unsynced {
    /// Watches what is written under `root`.
    pub fn under(root: &Path) -> Self {
        let folder = Folder::new();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/unsynced.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-shared", "-fPIC", "-o"]).arg(folder.0.join("unsynced.so")).arg(source).arg("-lpthread");
        assert!(cc.status().expect("a C compiler").success());
        Self { folder, root: root.to_owned() }
    }

    /// Variables of the program to be watched.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.folder.0.join("unsynced.so").display().to_string()),
            ("UNSYNCED_JOURNAL", self.journal().display().to_string()),
            ("UNSYNCED_ROOT", self.root.display().to_string()),
        ]
    }

    fn journal(&self) -> PathBuf {
        self.folder.0.join("journal")
    }

    fn records(&self) -> Vec<Record> {
        let bytes = fs::read(self.journal()).unwrap();
        let mut rest = bytes.as_slice();
        let mut found = Vec::new();
        while rest.len() >= 48 {
            let number = |index: usize| u64::from_ne_bytes(rest[index * 8..index * 8 + 8].try_into().unwrap());
            let [kind, inode, offset, size, path, data] = [0, 1, 2, 3, 4, 5].map(number);
            let (path, data) = (usize::try_from(path).unwrap(), usize::try_from(data).unwrap());
            let Some(body) = rest.get(48..48 + path + data) else { break };
            let kind = char::from(u8::try_from(kind).unwrap());
            let name = PathBuf::from(String::from_utf8(body[..path].to_vec()).unwrap());
            found.push(Record { kind, inode, offset, size, path: name, data: body[path..].to_vec() });
            rest = &rest[48 + path + data..];
        }
        found
    }

    /// Cuts the power, once the program is dead. Gives how many writes and names were lost.
    pub fn cut(&self) -> usize {
        let records = self.records();
        let (mut content, mut folders) = (BTreeMap::new(), BTreeMap::new());
        for (index, record) in records.iter().enumerate() {
            match record.kind {
                'S' => drop(content.insert(record.inode, index)),
                'D' => drop(folders.insert(record.path.clone(), index)),
                _ => {}
            }
        }
        let named =
            |path: &Path, index: usize| folders.get(path.parent().unwrap()).is_some_and(|synced| *synced > index);
        let mut lost = 0;
        for (index, record) in records.iter().enumerate().rev() {
            match record.kind {
                'W' if content.get(&record.inode).is_none_or(|synced| *synced < index) => {
                    lost += usize::from(self.put_back(record));
                }
                'R' if !named(&record.path, index) && record.path.exists() => {
                    fs::rename(&record.path, PathBuf::from(String::from_utf8(record.data.clone()).unwrap())).unwrap();
                    lost += 1;
                }
                'C' if !named(&record.path, index) && record.path.exists() => {
                    fs::remove_file(&record.path).unwrap();
                    lost += 1;
                }
                'M' if !named(&record.path, index) && record.path.exists() => {
                    fs::remove_dir_all(&record.path).unwrap();
                    lost += 1;
                }
                _ => {}
            }
        }
        fs::remove_file(self.journal()).unwrap();
        lost
    }

    /// False when the file itself is gone.
    fn put_back(&self, record: &Record) -> bool {
        let Some(path) = find(&self.root, record.inode) else { return false };
        let file = fs::File::options().write(true).open(path).unwrap();
        file.write_all_at(&record.data, record.offset).unwrap();
        file.set_len(record.size).unwrap();
        true
    }
}

fn find(folder: &Path, inode: u64) -> Option<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find_map(|path| {
        let state = fs::metadata(&path).ok()?;
        if state.is_dir() { find(&path, inode) } else { (state.ino() == inode).then_some(path) }
    })
}

/// The instrument itself: loses what was never synced, keeps what was.
#[test]
fn what_is_not_synced_is_lost() {
    let root = Folder::new();
    let watch = Unsynced::under(&root.0);
    let script = r#"
import os, sys
def put(name, text, sync, flags=os.O_CREAT | os.O_WRONLY):
    fd = os.open(name, flags, 0o600)
    os.write(fd, text)
    if sync: os.fsync(fd)
    os.close(fd)
os.chdir(sys.argv[1])
root = os.getcwd() + "/"
put(root + "kept", b"abcdef", True)
put(root + "emptied", b"abcdef", True)
os.mkdir(root + "folder")
put(root + "before", b"moved", True)
fd = os.open(root, os.O_RDONLY); os.fsync(fd); os.close(fd)
put(root + "kept", b"XY", False)
put(root + "kept", b"tail", False, os.O_WRONLY | os.O_APPEND)
fd = os.open(root + "emptied", os.O_WRONLY); os.ftruncate(fd, 2); os.fsync(fd); os.close(fd)
put(root + "unnamed", b"x", True)
put(root + "folder/inside", b"x", True)
os.rename(root + "before", root + "after")
"#;
    let mut python = Command::new(super::peers::program("python"));
    let done = python.args(["-c", script]).arg(&root.0).envs(watch.environment()).status().unwrap();
    assert!(done.success());
    assert_eq!(fs::read(root.0.join("kept")).unwrap(), b"XYcdeftail");
    watch.cut();
    let mut names: Vec<String> =
        fs::read_dir(&root.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["before", "emptied", "folder", "kept"]);
    assert_eq!(fs::read(root.0.join("kept")).unwrap(), b"abcdef");
    assert_eq!(fs::read(root.0.join("emptied")).unwrap(), b"ab");
    assert_eq!(fs::read_dir(root.0.join("folder")).unwrap().count(), 0);
}
