//! Plans of random graphs, run on bytes that remember who wrote them.
//!
//! A kernel is a list of turns: a turn reads some bytes of each operand, then fills scratch, then writes some bytes of the output. Its
//! overlap distances follow from these lists alone. Running it, every byte that it reads must be the one its operand's writer
//! put there, and every byte that it writes must belong to no buffer that is still needed.

use super::search::Random;
use super::*;

/// What lies in a byte of the arena: which byte of which buffer.
type Tag = Option<(usize, usize)>;

/// A part of a buffer that steps read and write.
#[derive(Clone, Debug)]
struct Value {
    buffer: usize,
    bytes: Range<usize>,
}

/// What a kernel does at once: the bytes of each operand that it reads, then those of the output that it writes.
#[derive(Clone, Debug)]
struct Turn {
    reads: Vec<Vec<usize>>,
    write: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Step {
    operands: Vec<Value>,
    output: Value,
    scratch: Value,
    turns: Vec<Turn>,
}

#[derive(Debug, Default)]
struct Program {
    buffers: Vec<Buffer>,
    inputs: Vec<usize>,
    steps: Vec<Step>,
    touches: Vec<Touch>,
}

#[test]
fn random_programs_read_what_was_written() {
    let mut forward = 0;
    let mut backward = 0;
    let mut in_place = 0;
    let mut beaten = 0;
    for seed in 0..150 {
        let program = Program::random(&mut Random::new(seed));
        let placement = place(&program.buffers, &program.touches);
        assert_eq!(check(&program.buffers, &program.touches, &placement), Ok(()), "seed {seed}");
        assert!(placement.peak >= rules::bound(&program.buffers, &program.touches), "seed {seed}");
        if let Err(problem) = program.run(&placement) {
            panic!("seed {seed}: {problem}\n{program:#?}\n{placement:?}");
        }
        program.keeps_margins(&placement).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        for (touch, turned) in program.touches.iter().zip(&placement.backward) {
            backward += usize::from(*turned);
            forward += usize::from(touch.has_effect(&program.buffers) && !turned && !touch.is_apart(&placement.offsets));
        }
        in_place += placement.margins.iter().filter(|margin| matches!(margin, Margin::Exactly(_))).count();
        beaten += usize::from(placement.peak < lower_bound(&program.buffers));
    }
    // The test shows little unless overlaps of both kinds are common.
    let counts = format!("{forward} forward, {backward} backward, {in_place} in place, {beaten} below the bound");
    assert!(forward > 100 && backward > 50 && in_place > 30 && beaten > 50, "{counts}");
}

impl Program {
    fn random(random: &mut Random) -> Self {
        let mut program = Self::default();
        let mut values = Vec::new();
        for _ in 0..1 + random.below(2) {
            let bytes = 4 + random.below(20);
            program.inputs.push(program.buffers.len());
            values.push(program.new_buffer(bytes, 0, random));
        }
        // The half of a joined buffer that no step has written yet, and the whole.
        let mut joins: Vec<(Value, Value)> = Vec::new();
        for step in 0..5 + random.below(10) {
            let operands: Vec<Value> = (0..1 + random.below(2)).map(|_| recent(&values, random)).collect();
            let output = match random.below(6) {
                0 => {
                    let whole = program.new_buffer(8 + random.below(20), step, random);
                    let middle = whole.bytes.end / 2;
                    let [first, second] = [0..middle, middle..whole.bytes.end].map(|bytes| Value { bytes, ..whole.clone() });
                    joins.push((second, whole));
                    first
                }
                1 if !joins.is_empty() => {
                    let (second, whole) = joins.swap_remove(0);
                    values.push(whole);
                    second
                }
                _ => program.new_buffer(4 + random.below(24), step, random),
            };
            if random.below(4) == 0 {
                let cut = output.bytes.start + output.bytes.len() / 2;
                values.push(Value { bytes: cut..output.bytes.end, ..output.clone() });
            }
            values.push(output.clone());
            let turns = random_turns(&operands, &output, random);
            let scratch = program.new_buffer(random.below(8), step, random);
            program.steps.push(Step { operands, output, scratch, turns });
        }
        program.live(&recent(&values, random));
        program.touch(random);
        program
    }

