//! The messages of an ONNX file, as far as they are read.
//!
//! Declared by hand after <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>; unknown fields are skipped. A declarative macro does what
//! `prost`'s derive would do: the derive macros and what they stand on would make an eighth of the time that a user's first build takes.
#![allow(missing_docs, reason = "names and meanings are those of onnx.proto")]

use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{self, DecodeContext, WireType};
use prost::{DecodeError, Message};

/// `messages! { Model { ir_version: one int64 i64 = 1, } }` is the message `Model` with a field of tag 1, which is encoded as
/// `prost::encoding::int64` does, and stored as an `i64`; `optional` is stored in an `Option`, `repeated` in a `Vec`.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $form:ident $kind:ident $ty:ty = $tag:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $(pub $field: messages!(@type $form $ty),)*
        }

        impl Message for $name {
            fn encode_raw(&self, _buffer: &mut impl BufMut) {
                $(messages!(@encode $form $kind $tag, &self.$field, _buffer);)*
            }

            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: WireType,
                buffer: &mut impl Buf,
                context: DecodeContext,
            ) -> Result<(), DecodeError> {
                match tag {
                    $($tag => messages!(@merge $form $kind wire_type, &mut self.$field, buffer, context).map_err(|mut error| {
                        error.push(stringify!($name), stringify!($field));
                        error
                    }),)*
                    _ => encoding::skip_field(wire_type, tag, buffer, context),
                }
            }

            fn encoded_len(&self) -> usize {
                0 $(+ messages!(@len $form $kind $tag, &self.$field))*
            }

            fn clear(&mut self) {
                *self = Self::default();
            }
        }
    )* };

    (@type one $ty:ty) => { $ty };
    (@type optional $ty:ty) => { Option<$ty> };
    (@type repeated $ty:ty) => { Vec<$ty> };

    (@merge one $kind:ident $wire:ident, $field:expr, $buffer:ident, $context:ident) => {
        encoding::$kind::merge($wire, $field, $buffer, $context)
    };
    (@merge optional $kind:ident $wire:ident, $field:expr, $buffer:ident, $context:ident) => {
        encoding::$kind::merge($wire, $field.get_or_insert_with(Default::default), $buffer, $context)
    };
    (@merge repeated $kind:ident $wire:ident, $field:expr, $buffer:ident, $context:ident) => {
        encoding::$kind::merge_repeated($wire, $field, $buffer, $context)
    };

    (@encode one $kind:ident $tag:literal, $field:expr, $buffer:ident) => { encoding::$kind::encode($tag, $field, $buffer) };
    (@encode optional $kind:ident $tag:literal, $field:expr, $buffer:ident) => {
        if let Some(value) = $field {
            encoding::$kind::encode($tag, value, $buffer);
        }
    };
    (@encode repeated $kind:ident $tag:literal, $field:expr, $buffer:ident) => {
        encoding::$kind::encode_repeated($tag, $field, $buffer)
    };

    (@len one $kind:ident $tag:literal, $field:expr) => { encoding::$kind::encoded_len($tag, $field) };
    (@len optional $kind:ident $tag:literal, $field:expr) => {
        $field.as_ref().map_or(0, |value| encoding::$kind::encoded_len($tag, value))
    };
    (@len repeated $kind:ident $tag:literal, $field:expr) => { encoding::$kind::encoded_len_repeated($tag, $field) };
}

