//! Reads a request of GraphQL.
//!
//! Own code, because a request uses a small part of the language: apollo-parser, which reads all of
//! it, would add a tenth to the time that the fake takes to build.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

use serde_json::{Map, Number, Value};

/// The operations and fragments of a request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: BTreeMap<String, Fragment>,
}

/// A query or a mutation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) is_mutation: bool,
    pub(super) name: String,
    /// The defaults of its variables.
    pub(super) defaults: BTreeMap<String, Argument>,
    pub(super) selections: Vec<Selection>,
}

/// Fields for objects of one type.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) kind: String,
    pub(super) selections: Vec<Selection>,
}

/// What is asked of an object.
#[derive(Debug)]
pub(super) enum Selection {
    Field(Field),
    /// `...Name`
    Spread(String),
    /// `... on Type { … }`; without a type it is for every object.
    Inline(Option<String>, Vec<Selection>),
}

/// A field with the name that it gets in the answer.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Argument)>,
    /// Conditions of `@include` and `@skip`, and whether each must be true.
    pub(super) conditions: Vec<(Argument, bool)>,
    pub(super) selections: Vec<Selection>,
}

/// A value, which may hold variables.
#[derive(Debug, Clone)]
pub(super) enum Argument {
    Variable(String),
    Plain(Value),
    List(Vec<Argument>),
    Object(Vec<(String, Argument)>),
}

impl Argument {
    /// The value, with these variables; none if a variable has no value.
    pub(super) fn value(&self, variables: &Map<String, Value>) -> Option<Value> {
        Some(match self {
            Self::Variable(name) => variables.get(name)?.clone(),
            Self::Plain(value) => value.clone(),
            Self::List(items) => items.iter().filter_map(|one| one.value(variables)).collect(),
            Self::Object(fields) => {
                let fields = fields.iter();
                let given = |(key, one): &(String, Self)| Some((key.clone(), one.value(variables)?));
                Value::Object(fields.filter_map(given).collect())
            }
        })
    }
}

/// Reads a request.
///
/// # Errors
/// If it is no GraphQL; the text says what was expected.
pub(super) fn parse(text: &str) -> Result<Request, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0 };
    let mut request = Request::default();
    while parser.at < parser.tokens.len() {
        parser.definition(&mut request)?;
    }
    Ok(request)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    /// Punctuation; `...` is `…`.
    Mark(char),
    Text(String),
    Number(Number),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            '#' => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
            '"' => found.push(Token::Text(string(text, at, &mut rest)?)),
            '.' => {
                while rest.next_if(|(_, c)| *c == '.').is_some() {}
                found.push(Token::Mark('…'));
            }
            c if c.is_whitespace() || c == ',' || c == '\u{feff}' => {}
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = end_of(text, &mut rest, |c| c.is_ascii_alphanumeric() || c == '_');
                found.push(Token::Name(text[at..end].to_owned()));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let end = end_of(text, &mut rest, |c| c.is_ascii_digit() || "+-.eE".contains(c));
                let number = serde_json::from_str(&text[at..end]);
                found.push(Token::Number(number.map_err(|error| error.to_string())?));
            }
            c => found.push(Token::Mark(c)),
        }
    }
    Ok(found)
}

type Rest<'a> = Peekable<CharIndices<'a>>;

/// Skips characters that belong to a token, and returns where it ends.
fn end_of(text: &str, rest: &mut Rest<'_>, belongs: impl Fn(char) -> bool) -> usize {
    while rest.next_if(|(_, c)| belongs(*c)).is_some() {}
    rest.peek().map_or(text.len(), |(at, _)| *at)
}

