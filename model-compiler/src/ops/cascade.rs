//! Layers that run row by row, one behind another: of the values between them only the rows are kept that the next one looks at.
//!
//! No ONNX operator is read into one; the pass `form_cascades` makes them where they save memory.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

use crate::diagnostic::Result;
use crate::emit::{Lower, docs, literal};
use crate::graph::Graph;
use crate::kernels::cascade::drive;
use crate::kernels::{Band, Overlap, Rows};
use crate::op::{Op, Operator, Part, Types, reference_only};
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// Each stage's rows are computed of those of the stage before, as soon as enough of them are there.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// The stages in order; the last one makes the output.
    pub stages: Vec<Stage>,
}

/// One layer of a cascade.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The operator, as it would run on whole images.
    pub op: Op,
    /// Where its inputs come from.
    pub inputs: Vec<Source>,
    /// What it would make of whole images.
    pub output: TensorType,
    /// How the rows of its output depend on those of its input 0.
    pub rows: Rows,
    /// The ONNX nodes that it stands for.
    pub origin: Vec<String>,
    /// Layers of inputs of the cascade that make a row of an operand when this stage makes one, as the other branch of a residual does.
    pub beside: Vec<Stage>,
}

/// Where an input of a stage comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This input of the cascade, row by row.
    Input(usize),
    /// This input of the cascade, which is constant.
    Constant(usize),
    /// The stage before.
    Before,
    /// This layer beside the stage.
    Beside(usize),
}

impl Source {
    fn is_constant(self) -> bool {
        matches!(self, Self::Constant(_))
    }
}

/// The rows of an operator that computes each row of its output of the same row of its inputs.
pub fn row_for_row(image: &TensorType) -> Option<Rows> {
    match image.shape[..] {
        [1, rows, _, _] => Some(Rows { input: rows, output: rows, extent: 1, stride: 1, padding: 0 }),
        _ => None,
    }
}

impl Stage {
    /// Elements of a row of the output.
    fn row_len(&self) -> usize {
        self.output.elements() / self.output.shape[1]
    }

    /// Whether it has its output only after the last row, as a pool over the whole image does.
    fn folds(&self) -> bool {
        self.rows.output != self.output.shape[1]
    }

    /// `rows` rows of an image.
    fn some_rows(image: &TensorType, rows: usize) -> TensorType {
        let &[batch, _, width, channels] = &image.shape[..] else { unreachable!("a cascade has images only") };
        image.with_shape([batch, rows, width, channels])
    }

    /// An input with just the rows under one row of the output.
    fn band_ty(&self, index: usize, whole: &TensorType) -> TensorType {
        match (&self.op, &whole.shape[..]) {
            (Op::Conv(conv), &[_, _, _, width]) if index == 0 && conv.planar => whole.with_shape([1, self.rows.extent, width, 1]),
            _ => Self::some_rows(whole, if index == 0 { self.rows.extent } else { 1 }),
        }
    }

    /// How many rows an input has that each stand for as many rows of the output as any other.
    fn input_rows(&self, index: usize) -> usize {
        if index == 0 { self.rows.input } else { self.rows.output }
    }

    /// The rows of input `index` under a band: the first, and how many.
    fn rows_under(index: usize, band: Band) -> (usize, usize) {
        if index == 0 { (band.first, band.rows) } else { (band.row, 1) }
    }
}

/// A layer of a cascade with what is around it.
struct Layer<'a> {
    cascade: &'a Cascade,
    /// The number of its stage.
    number: usize,
    stage: &'a Stage,
    /// The types of the cascade's inputs.
    inputs: &'a [&'a TensorType],
}

