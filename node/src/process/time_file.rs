//! A file that sets a node's clock, for tests: the JSON of a [`Skew`].

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::runtime::Skew;

/// How often the file is looked at. It is small, and all of it is read: two changes may fall into one tick
/// of the file system's clock.
const EVERY: Duration = Duration::from_millis(5);

/// What the file says now and, as long as the future is polled, whatever it says later. A file that is
/// missing or makes no sense changes nothing.
pub fn follow(file: PathBuf) -> (watch::Receiver<Skew>, impl Future<Output = ()> + Send) {
    let mut reader = Reader {
        file,
        last: None,
        skew: Skew::default(),
    };
    reader.look();
    let (tell, told) = watch::channel(reader.skew);
    let following = async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if reader.look() {
                tell.send_replace(reader.skew);
            }
        }
    };
    (told, following)
}

struct Reader {
    file: PathBuf,
    /// What was in the file, or why it could not be read.
    last: Option<Result<Vec<u8>, String>>,
    skew: Skew,
}

impl Reader {
    /// Whether the clock changes.
    fn look(&mut self) -> bool {
        let found = fs::read(&self.file).map_err(|error| error.to_string());
        if self.last.as_ref() == Some(&found) {
            return false;
        }
        let read = found.clone().and_then(|bytes| {
            serde_json::from_slice::<Skew>(&bytes).map_err(|error| error.to_string())
        });
        self.last = Some(found);
        let file = self.file.display();
        match read {
            Ok(skew) if skew == self.skew => false,
            Ok(skew) => {
                info!(target: "assay::node", %file, ?skew, "the clock is set");
                self.skew = skew;
                true
            }
            Err(error) => {
                warn!(target: "assay::node", %file, %error, "the clock stays as it is");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_makes_no_sense_leaves_the_last_value_that_did() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("time.json");
        let mut reader = Reader {
            file: file.clone(),
            last: None,
            skew: Skew::default(),
        };
        let table: [(Option<&str>, u64, i64); 6] = [
            (None, 0, 0),
            (Some(r#"{"skip":5000}"#), 5_000, 0),
            (Some(r#"{"skip":9000,"off"#), 5_000, 0),
            (Some(""), 5_000, 0),
            (Some(r#"{"skip":9000,"colour":1}"#), 5_000, 0),
            (Some(r#"{"skip":9000,"offset":-20}"#), 9_000, -20),
        ];
        for (text, skip, offset) in table {
            if let Some(text) = text {
                fs::write(&file, text).unwrap();
            }
            let before = reader.skew;
            assert_eq!(reader.look(), reader.skew != before, "{text:?}");
            assert_eq!(
                (reader.skew.skip, reader.skew.offset),
                (skip, offset),
                "{text:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_written_later_is_told() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("time.json");
        fs::write(&file, r#"{"skip":1}"#).unwrap();
        let (mut skew, following) = follow(file.clone());
        assert_eq!(skew.borrow().skip, 1);
        let following = tokio::spawn(following);
        fs::write(&file, r#"{"skip":2}"#).unwrap();
        let told = skew.wait_for(|skew| skew.skip == 2);
        let told = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert!(told.is_ok_and(|told| told.is_ok()));
        following.abort();
    }
}
