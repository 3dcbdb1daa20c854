//! What names stand for: in the model's own graph, in a subgraph of one of its nodes, which sees the values around it, and in a function
//! that the model defines, which does not.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::graph::ValueId;
use crate::import::order::defined;
use crate::onnx::proto;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Named {
    /// A value.
    Value(ValueId),
    /// An optional input of a function that its call leaves out.
    Omitted,
    /// What a fault left without a type.
    Unknown,
}

/// One graph of the file while it is read.
pub(super) struct Scope<'a> {
    /// Its nodes.
    pub(super) nodes: &'a [proto::Node],
    /// Where in the file it is, for messages: "" or "node 3 `/If` (If), `then_branch`: ".
    pub(super) place: String,
    /// What its names stand for.
    pub(super) values: HashMap<&'a str, Named>,
    /// The call whose body it is, if it is a function.
    pub(super) call: Option<Call<'a>>,
    /// Whether names around it mean nothing in it.
    closed: bool,
}

/// A call of a function that the model defines.
pub(super) struct Call<'a> {
    /// The function.
    pub(super) function: &'a proto::Function,
    /// The attributes that it is called with, defaults included.
    pub(super) attributes: Vec<proto::Attribute>,
}

/// The graphs that are being read, each inside of the one before.
#[derive(Default)]
pub(super) struct Scopes<'a>(Vec<Scope<'a>>);

impl<'a> Scopes<'a> {
    /// Enters a graph, or a function where there is a call.
    pub(super) fn enter(&mut self, nodes: &'a [proto::Node], place: String, call: Option<Call<'a>>) {
        let closed = call.is_some();
        self.0.push(Scope { nodes, place, values: HashMap::new(), call, closed });
    }

    /// Enters a graph in which what it reads from around it is still to be defined.
    pub(super) fn enter_closed(&mut self, nodes: &'a [proto::Node], place: String) {
        self.0.push(Scope { nodes, place, values: HashMap::new(), call: None, closed: true });
    }

    /// Leaves the innermost graph.
    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    /// The innermost graph.
    pub(super) fn inner(&self) -> &Scope<'a> {
        self.0.last().expect("the model's own graph is never left")
    }

    /// What a name stands for in the innermost graph, if anything.
    pub(super) fn find(&self, name: &str) -> Option<Named> {
        let outermost = self.0.iter().rposition(|scope| scope.closed).unwrap_or(0);
        self.0[outermost..].iter().rev().find_map(|scope| scope.values.get(name)).copied()
    }

    /// Gives a name of the innermost graph its meaning, and returns what it meant there before.
    pub(super) fn define(&mut self, name: &'a str, named: Named) -> Option<Named> {
        self.0.last_mut().expect("the model's own graph is never left").values.insert(name, named)
    }

    /// The call of the innermost function.
    pub(super) fn call(&self) -> Option<&Call<'a>> {
        self.0.iter().rev().find_map(|scope| scope.call.as_ref())
    }

    /// Whether a call of the function is being read.
    pub(super) fn is_open(&self, function: &proto::Function) -> bool {
        self.0.iter().filter_map(|scope| scope.call.as_ref()).any(|call| std::ptr::eq(call.function, function))
    }

    /// A node with the attributes that the call of the function around it gives.
    pub(super) fn resolved(&self, node: &'a proto::Node) -> Cow<'a, proto::Node> {
        if node.attribute.iter().all(|attribute| attribute.ref_attr_name.is_empty()) {
            return Cow::Borrowed(node);
        }
        let given = |name: &str| self.call()?.attributes.iter().find(|attribute| attribute.name == name).cloned();
        let resolve = |attribute: &proto::Attribute| match attribute.ref_attr_name.as_str() {
            "" => Some(attribute.clone()),
            // Where the call gives none, the operator's own default holds.
            name => given(name).map(|given| proto::Attribute { name: attribute.name.clone(), ..given }),
        };
        Cow::Owned(proto::Node { attribute: node.attribute.iter().filter_map(resolve).collect(), ..node.clone() })
    }
}

impl<'a> Scope<'a> {
    /// The names that two of its nodes define.
    pub(super) fn defined_twice(&self) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        self.nodes.iter().flat_map(defined).filter(|name| !seen.insert(*name)).collect()
    }
}
