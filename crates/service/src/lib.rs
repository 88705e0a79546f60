//! Every use case, the door, authentication and the jobs.
