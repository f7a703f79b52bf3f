//! Where started commands print to: one file a run, so that the words of a broker that died stand before those of the next.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// How much of the end of the log a message shows.
const TAIL_LINES: usize = 5;

/// How much of the end of the log is read for it.
const TAIL_BYTES: u64 = 4096;

/// How many characters of a line a message shows.
const LINE_SHOWN: usize = 160;

/// The size from which on a log loses its beginning, and how much of its end it keeps then.
const LARGEST: u64 = 16 << 20;
const KEPT: u64 = 1 << 20;

/// The pause between two looks at its size.
const LOOK_EVERY: Duration = Duration::from_millis(50);

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

    /// Keeps it small as long as it is polled: a command that prints without end must not fill the disk.
    pub(super) fn keep_small(&self) -> impl Future<Output = ()> + Send + 'static {
        let path = self.path.clone();
        async move {
            loop {
                sleep(LOOK_EVERY).await;
                // A log that cannot be cut is no reason to end a run.
                let _ = cut(&path);
            }
        }
    }

    /// Its last lines.
    #[must_use]
    pub fn tail(&self) -> LogTail {
        // A log that cannot be read is like one that says nothing: the message around it counts.
        LogTail { path: self.path.clone(), lines: self.last_lines().unwrap_or_default() }
    }

    fn last_lines(&self) -> io::Result<Vec<String>> {
        let bytes = last_bytes(&self.path, TAIL_BYTES)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(shown).collect();
        Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec())
    }

    /// Ends its use: it stays if somebody may want to read it, and if there is something to read. Returns where it is then.
    #[must_use]
    pub fn keep_if(self, is_needed: bool) -> Option<PathBuf> {
        let has_text = fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() > 0);
        if is_needed && has_text {
            // As in `keep_small`.
            let _ = cut(&self.path);
            return Some(self.path);
        }
        // One that stays behind harms nobody.
        let _ = fs::remove_file(&self.path);
        None
    }
}

fn last_bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Cuts the beginning off a log that is too large. Who writes to it appends, wherever its end is.
fn cut(path: &Path) -> io::Result<()> {
    let length = fs::metadata(path)?.len();
    if length <= LARGEST {
        return Ok(());
    }
    let end = last_bytes(path, KEPT)?;
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.set_len(0)?;
    writeln!(file, "[mqttspec dropped {} bytes here]", length - KEPT)?;
    file.write_all(&end)
}

/// A line as it can be shown: not longer than a line, and without what terminals obey.
fn shown(line: &str) -> String {
    let mut shown = String::new();
    for (index, character) in line.chars().enumerate() {
        if index == LINE_SHOWN {
            shown.push_str(" ...");
            break;
        }
        match character {
            '\t' => shown.push(' '),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    shown
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

#[cfg(test)]
mod tests {
    use super::{KEPT, LARGEST, Log, cut, shown};
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    #[test]
    fn a_log_that_grows_without_end_keeps_its_end() {
        let log = Log::create().expect("the folder for temporary files can be written");
        let mut writer = log.append().expect("it is there");
        writer.set_len(LARGEST).expect("a file can be long");
        writer.write_all(b"\nthe last words\n").expect("it can be written");
        cut(&log.path).expect("it can be cut");
        writer.write_all(b"and one more\n").expect("it can be written");
        let length = fs::metadata(&log.path).expect("it is there").len();
        assert!((KEPT..KEPT + 100).contains(&length), "{length}");
        let content = fs::read(&log.path).expect("it is there");
        assert!(content.starts_with(b"[mqttspec dropped "));
        assert!(content.ends_with(b"\nthe last words\nand one more\n"));
        assert_eq!(log.keep_if(false), None);
    }

    #[test]
    fn a_message_shows_the_last_lines_that_say_something() {
        let log = Log::create().expect("the folder for temporary files can be written");
        let mut writer = OpenOptions::new().append(true).open(&log.path).expect("it is there");
        writer.write_all(b"1\n2\n3\n4\n5\n6\n\n  \n").expect("it can be written");
        let text = log.tail().to_string();
        assert!(text.ends_with(":\n    2\n    3\n    4\n    5\n    6"), "{text}");
        assert_eq!(log.keep_if(false), None);
    }

    #[test]
    fn a_shown_line_is_short_and_harmless() {
        assert_eq!(shown("a\tb\u{1b}[2Jc"), "a b\\u{1b}[2Jc");
        assert_eq!(shown(&"x".repeat(500)).len(), 164);
    }
}
