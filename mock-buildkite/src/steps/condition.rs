//! Conditions of steps and pipelines: `build.branch == "main" && build.tag == null`.

use regex_lite::Regex;
use serde_json::Value;

/// What conditions ask about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The build's object.
    pub(crate) build: Value,
    /// The pipeline's object.
    pub(crate) pipeline: Value,
}

/// Whether a condition holds; none if it is not understood.
pub(crate) fn holds(condition: &str, facts: &Facts) -> Option<bool> {
    let mut reader = Reader {
        tokens: tokens(condition)?,
        at: 0,
        facts,
    };
    let value = reader.either()?;
    (reader.at == reader.tokens.len()).then(|| is_true(&value))
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(String),
    Pattern(String),
    Number(f64),
    /// A name, an operator or a bracket.
    Word(String),
}

fn tokens(condition: &str) -> Option<Vec<Token>> {
    let letters: Vec<char> = condition.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        let (token, length) = match letter {
            _ if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' | '\'' => {
                quoted(&letters[at..], letter).map(|(text, end)| (Token::Text(text), end))?
            }
            '/' => quoted(&letters[at..], '/').map(|(text, end)| (Token::Pattern(text), end))?,
            '(' | ')' | '[' | ']' | ',' => (Token::Word(letter.to_string()), 1),
            _ if letter.is_ascii_digit() => number(&letters[at..])?,
            _ if letter.is_alphabetic() || letter == '_' => name(&letters[at..]),
            _ => operator(&letters[at..])?,
        };
        tokens.push(token);
        at += length;
    }
    Some(tokens)
}

/// The text up to the closing mark, and the length of both.
fn quoted(letters: &[char], mark: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = 1;
    while at < letters.len() {
        match letters[at] {
            '\\' if letters.get(at + 1) == Some(&mark) => {
                text.push(mark);
                at += 1;
            }
            letter if letter == mark => return Some((text, at + 1)),
            letter => text.push(letter),
        }
        at += 1;
    }
    None
}

fn number(letters: &[char]) -> Option<(Token, usize)> {
    let digits = letters
        .iter()
        .take_while(|c| c.is_ascii_digit() || **c == '.');
    let text: String = digits.collect();
    Some((Token::Number(text.parse().ok()?), text.len()))
}

fn name(letters: &[char]) -> (Token, usize) {
    let is_part = |c: &&char| c.is_alphanumeric() || matches!(**c, '_' | '.');
    let text: String = letters.iter().take_while(is_part).collect();
    let length = text.chars().count();
    (Token::Word(text), length)
}

fn operator(letters: &[char]) -> Option<(Token, usize)> {
    const OPERATORS: [&str; 11] = [
        "==", "!=", "=~", "!~", "&&", "||", "<=", ">=", "!", "<", ">",
    ];
    let text: String = letters.iter().take(2).collect();
    let found = OPERATORS
        .iter()
        .find(|operator| text.starts_with(**operator))?;
    Some((Token::Word((*found).to_owned()), found.len()))
}

