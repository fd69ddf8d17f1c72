//! What enclaves and issuers say about credentials without giving them away, and what consumers make of it.
//! Source: idos-facts 5.13.

use super::super::desk::{Asked, Desk};
use super::super::letter::{Answer, Letter};
use super::super::machine::{Outbox, TaskId};
use super::super::order::{Order, Task};
use super::{Got, News, Next, declined, done_if, doubted, ending, look};
use crate::crypto::content_hash;
use crate::disclosure::{Approval, Criterion, Filter, Question};
use crate::history::{Candidate, Doubt, Ending, Event};
use crate::id::{CredentialId, PartyId};
use crate::ledger::{Answer as Told, Query};
use crate::rules::Switch;
use crate::time::{BlockTime, WallMillis};

/// A user's enclave at work for somebody.
#[derive(Debug)]
pub(in crate::actor) struct Sifting {
    /// Who wants to know.
    pub(in crate::actor) by: PartyId,
    /// Its task, to be named in the answer.
    pub(in crate::actor) task: u64,
    pub(in crate::actor) filter: Filter,
    pub(in crate::actor) left: Vec<CredentialId>,
    pub(in crate::actor) candidates: Vec<Candidate>,
    pub(in crate::actor) matches: Vec<CredentialId>,
}

/// Whoever asked compares what it is told with what it should be.
pub(super) fn ask_filter(id: TaskId, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Filter {
        user,
        filter,
        matches,
    } = &task.order
    else {
        unreachable!("only an order to filter filters")
    };
    match news {
        News::Begin => {
            let (task, filter) = (id.0, filter.clone());
            out.letter(*user, Letter::FilterWanted { task, filter });
            Next::Wait
        }
        News::Letter(Letter::Filtered { told, .. }) => {
            let mut told: Vec<CredentialId> = serde_json::from_str(&told).unwrap_or_default();
            let mut matches = matches.clone();
            told.sort();
            matches.sort();
            done_if(told == matches, "other-matches")
        }
        News::Letter(_) | News::Got(_) | News::Overdue => Next::Wait,
    }
}

/// The enclave lists the originals, opens one after the other, and tells ids.
pub(super) fn sift(sifting: &mut Sifting, desk: &Desk, news: News, out: &mut Outbox) -> Next {
    match news {
        News::Begin => return look(Query::GetCredentials {}),
        News::Got(Got::View {
            result: Ok(Told::Credentials(rows)),
            ..
        }) => {
            let originals = rows.iter().filter(|row| row.is_original());
            sifting.left = originals.map(|row| row.id).collect();
        }
        News::Got(Got::View {
            result: Ok(Told::Owned(row)),
            ..
        }) => {
            let document = row.and_then(|row| desk.read(&row.content, &row.encryptor_public_key));
            if let (Some(credential), Some(document)) = (sifting.left.pop(), document) {
                let each = |criteria: &[Criterion]| {
                    let holds = |criterion: &Criterion| criterion.holds(&document);
                    criteria.iter().map(holds).collect()
                };
                sifting.candidates.push(Candidate {
                    credential,
                    picks: each(&sifting.filter.pick),
                    omits: each(&sifting.filter.omit),
                });
                if sifting.filter.admits(desk.directory.rules, &document) {
                    sifting.matches.push(credential);
                }
            }
        }
        News::Got(got) => return Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => return Next::Wait,
    }
    if let Some(next) = sifting.left.last() {
        return look(Query::GetCredentialOwned { id: *next });
    }
    let told = serde_json::to_string(&sifting.matches).expect("ids have a JSON form");
    out.note(Event::Filtered {
        by: sifting.by,
        of: desk.me,
        candidates: std::mem::take(&mut sifting.candidates),
        told: told.clone(),
    });
    let task = sifting.task;
    out.letter(sifting.by, Letter::Filtered { task, told });
    Next::Done(Ending::Accepted)
}

