//! `Allow` of a refused method (RFC 9110 15.5.6), out of the OpenAPI document.

use serde_json::Value;

/// What the pages outside of the document take.
const PAGES: [&str; 5] = ["/", "/docs", "/openapi.json", "/m/{id}", "/assets/{path}"];

/// The methods of each path.
#[derive(Debug)]
pub(crate) struct Methods(Vec<Known>);

#[derive(Debug)]
struct Known {
    /// Segments; `None` takes any.
    path: Vec<Option<String>>,
    allow: String,
}

impl Methods {
    /// Out of the document as it is published.
    pub(crate) fn new(document: &str) -> Self {
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let mut known: Vec<Known> = PAGES.map(|path| Known::new(path, "GET, HEAD".into())).into();
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            let names = operations.as_object().into_iter().flatten().map(|(name, _)| name);
            let mut methods: Vec<String> = names.map(|name| name.to_uppercase()).collect();
            if methods.iter().any(|method| method == "GET") {
                methods.push("HEAD".to_owned());
            }
            methods.sort();
            known.push(Known::new(path, methods.join(", ")));
        }
        // A path that is written out goes before one with parameters, as in routing.
        known.sort_by_key(|known| known.path.iter().filter(|part| part.is_none()).count());
        Self(known)
    }

    /// The value of `Allow` for a path that is served.
    pub(crate) fn of(&self, path: &str) -> Option<&str> {
        let known = self.0.iter().find(|known| known.is(path))?;
        Some(&known.allow)
    }
}

impl Known {
    fn new(path: &str, allow: String) -> Self {
        let part = |part: &str| (!part.starts_with('{')).then(|| part.to_owned());
        Self { path: path.split('/').map(part).collect(), allow }
    }

    fn is(&self, path: &str) -> bool {
        let parts = self.path.iter();
        parts.len() == path.split('/').count()
            && parts
                .zip(path.split('/'))
                .all(|(known, part)| known.as_ref().map_or(!part.is_empty(), |known| known == part))
    }
}
