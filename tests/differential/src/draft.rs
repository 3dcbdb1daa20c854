//! A model while it is being drawn: its values with what is known of each, and the notation in which nodes are added.

use model_tests::build::{Build, data_type, raw_tensor, tensor, value};

use crate::random::Random;

/// A type: the name of the element type, and the sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub elem: &'static str,
    pub shape: Vec<usize>,
}

impl Type {
    /// How many elements a tensor of this type has.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// As types are printed everywhere: `f32[1, 4]`.
    fn text(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        format!("{}[{}]", self.elem, sizes.join(", "))
    }
}

/// What the integers of a value stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization {
    pub scale: f32,
    pub zero_point: i64,
}

/// A value of the graph that nodes may read.
#[derive(Clone, Debug)]
pub struct Value {
    pub name: String,
    pub ty: Type,
    /// About how large its elements become, by which scales are chosen and functions that grow fast are avoided.
    pub spread: f32,
    /// Of integers that stand for others.
    pub quantization: Option<Quantization>,
}

impl Value {
    /// How many axes it has.
    pub fn rank(&self) -> usize {
        self.ty.shape.len()
    }

    /// Whether its elements are of the type with this name.
    pub fn is(&self, elem: &str) -> bool {
        self.ty.elem == elem
    }
}

/// An attribute of a node.
#[derive(Clone, Debug)]
pub enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, Vec<i64>),
    Float(&'a str, f32),
    Text(&'a str, &'a str),
}

pub use Attribute::{Float, Int, Ints, Text};

/// A drawn model.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub model: Vec<u8>,
    /// The bytes of each input.
    pub inputs: Vec<Vec<u8>>,
}

/// A model that is being drawn.
#[derive(Debug)]
pub struct Draft {
    pub random: Random,
    pub opset: i64,
    /// Whether results pass through integers of 8 bits, as in a model that was quantized.
    pub quantized: bool,
    model: Build,
    inputs: Vec<Vec<u8>>,
    values: Vec<Value>,
    /// Names of values that are read by some node.
    used: Vec<String>,
    names: usize,
}

/// The largest tensor that is drawn, in elements.
pub const LARGEST: usize = 600;

impl Draft {
    /// A graph without nodes.
    pub fn new(mut random: Random) -> Self {
        let opset = random.pick(&[8, 9, 10, 11, 12, 13, 13, 14, 15, 16, 17, 17, 18, 19, 20, 21, 22, 23]);
        let quantized = opset >= 10 && random.chance(40);
        let ir = if opset > 21 { 11 } else { 8 };
        let model = Build::new(opset as i64).ir(ir).opset("com.microsoft", 1);
        Self { random, opset: opset as i64, quantized, model, inputs: vec![], values: vec![], used: vec![], names: 0 }
    }