/// A consumer asks, and judges the answer when it comes.
pub(super) fn ask(
    desk: &mut Desk,
    now: WallMillis,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Ask {
        question,
        user,
        predicate,
        expires,
    } = &task.order
    else {
        unreachable!("only an order to ask asks")
    };
    match news {
        News::Begin => {
            let nonce = hex::encode(desk.draw_32("question", &question.to_string()));
            let asked = Question {
                request: *question,
                consumer: desk.card().caller(),
                predicate: predicate.clone(),
                nonce: nonce.into(),
                expires: BlockTime(*expires),
            };
            out.note(Event::QuestionAsked {
                question: *question,
                by: desk.me,
                of: *user,
                expires: *expires,
            });
            desk.asked.insert(*question, Asked::new(asked.clone()));
            out.letter(*user, Letter::Question(Box::new(asked)));
            Next::Wait
        }
        news => heard(desk, now, *question, news, out),
    }
}

/// The same question again, put to whoever answered first.
pub(super) fn ask_again(
    desk: &mut Desk,
    now: WallMillis,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::AskAgain { question } = task.order else {
        unreachable!("only an order to ask again asks again")
    };
    match news {
        News::Begin => match desk
            .asked
            .get(&question)
            .and_then(|asked| asked.answer.clone())
        {
            Some(Answer::Bound(result)) => match desk.directory.issuer(&result.issuer) {
                Some(issuer) => {
                    out.letter(issuer, Letter::AskedAgain { question });
                    Next::Wait
                }
                None => declined("nothing-found"),
            },
            // Today nobody has to be asked again.
            Some(bare) => Next::Done(judge(desk, now, question, &bare, out)),
            None => declined("nothing-found"),
        },
        news => heard(desk, now, question, news, out),
    }
}

fn heard(desk: &mut Desk, now: WallMillis, question: u32, news: News, out: &mut Outbox) -> Next {
    match news {
        News::Letter(Letter::Answer { answer, .. }) => Next::Done(match answer {
            Ok(answer) => judge(desk, now, question, &answer, out),
            Err(why) => Ending::Declined(why),
        }),
        News::Letter(Letter::Denied { .. }) => Next::Done(Ending::Denied),
        News::Letter(_) | News::Got(_) | News::Begin | News::Overdue => Next::Wait,
    }
}

/// Whether a consumer believes an answer. Careful ones believe it once, for the question they asked, from an
/// issuer they trust.
pub(in crate::actor) fn judge(
    desk: &mut Desk,
    now: WallMillis,
    question: u32,
    answer: &Answer,
    out: &mut Outbox,
) -> Ending {
    let at = now.block_time();
    let (yes, digest, doubt) = match answer {
        Answer::Bound(result) => {
            let doubt = desk
                .doubt_about_answer(question, result, at)
                .filter(|_| desk.card().persona.careful);
            (result.answer, result.digest(), doubt)
        }
        Answer::Bare { predicate, answer } => (*answer, bare_digest(predicate, *answer), None),
    };
    out.note(Event::AnswerJudged {
        by: desk.me,
        question,
        digest,
        at: at.0,
        doubt,
    });
    if let (None, Some(asked)) = (doubt, desk.asked.get_mut(&question)) {
        asked.used.insert(digest);
        asked.answer = Some(answer.clone());
    }
    match doubt {
        Some(doubt) => Ending::Declined(doubt.code()),
        None if yes => Ending::Accepted,
        None => Ending::Declined("answer-is-no"),
    }
}

fn bare_text(predicate: &Criterion, answer: bool) -> String {
    format!("{predicate}: {answer}")
}

fn bare_digest(predicate: &Criterion, answer: bool) -> crate::id::ContentHash {
    content_hash(bare_text(predicate, answer).as_bytes())
}

