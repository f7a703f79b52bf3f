//! Reports are written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    path: PathBuf,
}

impl ReportFile {
    /// A report at `path`. That it can be written there is tried: a run of minutes should not end with the news that its
    /// report cannot be kept.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn at(path: &Path) -> io::Result<ReportFile> {
        if path.as_os_str() == "-" {
            let way_out = "`-` would mix it with the results: name a file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, way_out));
        }
        let file = ReportFile { path: destination(path) };
        match fs::metadata(&file.path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // A device or a pipe is there already; who reads from a pipe must not see it end before the report.
            Ok(metadata) if !metadata.is_file() => {}
            _ => {
                let beside = file.beside()?;
                File::create(&beside)?;
                fs::remove_file(&beside)?;
            }
        }
        Ok(file)
    }

    /// Writes the report: first beside its place, then into it, so that nobody reads half a report. What is no regular
    /// file, such as `/dev/null` or a pipe, is written to and not replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, content: &[u8]) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|metadata| !metadata.is_file()) {
            return fs::OpenOptions::new().write(true).open(&self.path)?.write_all(content);
        }
        let beside = self.beside()?;
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| fs::rename(&beside, &self.path));
        if renamed.is_err() {
            // Best effort: the error that counts is already there.
            let _ = fs::remove_file(&beside);
        }
        renamed
    }

    fn beside(&self) -> io::Result<PathBuf> {
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
        let mut beside: OsString = self.path.file_name().ok_or_else(no_name)?.to_owned();
        beside.push(format!(".{}.partial", std::process::id()));
        Ok(self.path.with_file_name(beside))
    }
}

/// The file behind a symbolic link: the link stays what it is. A link to nowhere is replaced.
fn destination(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::ReportFile;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mqttspec-report-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        folder
    }

    #[test]
    fn a_report_replaces_the_one_before_and_leaves_nothing_beside() {
        let folder = folder("replaces");
        let path = folder.join("report.json");
        for content in [b"longer than the next".as_slice(), b"next"] {
            ReportFile::at(&path).and_then(|file| file.write(content)).expect("it can be written");
            assert_eq!(fs::read(&path).expect("it is there"), content);
        }
        assert_eq!(fs::read_dir(&folder).expect("the folder is there").count(), 1);
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }

    #[test]
    fn what_cannot_be_written_is_known_beforehand() {
        assert!(ReportFile::at(Path::new("-")).is_err_and(|error| error.to_string().contains("name a file")));
        assert!(ReportFile::at(&std::env::temp_dir()).is_err());
        assert!(ReportFile::at(&std::env::temp_dir().join("mqttspec/no/such/folder/report")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_what_they_lead_to_stay_what_they_are() {
        use std::io::Read as _;
        use std::os::unix::net::UnixListener;

        let folder = folder("links");
        let (path, link) = (folder.join("report.json"), folder.join("latest"));
        fs::write(&path, "old").expect("the folder is ours");
        std::os::unix::fs::symlink(&path, &link).expect("the folder is ours");
        ReportFile::at(&link).and_then(|file| file.write(b"new")).expect("it can be written");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        let mut content = String::new();
        fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut content)).expect("it is there");
        assert_eq!(content, "new");
        // A socket stands for all that is no regular file: it cannot be opened, and must not be replaced.
        let socket = folder.join("socket");
        let listener = UnixListener::bind(&socket).expect("the folder is ours");
        ReportFile::at(&socket).and_then(|file| file.write(b"new")).expect_err("a socket is no file");
        assert!(!fs::symlink_metadata(&socket).expect("it is there").is_file());
        drop(listener);
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
}
