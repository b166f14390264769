//! Parts, and the state after them.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use connector_core::{Message, Partitions, ReadRequest, State, StreamName};
use connector_testkit::memory::TASKS;

use super::states::position;
use crate::flaw::{Mutant, divide};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = wholes();
    mutants.extend(forms());
    mutants.extend(ends());
    mutants
}

/// What the flaw does to the parts of a read that is divided into at most `count`.
fn parts(
    mutant: Mutant,
    count: usize,
    edit: impl Fn(usize, &mut Partitions) + Send + Sync + 'static,
) -> Mutant {
    let edit = std::sync::Arc::new(edit);
    mutant.divide(move |reader, request, at_most, end| {
        let edit = std::sync::Arc::clone(&edit);
        Box::pin(async move {
            let mut partitions = divide(reader, &request, at_most, end).await?;
            if at_most.get() == count || count == 0 {
                edit(reader.number(), &mut partitions);
            }
            Ok(partitions)
        })
    })
}

fn wholes() -> Vec<Mutant> {
    let one = NonZeroUsize::MIN;
    vec![
        parts(Mutant::new("omits the last part"), 16, |_, partitions| {
            partitions.parts.pop();
        }),
        parts(
            Mutant::new("more parts than allowed"),
            16,
            |_, partitions| {
                let first = partitions.parts.first().cloned();
                while partitions.parts.len() <= 16 {
                    partitions.parts.extend(first.clone());
                }
            },
        ),
        parts(
            Mutant::new("a part that only its own source can read"),
            16,
            |number, partitions| {
                for part in &mut partitions.parts {
                    part.partition.as_mut().unwrap()["by"] = number.into();
                }
            },
        )
        .request(|reader, request| {
            let is_own = |part: &serde_json::Value| part["by"] == reader.number();
            if let Some(part) = request.partition.as_mut().filter(|part| is_own(part)) {
                part.as_object_mut().unwrap().shift_remove("by");
            }
        }),
        Mutant::new("each part is the whole").divide(move |reader, request, at_most, end| {
            Box::pin(async move {
                if at_most.get() != 4 {
                    return divide(reader, &request, at_most, end).await;
                }
                let mut partitions = divide(reader, &request, one, end).await?;
                partitions.parts.extend(partitions.parts.clone());
                Ok(partitions)
            })
        }),
        Mutant::new("parts of everything, whatever the state").divide(
            |reader, mut request, at_most, end| {
                Box::pin(async move {
                    request.state = None;
                    divide(reader, &request, at_most, end).await
                })
            },
        ),
    ]
}

fn forms() -> Vec<Mutant> {
    vec![
        parts(Mutant::new("a part with the state"), 4, |_, partitions| {
            for part in &mut partitions.parts {
                part.state = Some(partitions.end.clone());
            }
        }),
        parts(
            Mutant::new("a part that lists its records"),
            4,
            |_, partitions| {
                for part in &mut partitions.parts {
                    part.partition.as_mut().unwrap()["records"] = "x".repeat(5000).into();
                }
            },
        )
        .request(|_, request| {
            if let Some(part) = request
                .partition
                .as_mut()
                .and_then(|part| part.as_object_mut())
            {
                part.shift_remove("records");
            }
        }),
        Mutant::new("a checkpoint in a part").messages(|_, request, messages| {
            if request.partition.is_some() {
                messages.push(Ok(Message::Checkpoint(State::new("memory", 1))));
            }
        }),
        Mutant::new("divides a part").divide(|reader, mut request: ReadRequest, at_most, end| {
            Box::pin(async move {
                request.partition = None;
                divide(reader, &request, at_most, end).await
            })
        }),
    ]
}

/// The end with the changes of tasks moved.
fn moved(end: &State, by: i64) -> State {
    let mut moved = end.clone();
    let value = end.stream(TASKS).map(|value| &value["changed"]);
    if let Some(changed) = value.and_then(serde_json::Value::as_u64) {
        moved.set_stream(
            StreamName::from(TASKS),
            position(changed.saturating_add_signed(by)),
        );
    }
    moved
}

fn ends() -> Vec<Mutant> {
    let turns = AtomicU64::new(0);
    vec![
        parts(
            Mutant::new("other parts each time"),
            4,
            move |_, partitions| {
                if turns.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
                    partitions.parts.reverse();
                }
            },
        ),
        Mutant::new("an end other than the given one").divide(|reader, request, at_most, end| {
            Box::pin(async move {
                let is_given = end.is_some();
                let mut partitions = divide(reader, &request, at_most, end).await?;
                if is_given {
                    partitions.end = moved(&partitions.end, 1);
                }
                Ok(partitions)
            })
        }),
        Mutant::new("an end that is one change too late").divide(
            |reader, request, at_most, end| {
                Box::pin(async move {
                    let end = end.map(|end| moved(&end, -1));
                    let mut partitions = divide(reader, &request, at_most, end).await?;
                    partitions.end = moved(&partitions.end, 1);
                    Ok(partitions)
                })
            },
        ),
        Mutant::new("accepts any end").divide(|reader, request, at_most, end| {
            Box::pin(async move {
                let is_sound = |end: &State| {
                    let mut values = end.streams();
                    end.expect("memory", 1).is_ok()
                        && values.all(|(_, value)| value.get("changed").is_some())
                };
                divide(reader, &request, at_most, end.filter(is_sound)).await
            })
        }),
    ]
}
