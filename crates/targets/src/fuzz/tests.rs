//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

#[test]
fn no_text_breaks_an_oracle() {
    drive::run("vault-url", super::vault_url);
    drive::run("vault-name", super::name);
}