    fn new_buffer(&mut self, bytes: usize, first: usize, random: &mut Random) -> Value {
        self.buffers.push(Buffer { bytes, align: 1 << random.below(3), first, last: first });
        Value { buffer: self.buffers.len() - 1, bytes: 0..bytes }
    }

    /// Extends lifetimes to the last use, and that of `output` to the end.
    fn live(&mut self, output: &Value) {
        for (index, step) in self.steps.iter().enumerate() {
            for value in step.operands.iter().chain([&step.output]) {
                self.buffers[value.buffer].last = index;
            }
        }
        self.buffers[output.buffer].last = self.steps.len() - 1;
    }

    fn touch(&mut self, random: &mut Random) {
        for step in &self.steps {
            for (index, operand) in step.operands.iter().enumerate() {
                let overlap = overlap(&step.turns, index);
                self.touches.push(Touch {
                    input: operand.buffer,
                    read: operand.bytes.clone(),
                    output: step.output.buffer,
                    written: step.output.bytes.clone(),
                    // Not every kernel can run in both directions.
                    overlap: Overlap {
                        forward: overlap.forward.filter(|_| random.below(4) > 0),
                        backward: overlap.backward.filter(|_| random.below(4) > 0),
                        in_place: overlap.in_place && random.below(4) > 0,
                    },
                });
            }
        }
    }

    /// Says where two buffers overlap without keeping their margin, or where a step's output lies both before and after its inputs.
    fn keeps_margins(&self, placement: &Placement) -> Result<(), String> {
        let mut sides = vec![None; self.steps.len()];
        for (touch, margin) in self.touches.iter().zip(&placement.margins) {
            let [input, output] = [touch.input, touch.output].map(|index| placement.offsets[index] as isize);
            let [input_bytes, output_bytes] = [touch.input, touch.output].map(|index| self.buffers[index].bytes as isize);
            let apart = input + input_bytes <= output || output + output_bytes <= input;
            if apart || !touch.has_effect(&self.buffers) {
                continue;
            }
            let (kept, after) = match *margin {
                Margin::Before(distance) => (input - output >= distance, false),
                Margin::After(distance) => (output - input >= distance, true),
                Margin::Exactly(distance) => (input - output == distance, false),
            };
            let side = sides[self.buffers[touch.output].first].get_or_insert(after);
            if !kept || *side != after {
                return Err(format!("{touch:?} does not keep {margin:?}"));
            }
        }
        Ok(())
    }

    /// Runs all steps, and says where one reads or writes what it must not.
    fn run(&self, placement: &Placement) -> Result<(), String> {
        let mut arena: Vec<Tag> = vec![None; placement.peak];
        for &input in &self.inputs {
            for byte in 0..self.buffers[input].bytes {
                arena[placement.offsets[input] + byte] = Some((input, byte));
            }
        }
        let mut directions = placement.backward.as_slice();
        for (index, step) in self.steps.iter().enumerate() {
            // Each step has a touch for every operand.
            let (backward, others) = directions.split_at(step.operands.len());
            directions = others;
            let mut turns: Vec<&Turn> = step.turns.iter().collect();
            if backward.contains(&true) {
                turns.reverse();
            }
            for turn in turns {
                for (operand, bytes) in step.operands.iter().zip(&turn.reads) {
                    read(&arena, placement, operand, bytes).map_err(|problem| format!("step {index}: {problem}"))?;
                }
                let scratch: Vec<usize> = step.scratch.bytes.clone().collect();
                for (value, bytes) in [(&step.scratch, &scratch), (&step.output, &turn.write)] {
                    self.write(&mut arena, placement, index, value, bytes)?;
                }
            }
        }
        Ok(())
    }

