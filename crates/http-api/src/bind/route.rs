//! Which operation does a method and a raw path mean?
//!
//! Paths are taken as they came, so that %2F stays inside its label; each segment is percent-decoded once. A literal
//! segment wins over a label. A greedy label takes all segments that are left.

use std::collections::HashMap;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::model::{Model, ModelError, Operation, OperationId};

/// Every operation's method and path.
pub(crate) struct Routes {
    root: Node,
}

/// What a method and path lead to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// More than one where two models have the same route.
    Found(Vec<Found>),
    /// The path is known, but not with this method.
    WrongMethod,
    Unknown,
}

/// One operation with the labels of its path, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) operation: OperationId,
    pub(crate) labels: Vec<(String, String)>,
}

#[derive(Default)]
struct Node {
    literals: HashMap<String, Node>,
    label: Option<Box<Node>>,
    greedy: Vec<End>,
    ends: Vec<End>,
}

/// A path's end, for one operation.
struct End {
    method: Method,
    operation: OperationId,
    labels: Vec<String>,
}

impl Routes {
    pub(crate) fn new(model: &Model) -> Result<Self, ModelError> {
        let mut root = Node::default();
        for (id, operation) in model.operations() {
            insert(&mut root, id, operation)?;
        }
        Ok(Self { root })
    }

    pub(crate) fn resolve(&self, method: &Method, raw_path: &str) -> Resolution {
        let Some(path) = raw_path.strip_prefix('/') else { return Resolution::Unknown };
        let decoded: Result<Vec<_>, _> = path.split('/').map(|s| percent_decode_str(s).decode_utf8()).collect();
        let Ok(segments) = decoded else { return Resolution::Unknown };
        let segments: Vec<&str> = segments.iter().map(|s| &**s).collect();
        let mut paths = Vec::new();
        walk(&self.root, &segments, &mut Vec::new(), &mut paths);
        let any = !paths.is_empty();
        for (ends, values) in paths {
            let found: Vec<Found> = ends.iter().filter(|e| e.method == *method).map(|e| e.found(&values)).collect();
            if !found.is_empty() {
                return Resolution::Found(found);
            }
        }
        if any { Resolution::WrongMethod } else { Resolution::Unknown }
    }
}

impl End {
    fn found(&self, values: &[String]) -> Found {
        Found { operation: self.operation, labels: self.labels.iter().cloned().zip(values.iter().cloned()).collect() }
    }
}

fn insert(root: &mut Node, id: OperationId, operation: &Operation) -> Result<(), ModelError> {
    let unsupported = |problem: &str| ModelError::Unsupported {
        api: operation.api.name(),
        name: operation.name.clone(),
        problem: problem.to_owned(),
    };
    let path = operation.template.strip_prefix('/').ok_or_else(|| unsupported("its path does not start with '/'"))?;
    let mut end = End { method: operation.method.clone(), operation: id, labels: Vec::new() };
    let mut node = root;
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let Some(label) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            if segment.contains(['{', '}', '?']) {
                return Err(unsupported("a segment of its path is neither a literal nor a label"));
            }
            node = node.literals.entry(segment.to_owned()).or_default();
            continue;
        };
        let name = label.trim_end_matches('+');
        end.labels.push(name.to_owned());
        let is_last = segments.peek().is_none();
        if is_greedy(label) && is_last {
            node.greedy.push(end);
            return Ok(());
        }
        if name != label {
            return Err(unsupported("a greedy label is not the last segment of its path"));
        }
        node = node.label.get_or_insert_with(Box::default);
    }
    node.ends.push(end);
    Ok(())
}

/// `{x+}`; and a topic, which callers also write with its slashes as they are (developer guide, http).
fn is_greedy(label: &str) -> bool {
    label.ends_with('+') || label == "topic"
}

type Paths<'a> = Vec<(&'a [End], Vec<String>)>;

