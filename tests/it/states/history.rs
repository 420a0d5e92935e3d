//! One record's random history: operations drawn, sent to its service, and done to the model beside it.

use fastrand::Rng;
use minsheng::registers::Register;
use minsheng_proto::common::v1 as common;
use minsheng_testkit::{
    sampler::{FIRST_DAY, Place, Sampler},
    wire::{call, date_value, inner, mask_value, meta, text},
};
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::{Code, Status};

use super::{
    DAYS, day_of,
    ground::{Ground, register},
    model::{Content, Day, Operation, Scope, Timeline},
};
use crate::samplers::department;

/// A step of a script.
enum Step {
    Create(usize),
    Update(Scope),
    End(usize),
    Lift,
    TakeBack(usize),
    Withdraw,
}

/// The whole table of operations once, in the first histories of each register: what chance brings about seldom.
const SCRIPTS: [&[Step]; 2] = [
    // Changes of past and planned days, ends that move, and a gap.
    &[
        Step::Create(40),
        Step::Update(Scope::From { day: 80, resume: false }),
        Step::Update(Scope::From { day: 20, resume: false }),
        Step::Update(Scope::On(50)),
        Step::Update(Scope::From { day: 150, resume: false }),
        Step::TakeBack(150),
        Step::End(120),
        Step::End(160),
        Step::Lift,
        Step::End(60),
        Step::Update(Scope::From { day: 90, resume: true }),
        Step::Update(Scope::All),
    ],
    // A record that ended on its first day, and one that is recorded again.
    &[
        Step::Create(50),
        Step::End(50),
        Step::Update(Scope::Present),
        Step::Update(Scope::From { day: 30, resume: false }),
        Step::Lift,
        Step::End(30),
        Step::Update(Scope::From { day: 70, resume: true }),
        Step::TakeBack(70),
        Step::Withdraw,
        Step::Create(35),
        Step::Update(Scope::From { day: 100, resume: false }),
        Step::Update(Scope::Present),
    ],
];

/// A record that does not change, with the day from which it is in force.
#[derive(Clone, Debug)]
pub(super) struct Steady {
    pub(super) register: &'static str,
    pub(super) name: String,
    pub(super) county: String,
    pub(super) from: usize,
}

/// A record and what became of it.
pub(super) struct History {
    pub(super) sampler: &'static dyn Sampler,
    pub(super) register: &'static Register,
    pub(super) department: &'static str,
    pub(super) place: Place,
    pub(super) name: String,
    /// What it refers to.
    pub(super) steady: Vec<Steady>,
    pub(super) timeline: Timeline,
    /// How it was after each round of steps.
    pub(super) known: Vec<Timeline>,
    /// Why model and service went apart; nothing of the record is compared afterwards.
    pub(super) lost: Option<String>,
    /// What is done before anything is drawn.
    script: &'static [Step],
    log: Vec<String>,
    base: DynamicMessage,
    dice: Rng,
}

impl History {
    /// Makes the history and creates what its record refers to.
    pub(super) async fn prepare(ground: &Ground, sampler: &'static dyn Sampler, number: u16, seed: u64) -> Self {
        let (register, place) = (register(sampler.register()), Place::of(number));
        let name = place.name(&register.collection, "h");
        let sample = sampler.sample(&place, &name);
        let mut steady = Vec::new();
        for needed in sample.needs {
            let (of, department) = (self::register(needed.register), department(self::register(needed.register)));
            let record = DynamicMessage::decode(of.resource.clone(), needed.record).expect("a record");
            let channel = ground.channel("operator", department);
            let fields = [("request_id", request_id(&mut Rng::new())), (&*of.field(), Value::Message(record))];
            let created = call(&channel, &of.method("Create"), fields).await;
            let created = created.unwrap_or_else(|status| panic!("{name} needs {}: {status:?}", of.collection));
            let created = inner(&created, &of.field());
            let from = minsheng_kit::register::day(&meta(&created).effective_on.expect("a day")).expect("a day");
            steady.push(Steady {
                register: needed.register,
                name: text(&created, "name"),
                county: place.county.clone(),
                from: usize::try_from((from - FIRST_DAY).num_days()).unwrap_or_default(),
            });
        }
        Self {
            sampler,
            register,
            department: department(register),
            base: DynamicMessage::decode(register.resource.clone(), sample.record).expect("a record"),
            dice: Rng::with_seed(name.bytes().fold(seed, |seed, byte| seed.wrapping_mul(31) ^ u64::from(byte))),
            place,
            name,
            steady,
            timeline: Timeline::new(DAYS),
            known: Vec::new(),
            lost: None,
            script: SCRIPTS.get(usize::from(number)).copied().unwrap_or_default(),
            log: Vec::new(),
        }
    }

