//! A shadow that is driven by bodies and asked for bodies.

use shadow_document::{Limits, ShadowError, Stored, UpdateRequest, Updated, delete, get, update};

/// A shadow's record, kept between steps as its stored bytes, as a server would.
#[derive(Default)]
pub(crate) struct Script {
    record: Option<Vec<u8>>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A script that has already taken these updates, all at second 1.
    pub(crate) fn after(bodies: &[&str]) -> Self {
        let mut script = Self::new();
        for body in bodies {
            script.update(body, 1);
        }
        script
    }

    pub(crate) fn stored(&self) -> Option<Stored> {
        self.record.as_deref().map(|record| Stored::from_stored(record).unwrap())
    }

    pub(crate) fn try_update(&mut self, body: &str, now_seconds: u64) -> Result<Updated, ShadowError> {
        let limits = Limits::default();
        let request = UpdateRequest::parse(body.as_bytes(), &limits)?;
        let updated = update(self.stored().as_ref(), request, now_seconds, &limits)?;
        self.record = Some(updated.shadow.to_stored());
        assert_eq!(
            self.stored(),
            Some(Stored::Live(std::sync::Arc::clone(&updated.shadow))),
            "what is stored is what was made"
        );
        Ok(updated)
    }

    pub(crate) fn update(&mut self, body: &str, now_seconds: u64) -> Updated {
        self.try_update(body, now_seconds).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    pub(crate) fn refusal(&mut self, body: &str) -> String {
        text(&self.try_update(body, 1).expect_err(body).rejected())
    }

    pub(crate) fn get(&self, now_seconds: u64) -> String {
        text(&get(self.stored().unwrap().live().unwrap(), now_seconds, None))
    }

    /// The `state` of a get, without its delta.
    pub(crate) fn state(&self) -> String {
        let mut body: serde_json::Value = serde_json::from_str(&self.get(0)).unwrap();
        body["state"].as_object_mut().unwrap().remove("delta");
        body["state"].to_string()
    }

    pub(crate) fn delete(&mut self, now_seconds: u64) -> String {
        let (stored, accepted) = delete(self.stored().unwrap().live().unwrap(), now_seconds, None);
        self.record = Some(stored.to_stored());
        text(&accepted)
    }
}

pub(crate) fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

/// The delta's `state`; none when there is no delta.
pub(crate) fn delta_state(updated: &Updated) -> Option<String> {
    let delta: serde_json::Value = serde_json::from_slice(updated.delta().as_deref()?).unwrap();
    Some(delta["state"].to_string())
}