    fn change(&mut self, change: impl FnOnce(Build) -> Build) {
        let model = std::mem::replace(&mut self.model, Build::new(0));
        self.model = change(model);
    }

    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{}_{}", kind.to_lowercase(), self.names)
    }

    /// Adds an input of the graph. Some have elements on a grid, so that there are equal ones and exact halves.
    pub fn input(&mut self, elem: &'static str, shape: Vec<usize>) {
        let (name, ty) = (self.name("input"), Type { elem, shape });
        let spread = self.random.pick(&[0.5, 1.0, 2.0, 4.0]);
        let grid = self.random.chance(25);
        let elements: Vec<f64> = (0..ty.elements()).map(|_| self.element(elem, spread, grid)).collect();
        self.inputs.push(elements.iter().flat_map(|&element| bytes(elem, element)).collect());
        self.change(|model| model.input(&name, &ty.text()));
        let spread = if elem.starts_with('f') { spread } else { 16.0 };
        self.values.push(Value { name, ty, spread, quantization: None });
    }

    /// A random element.
    fn element(&mut self, elem: &str, spread: f32, grid: bool) -> f64 {
        let float = f64::from(self.random.float());
        match elem {
            "bool" => f64::from(float > 0.0),
            "u8" => (float * 128.0 + 128.0).floor().min(255.0),
            "i8" => (float * 128.0).floor().min(127.0),
            _ if elem.starts_with('u') => (float.abs() * 16.0).floor(),
            _ if elem.starts_with('i') => (float * 16.0).round(),
            _ if grid => (float * 4.0).round() / 4.0 * f64::from(spread),
            _ => float * f64::from(spread),
        }
    }

    /// A node with one output, which later nodes may read.
    pub fn add(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: &[Attribute],
        ty: (&'static str, &[usize]),
        spread: f32,
    ) -> Value {
        let [value] = self.add_several(op, inputs, attributes, [ty], spread);
        value
    }

    /// A node with several outputs.
    pub fn add_several<const N: usize>(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: &[Attribute],
        types: [(&'static str, &[usize]); N],
        spread: f32,
    ) -> [Value; N] {
        let values = types.map(|(elem, shape)| {
            let name = self.name(op.rsplit(':').next().unwrap_or(op));
            Value { name, ty: Type { elem, shape: shape.to_vec() }, spread, quantization: None }
        });
        self.used.extend(inputs.iter().map(|&name| name.to_owned()));
        let outputs: Vec<&str> = values.iter().map(|value| value.name.as_str()).collect();
        self.change(|model| attributes.iter().fold(model.node(op, inputs, &outputs), with_attribute));
        for one in &values {
            let info = value(&one.name, &one.ty.text());
            self.model.message().graph.mut_or_insert_default().value_info.push(info);
        }
        self.values.extend(values.iter().cloned());
        values
    }

    /// Says what the integers of a value stand for.
    pub fn set_quantization(&mut self, name: &str, quantization: Quantization) {
        if let Some(value) = self.values.iter_mut().find(|value| value.name == name) {
            value.quantization = Some(quantization);
        }
    }

    /// A value that fits; of the newest three by preference, so that chains are drawn.
    pub fn operand(&mut self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let fitting: Vec<usize> = (0..self.values.len()).filter(|&index| fits(&self.values[index])).collect();
        let newest = &fitting[fitting.len().saturating_sub(3)..];
        if fitting.is_empty() {
            return None;
        }
        let index = if self.random.chance(85) { self.random.pick(newest) } else { self.random.pick(&fitting) };
        Some(self.values[index].clone())
    }

    /// A constant with these elements: an initializer, or sometimes the output of a `Constant`.
    pub fn constant(&mut self, elem: &'static str, shape: &[usize], elements: &[f64]) -> String {
        let name = self.name("constant");
        let dims: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let raw: Vec<u8> = elements.iter().flat_map(|&element| bytes(elem, element)).collect();
        let is_typed = self.random.chance(30);
        let stored = match elem {
            "f32" if is_typed => tensor(&name, &dims, &elements.iter().map(|&element| element as f32).collect::<Vec<_>>()),
            "i64" if is_typed => tensor(&name, &dims, &elements.iter().map(|&element| element as i64).collect::<Vec<_>>()),
            _ => raw_tensor(&name, &dims, data_type(elem), &raw),
        };
        match self.random.chance(15) {
            true => self.change(|model| model.node("Constant", &[], &[&name]).tensor("value", stored)),
            false => self.change(|model| model.initializer(stored)),
        }
        name
    }

    /// A constant vector of i64, as shapes and axes are.
    pub fn ints(&mut self, elements: &[i64]) -> String {
        let floats: Vec<f64> = elements.iter().map(|&element| element as f64).collect();
        self.constant("i64", &[elements.len()], &floats)
    }

    /// A constant of random elements.
    pub fn some(&mut self, elem: &'static str, shape: &[usize], spread: f32) -> String {
        let grid = self.random.chance(15);
        let elements: Vec<f64> = (0..shape.iter().product()).map(|_| self.element(elem, spread, grid)).collect();
        self.constant(elem, shape, &elements)
    }

    /// A constant of floats from `low` to `high`.
    pub fn floats_within(&mut self, shape: &[usize], low: f32, high: f32) -> String {
        let middle = f64::from(low + high) / 2.0;
        let half = f64::from(high - low) / 2.0;
        let elements: Vec<f64> = (0..shape.iter().product()).map(|_| middle + half * f64::from(self.random.float())).collect();
        self.constant("f32", shape, &elements)
    }

    /// The model with what no node reads as outputs, and sometimes with what is read too.
    pub fn finish(mut self) -> Option<Drawn> {
        let names: Vec<(String, Type)> = self.values.iter().map(|value| (value.name.clone(), value.ty.clone())).collect();
        let graph_inputs = self.inputs.len();
        let mut outputs = Vec::new();
        for (index, (name, ty)) in names.into_iter().enumerate() {
            let is_input = name.starts_with("input_");
            let is_end = !self.used.contains(&name);
            if !is_input && (is_end && self.random.chance(90) || self.random.chance(8) && index > graph_inputs) {
                outputs.push((name, ty));
            }
        }
        if outputs.is_empty() {
            return None;
        }
        for (name, ty) in &outputs {
            self.change(|model| model.output(name, &ty.text()));
            let infos = &mut self.model.message().graph.mut_or_insert_default().value_info;
            infos.retain(|info| info.name != *name);
        }
        Some(Drawn { model: self.model.to_bytes(), inputs: self.inputs })
    }
}

fn with_attribute(model: Build, attribute: &Attribute) -> Build {
    match attribute {
        Int(name, number) => model.int(name, *number),
        Ints(name, numbers) => model.ints(name, numbers),
        Float(name, number) => model.float(name, *number),
        Text(name, text) => model.string(name, text),
    }
}

/// The little-endian bytes of an element; what does not fit is clamped.
pub fn bytes(elem: &str, element: f64) -> Vec<u8> {
    match elem {
        "bool" => vec![u8::from(element != 0.0)],
        "i8" => (element as i8).to_le_bytes().to_vec(),
        "u8" => (element as u8).to_le_bytes().to_vec(),
        "i16" => (element as i16).to_le_bytes().to_vec(),
        "u16" => (element as u16).to_le_bytes().to_vec(),
        "i32" => (element as i32).to_le_bytes().to_vec(),
        "u32" => (element as u32).to_le_bytes().to_vec(),
        "i64" => (element as i64).to_le_bytes().to_vec(),
        "u64" => (element as u64).to_le_bytes().to_vec(),
        "f16" => half::f16::from_f64(element).to_le_bytes().to_vec(),
        "f32" => (element as f32).to_le_bytes().to_vec(),
        "f64" => element.to_le_bytes().to_vec(),
        _ => unreachable!("`{elem}` is not drawn"),
    }
}
