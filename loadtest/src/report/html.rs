//! The report as one page: its figures as JSON, a script that draws them, and the table for those without scripts.
//! Nothing is loaded; the page's own policy (CSP) forbids it.

use super::outcome::Outcome;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page.
pub(super) fn page(outcome: &Outcome) -> String {
    let title = format!("{}: {}", outcome.facts.scenario, outcome.facts.target);
    let figures = serde_json::to_string(outcome).unwrap_or_else(|error| {
        unreachable!("an outcome is serializable: {error}");
    });
    fill(&[
        ("style", STYLE),
        ("script", SCRIPT),
        ("title", &escape(&title)),
        ("table", &escape(&outcome.table())),
        // No end tag and no comment in a script's data, whatever a scenario is called.
        ("outcome", &figures.replace('<', "\\u003c")),
    ])
}

/// Puts values where the page names them, once and not within each other.
fn fill(values: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut parts = PAGE.split("{{");
    page.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        let value = values.iter().find(|(known, _)| *known == name);
        page.push_str(value.map_or("", |(_, value)| value));
        page.push_str(rest);
    }
    page
}

/// For text between tags and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
