//! Matrix steps: one job for each combination of values.

use serde_json::{Map, Value};

use super::parse::plain;

/// The most jobs of one step.
const MOST: usize = 50;

/// The combinations of a matrix; one empty combination if there is none.
pub(super) fn combinations(matrix: &Value) -> Vec<Map<String, Value>> {
    let setup = matrix.get("setup").unwrap_or(matrix);
    let mut combinations = match setup {
        Value::Array(values) => dimension("", values, vec![Map::new()]),
        Value::Object(dimensions) => {
            let mut all = vec![Map::new()];
            for (name, values) in dimensions {
                let values = values.as_array().cloned().unwrap_or_default();
                all = dimension(name, &values, all);
            }
            all
        }
        _ => vec![Map::new()],
    };
    for adjustment in matrix["adjustments"].as_array().into_iter().flatten() {
        adjust(&mut combinations, adjustment);
    }
    combinations.truncate(MOST);
    combinations
}

/// Each combination with each value of a further dimension.
fn dimension(
    name: &str,
    values: &[Value],
    combinations: Vec<Map<String, Value>>,
) -> Vec<Map<String, Value>> {
    let mut all = Vec::new();
    for combination in combinations {
        for value in values {
            let mut longer = combination.clone();
            longer.insert(name.to_owned(), plain(value).into());
            all.push(longer);
        }
    }
    all
}

/// Skips a combination, or adds one that the dimensions do not give.
fn adjust(combinations: &mut Vec<Map<String, Value>>, adjustment: &Value) {
    let with: Map<String, Value> = match &adjustment["with"] {
        Value::Object(with) => with
            .iter()
            .map(|(key, value)| (key.clone(), plain(value).into()))
            .collect(),
        Value::Null => return,
        value => [(String::new(), plain(value).into())].into_iter().collect(),
    };
    let is_it = |one: &Map<String, Value>| *one == with;
    let is_skipped = !matches!(adjustment["skip"], Value::Null | Value::Bool(false));
    if is_skipped {
        combinations.retain(|one| !is_it(one));
    } else if !combinations.iter().any(is_it) {
        combinations.push(with);
    }
}

/// A text with the values of a combination in the place of `{{matrix}}` and `{{matrix.os}}`.
pub(super) fn filled(text: &str, combination: &Map<String, Value>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in combination {
        let value = plain(value);
        let key = if name.is_empty() {
            "matrix".to_owned()
        } else {
            format!("matrix.{name}")
        };
        for place in [format!("{{{{{key}}}}}"), format!("{{{{ {key} }}}}")] {
            filled = filled.replace(&place, &value);
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_matrix_gives_a_job_for_each_combination() {
        let simple = combinations(&json!(["linux", "macos"]));
        let texts: Vec<_> = simple
            .iter()
            .map(|one| filled("on {{matrix}}", one))
            .collect();
        assert_eq!(texts, ["on linux", "on macos"]);
        let matrix = json!({
            "setup": {"os": ["linux", "macos"], "ruby": [3.3, 3.4]},
            "adjustments": [
                {"with": {"os": "macos", "ruby": "3.3"}, "skip": true},
                {"with": {"os": "windows", "ruby": "3.4"}},
            ],
        });
        let all = combinations(&matrix);
        let texts: Vec<_> = all
            .iter()
            .map(|one| filled("{{ matrix.os }} {{matrix.ruby}}", one))
            .collect();
        assert_eq!(
            texts,
            ["linux 3.3", "linux 3.4", "macos 3.4", "windows 3.4"]
        );
        assert_eq!(combinations(&Value::Null), [Map::new()]);
    }
}
