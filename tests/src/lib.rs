//! Support code of the tests of the whole lane.