    /// A byte may be written if its owner is dead, dies at this step and is read by it, or is written itself.
    fn write(&self, arena: &mut [Tag], placement: &Placement, step: usize, value: &Value, bytes: &[usize]) -> Result<(), String> {
        let Step { operands, output, .. } = &self.steps[step];
        for byte in bytes.iter().map(|byte| value.bytes.start + byte) {
            let place = &mut arena[placement.offsets[value.buffer] + byte];
            if let Some((owner, found)) = *place {
                let last = self.buffers[owner].last;
                let is_read = operands.iter().any(|operand| operand.buffer == owner);
                let dies = last == step && is_read && value.buffer == output.buffer;
                if owner != value.buffer && last >= step && !dies {
                    return Err(format!("step {step} overwrites byte {found} of buffer {owner}, which is alive"));
                }
            }
            *place = Some((value.buffer, byte));
        }
        Ok(())
    }
}

fn read(arena: &[Tag], placement: &Placement, value: &Value, bytes: &[usize]) -> Result<(), String> {
    for byte in bytes.iter().map(|byte| value.bytes.start + byte) {
        let found = arena[placement.offsets[value.buffer] + byte];
        if found != Some((value.buffer, byte)) {
            return Err(format!("byte {byte} of buffer {} is {found:?}", value.buffer));
        }
    }
    Ok(())
}

/// One of the last few values.
fn recent(values: &[Value], random: &mut Random) -> Value {
    values[values.len() - 1 - random.below(values.len().min(4))].clone()
}

/// Turns that write the output piece by piece, each reading a window that moves along every operand, or any window now and then;
/// or plane by plane, where planes lie element beside element.
fn random_turns(operands: &[Value], output: &Value, random: &mut Random) -> Vec<Turn> {
    let count = 1 + random.below(6);
    let halo = random.below(3);
    let jumps = random.below(8) == 0;
    if random.below(4) == 0 {
        let plane = |bytes: &Range<usize>, index: usize| (index..bytes.len()).step_by(count).collect();
        let turn = |index| Turn {
            reads: operands.iter().map(|operand| plane(&operand.bytes, index)).collect(),
            write: plane(&output.bytes, index),
        };
        return (0..count).map(turn).collect();
    }
    let part = |bytes: &Range<usize>, index: usize| bytes.len() * index / count;
    (0..count)
        .map(|index| {
            let window = |operand: &Value, random: &mut Random| {
                let index = if jumps { random.below(count) } else { index };
                let start = part(&operand.bytes, index).saturating_sub(halo);
                (start..(part(&operand.bytes, index + 1) + halo).min(operand.bytes.len())).collect()
            };
            Turn {
                reads: operands.iter().map(|operand| window(operand, random)).collect(),
                write: (part(&output.bytes, index)..part(&output.bytes, index + 1)).collect(),
            }
        })
        .collect()
}

/// The least distances at which no turn writes what a later turn reads of an operand, and whether none does so in place.
fn overlap(turns: &[Turn], operand: usize) -> Overlap {
    let mut forward = isize::MIN / 2;
    let mut backward = isize::MIN / 2;
    let mut in_place = true;
    for (late, reader) in turns.iter().enumerate() {
        let read = &reader.reads[operand];
        for (early, writer) in turns.iter().enumerate() {
            let (Some(&read_start), Some(&read_last)) = (read.first(), read.last()) else { continue };
            let (Some(&write_start), Some(&write_last)) = (writer.write.first(), writer.write.last()) else { continue };
            if early < late {
                forward = forward.max(write_last as isize + 1 - read_start as isize);
                in_place &= !writer.write.iter().any(|byte| read.contains(byte));
            }
            if early > late {
                backward = backward.max(read_last as isize + 1 - write_start as isize);
            }
        }
    }
    Overlap { forward: Some(forward), backward: Some(backward), in_place }
}