/// Collects every way through the tree, the most literal first. The depth is that of the templates.
fn walk<'a>(node: &'a Node, segments: &[&str], labels: &mut Vec<String>, paths: &mut Paths<'a>) {
    let Some((segment, rest)) = segments.split_first() else {
        if !node.ends.is_empty() {
            paths.push((&node.ends, labels.clone()));
        }
        return;
    };
    if let Some(next) = node.literals.get(*segment) {
        walk(next, rest, labels, paths);
    }
    if let Some(next) = node.label.as_deref().filter(|_| !segment.is_empty()) {
        labels.push((*segment).to_owned());
        walk(next, rest, labels, paths);
        labels.pop();
    }
    let remainder = segments.join("/");
    if !node.greedy.is_empty() && !remainder.is_empty() {
        let mut labels = labels.clone();
        labels.push(remainder);
        paths.push((&node.greedy, labels));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Api;

    fn resolve(method: &str, path: &str) -> Vec<String> {
        let model = Model::load().unwrap();
        let resolution = Routes::new(&model).unwrap().resolve(&method.parse().unwrap(), path);
        match resolution {
            Resolution::Found(found) => found
                .into_iter()
                .map(|f| {
                    let operation = model.operation(f.operation);
                    let labels: Vec<String> = f.labels.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                    format!("{} {}{}", operation.api.name(), operation.name, labels.concat())
                })
                .collect(),
            Resolution::WrongMethod => vec!["wrong method".to_owned()],
            Resolution::Unknown => vec!["unknown".to_owned()],
        }
    }

    /// Routes of the AWS IoT API reference.
    #[test]
    fn paths_lead_to_operations() {
        let check = |method: &str, path: &str, expected: &[&str]| {
            assert_eq!(resolve(method, path), expected, "{method} {path}");
        };
        check("GET", "/things", &["iot ListThings"]);
        check("POST", "/things/lamp", &["iot CreateThing thingName=lamp"]);
        check("PATCH", "/things/a%3Ab", &["iot UpdateThing thingName=a:b"]);
        check("GET", "/things/a%2Fb", &["iot DescribeThing thingName=a/b"]);
        check("GET", "/things/a%252Fb", &["iot DescribeThing thingName=a%2Fb"]);
        check("GET", "/things/a+b", &["iot DescribeThing thingName=a+b"]);
        check("GET", "/things/lamp/shadow", &["iot-data GetThingShadow thingName=lamp"]);
        check("GET", "/th%69ngs/lamp/shadow", &["iot-data GetThingShadow thingName=lamp"]);
        check("POST", "/topics/a%2Fb", &["iot-data Publish topic=a/b"]);
        check("POST", "/topics/a//b/", &["iot-data Publish topic=a//b/"]);
        check("GET", "/retainedMessage", &["iot-data ListRetainedMessages"]);
        check("GET", "/retainedMessage/a/b", &["iot-data GetRetainedMessage topic=a/b"]);
        check("DELETE", "/destinations/arn:x/y/z", &["iot DeleteTopicRuleDestination arn=arn:x/y/z"]);
        check("GET", "/confirmdestination/a/b", &["iot ConfirmTopicRuleDestination confirmationToken=a/b"]);
        let jobs =
            ["iot DescribeJobExecution thingName=t jobId=j", "iot-jobs-data DescribeJobExecution thingName=t jobId=j"];
        check("GET", "/things/t/jobs/j", &jobs);
        check("PUT", "/things/t/jobs/$next", &["iot-jobs-data StartNextPendingJobExecution thingName=t"]);
        check("PUT", "/things/t", &["wrong method"]);
        check("GET", "/", &["unknown"]);
        check("GET", "/things/", &["unknown"]);
        check("GET", "/topics/", &["unknown"]);
        check("GET", "/nothing/here", &["unknown"]);
        check("GET", "/things/%ff", &["unknown"]);
        check("GET", "things", &["unknown"]);
    }

    #[test]
    fn every_operation_is_found_at_its_own_route() {
        let model = Model::load().unwrap();
        let routes = Routes::new(&model).unwrap();
        let mut shared = Vec::new();
        for (id, operation) in model.operations() {
            let path: Vec<_> =
                operation.template.split('/').map(|s| if s.starts_with('{') { "zz" } else { s }).collect();
            let Resolution::Found(found) = routes.resolve(&operation.method, &path.join("/")) else {
                panic!("{} has no route", operation.name);
            };
            assert!(found.iter().any(|f| f.operation == id), "{}", operation.name);
            if found.len() > 1 && operation.api == Api::JobsData {
                shared.push(operation.name.as_str());
            }
        }
        assert_eq!(shared, ["DescribeJobExecution", "GetPendingJobExecutions", "StartCommandExecution"]);
    }

    #[test]
    fn a_template_that_is_not_understood_is_refused() {
        for bad in ["things", "/a{b}", "/{a+}/b", "/a?b"] {
            let text =
                format!(r#"{{"operations":{{"O":{{"http":{{"method":"GET","requestUri":"{bad}"}}}}}},"shapes":{{}}}}"#);
            assert!(Routes::new(&Model::from_text(&text).unwrap()).is_err(), "{bad}");
        }
    }
}