    /// Does one thing to the record and to the model.
    pub(super) async fn step(&mut self, ground: &Ground, today: usize) {
        if self.lost.is_some() {
            return;
        }
        let operation = self.next(today);
        let stale = self.timeline.is_there() && !matches!(operation, Operation::Create { .. }) && self.dice.u8(..) < 8;
        let expected = if stale { Err(Code::Aborted) } else { self.timeline.clone().apply(&operation, today) };
        let found = self.send(ground, &operation, stale).await;
        let code = found.as_ref().err().map_or(Ok(()), |status| Err(status.code()));
        self.log.push(format!("on {}: {operation:?}: {code:?}", day_of(today)));
        match found {
            _ if code != expected => {
                let found = found.map_or_else(|status| format!("{status:?}"), |_| "done".to_owned());
                self.lost = Some(format!("expected {expected:?}, found {found}"));
            }
            Ok(shown) => {
                self.timeline.apply(&operation, today).expect("it was applied to a copy");
                let etag = meta(&shown).etag;
                if etag != format!("v{}", self.timeline.version) {
                    self.lost = Some(format!("version {} answers the etag {etag}", self.timeline.version));
                }
            }
            Err(_) => {}
        }
    }

    /// Reports a disagreement with all that was done.
    pub(super) fn fault(&self, what: &str) -> String {
        format!("{}: {what}\n    {}", self.name, self.log.join("\n    "))
    }

    fn is_return(&self) -> bool {
        self.register.collection == "returns"
    }

    /// Returns the next operation of the script, with values that are drawn, or draws one.
    fn next(&mut self, today: usize) -> Operation {
        let Some((step, rest)) = self.script.split_first().filter(|_| !self.is_return()) else {
            return self.draw(today);
        };
        self.script = rest;
        match *step {
            Step::Create(from) => Operation::Create { from, content: self.fields(true) },
            Step::Update(scope) => self.update(scope),
            Step::End(day) => Operation::End { day },
            Step::Lift => Operation::Lift,
            Step::TakeBack(day) => Operation::TakeBack { day },
            Step::Withdraw => Operation::Withdraw,
        }
    }

    fn draw(&mut self, today: usize) -> Operation {
        let roll = self.dice.u8(0..100);
        if !self.timeline.is_there() || self.timeline.withdrawn {
            let create = if self.timeline.is_there() { 60 } else { 85 };
            if roll < create {
                return self.creation();
            }
        }
        if self.is_return() {
            return match roll {
                0..70 => Operation::Update { scope: Scope::Present, fields: self.fields(true), whole: false },
                70..90 => Operation::Withdraw,
                _ => self.creation(),
            };
        }
        match roll {
            0..32 => {
                let day = self.a_day();
                let ended = matches!(self.timeline.day(day), Day::Ended(_));
                let resume = if self.dice.u8(..) < 200 { ended } else { !ended };
                self.update(Scope::From { day, resume })
            }
            32..52 => {
                let scope = match self.dice.u8(0..3) {
                    0 => Scope::On(self.a_day()),
                    1 => Scope::Present,
                    _ => Scope::All,
                };
                self.update(scope)
            }
            52..70 => Operation::End { day: if self.dice.bool() { self.a_day() } else { today } },
            70..80 => Operation::Lift,
            80..92 => Operation::TakeBack { day: self.a_day() },
            92..97 => Operation::Withdraw,
            _ => self.creation(),
        }
    }

    fn creation(&mut self) -> Operation {
        let from = if self.dice.u8(0..4) == 0 || self.is_return() { 0 } else { self.a_day() };
        Operation::Create { from, content: self.fields(true) }
    }

    fn update(&mut self, scope: Scope) -> Operation {
        let whole = self.dice.u8(0..3) == 0;
        Operation::Update { scope, fields: self.fields(whole), whole }
    }

    /// Draws values for one field, or for all of them.
    fn fields(&mut self, all: bool) -> Content {
        let mut variations = self.sampler.variations();
        if !all {
            let one = self.dice.usize(0..variations.len());
            variations = vec![variations.swap_remove(one)];
        }
        variations
            .into_iter()
            .map(|(field, values)| (field, values[self.dice.usize(0..values.len())].clone()))
            .collect()
    }

    /// Draws a day: often one on which something begins, or one beside it.
    fn a_day(&mut self) -> usize {
        let boundaries = self.timeline.boundaries();
        if !boundaries.is_empty() && self.dice.u8(..) < 140 {
            let near = boundaries[self.dice.usize(0..boundaries.len())] + self.dice.usize(0..3);
            return near.saturating_sub(1).clamp(1, DAYS - 2);
        }
        self.dice.usize(1..DAYS - 1)
    }

