//! Checks members against the shapes of AWS's model and says what is wrong in AWS's words.
//!
//! Invariant: all members are checked before the request is refused, in the order of the checks;
//! the value of a member that may be secret is never repeated. These are the wire's bounds and no
//! rules of ours: those are the service's.

use super::unread::Unread;

/// Collects what is wrong with one request.
#[derive(Debug, Default)]
pub(super) struct Shape {
    problems: Vec<String>,
}

impl Shape {
    /// A member that is absent and must not be.
    pub(super) fn missing(&mut self, member: &str) {
        self.problem(&format!("Value null at '{member}'"), "Member must not be null");
    }

    /// A text's length in characters.
    pub(super) fn length(&mut self, member: &str, value: &str, min: usize, max: usize) {
        let at = || format!("Value '{value}' at '{member}'");
        self.bounds(at, value.chars().count(), min, max);
    }

    /// A length in bytes of what must not be repeated.
    pub(super) fn hidden_length(&mut self, member: &str, len: usize, min: usize, max: usize) {
        self.bounds(|| format!("Value at '{member}'"), len, min, max);
    }

    /// A number.
    pub(super) fn number(&mut self, member: &str, value: i64, min: i64, max: i64) {
        let at = format!("Value '{value}' at '{member}'");
        if value < min {
            let rule = format!("Member must have value greater than or equal to {min}");
            self.problem(&at, &rule);
        }
        if value > max {
            self.problem(&at, &format!("Member must have value less than or equal to {max}"));
        }
    }

    /// One of a set of names.
    pub(super) fn one_of(&mut self, member: &str, value: &str, names: &[&str]) {
        if !names.contains(&value) {
            let rule = format!("Member must satisfy enum value set: [{}]", names.join(", "));
            self.problem(&format!("Value '{value}' at '{member}'"), &rule);
        }
    }

    /// A text of bytes that are all `lawful`; `pattern` says so in AWS's words.
    pub(super) fn pattern(
        &mut self,
        member: &str,
        value: &str,
        pattern: &str,
        lawful: impl Fn(u8) -> bool,
    ) {
        if !value.is_empty() && !value.bytes().all(lawful) {
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            self.problem(&format!("Value '{value}' at '{member}'"), &rule);
        }
    }

    /// Refuses if anything was wrong.
    pub(super) fn finish(self) -> Result<(), Unread> {
        let count = self.problems.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        let problems = self.problems.join("; ");
        Err(Unread::validation(format!("{count} validation {errors} detected: {problems}")))
    }

    /// `at` is written for what is wrong alone: nearly nothing is.
    fn bounds(&mut self, at: impl FnOnce() -> String, len: usize, min: usize, max: usize) {
        if len < min {
            self.problem(&at(), &format!("Member must have length greater than or equal to {min}"));
        } else if len > max {
            self.problem(&at(), &format!("Member must have length less than or equal to {max}"));
        }
    }

    fn problem(&mut self, at: &str, rule: &str) {
        self.problems.push(format!("{at} failed to satisfy constraint: {rule}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(check: impl FnOnce(&mut Shape)) -> Option<String> {
        let mut shape = Shape::default();
        check(&mut shape);
        shape.finish().err().map(|unread| unread.exception().message.unwrap())
    }

    #[test]
    fn problems_read_as_aws_writes_them() {
        let one = "1 validation error detected: ";
        let at = " failed to satisfy constraint: Member must ";
        let cases = [
            (
                message(|s| s.number("numberOfBytes", 1025, 1, 1024)),
                format!(
                    "{one}Value '1025' at 'numberOfBytes'{at}have value less than or equal to 1024"
                ),
            ),
            (
                message(|s| s.number("limit", 0, 1, 1000)),
                format!("{one}Value '0' at 'limit'{at}have value greater than or equal to 1"),
            ),
            (message(|s| s.missing("keyId")), format!("{one}Value null at 'keyId'{at}not be null")),
            (
                message(|s| s.length("keyId", "", 1, 2048)),
                format!("{one}Value '' at 'keyId'{at}have length greater than or equal to 1"),
            ),
            (
                message(|s| s.hidden_length("plaintext", 4097, 1, 4096)),
                format!("{one}Value at 'plaintext'{at}have length less than or equal to 4096"),
            ),
            (
                message(|s| s.one_of("keySpec", "AES_512", &["AES_256", "AES_128"])),
                format!(
                    "{one}Value 'AES_512' at 'keySpec'{at}satisfy enum value set: [AES_256, AES_128]"
                ),
            ),
        ];
        for (found, want) in cases {
            assert_eq!(found, Some(want));
        }
    }

    #[test]
    fn several_problems_are_counted_and_none_is_no_refusal() {
        let two = message(|s| {
            s.missing("keyId");
            s.hidden_length("plaintext", 0, 1, 4096);
        });
        let two = two.unwrap();
        assert!(two.starts_with("2 validation errors detected: Value null at 'keyId'"), "{two}");
        assert!(two.contains("; Value at 'plaintext' failed"), "{two}");
        assert_eq!(message(|s| s.length("description", "äöü", 0, 3)), None);
    }
}
