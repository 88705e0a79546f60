//! Words and bytes agree with BIP-39; what people do to a text is forgiven or named by its line.

use keystead_crypto::Entropy;

use super::*;

fn printed() -> PrintedSecret {
    let entropy = Entropy::seeded(3);
    PrintedSecret::random(&entropy, KitId::from_bytes([7; 16]))
}

fn refused(text: &str) -> PrintedRefused {
    PrintedSecret::parse(text).unwrap_err()
}

fn edited(edit: impl Fn(&mut Vec<Vec<String>>)) -> String {
    let file = printed().to_file();
    let mut lines: Vec<Vec<String>> =
        file.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect();
    edit(&mut lines);
    lines.iter().map(|line| line.join(" ") + "\n").collect()
}

fn line(line: usize, problem: LineProblem) -> PrintedRefused {
    PrintedRefused::Line { line, problem }
}

#[test]
fn the_words_are_those_of_bip_39() {
    for seed in 0..20 {
        let printed = PrintedSecret::random(&Entropy::seeded(seed), KitId::from_bytes([1; 16]));
        let theirs = printed.secret().expose(|bytes| bip39::Mnemonic::from_entropy(bytes).unwrap());
        let ours: Vec<&str> =
            printed.lines().iter().flat_map(|line| line[..WORDS_PER_LINE].to_vec()).collect();
        assert_eq!(theirs.words().collect::<Vec<_>>(), ours);
        let read = PrintedSecret::parse(&printed.to_file()).unwrap();
        assert!(read.secret().same_as(printed.secret()));
        assert_eq!(read.kit(), printed.kit());
    }
}

#[test]
fn what_people_do_to_a_text_is_forgiven() {
    let same = |text: &str| {
        let read = PrintedSecret::parse(text).expect(text);
        assert!(read.secret().same_as(printed().secret()));
    };
    let file = printed().to_file();
    same(&file.to_uppercase());
    same(&file.replace(' ', " \t  ").replace('\n', "\r\n\r\n"));
    same(&format!("\n\n  {}", &*file));
    let numbered = |mark: &'static str| {
        edited(|lines| lines.iter_mut().skip(1).for_each(|line| line[0].push_str(mark)))
    };
    [".", ":", ")"].iter().for_each(|mark| same(&numbered(mark)));
    same(&edited(|lines| lines.iter_mut().skip(1).for_each(|line| drop(line.remove(0)))));
    same(&edited(|lines| {
        for word in lines.iter_mut().skip(1).flatten() {
            word.truncate(4);
        }
    }));
}

#[test]
fn a_mistake_is_named_by_its_line() {
    let swap_word = |at: usize| {
        edited(|lines| {
            let word = if lines[2][at] == "zoo" { "abandon" } else { "zoo" };
            word.clone_into(&mut lines[2][at]);
        })
    };
    for at in 1..=7 {
        assert_eq!(refused(&swap_word(at)), line(2, LineProblem::CheckWord), "{at}");
    }
    let misspelt = edited(|lines| "zzzz".clone_into(&mut lines[3][5]));
    assert_eq!(refused(&misspelt), line(3, LineProblem::UnknownWord { position: 5 }));
    let ambiguous = edited(|lines| "ab".clone_into(&mut lines[1][7]));
    assert_eq!(refused(&ambiguous), line(1, LineProblem::UnknownWord { position: 7 }));
    let short = edited(|lines| drop(lines[4].pop()));
    assert_eq!(refused(&short), line(4, LineProblem::WordCount { found: 6 }));
    let misnumbered = edited(|lines| "3".clone_into(&mut lines[1][0]));
    assert_eq!(refused(&misnumbered), line(1, LineProblem::Number));
    let exchanged = edited(|lines| {
        lines.swap(1, 2);
        "1".clone_into(&mut lines[1][0]);
        "2".clone_into(&mut lines[2][0]);
    });
    assert_eq!(refused(&exchanged), line(1, LineProblem::CheckWord));
    assert_eq!(refused(&edited(|l| drop(l.pop()))), PrintedRefused::LineCount { found: 3 });
    assert_eq!(refused(""), PrintedRefused::KitLine);
    assert_eq!(refused(&edited(|l| drop(l.remove(0)))), PrintedRefused::KitLine);
}

#[test]
fn pages_of_two_kits_are_told_apart() {
    let kit = KitId::from_bytes([8; 16]);
    let renamed = edited(|lines| lines[0][0] = kit.to_string());
    assert_eq!(refused(&renamed), PrintedRefused::OtherKit { kit });
    let other = PrintedSecret::random(&Entropy::seeded(4), kit);
    let other = other.to_file();
    let mixed = edited(|lines| {
        let theirs = other.lines().nth(3).unwrap();
        lines[3] = theirs.split(' ').map(str::to_owned).collect();
    });
    assert_eq!(refused(&mixed), line(3, LineProblem::CheckWord));
}

#[test]
fn lines_of_two_secrets_of_one_kit_meet_the_checksum() {
    let kit = printed().kit();
    let mut met = 0;
    for seed in 10..14 {
        let other = PrintedSecret::random(&Entropy::seeded(seed), kit).to_file();
        let mixed = edited(|lines| {
            let theirs = other.lines().nth(2).unwrap();
            lines[2] = theirs.split(' ').map(str::to_owned).collect();
        });
        met += usize::from(refused(&mixed) == PrintedRefused::Checksum);
    }
    assert_eq!(met, 4);
}

#[test]
fn no_error_and_no_debug_repeats_a_word() {
    let word = printed().lines()[2][4];
    let broken = edited(|lines| "zzzz".clone_into(&mut lines[3][5]));
    let said = format!("{:?} {} {:?}", refused(&broken), refused(&broken), printed());
    assert!(!said.contains(word) && !said.contains("zzzz"));
}
