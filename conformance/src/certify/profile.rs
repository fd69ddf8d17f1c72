//! What a target can be certified for: a named list of requirements.

use std::sync::LazyLock;

use assay_model::catalogue::{Requirement, catalogue, find};
use serde::Deserialize;

use super::statement::sha256;

/// A named list of requirements.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What `--profile` calls it.
    pub name: String,
    /// What it asks for, in a sentence.
    pub text: String,
    /// Its requirements, in the order of the catalogue.
    pub requirements: Vec<&'static Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    text: String,
    /// Profiles whose requirements belong to this one too; they stand before it in the list.
    #[serde(default)]
    includes: Vec<String>,
    requirements: Vec<String>,
}

// The files are compiled in and a test reads them, so a refusal here is a defect of the build.
static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../profiles/core.toml"),
        include_str!("../../profiles/storage.toml"),
        include_str!("../../profiles/full.toml"),
    ];
    let mut profiles = Vec::new();
    for text in texts {
        let profile = read(text, &profiles).unwrap_or_else(|error| panic!("profiles: {error}"));
        profiles.push(profile);
    }
    profiles
});

/// Every profile of this build, the smallest first.
pub fn profiles() -> &'static [Profile] {
    &PROFILES
}

impl Profile {
    /// The profile of this name.
    pub fn find(name: &str) -> Option<&'static Profile> {
        profiles().iter().find(|profile| profile.name == name)
    }

    /// SHA-256 in hex over its name and the ids of its requirements, each with a line end behind it.
    pub fn digest(&self) -> String {
        let ids = self.requirements.iter().map(|r| r.id.as_str());
        let lines = std::iter::once(self.name.as_str()).chain(ids);
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        sha256(text.as_bytes())
    }

    /// Whether it asks for this requirement.
    pub fn asks_for(&self, id: &str) -> bool {
        self.requirements.iter().any(|r| r.id == id)
    }
}

/// A profile as its file says, with what it includes of those known.
fn read(text: &str, known: &[Profile]) -> Result<Profile, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let name = file.name;
    let mut asked: Vec<&str> = Vec::new();
    for id in &file.requirements {
        let found = find(id).ok_or_else(|| format!("{name}: the catalogue has no `{id}`"))?;
        asked.push(&found.id);
    }
    for included in &file.includes {
        let profile = known.iter().find(|profile| profile.name == *included);
        let profile =
            profile.ok_or_else(|| format!("{name}: no profile `{included}` before it"))?;
        asked.extend(profile.requirements.iter().map(|r| r.id.as_str()));
    }
    if let Some(twice) = asked
        .iter()
        .find(|id| asked.iter().filter(|other| other == id).count() > 1)
    {
        return Err(format!("{name}: `{twice}` is listed twice"));
    }
    let requirements = catalogue()
        .iter()
        .filter(|r| asked.contains(&r.id.as_str()));
    Ok(Profile {
        text: file.text,
        requirements: requirements.collect(),
        name,
    })
}

#[cfg(test)]
mod tests {
    use assay_model::catalogue::RequirementLevel;

    use super::*;

    fn ids(name: &str) -> Vec<&'static str> {
        let profile = Profile::find(name).unwrap();
        profile.requirements.iter().map(|r| r.id.as_str()).collect()
    }

    #[test]
    fn each_profile_asks_for_more_than_the_one_before() {
        let names: Vec<&str> = profiles().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["core", "storage", "full"]);
        let (core, storage, full) = (ids("core"), ids("storage"), ids("full"));
        assert!(
            core.iter()
                .all(|id| storage.contains(id) && full.contains(id))
        );
        assert!(core.len() < storage.len() && storage.len() < full.len());
        for profile in profiles() {
            assert!(!profile.text.is_empty());
        }
    }

    #[test]
    fn full_is_every_must_and_core_nothing_else() {
        let musts = catalogue()
            .iter()
            .filter(|r| r.level == RequirementLevel::Must);
        let musts: Vec<&str> = musts.map(|r| r.id.as_str()).collect();
        assert_eq!(ids("full"), musts);
        assert!(ids("core").iter().all(|id| musts.contains(id)));
    }

    #[test]
    fn a_digest_names_the_list() {
        let core = Profile::find("core").unwrap();
        assert_eq!(core.digest(), core.digest());
        let mut less = core.clone();
        less.requirements.pop();
        assert_ne!(less.digest(), core.digest());
    }

    #[test]
    fn a_profile_that_asks_for_what_does_not_exist_is_refused() {
        for (text, expected) in [
            (
                "name = 'x'\ntext = 'x'\nrequirements = ['GRANT-99']",
                "no `GRANT-99`",
            ),
            (
                "name = 'x'\ntext = 'x'\nrequirements = ['DEL-01', 'DEL-01']",
                "twice",
            ),
            (
                "name = 'x'\ntext = 'x'\nincludes = ['y']\nrequirements = []",
                "no profile `y`",
            ),
            ("name = 'x'\ntext = 'x'\nrequirement = []", "requirement"),
        ] {
            let error = read(text, &[]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