/// Numbered names, of which an unknown number is none.
macro_rules! enumerations {
    ($($name:ident { $($variant:ident = $number:literal,)* })*) => { $(
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($variant = $number,)*
        }

        impl From<$name> for i32 {
            fn from(name: $name) -> Self {
                name as Self
            }
        }

        impl $name {
            /// What the number stands for, if it is known.
            pub fn from_number(number: i32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    )* };
}

messages! {
    Model {
        ir_version: one int64 i64 = 1,
        graph: optional message Graph = 7,
        opset_import: repeated message OperatorSet = 8,
        functions: repeated message Function = 25,
    }

    OperatorSet {
        domain: one string String = 1,
        version: one int64 i64 = 2,
    }

    Function {
        name: one string String = 1,
        input: repeated string String = 4,
        output: repeated string String = 5,
        attribute: repeated string String = 6,
        node: repeated message Node = 7,
        opset_import: repeated message OperatorSet = 9,
        domain: one string String = 10,
        attribute_proto: repeated message Attribute = 11,
    }

    Graph {
        node: repeated message Node = 1,
        name: one string String = 2,
        initializer: repeated message Tensor = 5,
        input: repeated message ValueInfo = 11,
        output: repeated message ValueInfo = 12,
        sparse_initializer: repeated message SparseTensor = 15,
    }

    Node {
        input: repeated string String = 1,
        output: repeated string String = 2,
        name: one string String = 3,
        op_type: one string String = 4,
        attribute: repeated message Attribute = 5,
        domain: one string String = 7,
    }

    Attribute {
        name: one string String = 1,
        f: one float f32 = 2,
        i: one int64 i64 = 3,
        s: one bytes Bytes = 4,
        t: optional message Tensor = 5,
        g: optional message Graph = 6,
        floats: repeated float f32 = 7,
        ints: repeated int64 i64 = 8,
        strings: repeated bytes Bytes = 9,
        r#type: one int32 i32 = 20,
        ref_attr_name: one string String = 21,
    }

    Tensor {
        dims: repeated int64 i64 = 1,
        data_type: one int32 i32 = 2,
        float_data: repeated float f32 = 4,
        int32_data: repeated int32 i32 = 5,
        int64_data: repeated int64 i64 = 7,
        name: one string String = 8,
        raw_data: optional bytes Bytes = 9,
        double_data: repeated double f64 = 10,
        uint64_data: repeated uint64 u64 = 11,
        external_data: repeated message StringPair = 13,
        data_location: one int32 i32 = 14,
    }

    SparseTensor {
        values: optional message Tensor = 1,
        indices: optional message Tensor = 2,
        dims: repeated int64 i64 = 3,
    }

    StringPair {
        key: one string String = 1,
        value: one string String = 2,
    }

    ValueInfo {
        name: one string String = 1,
        r#type: optional message Type = 2,
    }

    Type {
        tensor: optional message TensorType = 1,
        sequence: optional message Opaque = 4,
        map: optional message Opaque = 5,
        sparse_tensor: optional message Opaque = 8,
        optional: optional message Opaque = 9,
    }

    /// A message of which only its presence matters.
    Opaque {}

    TensorType {
        elem_type: one int32 i32 = 1,
        shape: optional message TensorShape = 2,
    }

    TensorShape {
        dim: repeated message Dimension = 1,
    }

    Dimension {
        value: optional int64 i64 = 1,
        param: optional string String = 2,
    }
}

enumerations! {
    AttributeType {
        Undefined = 0,
        Float = 1,
        Int = 2,
        String = 3,
        Tensor = 4,
        Graph = 5,
        Floats = 6,
        Ints = 7,
        Strings = 8,
        Tensors = 9,
        Graphs = 10,
        SparseTensor = 11,
        SparseTensors = 12,
        TypeProto = 13,
        TypeProtos = 14,
    }

    DataLocation {
        Default = 0,
        External = 1,
    }

    DataType {
        Undefined = 0,
        Float = 1,
        Uint8 = 2,
        Int8 = 3,
        Uint16 = 4,
        Int16 = 5,
        Int32 = 6,
        Int64 = 7,
        String = 8,
        Bool = 9,
        Float16 = 10,
        Double = 11,
        Uint32 = 12,
        Uint64 = 13,
        Complex64 = 14,
        Complex128 = 15,
        Bfloat16 = 16,
        Float8e4m3fn = 17,
        Float8e4m3fnuz = 18,
        Float8e5m2 = 19,
        Float8e5m2fnuz = 20,
        Uint4 = 21,
        Int4 = 22,
        Float4e2m1 = 23,
        Float8e8m0 = 24,
        Uint2 = 25,
        Int2 = 26,
    }
}
