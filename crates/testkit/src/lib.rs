//! The simulated world of the tests: clock, entropy, tasks, disks, vaults.
