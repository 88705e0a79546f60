//! The HTTP fronts: parse, call the service, encode.
