//! Says what keys, secrets, kits, approvals and events are, and which changes are lawful.
