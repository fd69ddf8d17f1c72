//! `assay certify`, and `assay` alone.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use assay_conformance::certify::{
    Profile, SigningKey, Subject, Terms, Trial, assess, file_digest, profiles, seal, statement,
};
use assay_conformance::live::target::Target;
use assay_reports::worlds::{self, Worlds};
use assay_reports::{Certification, Exit, Seeds, certification, quoted, write};
use assay_scenarios::Overrides;

use super::run::interrupt;
use super::target::load;
use crate::args::{CertifyArgs, Crypto, Format};
use crate::campaign::{Campaign, Outcome};
use crate::failure::{Complaint, Failure};
use crate::output::{Output, complain};
use crate::select::{Chosen, choose};
use crate::world::{OnTarget, Sim, World};

/// Name of the certificate in the report directory.
const CERTIFICATE: &str = "certificate.json";

pub(crate) fn certify(
    args: &CertifyArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    write::check_writable(&args.out)?;
    let stories = choose(&[])?;
    let attempt = Attempt::new(args)?;
    let (outcome, certification) = attempt.carry_out(&stories, &interrupt())?;
    let exit = certification.exit().min(Exit::of(&outcome.told.report));
    write::write_certification(&args.out, &certification)?;
    write::write(&args.out, &outcome.told.report)?;
    match format {
        Format::Json => output.text(&certification::json(&certification)),
        Format::Text => output.text(&certification::text(&certification)),
    }
    tell_where(&args.out, format, output);
    Ok(exit)
}

/// The library in the simulated world, then the certification of the reference node, in one report.
pub(crate) fn everything(format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let args = CertifyArgs::default();
    write::check_writable(&args.out)?;
    let stories = choose(&[])?;
    let attempt = Attempt::new(&args)?;
    let interrupted = interrupt();
    let simulated = Campaign {
        stories: &stories,
        overrides: Overrides::none(),
        seeds: args.seeds(),
        jobs: None,
        command: "assay run --seed 1".to_owned(),
        flags: String::new(),
        crypto: Crypto::Real.name(),
    };
    let sim = simulated.carry_out(&Sim::new(Crypto::Real), "sim", &interrupted);
    let (live, certification) = attempt.carry_out(&stories, &interrupted)?;
    let report = Worlds {
        command: "assay".to_owned(),
        worlds: vec![sim.told, live.told],
        certification: Some(certification),
    };
    write::write_worlds(&args.out, &report)?;
    match format {
        Format::Json => output.text(&worlds::json(&report)),
        Format::Text => output.text(&worlds::text(&report)),
    }
    tell_where(&args.out, format, output);
    Ok(report.exit())
}

fn tell_where(out: &Path, format: Format, output: &mut Output) {
    let lies = format!("report and certificate: {}\n", out.display());
    match format {
        Format::Json => complain(&lies),
        Format::Text => output.text(&lies),
    }
}

/// Everything a certification needs, read before anything runs.
struct Attempt<'a> {
    args: &'a CertifyArgs,
    target: Target,
    profile: &'static Profile,
    key: Option<SigningKey>,
    subjects: Vec<Subject>,
}

impl<'a> Attempt<'a> {
    fn new(args: &'a CertifyArgs) -> Result<Attempt<'a>, Failure> {
        let target = load(&args.target)?;
        let profile = args
            .profile
            .as_deref()
            .unwrap_or(&target.capabilities.profile);
        let profile = Profile::find(profile).ok_or_else(|| {
            let known: Vec<&str> = profiles().iter().map(|one| one.name.as_str()).collect();
            let what = format!("there is no profile `{profile}`");
            let hint = format!("known here: {}", known.join(", "));
            Failure::usage(Complaint::new(what).hint(Some(hint)))
        })?;
        let key = args.sign.as_deref().map(signing_key).transpose()?;
        let subjects = subjects(&target)?;
        Ok(Attempt {
            args,
            target,
            profile,
            key,
            subjects,
        })
    }

    fn carry_out(
        &self,
        stories: &[Chosen],
        interrupted: &AtomicBool,
    ) -> Result<(Outcome, Certification), Failure> {
        let world = OnTarget::new(self.target.clone(), Some(self.args.out.join("stories")))?;
        let started = jiff::Timestamp::now();
        let campaign = Campaign {
            stories,
            overrides: Overrides::none(),
            seeds: self.args.seeds(),
            jobs: self.args.jobs,
            command: self.command(),
            flags: String::new(),
            crypto: Crypto::Real.name(),
        };
        let outcome = campaign.carry_out(&world as &dyn World, "live", interrupted);
        let report = &outcome.told.report;
        let certification = assess(
            self.profile,
            &Trial {
                target: &self.target.name,
                world: "live",
                runs: &report.runs,
                mishaps: &report.mishaps,
                skipped: &outcome.skipped,
                partial: report.partial,
            },
        );
        let terms = Terms {
            subjects: self.subjects.clone(),
            seeds: self.args.seeds(),
            started: started.to_string(),
            finished: jiff::Timestamp::now().to_string(),
        };
        let public = self.key.as_ref().map(SigningKey::public);
        let stated = statement(&certification, self.profile, &terms, public.as_ref());
        let envelope = seal(stated.to_json().as_bytes(), self.key.as_ref());
        let path = self.args.out.join(CERTIFICATE);
        std::fs::create_dir_all(&self.args.out).map_err(|error| unwritable(&path, error))?;
        write::write_file(&path, envelope.as_bytes())?;
        Ok((outcome, certification))
    }

    fn command(&self) -> String {
        let Seeds { first, last } = self.args.seeds();
        let (target, profile) = (quoted(&self.args.target), &self.profile.name);
        format!("assay certify --target {target} --profile {profile} --seeds {first}..{last}")
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    let what = format!("failed to write {}", path.display());
    Failure::usage(Complaint::new(what).because(error))
}

fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("failed to read {}", path.display());
        Failure::usage(Complaint::new(what).because(error))
    })?;
    SigningKey::read(&text)
        .map_err(|error| Failure::usage(Complaint::new(format!("{}: {error}", path.display()))))
}

/// What the statement is about: the target's binary, and the file that says how it is run.
fn subjects(target: &Target) -> Result<Vec<Subject>, Failure> {
    let own = std::env::current_exe().map_err(|error| {
        let what = "this program does not know where it is".to_owned();
        Failure::usage(Complaint::new(what).because(error))
    })?;
    let binary = target.binary(&own);
    let digest = file_digest(&binary).map_err(|error| {
        let what = format!("failed to read the target's binary {}", binary.display());
        Failure::usage(Complaint::new(what).because(error))
    })?;
    Ok(vec![
        Subject::new(&target.name, digest),
        Subject::new(&target.path, target.digest()),
    ])
}
