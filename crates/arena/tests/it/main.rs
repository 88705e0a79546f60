//! Shows, by what the kernel says of a real process, that the arena keeps its promises.
//!
//! What concerns the process as a whole (limits, counters, the first region) runs in a child: the
//! test starts its own binary again with only itself selected.

#![expect(clippy::unwrap_used, reason = "a test's panic is its answer, also in what it calls")]

use keystead_arena::{Block, DEFAULT_REGION_BYTES, InitFailed, harden_process, init, stats};
use std::collections::BTreeSet;
use std::{env, fs, process::Command, thread};

const CHILD: &str = "KEYSTEAD_ARENA_CHILD";

/// Runs `body` alone in a fresh process.
fn alone(test: &str, body: fn()) {
    if env::var_os(CHILD).is_some() {
        return body();
    }
    let exe = env::current_exe().unwrap();
    let run = Command::new(exe).args([test, "--exact", "--nocapture"]).env(CHILD, "1").output();
    let run = run.unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    let complained = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{said}\n{complained}");
}

fn status_kib(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The memory areas of this process: first address, end, access, flags.
fn areas() -> Vec<(usize, usize, String, String)> {
    let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut areas = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if let Some((start, end)) = first.split_once('-') {
            let start = usize::from_str_radix(start, 16).unwrap();
            let end = usize::from_str_radix(end, 16).unwrap();
            areas.push((start, end, words.next().unwrap().to_owned(), String::new()));
        } else if let Some(flags) = line.strip_prefix("VmFlags:") {
            areas.last_mut().unwrap().3 = flags.to_owned();
        }
    }
    areas
}

fn address(block: &Block) -> usize {
    block.expose(|bytes| bytes.as_ptr() as usize)
}

/// A small deterministic generator (xorshift64): tests need spread, not secrecy.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Random allocations and frees; every live block keeps its own mark, every new one is zero.
fn hammer(seed: u64, rounds: usize) {
    let mut dice = Dice(seed);
    let mut live: Vec<(Block, u8)> = Vec::new();
    for round in 0..rounds {
        if live.len() > 40 || (!live.is_empty() && dice.below(3) == 0) {
            let (block, mark) = live.swap_remove(dice.below(live.len()));
            assert!(block.expose(|bytes| bytes.iter().all(|byte| *byte == mark)));
        } else {
            let most = [32, 64, 200, 8192][dice.below(4)];
            let mut block = Block::new(dice.below(most + 1));
            assert!(block.expose(|bytes| bytes.iter().all(|byte| *byte == 0)), "round {round}");
            let mark = u8::try_from(dice.below(255)).unwrap() + 1;
            block.expose_mut(|bytes| bytes.fill(mark));
            live.push((block, mark));
        }
    }
    assert_disjoint(live.iter().map(|(block, _)| block));
}

fn assert_disjoint<'a>(blocks: impl Iterator<Item = &'a Block>) {
    let mut ranges: Vec<_> = blocks.map(|b| (address(b), address(b) + b.len())).collect();
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
}

#[test]
fn blocks_do_not_overlap_and_begin_as_zero() {
    for seed in 1..=8 {
        hammer(seed, 2_000);
    }
}

#[test]
fn threads_hammer_the_arena() {
    thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || hammer(0x9e37_79b9 + seed, 3_000));
        }
    });
}

#[test]
fn a_block_is_shared_and_moved_between_threads() {
    let mut block = Block::new(64);
    block.expose_mut(|bytes| bytes.fill(7));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(block.expose(|bytes| bytes.iter().all(|byte| *byte == 7))));
        }
    });
    thread::spawn(move || assert_eq!(block.len(), 64)).join().unwrap();
}

#[test]
fn a_dropped_block_leaves_zeros_for_the_next_owner() {
    alone("a_dropped_block_leaves_zeros_for_the_next_owner", || {
        let mut block = Block::new(100);
        block.expose_mut(|bytes| bytes.fill(0xA5));
        let before = address(&block);
        drop(block);
        let next = Block::new(128);
        assert_eq!(address(&next), before, "the freed slot is the next one given");
        assert!(next.expose(|bytes| bytes.iter().all(|byte| *byte == 0)));
    });
}

#[test]
fn every_length_is_exact_and_aligned() {
    for len in [0, 1, 31, 32, 33, 64, 1000, 8191, 8192] {
        let block = Block::new(len);
        assert_eq!((block.len(), block.expose(<[u8]>::len)), (len, len));
        assert_eq!(block.is_empty(), len == 0);
        assert_eq!(address(&block) % 32, 0);
    }
}

#[test]
#[should_panic(expected = "at most 8192 bytes, not 8193")]
fn a_block_beyond_the_largest_class_is_refused_by_name() {
    let _ = Block::new(8193);
}

#[test]
fn debug_shows_no_content() {
    let mut block = Block::new(4);
    block.expose_mut(|bytes| bytes.copy_from_slice(b"\xde\xad\xbe\xef"));
    assert_eq!(format!("{block:?}"), "Block(4 bytes)");
}

#[test]
fn the_region_is_locked_undumped_wiped_on_fork_and_guarded() {
    let block = Block::new(32);
    let areas = areas();
    let at = address(&block);
    let here = areas.iter().position(|area| (area.0..area.1).contains(&at)).unwrap();
    let (start, end, access, flags) = &areas[here];
    assert_eq!(access, "rw-p");
    let flags: BTreeSet<&str> = flags.split_whitespace().collect();
    assert!(flags.contains("lo"), "locked: {flags:?}");
    assert!(flags.contains("dd"), "left out of dumps: {flags:?}");
    assert!(flags.contains("wf") || flags.contains("dc"), "absent in children: {flags:?}");
    let (before, after) = (&areas[here - 1], &areas[here + 1]);
    assert_eq!((before.1, before.2.as_str()), (*start, "---p"), "guard page before");
    assert_eq!((after.0, after.2.as_str()), (*end, "---p"), "guard page after");
}