/// Reads an expression from its weakest operator on.
struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    facts: &'a Facts,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let is_it = matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn either(&mut self) -> Option<Value> {
        let mut value = self.both()?;
        while self.takes("||") {
            let other = self.both()?;
            value = (is_true(&value) || is_true(&other)).into();
        }
        Some(value)
    }

    fn both(&mut self) -> Option<Value> {
        let mut value = self.compared()?;
        while self.takes("&&") {
            let other = self.compared()?;
            value = (is_true(&value) && is_true(&other)).into();
        }
        Some(value)
    }

    fn compared(&mut self) -> Option<Value> {
        let left = self.single()?;
        for (operator, is_positive) in [("=~", true), ("!~", false)] {
            if self.takes(operator) {
                return Some((self.matches(&left)? == is_positive).into());
            }
        }
        if self.takes("includes") {
            let item = self.single()?;
            let is_in = left.as_array().is_some_and(|list| list.contains(&item));
            return Some(is_in.into());
        }
        for (operator, is_positive) in [("==", true), ("!=", false)] {
            if self.takes(operator) {
                let right = self.single()?;
                return Some((is_equal(&left, &right) == is_positive).into());
            }
        }
        Some(left)
    }

    fn matches(&mut self, text: &Value) -> Option<bool> {
        let Some(Token::Pattern(pattern)) = self.tokens.get(self.at).cloned() else {
            return None;
        };
        self.at += 1;
        let regex = Regex::new(&pattern).ok()?;
        Some(text.as_str().is_some_and(|text| regex.is_match(text)))
    }

    fn single(&mut self) -> Option<Value> {
        if self.takes("!") {
            let value = self.single()?;
            return Some((!is_true(&value)).into());
        }
        if self.takes("(") {
            let value = self.either()?;
            return self.takes(")").then_some(value);
        }
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        match token {
            Token::Text(text) => Some(text.into()),
            Token::Number(number) => Some(number.into()),
            Token::Pattern(_) => None,
            Token::Word(word) => self.word(&word),
        }
    }

    fn word(&mut self, word: &str) -> Option<Value> {
        match word {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            "null" => Some(Value::Null),
            "build.env" | "env" => {
                let (true, name) = (self.takes("("), self.single()?) else {
                    return None;
                };
                let value = self.facts.build["env"][name.as_str()?].clone();
                self.takes(")").then_some(value)
            }
            _ => self.fact(word),
        }
    }

    /// The value of `build.pull_request.id`.
    fn fact(&self, path: &str) -> Option<Value> {
        let mut parts = path.split('.');
        let mut value = match parts.next()? {
            "build" => &self.facts.build,
            "pipeline" => &self.facts.pipeline,
            _ => return None,
        };
        for part in parts {
            let key = match part {
                "author" | "creator" => part,
                "repository" if value.get("repository").is_none() => "repository",
                "default_branch" => "default_branch",
                other => other,
            };
            value = value.get(key).unwrap_or(&Value::Null);
        }
        Some(value.clone())
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// Numbers equal the texts that look like them: `build.pull_request.id` is a text.
fn is_equal(left: &Value, right: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    left == right
        || (left.is_number() != right.is_number()
            && plain(left).is_some()
            && plain(left) == plain(right))
        || (left.is_number() && right.is_number() && plain(left) == plain(right))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_hold_as_the_documentation_says() {
        let facts = Facts {
            build: json!({
                "branch": "main", "message": "Fix login [deploy]", "tag": null, "source": "api",
                "pull_request": {"id": "123", "draft": false, "labels": ["bug"]},
                "env": {"NIGHTLY": "1"}, "number": 7,
            }),
            pipeline: json!({"slug": "web", "default_branch": "main"}),
        };
        for (condition, expected) in [
            ("build.branch == \"main\"", Some(true)),
            ("build.branch != 'main'", Some(false)),
            ("build.branch == pipeline.default_branch", Some(true)),
            ("build.message =~ /\\[deploy\\]/", Some(true)),
            ("build.message !~ /^Merge/", Some(true)),
            ("build.tag == null", Some(true)),
            ("build.tag != null || build.source == \"api\"", Some(true)),
            ("build.pull_request.id == null", Some(false)),
            ("build.pull_request.id == 123", Some(true)),
            ("!build.pull_request.draft", Some(true)),
            ("build.pull_request.labels includes \"bug\"", Some(true)),
            (
                "build.env(\"NIGHTLY\") == \"1\" && (build.number == 7)",
                Some(true),
            ),
            (
                "build.branch == \"a\" || build.branch == \"b\"",
                Some(false),
            ),
            ("build.branch ==", None),
            ("what ever", None),
            ("(build.branch == \"main\"", None),
        ] {
            assert_eq!(holds(condition, &facts), expected, "{condition}");
        }
    }
}
