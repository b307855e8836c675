//! The project's source files, and what is code in them.

use std::path::{Path, PathBuf};

/// The checkout's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// One file.
#[derive(Clone)]
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All Rust files of the workspace.
pub(crate) fn rust() -> Vec<Source> {
    find(&["rs"])
}

/// All hand-written files of the web folder.
pub(crate) fn web() -> Vec<Source> {
    let mut all = find(&["ts", "tsx", "mjs", "css"]);
    all.retain(|source| source.path.starts_with("web/") && !source.path.contains(".gen."));
    all
}

fn find(extensions: &[&str]) -> Vec<Source> {
    const NOT_OURS: &[&str] = &["target", "node_modules", "dist", "data", "test-artifacts"];
    let (root, mut found, mut folders) = (root(), Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if name.starts_with('.') || NOT_OURS.contains(&name.as_ref()) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| extensions.iter().any(|one| end == *one)) {
                let relative = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                // A file may be gone again: editors and generators write beside us.
                if let Ok(text) = std::fs::read_to_string(&path) {
                    found.push(Source { path: relative, text });
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no source file found");
    found
}

impl Source {
    pub(crate) fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        Self { path: path.to_owned(), text }
    }

    /// A file of tests, by its name or folder.
    pub(crate) fn is_test(&self) -> bool {
        let path = format!("/{}", self.path);
        ["/tests/", "/tests.rs", "_tests.rs", ".test.", "/e2e/", "/benches/"]
            .iter()
            .any(|part| path.contains(part))
    }

    /// The file up to its inline test module.
    pub(crate) fn without_tests(&self) -> Self {
        let lines: Vec<&str> = self.text.lines().collect();
        let begin = lines.windows(2).position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        });
        let kept = lines.iter().take(begin.unwrap_or(lines.len()));
        let text = kept.flat_map(|line| [line, "\n"]).collect();
        Self { path: self.path.clone(), text }
    }

    pub(crate) fn lines_without_tests(&self) -> usize {
        self.without_tests().text.lines().count()
    }

    pub(crate) fn code_line_count(&self) -> usize {
        self.text.lines().filter(|line| !code(line).trim().is_empty()).count()
    }

    /// `path:line: text` of each line that contains one of `words`.
    pub(crate) fn lines_with(&self, words: &[&str]) -> Vec<String> {
        self.matching(words, |line| line.to_owned())
    }

    /// The same, comments and string literals left out.
    pub(crate) fn code_lines_with(&self, words: &[&str]) -> Vec<String> {
        self.matching(words, code)
    }

    fn matching(&self, words: &[&str], of: fn(&str) -> String) -> Vec<String> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, line)| words.iter().any(|word| of(line).contains(word)))
            .map(|(at, line)| format!("{}:{}: {}", self.path, at + 1, line.trim()))
            .collect()
    }
}

/// A line without what stands in quotation marks and after `//`. Good enough for our own sources:
/// rustfmt leaves no block comments in the middle of code.
fn code(line: &str) -> String {
    let mut out = String::new();
    let (mut quoted, mut chars) = (false, line.chars().peekable());
    while let Some(next) = chars.next() {
        match next {
            '\\' if quoted => drop(chars.next()),
            '"' => quoted = !quoted,
            '/' if !quoted && chars.peek() == Some(&'/') => break,
            other if !quoted => out.push(other),
            _ => {}
        }
    }
    out
}

#[test]
fn code_is_told_from_comments_and_strings() {
    assert_eq!(code("let a = 1; // unsafe"), "let a = 1; ");
    assert_eq!(code("say(\"unsafe \\\" //\"); b"), "say(); b");
}

#[test]
fn inline_tests_are_cut_off() {
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n".to_owned();
    let source = Source { path: "x.rs".into(), text };
    assert_eq!(source.lines_without_tests(), 2);
}
