//! What attributes may not say: a secret that prints itself, an exception without its reason.

use crate::tidy::Finding;
use crate::tidy::source::{Source, find_all, is_word, line_at};

/// What a secret must not derive, and why it must be written by hand or not exist.
const FORBIDDEN: [&str; 9] =
    ["Debug", "Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Serialize"];

/// Last words of a name that speaks about a secret and does not hold one.
const ABOUT: [&str; 8] = ["Id", "Name", "Kind", "State", "Policy", "Version", "Path", "Label"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let masked = source.masked();
    let derives = find_all(&masked, "#[derive(").into_iter();
    let mut findings: Vec<_> = derives.flat_map(|start| check_derive(&masked, start)).collect();
    let expects = [find_all(&masked, "#[expect("), find_all(&masked, "#![expect(")].concat();
    findings.extend(expects.into_iter().filter_map(|start| check_expect(&masked, start)));
    findings
}

fn check_expect(masked: &[char], start: usize) -> Option<Finding> {
    let text: String = masked[start..].iter().collect();
    let (attribute, _) = text.split_once(")]")?;
    let problem = "`#[expect]` without a reason: say why the lint is wrong here";
    (!attribute.contains("reason =")).then(|| Finding::new(line_at(masked, start) + 1, problem))
}

fn check_derive(masked: &[char], start: usize) -> Vec<Finding> {
    let text: String = masked[start..].iter().collect();
    let Some((list, item)) = text.split_once(")]") else { return Vec::new() };
    let Some(name) = type_name(item).filter(|name| holds_secret(name)) else { return Vec::new() };
    let line = line_at(masked, start) + 1;
    list.trim_start_matches("#[derive(")
        .split(',')
        .filter_map(|path| path.rsplit("::").next())
        .map(str::trim)
        .filter(|derived| FORBIDDEN.contains(derived))
        .map(|derived| {
            let problem = format!(
                "`{name}` derives {derived}: a redacting Debug by hand, constant-time comparison, \
                 and no other way out"
            );
            Finding::new(line, problem)
        })
        .collect()
}

/// The name of the type that the text after a derive defines.
fn type_name(item: &str) -> Option<&str> {
    let mut rest = item.trim_start();
    while let Some(attribute) = rest.strip_prefix("#[") {
        rest = attribute.split_once("]")?.1.trim_start();
    }
    let keyword = ["struct ", "enum "].iter().filter_map(|word| rest.find(word)).min()?;
    let name = rest[keyword..].split_once(' ')?.1;
    let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
    Some(&name[..end])
}

fn holds_secret(name: &str) -> bool {
    let is_secret = name.starts_with("Secret") || name.ends_with("Secret");
    is_secret && !ABOUT.iter().any(|about| name.ends_with(about))
}
