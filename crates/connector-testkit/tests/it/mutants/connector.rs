//! Identity and settings.

use connector_core::{ErrorKind, Event, FlagSetting, Setup};
use connector_testkit::memory::{Memory, TOKEN};
use futures::executor::block_on;

use super::error;
use crate::flaw::{Mutant, place};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = identities();
    mutants.extend(schemas());
    mutants.extend(openings());
    mutants.extend(validations());
    mutants
}

fn identities() -> Vec<Mutant> {
    vec![
        Mutant::new("a name with a space")
            .besides(&["states_survive_their_json_form"])
            .identity(|identity| identity.name = "two words".to_owned()),
        Mutant::new("no version").identity(|identity| identity.version.clear()),
        Mutant::new("no role").roles(|| false),
    ]
}

fn schemas() -> Vec<Mutant> {
    let page_size = "/properties/page_size";
    vec![
        Mutant::new("a setting of an unknown JSON type").settings(move |settings| {
            if let Some(property) = settings.json_schema.pointer_mut(page_size) {
                property["type"] = "word".into();
            }
        }),
        Mutant::new("a setting without description").settings(move |settings| {
            if let Some(property) = settings.json_schema.pointer_mut(page_size) {
                property["description"] = "".into();
            }
        }),
        Mutant::new("a schema that refuses what works").settings(|settings| {
            settings.json_schema["properties"]["token"]["pattern"] =
                "^a token of another form$".into();
        }),
        Mutant::new("a token that is not marked").settings(|settings| {
            settings.json_schema["properties"]["token"]["writeOnly"] = false.into();
        }),
        Mutant::new("a location that is not a setting").settings(|settings| {
            if let Some(location) = &mut settings.location {
                location.key = "nowhere".to_owned();
            }
        }),
        Mutant::new("a flag for an unknown setting").settings(|settings| {
            settings
                .flags
                .push(FlagSetting::new("pages", "pages", "PAGES", "Pages"));
        }),
        Mutant::new("a repeatable flag that sets no list").settings(|settings| {
            for flag in &mut settings.flags {
                flag.is_list = true;
            }
        }),
        Mutant::new("the same flag twice").settings(|settings| {
            settings.flags.extend(settings.flags.clone());
        }),
        Mutant::new("no help for getting a credential")
            .settings(|settings| settings.credential_help.clear()),
    ]
}

fn with(setup: &mut Setup, key: &str, value: impl Into<serde_json::Value>) {
    setup.configuration = setup.configuration.clone().with(key, value);
}

fn openings() -> Vec<Mutant> {
    vec![
        Mutant::new("opens without its token").setup(|setup| {
            if !setup.configuration.has("token") {
                with(setup, "token", TOKEN);
            }
        }),
        Mutant::new("ignores an unknown setting").setup(|setup| {
            setup.configuration.take("no_such_setting");
        }),
        Mutant::new("accepts text for a number").setup(|setup| {
            let page_size = setup.configuration.get("page_size");
            if page_size.is_some_and(|value| !value.is_number()) {
                with(setup, "page_size", 2);
            }
        }),
        Mutant::new("sends a request to open").opened(|setup| {
            setup.observer.observe(Event::Request { stream: None });
        }),
    ]
}

fn validations() -> Vec<Mutant> {
    let memory = Memory::new();
    vec![
        Mutant::new("validates anything").validate(|_, result| *result = Ok(())),
        Mutant::new("validates nothing").validate(|_, result| {
            *result = Err(error(ErrorKind::Config));
        }),
        Mutant::new("validates with another kind of error").validate(|_, result| {
            if result.is_err() {
                *result = Err(error(ErrorKind::Internal));
            }
        }),
        Mutant::new("sends a request to validate").validate(|setup, _| {
            setup.observer.observe(Event::Request { stream: None });
        }),
        Mutant::new("creates a copy to validate")
            .over(&memory)
            .validate({
                let memory = memory.clone();
                move |setup, _| touch(&memory, setup)
            }),
    ]
}

/// Makes the copy that a destination would write to.
pub(super) fn touch(memory: &Memory, setup: &Setup) {
    use connector_core::{DestinationRole, WritePlan};
    if place(setup).is_empty() {
        return;
    }
    let made = async {
        let mut destination = DestinationRole::open(memory, setup.clone()).await?;
        destination.start(&WritePlan::new("touch", [])).await?;
        destination.commit(None).await
    };
    block_on(made).ok();
}