impl<'a> Layer<'a> {
    fn whole(&self, source: Source) -> &'a TensorType {
        match source {
            Source::Input(index) | Source::Constant(index) => self.inputs[index],
            Source::Before => &self.cascade.stages[self.number - 1].output,
            Source::Beside(index) => &self.stage.beside[index].output,
        }
    }

    /// The operator on one row.
    fn op(&self) -> Op {
        let op = self.stage.op.rules().of_one_row(self.whole(self.stage.inputs[0]));
        op.expect("a stage can run on one row")
    }

    /// The types of the operator's inputs, when it runs on one row.
    fn bands(&self) -> Vec<TensorType> {
        let band = |(index, &source): (usize, &Source)| match source {
            Source::Constant(_) => self.whole(source).clone(),
            _ => self.stage.band_ty(index, self.whole(source)),
        };
        self.stage.inputs.iter().enumerate().map(band).collect()
    }

    /// Asks the operator on one row.
    fn ask<R>(&self, question: impl FnOnce(&dyn Operator, Types, &[bool]) -> R) -> R {
        let (bands, row) = (self.bands(), Stage::some_rows(&self.stage.output, 1));
        let constant: Vec<bool> = self.stage.inputs.iter().map(|source| source.is_constant()).collect();
        let types = Types { inputs: &bands.iter().collect::<Vec<_>>(), outputs: &[&row] };
        question(self.op().rules(), types, &constant)
    }

    fn scratch(&self) -> Vec<TensorType> {
        self.ask(|op, types, constant| op.scratch(types, constant))
    }

    fn macs(&self) -> u64 {
        let inputs: Vec<&TensorType> = self.stage.inputs.iter().map(|&source| self.whole(source)).collect();
        self.stage.op.rules().macs(Types { inputs: &inputs, outputs: &[&self.stage.output] })
    }

    /// The operator's scratch in the expansion.
    fn scratch_slices(&self, cx: &Lower, memory: &Memory) -> Vec<TokenStream> {
        let slice = |ty: &TensorType| {
            if self.stage.folds() {
                let place = cx.scratch_place(memory.folded.expect("a fold has a place"));
                return quote!(arena.at(#place));
            }
            let shared = memory.scratch.iter().find(|&&place| memory.places[place].elem == ty.elem);
            let (place, len) =
                (cx.scratch_place(*shared.expect("all layers share it")), Literal::usize_unsuffixed(ty.elements()));
            quote!(rt::part(arena.at(#place), 0, #len))
        };
        self.scratch().iter().filter(|ty| ty.elements() > 0).map(slice).collect()
    }

    /// The statements that make one row in `y`, with `band` telling which.
    fn body(&self, cx: &Lower, memory: &Memory) -> TokenStream {
        let bindings: TokenStream = (self.stage.inputs.iter().enumerate())
            .filter(|(_, source)| !source.is_constant())
            .map(|(index, &source)| self.binding(index, source, cx, memory))
            .collect();
        let (mut graph, mut places, mut ids) = (Graph::default(), Vec::new(), Vec::new());
        for ((index, &source), band) in self.stage.inputs.iter().enumerate().zip(self.bands()) {
            let known = match source {
                Source::Constant(input) => cx.constant_input(input),
                _ => None,
            };
            places.push(known.is_none().then(|| variable(index)));
            ids.push(match known {
                Some((name, tensor)) => graph.add_constant(name, Tensor::clone(tensor)),
                None => graph.add_input("", band),
            });
        }
        graph.insert_one(0, self.op(), &ids, &[]);
        places.push(Some(Ident::new("y", Span::call_site())));
        let scratch = self.scratch_slices(cx, memory);
        let lower = cx.band(&graph, &places, scratch, self.stage.rows.is_clipped());
        let call = graph.nodes[0].op.rules().lower(&lower);
        let doc = docs::of_rows(&self.stage.origin);
        quote!(#[doc = #doc] #bindings #call)
    }

    /// `let x = …;` the rows of an input.
    fn binding(&self, index: usize, source: Source, cx: &Lower, memory: &Memory) -> TokenStream {
        let variable = variable(index);
        let row_len = self.whole(source).elements() / self.stage.input_rows(index);
        let len = Literal::usize_unsuffixed(row_len);
        match source {
            Source::Input(input) => {
                let whole = cx.input(input);
                match index {
                    0 => quote!(let #variable = rt::part(#whole, band.first * #len, band.rows * #len);),
                    _ => quote!(let #variable = rt::part(#whole, band.row * #len, #len);),
                }
            }
            Source::Constant(_) => TokenStream::new(),
            Source::Before => {
                let lines = cx.scratch_place(memory.lines[self.number - 1]);
                quote!(let #variable = rt::last(arena.at(#lines), band.rows * #len);)
            }
            Source::Beside(beside) => {
                let layer = Layer { stage: &self.stage.beside[beside], ..*self };
                let (rows, body) = (literal(&layer.stage.rows), layer.body(cx, memory));
                let place = cx.scratch_place(memory.beside[self.number] + beside);
                quote! {
                    let #variable = arena.at(#place);
                    {
                        let (band, y) = (#rows.band(band.row), #variable);
                        #body
                    }
                }
            }
        }
    }
}

/// The scratch of a cascade.
#[derive(Default)]
struct Memory {
    places: Vec<TensorType>,
    /// For each stage but the last, the place of its newest rows: as many as the next stage wants to find.
    lines: Vec<usize>,
    /// For each stage, the first place of a row of the layers beside it.
    beside: Vec<usize>,
    /// What a fold has so far.
    folded: Option<usize>,
    /// The places that all operators use for themselves, as one runs at a time: one for each element type.
    scratch: Vec<usize>,
}

impl Memory {
    fn add(&mut self, ty: TensorType) -> usize {
        self.places.push(ty);
        self.places.len() - 1
    }

    /// The place among `shared` for `ty`'s elements, as large as any that was asked for.
    fn share(&mut self, shared: &mut Vec<usize>, ty: TensorType) -> usize {
        let found = shared.iter().copied().find(|&place| self.places[place].elem == ty.elem);
        let Some(place) = found else {
            shared.push(self.add(ty));
            return shared[shared.len() - 1];
        };
        if self.places[place].elements() < ty.elements() {
            self.places[place] = ty;
        }
        place
    }
}

/// The variable of a stage's input.
fn variable(index: usize) -> Ident {
    if index == 0 { Ident::new("x", Span::call_site()) } else { format_ident!("x{index}") }
}

impl Cascade {
    /// Every layer, those beside a stage before it.
    fn layers<'a>(&'a self, inputs: &'a [&'a TensorType]) -> impl Iterator<Item = Layer<'a>> {
        self.stages.iter().enumerate().flat_map(move |(number, stage)| {
            let layers = stage.beside.iter().chain([stage]);
            layers.map(move |stage| Layer { cascade: self, number, stage, inputs })
        })
    }

    fn memory(&self, inputs: &[&TensorType]) -> Memory {
        let mut memory = Memory::default();
        // A stage that looks at one row runs as soon as it is made. Such rows share two places, of which one is read and one written.
        let mut single = [Vec::new(), Vec::new()];
        let mut turn = 0;
        for pair in self.stages.windows(2) {
            let extent = pair[1].rows.extent;
            let ty = Stage::some_rows(&pair[0].output, extent.min(pair[0].rows.output));
            turn = 1 - turn;
            let line = if extent == 1 { memory.share(&mut single[turn], ty) } else { memory.add(ty) };
            memory.lines.push(line);
        }
        for stage in &self.stages {
            memory.beside.push(memory.places.len());
            memory.places.extend(stage.beside.iter().map(|beside| Stage::some_rows(&beside.output, 1)));
        }
        let mut scratch = Vec::new();
        for layer in self.layers(inputs) {
            for ty in layer.scratch().into_iter().filter(|ty| ty.elements() > 0) {
                if layer.stage.folds() {
                    memory.folded = Some(memory.add(ty));
                } else {
                    memory.share(&mut scratch, ty);
                }
            }
        }
        memory.scratch = scratch;
        memory
    }

    /// The stage that makes the output.
    fn last(&self) -> &Stage {
        &self.stages[self.stages.len() - 1]
    }

    /// How far a row of the output may overtake the rows under it of input `index` of the last stage, in bytes; all of the row where
    /// its operator bears no overlap.
    fn row_overlap(&self, index: usize, types: Types) -> isize {
        let number = self.stages.len() - 1;
        let layer = Layer { cascade: self, number, stage: self.last(), inputs: types.inputs };
        let row = signed(Stage::some_rows(&self.last().output, 1).bytes());
        layer.ask(|op, types, _| op.overlap(types, index)).forward.map_or(row, |distance| distance.min(row))
    }
}

impl Stage {
    /// The stage on whole images; `before` is what the stage before it makes.
    fn evaluate(&self, inputs: &[&Tensor], before: Option<&Tensor>) -> Option<Tensor> {
        let beside: Vec<Tensor> = self.beside.iter().map(|stage| stage.evaluate(inputs, None)).collect::<Option<_>>()?;
        let operands = self.inputs.iter().map(|&source| match source {
            Source::Input(index) | Source::Constant(index) => Some(inputs[index]),
            Source::Before => before,
            Source::Beside(index) => Some(&beside[index]),
        });
        let operands: Vec<&Tensor> = operands.collect::<Option<_>>()?;
        self.op.rules().evaluate(&operands, std::slice::from_ref(&self.output))?.pop()
    }
}

impl Operator for Cascade {
    fn infer(&self, _inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![self.last().output.clone()])
    }

    fn evaluate(&self, inputs: &[&Tensor], _outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let stages =
            self.stages.iter().try_fold(None, |before: Option<Tensor>, stage| stage.evaluate(inputs, before.as_ref()).map(Some));
        stages?.map(|output| vec![output])
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        self.memory(types.inputs).places
    }

    /// Found by running through the rows: none may be read after it has been written over.
    fn overlap(&self, types: Types, input: usize) -> Overlap {
        let stages: Vec<Rows> = self.stages.iter().map(|stage| stage.rows).collect();
        let (last, size) = (stages.len() - 1, signed(types.outputs[0].bytes() / types.outputs[0].shape[1]));
        let folds = self.last().folds();
        let bytes = types.inputs[input].bytes();
        let (mut written, mut forward) = (0, -signed(bytes));
        let mut read = |written: isize, first: usize, rows: usize| {
            forward = forward.max(written - signed(first * (bytes / rows)));
        };
        drive(&stages, &mut vec![0; stages.len()], |number, band| {
            let stage = &self.stages[number];
            for (index, _) in stage.inputs.iter().enumerate().filter(|(_, source)| **source == Source::Input(input)) {
                // The last stage writes a row while it reads.
                let own = if number == last && !folds { self.row_overlap(index, types) } else { 0 };
                if written > 0 || (number == last && !folds) {
                    read(written + own, Stage::rows_under(index, band).0, stage.input_rows(index));
                }
            }
            for beside in &stage.beside {
                let band = beside.rows.band(band.row);
                let reads = beside.inputs.iter().enumerate().filter(|(_, source)| **source == Source::Input(input));
                for (index, _) in reads.filter(|_| written > 0) {
                    read(written, Stage::rows_under(index, band).0, beside.input_rows(index));
                }
            }
            if number == last && !folds {
                written = signed(band.row + 1) * size;
            }
        });
        Overlap { forward: Some(forward), ..Overlap::NONE }
    }

    fn macs(&self, types: Types) -> u64 {
        self.layers(types.inputs).map(|layer| layer.macs()).sum()
    }

    fn parts(&self, types: Types) -> Vec<Part> {
        let part = |layer: Layer| Part {
            origin: layer.stage.origin.clone(),
            name: layer.stage.op.name(),
            output: layer.stage.output.clone(),
            macs: layer.macs(),
        };
        self.layers(types.inputs).map(part).collect()
    }

    fn show(&self) -> String {
        let show = |stage: &Stage| stage.op.rules().show();
        let stages: Vec<String> = (self.stages.iter())
            .map(|stage| stage.beside.iter().map(|beside| show(beside) + " | ").collect::<String>() + &show(stage))
            .collect();
        format!("Cascade [{}]", stages.join("; "))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let types: Vec<&TensorType> = (0..cx.input_count()).map(|index| cx.input_ty(index)).collect();
        let memory = self.memory(&types);
        let last = self.stages.len() - 1;
        let arms = self.stages.iter().enumerate().map(|(number, stage)| {
            let layer = Layer { cascade: self, number, stage, inputs: &types };
            let row_len = Literal::usize_unsuffixed(stage.row_len());
            let y = if number < last {
                let lines = cx.scratch_place(memory.lines[number]);
                match self.stages[number + 1].rows.extent {
                    1 => quote!(rt::last(arena.at(#lines), #row_len)),
                    _ => quote!(arena.push(#lines, #row_len)),
                }
            } else {
                let whole = cx.output(0);
                if stage.folds() { whole } else { quote!(rt::part(#whole, band.row * #row_len, #row_len)) }
            };
            let pattern = if number == last { quote!(_) } else { Literal::usize_unsuffixed(number).into_token_stream() };
            let body = layer.body(cx, &memory);
            quote!(#pattern => { let y = #y; #body })
        });
        let arms: Vec<TokenStream> = arms.collect();
        let stages = self.stages.iter().map(|stage| literal(&stage.rows));
        quote! { rt::cascade([#(#stages),*], |stage, band| match stage { #(#arms)* }); }
    }
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).expect("a value's bytes have addresses")
}