/// A text between quotes, or between three of them.
fn string(text: &str, at: usize, rest: &mut Rest<'_>) -> Result<String, String> {
    let unclosed = || "unclosed text".to_owned();
    if let Some(block) = text[at..].strip_prefix("\"\"\"") {
        let length = block.find("\"\"\"").ok_or_else(unclosed)?;
        let end = at + length + 6;
        while rest.next_if(|(at, _)| *at < end).is_some() {}
        return Ok(block[..length].trim().to_owned());
    }
    while let Some((end, character)) = rest.next() {
        match character {
            '\\' => {
                rest.next();
            }
            '"' => {
                let json = &text[at..=end];
                return serde_json::from_str(json).map_err(|error| error.to_string());
            }
            _ => {}
        }
    }
    Err(unclosed())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, mark: char) -> bool {
        let is_it = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        let is_it = self.take(mark);
        is_it.then_some(()).ok_or_else(|| self.unexpected(&format!("{mark:?}")))
    }

    fn unexpected(&self, expected: &str) -> String {
        match self.peek() {
            Some(token) => format!("Expected {expected}, actual: {token:?}"),
            None => format!("Expected {expected}, actual: the end"),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        if let Some(Token::Name(name)) = self.peek() {
            let name = name.clone();
            self.at += 1;
            return Ok(name);
        }
        Err(self.unexpected("a name"))
    }

    fn definition(&mut self, request: &mut Request) -> Result<(), String> {
        if self.peek() == Some(&Token::Mark('{')) {
            let operation = self.operation(false, String::new())?;
            request.operations.push(operation);
            return Ok(());
        }
        let kind = self.name()?;
        match kind.as_str() {
            "query" | "mutation" => {
                let is_named = matches!(self.peek(), Some(Token::Name(_)));
                let name = if is_named { self.name()? } else { String::new() };
                let operation = self.operation(kind == "mutation", name)?;
                request.operations.push(operation);
            }
            "fragment" => {
                let name = self.name()?;
                self.name()?;
                let kind = self.name()?;
                let selections = self.selections()?;
                request.fragments.insert(name, Fragment { kind, selections });
            }
            other => return Err(format!("Unexpected {other}")),
        }
        Ok(())
    }

    fn operation(&mut self, is_mutation: bool, name: String) -> Result<Operation, String> {
        let mut defaults = BTreeMap::new();
        if self.take('(') {
            while !self.take(')') {
                self.variable(&mut defaults)?;
            }
        }
        Ok(Operation {
            is_mutation,
            name,
            defaults,
            selections: self.selections()?,
        })
    }

    /// `$name: [Type!]! = default`
    fn variable(&mut self, defaults: &mut BTreeMap<String, Argument>) -> Result<(), String> {
        self.expect('$')?;
        let name = self.name()?;
        self.expect(':')?;
        while matches!(self.peek(), Some(Token::Name(_) | Token::Mark('[' | ']' | '!'))) {
            self.at += 1;
        }
        if self.take('=') {
            defaults.insert(name, self.argument()?);
        }
        Ok(())
    }

    fn selections(&mut self) -> Result<Vec<Selection>, String> {
        self.expect('{')?;
        let mut selections = Vec::new();
        while !self.take('}') {
            selections.push(self.selection()?);
        }
        Ok(selections)
    }

    fn selection(&mut self) -> Result<Selection, String> {
        if !self.take('…') {
            return Ok(Selection::Field(self.field()?));
        }
        if self.peek() == Some(&Token::Mark('{')) {
            return Ok(Selection::Inline(None, self.selections()?));
        }
        let name = self.name()?;
        if name != "on" {
            return Ok(Selection::Spread(name));
        }
        let kind = self.name()?;
        Ok(Selection::Inline(Some(kind), self.selections()?))
    }

    fn field(&mut self) -> Result<Field, String> {
        let alias = self.name()?;
        let name = if self.take(':') { self.name()? } else { alias.clone() };
        let arguments = self.arguments()?;
        let mut conditions = Vec::new();
        while self.take('@') {
            let must_be = self.name()? == "include";
            let given = self.arguments()?.into_iter();
            conditions.extend(given.map(|(_, value)| (value, must_be)));
        }
        let has_selections = self.peek() == Some(&Token::Mark('{'));
        let selections = if has_selections { self.selections()? } else { Vec::new() };
        Ok(Field { alias, name, arguments, conditions, selections })
    }

    fn arguments(&mut self) -> Result<Vec<(String, Argument)>, String> {
        let has_some = self.take('(');
        if has_some { self.pairs(')') } else { Ok(Vec::new()) }
    }

    fn pairs(&mut self, end: char) -> Result<Vec<(String, Argument)>, String> {
        let mut pairs = Vec::new();
        while !self.take(end) {
            let name = self.name()?;
            self.expect(':')?;
            pairs.push((name, self.argument()?));
        }
        Ok(pairs)
    }

    fn argument(&mut self) -> Result<Argument, String> {
        let token = self.peek().cloned();
        self.at += 1;
        Ok(match token {
            Some(Token::Mark('$')) => Argument::Variable(self.name()?),
            Some(Token::Mark('[')) => {
                let mut items = Vec::new();
                while !self.take(']') {
                    items.push(self.argument()?);
                }
                Argument::List(items)
            }
            Some(Token::Mark('{')) => Argument::Object(self.pairs('}')?),
            Some(Token::Text(text)) => Argument::Plain(text.into()),
            Some(Token::Number(number)) => Argument::Plain(number.into()),
            // Words of enumerations are as good as texts here.
            Some(Token::Name(name)) => Argument::Plain(match name.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "null" => Value::Null,
                _ => name.into(),
            }),
            Some(Token::Mark(_)) | None => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_read_with_its_fragments_aliases_and_values() {
        let text = r#"
            # a comment
            query Find($slug: ID! = "a\"b", $states: [State!]) {
              one: thing(slug: $slug, states: [$states, RUNNING], at: {n: -1.5}) @include(if: true) {
                ... on Kind { id } ...Fields ... { __typename }
              }
            }
            fragment Fields on Kind { name }
        "#;
        let request = parse(text).unwrap();
        let operation = &request.operations[0];
        assert_eq!((operation.name.as_str(), operation.is_mutation), ("Find", false));
        let Selection::Field(field) = &operation.selections[0] else {
            panic!("a field");
        };
        assert_eq!((field.alias.as_str(), field.name.as_str()), ("one", "thing"));
        let variables = json!({"slug": "s", "states": "FAILED"});
        let variables = variables.as_object().unwrap();
        let values: Vec<_> = field.arguments.iter().map(|(_, one)| one.value(variables)).collect();
        let expected = [json!("s"), json!(["FAILED", "RUNNING"]), json!({"n": -1.5})];
        assert_eq!(values, expected.map(Some));
        assert_eq!(field.selections.len(), 3);
        assert_eq!(request.fragments["Fields"].kind, "Kind");
        let default = operation.defaults["slug"].value(&Map::new());
        assert_eq!(default, Some(json!("a\"b")));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in ["{", "query {", "{ a(b) }", "mutate { a }", "{ a(b: \"c) }", "{ a(b: }) }"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
