//! One printable page, piece by piece.
//!
//! Invariant: every text that goes in is escaped here and nowhere else; the markup around it is
//! fixed. The buffer is large enough from the start, so that secrets leave no copies in its growth.

use zeroize::Zeroizing;

use super::qr;
use crate::printed::WORDS_PER_LINE;

const CAPACITY_BYTES: usize = 512 * 1024;

const STYLE: &str = "\
@page{size:A4;margin:14mm}\
body{font:11pt/1.4 system-ui,sans-serif;color:#000;background:#fff;max-width:180mm;margin:8mm auto}\
h1{font-size:18pt;margin:0 0 2mm}h2{font-size:13pt;margin:5mm 0 1mm;break-after:avoid}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:1mm 2mm;\
border-bottom:.2mm solid #999;vertical-align:top}\
td,code,pre{font-family:ui-monospace,monospace;overflow-wrap:anywhere}\
th{width:38mm}.words th{width:auto}.words td{font-size:12pt}.check{border-left:.4mm solid #000}\
pre{white-space:pre-wrap;border:.3mm solid #000;padding:2mm;margin:2mm 0}\
figure{margin:4mm 0;break-inside:avoid}svg{width:150mm;max-width:100%;display:block}\
ol,ul{margin:1mm 0;padding-left:6mm}";

/// A page in the making.
pub(super) struct Page(Zeroizing<String>);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let mut page = Self(Zeroizing::new(String::with_capacity(CAPACITY_BYTES)));
        page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
        page.text(title);
        page.raw("</title><style>");
        page.raw(STYLE);
        page.raw("</style></head><body>\n");
        page.element("h1", title);
        page
    }

    pub(super) fn lead(&mut self, text: &str) {
        self.element("p", text);
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.element("h2", text);
    }

    pub(super) fn command(&mut self, command: &str) {
        self.element("pre", command);
    }

    pub(super) fn facts(&mut self, facts: &[(&str, &str)]) {
        self.raw("<table>");
        for (name, value) in facts {
            self.raw("<tr>");
            self.element("th", name);
            self.element("td", value);
            self.raw("</tr>");
        }
        self.raw("</table>\n");
    }

    pub(super) fn steps(&mut self, steps: &[&str]) {
        self.items("ol", steps);
    }

    pub(super) fn notes(&mut self, notes: &[&str]) {
        self.items("ul", notes);
    }

    pub(super) fn words(&mut self, lines: &[[&str; WORDS_PER_LINE + 1]]) {
        self.raw("<table class=\"words\"><tr><th>Line</th><th colspan=\"6\">Words</th>");
        self.raw("<th>Check</th></tr>");
        for (line, words) in lines.iter().enumerate() {
            self.raw("<tr>");
            self.element("th", &(line + 1).to_string());
            for (at, word) in words.iter().enumerate() {
                self.raw(if at == WORDS_PER_LINE { "<td class=\"check\">" } else { "<td>" });
                self.text(word);
                self.raw("</td>");
            }
            self.raw("</tr>");
        }
        self.raw("</table>\n");
    }

    /// A QR code of `text`, or the text itself where no code can hold it.
    pub(super) fn code(&mut self, text: &str, caption: &str) {
        match qr::svg(text) {
            Some(svg) => {
                self.raw("<figure>");
                self.raw(&svg);
                self.element("figcaption", caption);
                self.raw("</figure>\n");
            }
            None => self.element("pre", text),
        }
    }

    pub(super) fn finish(mut self) -> Zeroizing<String> {
        self.raw("</body></html>\n");
        self.0
    }

    fn items(&mut self, list: &str, items: &[&str]) {
        self.raw(&format!("<{list}>"));
        for item in items {
            self.element("li", item);
        }
        self.raw(&format!("</{list}>\n"));
    }

    fn element(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.text(text);
        self.raw(&format!("</{name}>"));
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }
}
