//! Asks a person on a terminal.
//!
//! Invariant: a secret is typed without echo, a new one twice; a prompt goes to standard error and
//! never to standard output, where another program may read the answer of the command.

use std::io::{self, BufRead, IsTerminal, Write};

use keystead_archive::generate_passphrase;
use keystead_crypto::Entropy;
use zeroize::Zeroizing;

use crate::secrets::{IntakeRefused, SecretText, Use};

/// Who can be asked: a person, or the script of a test.
pub(crate) trait Questions {
    /// Whether anybody answers.
    fn answers(&self) -> bool;

    /// One line, without its newline.
    fn line(&mut self, prompt: &str) -> io::Result<String>;

    /// One line that is not shown while it is typed.
    fn hidden(&mut self, prompt: &str) -> io::Result<Zeroizing<String>>;

    /// Tells something between questions.
    fn tell(&mut self, text: &str) -> io::Result<()>;
}

/// The terminal of this process.
#[derive(Debug)]
pub(crate) struct Terminal;

impl Questions for Terminal {
    fn answers(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn line(&mut self, prompt: &str) -> io::Result<String> {
        self.tell(prompt)?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim().to_owned())
    }

    fn hidden(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        self.tell(prompt)?;
        rpassword::read_password().map(Zeroizing::new)
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        let mut stderr = io::stderr().lock();
        stderr.write_all(text.as_bytes())?;
        stderr.flush()
    }
}

impl dyn Questions + '_ {
    /// The answer, or `default` where it is empty.
    pub(crate) fn line_or(&mut self, prompt: &str, default: &str) -> Result<String, IntakeRefused> {
        let answer = self.line(&format!("{prompt} [{default}]: ")).map_err(failed)?;
        Ok(if answer.is_empty() { default.to_owned() } else { answer })
    }

    /// A secret that exists; asked once.
    pub(crate) fn secret(
        &mut self,
        prompt: &str,
        use_: Use,
        flag: &'static str,
    ) -> Result<SecretText, IntakeRefused> {
        if !self.answers() {
            return Err(IntakeRefused::NoTerminal { what: use_.what(), flag });
        }
        let text = self.hidden(&format!("{prompt}: ")).map_err(failed)?;
        let secret = SecretText::new(text);
        use_.check(&secret, "the terminal")?;
        Ok(secret)
    }

    /// A new passphrase: typed twice, or made and shown where the answer is empty.
    pub(crate) fn new_passphrase(
        &mut self,
        prompt: &str,
        entropy: &Entropy,
    ) -> Result<SecretText, IntakeRefused> {
        let first = self.hidden(&format!("{prompt} (empty: make one): ")).map_err(failed)?;
        if first.is_empty() {
            let made = SecretText::new(generate_passphrase(entropy));
            made.expose(|text| self.tell(&shown(text))).map_err(failed)?;
            return Ok(made);
        }
        let first = SecretText::new(first);
        Use::NewPassphrase.check(&first, "the terminal")?;
        let second = SecretText::new(self.hidden("The same again: ").map_err(failed)?);
        if first.repeats(&second) { Ok(first) } else { Err(IntakeRefused::Differ) }
    }
}

/// A person must see it once; the terminal is the one place where a secret is shown.
fn shown(text: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("\n    {text}\n\nWrite it down now; it is not shown again.\n"))
}

fn failed(source: io::Error) -> IntakeRefused {
    IntakeRefused::Terminal { source }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Answers in order and remembers what it was asked.
    #[derive(Debug, Default)]
    pub(crate) struct Script {
        pub(crate) answers: VecDeque<&'static str>,
        pub(crate) asked: Vec<String>,
        pub(crate) told: Vec<String>,
    }

    impl Script {
        pub(crate) fn of(answers: impl IntoIterator<Item = &'static str>) -> Self {
            Self { answers: answers.into_iter().collect(), ..Self::default() }
        }
    }

    impl Questions for Script {
        fn answers(&self) -> bool {
            true
        }

        fn line(&mut self, prompt: &str) -> io::Result<String> {
            self.asked.push(prompt.to_owned());
            self.answers.pop_front().map(str::to_owned).ok_or(io::ErrorKind::UnexpectedEof.into())
        }

        fn hidden(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
            self.line(prompt).map(Zeroizing::new)
        }

        fn tell(&mut self, text: &str) -> io::Result<()> {
            self.told.push(text.to_owned());
            Ok(())
        }
    }

    fn asked(answers: &[&'static str]) -> (Result<SecretText, IntakeRefused>, Script) {
        let mut script = Script::of(answers.iter().copied());
        let questions: &mut dyn Questions = &mut script;
        (questions.new_passphrase("Passphrase", &Entropy::os()), script)
    }

    #[test]
    fn a_new_passphrase_is_typed_twice() {
        let strong = "gravel-otter-lunar-sphinx-mend";
        let (given, script) = asked(&[strong, strong]);
        assert_eq!(given.unwrap().expose(str::to_owned), strong);
        assert_eq!((script.asked.len(), script.told.len()), (2, 0));
        assert!(matches!(asked(&[strong, "other"]).0, Err(IntakeRefused::Differ)));
        assert!(matches!(asked(&["weak"]).0, Err(IntakeRefused::Weak(_))));
        assert!(matches!(asked(&[]).0, Err(IntakeRefused::Terminal { .. })));
    }

    #[test]
    fn an_empty_answer_makes_one_and_shows_it_once() {
        let (made, script) = asked(&[""]);
        let text = made.unwrap().expose(str::to_owned);
        assert_eq!(script.told.len(), 1);
        assert!(script.told[0].contains(&text) && text.split('-').count() == 7);
    }
}
