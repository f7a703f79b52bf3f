//! Where started commands print to: one file a run, so that the words of a broker that died stand before those of the next.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// How much of the end of the log a message shows.
const TAIL_LINES: usize = 5;

/// How much of the end of the log is read for it.
const TAIL_BYTES: u64 = 4096;

/// The log of a run.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
}

/// The last lines of a log and where all of it is.
#[derive(Debug)]
pub struct LogTail {
    path: PathBuf,
    lines: Vec<String>,
}

impl Log {
    /// A new file in the folder for temporary files.
    ///
    /// # Errors
    /// When that folder cannot be written.
    pub fn create() -> io::Result<Log> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("mqttspec-{}-{count}.log", std::process::id()));
            // `create_new` never follows what somebody else put there.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(Log { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens it for more.
    pub(super) fn append(&self) -> io::Result<File> {
        OpenOptions::new().append(true).open(&self.path)
    }

    /// Its last lines.
    #[must_use]
    pub fn tail(&self) -> LogTail {
        // A log that cannot be read is like one that says nothing: the message around it counts.
        LogTail { path: self.path.clone(), lines: self.last_lines().unwrap_or_default() }
    }

    fn last_lines(&self) -> io::Result<Vec<String>> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec())
    }

    /// Ends its use: it stays if somebody may want to read it, and if there is something to read. Returns where it is then.
    #[must_use]
    pub fn keep_if(self, is_needed: bool) -> Option<PathBuf> {
        let has_text = fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() > 0);
        if is_needed && has_text {
            return Some(self.path);
        }
        // One that stays behind harms nobody.
        let _ = fs::remove_file(&self.path);
        None
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return f.write_str("; it printed nothing");
        }
        write!(f, "; the end of its log ({}):", self.path.display())?;
        self.lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}