#[test]
fn the_first_block_locks_a_region_of_the_default_size() {
    alone("the_first_block_locks_a_region_of_the_default_size", || {
        let before = status_kib("VmLck:");
        assert_eq!(stats().capacity_bytes, 0);
        let _block = Block::new(1);
        assert_eq!(stats().capacity_bytes, DEFAULT_REGION_BYTES);
        assert_eq!(status_kib("VmLck:") - before, DEFAULT_REGION_BYTES / 1024);
    });
}

#[test]
fn stats_count_blocks_by_their_class() {
    alone("stats_count_blocks_by_their_class", || {
        let blocks = [Block::new(1), Block::new(33), Block::new(8192)];
        assert_eq!((stats().blocks, stats().used_bytes), (3, 32 + 64 + 8192));
        drop(blocks);
        assert_eq!((stats().blocks, stats().used_bytes), (0, 0));
    });
}

#[test]
fn a_full_arena_grows_by_a_further_locked_region() {
    alone("a_full_arena_grows_by_a_further_locked_region", || {
        init(64 * 1024).unwrap();
        let blocks: Vec<Block> = (0..20).map(|_| Block::new(8192)).collect();
        assert_eq!(stats().capacity_bytes, 3 * 64 * 1024);
        assert_eq!(status_kib("VmLck:"), 3 * 64);
        assert_disjoint(blocks.iter());
        drop(blocks);
        let again: Vec<Block> = (0..6 * 1024).map(|_| Block::new(32)).collect();
        assert_eq!(stats().capacity_bytes, 3 * 64 * 1024, "freed slots are used before it grows");
        drop(again);
        let _large: Vec<Block> = (0..24).map(|_| Block::new(8192)).collect();
        assert_eq!(stats().capacity_bytes, 3 * 64 * 1024, "small slots merge before it grows");
    });
}

#[test]
fn init_twice_is_an_error_only_if_the_size_differs() {
    alone("init_twice_is_an_error_only_if_the_size_differs", || {
        init(100_000).unwrap();
        init(100_000).unwrap();
        init(106_496).unwrap();
        let refused = init(200_000).unwrap_err();
        assert!(
            matches!(
                refused,
                InitFailed::AlreadyInitialised { in_force_bytes: 106_496, asked_bytes: 204_800 }
            ),
            "{refused}"
        );
        assert_eq!(stats().capacity_bytes, 106_496);
    });
}

#[test]
fn an_absurd_size_is_an_error_and_leaves_no_region() {
    alone("an_absurd_size_is_an_error_and_leaves_no_region", || {
        for bytes in [usize::MAX, usize::MAX - 8191, usize::MAX / 2] {
            assert!(matches!(init(bytes), Err(InitFailed::MapRefused { .. })));
        }
        assert_eq!(stats().capacity_bytes, 0);
        init(8192).unwrap();
    });
}

#[test]
fn a_refused_lock_names_the_limit_and_what_is_needed() {
    alone("a_refused_lock_names_the_limit_and_what_is_needed", || {
        lower_memlock(64 * 1024);
        let refused = init(1024 * 1024).unwrap_err();
        let InitFailed::LockRefused { soft_limit_bytes, needed_bytes, .. } = &refused else {
            panic!("{refused}");
        };
        assert_eq!((*soft_limit_bytes, *needed_bytes), (64 * 1024, 1024 * 1024));
        let said = refused.to_string();
        for word in ["RLIMIT_MEMLOCK", "65536", "ulimit -l 1024", "LimitMEMLOCK=1048576"] {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!((stats().capacity_bytes, status_kib("VmLck:")), (0, 0));
        init(32 * 1024).unwrap();
    });
}

#[test]
fn a_block_that_the_kernel_refuses_panics_and_the_arena_goes_on() {
    alone("a_block_that_the_kernel_refuses_panics_and_the_arena_goes_on", || {
        lower_memlock(64 * 1024);
        init(64 * 1024).unwrap();
        let mut blocks: Vec<Block> = (0..8).map(|_| Block::new(8192)).collect();
        let refused = std::panic::catch_unwind(|| Block::new(1)).unwrap_err();
        let said = refused.downcast_ref::<String>().unwrap();
        assert!(said.contains("RLIMIT_MEMLOCK") && said.contains("131072"), "{said}");
        blocks.pop();
        assert_eq!(Block::new(1).len(), 1);
        assert_eq!(stats().blocks, 7);
    });
}

#[test]
fn a_hardened_process_leaves_no_core_and_is_not_dumpable() {
    alone("a_hardened_process_leaves_no_core_and_is_not_dumpable", || {
        harden_process().unwrap();
        let limits = fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let values: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(values, ["0", "0"]);
        // SAFETY: PR_GET_DUMPABLE takes and returns integers only.
        assert_eq!(unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) }, 0);
        harden_process().unwrap();
    });
}

/// Sets `RLIMIT_MEMLOCK` and gives up root, which would be above the limit.
fn lower_memlock(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is live and initialised; ids are integers; the process is this test's own.
    unsafe {
        assert_eq!(libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit), 0);
        if libc::geteuid() == 0 {
            assert_eq!(libc::setresuid(65534, 65534, 65534), 0);
            assert_eq!(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
        }
    }
}
