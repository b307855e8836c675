//! RFC 3264 6: an m-line we can do nothing with gets port 0; the others are answered.
mod common;

use common::{AUDIO, HEAD, VIDEO, answer, raw};

fn ports(offer: &str) -> Vec<(String, bool)> {
    let told = raw(&answer(offer));
    let names = told.media_descriptions.iter().map(|media| &media.media_name);
    names.map(|name| (name.media.clone(), name.port.value != 0)).collect()
}

#[test]
fn and_keep_their_place_and_name() {
    for name in ["foo", "text", "message", "image", "x-data+1"] {
        let foreign = format!("m={name} 9 UDP/XYZ whatever\r\nc=IN IP4 0.0.0.0\r\na=mid:f\r\n");
        for (at, offer) in [
            (
                0,
                format!(
                    "{HEAD}a=group:BUNDLE a v\r\n{foreign}{AUDIO}a=mid:a\r\n{VIDEO}a=mid:v\r\n"
                ),
            ),
            (
                1,
                format!(
                    "{HEAD}a=group:BUNDLE a v\r\n{AUDIO}a=mid:a\r\n{foreign}{VIDEO}a=mid:v\r\n"
                ),
            ),
            (
                2,
                format!(
                    "{HEAD}a=group:BUNDLE a v f\r\n{AUDIO}a=mid:a\r\n{VIDEO}a=mid:v\r\n{foreign}"
                ),
            ),
        ] {
            let text = answer(&offer);
            let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
            assert_eq!(lines.len(), 3);
            assert_eq!(lines[at], format!("m={name} 0 UDP/XYZ whatever"), "{text}");
            assert!(text.contains("a=group:BUNDLE a v\r\n"), "{text}");
            assert!(text.contains("a=mid:f"), "{text}");
        }
    }
}

#[test]
fn several_of_them_do_no_harm() {
    let foreign = "m=foo 9 RTP/AVP 0\r\n";
    let offer = format!("{HEAD}{foreign}{foreign}{AUDIO}");
    let wanted = [("application", false), ("application", false), ("audio", true)];
    let wanted = wanted.map(|(name, accepted)| (name.to_owned(), accepted));
    assert_eq!(ports(&offer), wanted);
}
