use super::super::RunFacts;
use super::super::fixture::{facts, run};
use super::*;

#[test]
fn the_page_holds_everything_and_loads_nothing() {
    let page = Outcome::of(&facts(), &run(11, 10)).html();
    assert!(page.contains("<title>one_to_many: weir ws://127.0.0.1:8080/ws</title>"));
    assert!(!page.contains("{{") && !page.contains("}}\n"), "a place was not filled");
    for loading in ["src=", "href=", "@import", "url(", "fetch(", "import("] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn what_others_chose_cannot_break_out_of_the_page() {
    let nasty = "</script><script>alert(1)</script><!-- {{script}}";
    let facts = RunFacts {
        scenario: nasty.to_owned(),
        target: nasty.to_owned(),
        failures: vec![(nasty.to_owned(), 1)],
        ..facts()
    };
    let page = Outcome::of(&facts, &run(2, 1)).html();
    assert!(!page.contains("<script>alert") && !page.contains("<!-- "));
    // Ours: its data and itself.
    assert_eq!(page.matches("</script>").count(), 2);
}
