//! The report as one page.

use super::outcome::Outcome;

/// The page.
pub(super) fn page(outcome: &Outcome) -> String {
    let table = escape(&outcome.table());
    let title = escape(&format!("{}: {}", outcome.facts.scenario, outcome.facts.target));
    format!("<!doctype html>\n<meta charset=utf-8><title>{title}</title>\n<pre>{table}</pre>\n")
}

/// For text between tags and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