    async fn send(&mut self, ground: &Ground, operation: &Operation, stale: bool) -> Result<DynamicMessage, Status> {
        let channel = ground.channel("operator", self.department);
        let field = self.register.field();
        let etag = if stale { 9_999 } else { self.timeline.version.max(1) };
        let etag = ("etag", Value::String(format!("v{etag}")));
        let id = ("request_id", request_id(&mut self.dice));
        let name = ("name", Value::String(self.name.clone()));
        let end = |kind: common::EndKind| ("kind", Value::EnumNumber(kind.into()));
        let path = self.register.method("End");
        let answer = match operation {
            _ if self.is_return() => return self.send_return(ground, operation, id, etag).await,
            Operation::Create { from, content } => {
                let mut fields = vec![id, (&*field, Value::Message(self.resource(content)))];
                if *from > 0 || !self.sampler.names_its_first_day() {
                    fields.push(("effective_on", date_value(day_of(*from))));
                }
                call(&channel, &self.register.method("Create"), fields).await
            }
            Operation::Update { scope, fields: content, whole } => {
                let mut resource = if *whole { self.resource(content) } else { self.named() };
                // Whoever changes a filing says so each time.
                if ReflectMessage::descriptor(&resource).get_field_by_name("filed_by").is_some() {
                    resource.set_field_by_name("filed_by", Value::String("0107".to_owned()));
                }
                for (field, value) in content {
                    resource.set_field_by_name(field, value.clone());
                }
                let mut fields = vec![id, (&*field, Value::Message(resource)), etag];
                if !whole {
                    fields.push(("update_mask", mask_value(content.keys().copied())));
                }
                match scope {
                    Scope::From { day, resume } => {
                        fields.extend([("effective_on", date_value(day_of(*day))), ("resume", Value::Bool(*resume))]);
                    }
                    Scope::On(day) => fields.push(("correct_on", date_value(day_of(*day)))),
                    Scope::All => fields.push(("correct_all", Value::Bool(true))),
                    Scope::Present => {}
                }
                call(&channel, &self.register.method("Update"), fields).await
            }
            Operation::End { day } => {
                let fields = [id, name, etag, end(common::EndKind::Ended), ("ended_on", date_value(day_of(*day)))];
                call(&channel, &path, fields).await
            }
            Operation::Lift => call(&channel, &path, [id, name, etag, end(common::EndKind::Lifted)]).await,
            Operation::TakeBack { day } => {
                let day = ("effective_on", date_value(day_of(*day)));
                call(&channel, &path, [id, name, etag, end(common::EndKind::TakenBack), day]).await
            }
            Operation::Withdraw => call(&channel, &path, [id, name, etag, end(common::EndKind::Withdrawn)]).await,
        };
        Ok(inner(&answer?, &field))
    }

    /// A return has methods of its own names.
    async fn send_return(
        &self,
        ground: &Ground,
        operation: &Operation,
        id: (&'static str, Value),
        etag: (&'static str, Value),
    ) -> Result<DynamicMessage, Status> {
        let channel = ground.channel("operator", self.department);
        let service = "/minsheng.returns.v1.ReturnService";
        match operation {
            Operation::Create { content, .. } => {
                let filed = Value::List(vec![Value::Message(self.resource(content))]);
                let answer = call(&channel, &format!("{service}/SubmitReturns"), [id, ("returns", filed)]).await?;
                let results = answer.get_field_by_name("results").map(std::borrow::Cow::into_owned);
                let result = results.as_ref().and_then(|list| list.as_list()?.first()?.as_message().cloned());
                let result: common::ItemResult = result.and_then(|it| it.transcode_to().ok()).unwrap_or_default();
                match result.outcome() {
                    common::ItemOutcome::Created => self.get(ground).await,
                    _ => Err(Status::already_exists(format!("{result:?}"))),
                }
            }
            Operation::Update { fields, .. } => {
                let mut corrected = self.resource(fields);
                corrected.set_field_by_name("name", Value::String(self.name.clone()));
                let reason = ("reason", Value::String("a test".to_owned()));
                let fields = [id, ("return", Value::Message(corrected)), etag, reason];
                Ok(inner(&call(&channel, &format!("{service}/CorrectReturn"), fields).await?, "return"))
            }
            _ => {
                let fields = [id, ("name", Value::String(self.name.clone())), etag];
                Ok(inner(&call(&channel, &format!("{service}/WithdrawReturn"), fields).await?, "return"))
            }
        }
    }

    /// Reads the record as it is shown where no day is asked for.
    pub(super) async fn get(&self, ground: &Ground) -> Result<DynamicMessage, Status> {
        let channel = ground.channel("operator", self.department);
        let name = ("name", Value::String(self.name.clone()));
        Ok(inner(&call(&channel, &self.register.method("Get"), [name]).await?, &self.register.field()))
    }

    fn resource(&self, content: &Content) -> DynamicMessage {
        let mut resource = self.base.clone();
        for (field, value) in content {
            resource.set_field_by_name(field, value.clone());
        }
        resource
    }

    fn named(&self) -> DynamicMessage {
        let mut resource = DynamicMessage::new(self.register.resource.clone());
        resource.set_field_by_name("name", Value::String(self.name.clone()));
        resource
    }
}

/// Draws a UUID.
pub(super) fn request_id(dice: &mut Rng) -> Value {
    Value::String(uuid::Builder::from_random_bytes(dice.u128(..).to_ne_bytes()).into_uuid().to_string())
}