impl Desk {
    fn doubt_about_answer(
        &self,
        question: u32,
        result: &crate::disclosure::VerificationResult,
        at: BlockTime,
    ) -> Option<Doubt> {
        if result.question.consumer != self.card().caller() {
            return Some(Doubt::WrongConsumer);
        }
        let Some(asked) = self.asked.get(&question) else {
            return Some(Doubt::OtherQuestion);
        };
        if asked.question != result.question {
            return Some(Doubt::OtherQuestion);
        }
        let trusted = self.directory.trusted_issuers(&[]);
        if !trusted
            .iter()
            .any(|issuer| result.is_of(&*self.suite, &issuer.key))
        {
            return Some(Doubt::AnswerForged);
        }
        if self.is_invalid(&result.issuer, Some(result.evaluated_at)) {
            return Some(Doubt::KeyInvalid);
        }
        if at > result.question.expires {
            return Some(Doubt::AnswerExpired);
        }
        if asked.used.contains(&result.digest()) {
            return Some(Doubt::AnswerUsed);
        }
        (result.status != "approved").then_some(Doubt::NotApproved)
    }
}

/// The user looks whose credential it is and signs that its issuer may answer. Today the enclave answers.
pub(super) fn answer(desk: &Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Answer {
        question,
        consumer,
        credential,
        repeated,
    } = task.order
    else {
        unreachable!("only an order to answer answers")
    };
    match news {
        News::Begin => look(Query::GetCredentialOwned { id: credential }),
        News::Got(Got::View {
            result: Ok(Told::Owned(row)),
            ..
        }) => {
            let (Some(row), Some(asked)) = (row, desk.questions.get(&question).cloned()) else {
                return declined("nothing-found");
            };
            out.note(Event::AnswerDecided {
                question,
                by: desk.me,
                credential: Some(credential),
                repeated,
            });
            if desk.directory.rules.keep(Switch::BoundAnswers) {
                let Some(issuer) = desk.directory.issuer(&row.issuer_auth_public_key) else {
                    return declined("nothing-found");
                };
                let mut approval = Approval {
                    question: asked,
                    credential,
                    repeated,
                    signature: "".into(),
                };
                let text = approval.text(&desk.directory.chain_id);
                approval.signature = desk.sign_text(task.wallet, &text);
                out.letter(issuer, Letter::Approval(Box::new(approval)));
                return Next::Done(Ending::Accepted);
            }
            let document = desk.read(&row.content, &row.encryptor_public_key);
            let Some(document) = document else {
                return doubted(Doubt::CannotOpen);
            };
            let (predicate, answer) = (asked.predicate.clone(), asked.predicate.holds(&document));
            out.note(Event::Evaluated {
                question,
                by: desk.me,
                credential,
                answer,
                approved: true,
                told: bare_text(&predicate, answer),
                digest: bare_digest(&predicate, answer),
            });
            let answer = Ok(Box::new(Answer::Bare { predicate, answer }));
            out.letter(consumer, Letter::Answer { question, answer });
            Next::Done(Ending::Accepted)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// The user's word that a question is not to be answered, to whoever asked.
pub(super) fn deny_question(question: u32, consumer: PartyId, out: &mut Outbox) -> Next {
    out.letter(consumer, Letter::Denied { request: question });
    Next::Done(Ending::Accepted)
}

/// The user's word that nothing is to be answered any more.
pub(super) fn withdraw(desk: &Desk, question: u32, out: &mut Outbox) -> Next {
    out.note(Event::AnswerDecided {
        question,
        by: desk.me,
        credential: None,
        repeated: false,
    });
    // Whoever holds no approval has nothing to forget.
    for issuer in desk.directory.issuers() {
        out.letter(issuer, Letter::Withdrawal { question });
    }
    Next::Done(Ending::Accepted)
}

/// An answer shown to somebody: what it thinks of it is how the step ends.
pub(super) fn present(desk: &Desk, id: TaskId, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::PresentAnswer { question, to } = task.order else {
        unreachable!("only an order to present an answer presents one")
    };
    match news {
        News::Begin => match desk
            .asked
            .get(&question)
            .and_then(|asked| asked.answer.clone())
        {
            Some(answer) => {
                let (task, answer) = (id.0, Box::new(answer));
                let letter = Letter::Presented {
                    task,
                    question,
                    answer,
                };
                out.letter(to, letter);
                Next::Wait
            }
            None => declined("nothing-found"),
        },
        News::Letter(Letter::Believed { ending, .. }) => Next::Done(ending),
        News::Letter(_) | News::Got(_) | News::Overdue => Next::Wait,
    }
}
