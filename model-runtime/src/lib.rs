//! What firmware depends on.
#![no_std]
