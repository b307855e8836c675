use super::*;
use weir_wire::payload::{av1, h264};

fn ivf(name: &[u8; 4], frames: &[&[u8]]) -> Vec<u8> {
    let mut out = b"DKIF\0\0\x20\0".to_vec();
    out.extend(name);
    out.extend([0x80, 2, 0x68, 1]);
    out.extend(25_u32.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.resize(32, 0);
    for frame in frames {
        out.extend((frame.len() as u32).to_le_bytes());
        out.extend([0; 8]);
        out.extend(*frame);
    }
    out
}

fn payloads(recording: &Recording, codec: Codec, number: u32) -> Vec<Vec<u8>> {
    let shape = Shape { codec, temporal_layers: 1, width: 0, height: 0 };
    let sample = recording.sample(number);
    let frame = Frame { sample: sample.number, parts: sample.parts, ..Frame::default() };
    let payload = |part| {
        let mut out = Vec::new();
        recording.payload(&shape, &frame, part, &mut out);
        out
    };
    (0..sample.parts).map(payload).collect()
}

#[test]
fn an_ivf_file_loops_with_its_own_rate() {
    let key = vec![0x10; 3_000];
    let recording = read(ivf(b"VP80", &[&key, &[0x11, 2]]), Codec::Vp8).unwrap();
    assert_eq!(recording.interval, Some(Duration::from_millis(40)));
    let kinds: Vec<bool> = (0..4).map(|n| recording.sample(n).key).collect();
    assert_eq!(kinds, [true, false, true, false]);
    let all = payloads(&recording, Codec::Vp8, 2);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [1_006; 3]);
    assert!(read(ivf(b"VP90", &[&key]), Codec::Vp8).unwrap_err().contains("VP90"));
    assert!(read(b"RIFF".to_vec(), Codec::Vp8).is_err());
}

#[test]
fn av1_obus_lose_delimiter_and_size() {
    let mut unit = vec![0x12, 0x00, 0x0a, 0x02, 7, 8, 0x32];
    unit.extend([0xd0, 0x0f]);
    unit.extend([9; 2_000]);
    let recording = read(ivf(b"AV01", &[&unit]), Codec::Av1).unwrap();
    assert!(recording.sample(0).key);
    let all = payloads(&recording, Codec::Av1, 0);
    assert_eq!(all[0], [0x18, 0x08, 7, 8]);
    assert_eq!(all[1][..3], [0x50, 0x30, 9]);
    assert_eq!(all[2][..2], [0x90, 9]);
    assert_eq!(all.iter().skip(1).map(Vec::len).sum::<usize>(), 2_000 + 3);
    assert!(av1::parse(&all[0]).unwrap().key_frame());
    assert!(av1::parse(&all[2]).unwrap().continuation);
}

#[test]
fn annex_b_is_cut_into_pictures() {
    let mut file = vec![0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x67, 66, 0, 0, 1, 0x68, 3];
    file.extend([0, 0, 1, 0x65, 0x88]);
    file.extend([5; 2_500]);
    file.extend([0, 0, 1, 9, 0x10, 0, 0, 1, 0x41, 0x9a, 1]);
    let recording = read(file, Codec::H264).unwrap();
    assert_eq!(recording.frames.len(), 2);
    let key = payloads(&recording, Codec::H264, 0);
    assert_eq!(key.len(), 5);
    assert_eq!((&key[0], &key[1]), (&vec![0x67, 66], &vec![0x68, 3]));
    assert!(h264::parse(&key[2]).unwrap().idr && h264::parse(&key[4]).unwrap().fragment_end);
    assert_eq!(payloads(&recording, Codec::H264, 1), [vec![0x41, 0x9a, 1]]);
    assert!(read(vec![1, 2, 3], Codec::H264).is_err());
}

#[test]
fn opus_packets_come_out_of_ogg_pages() {
    let page = |segments: &[u8], body: &[u8]| {
        let mut out = b"OggS".to_vec();
        out.resize(26, 0);
        out.push(segments.len() as u8);
        out.extend(segments);
        out.extend(body);
        out
    };
    let mut long = vec![0xfc; 255];
    long.extend([1; 5]);
    let head = page(&[8], b"OpusHead");
    let file =
        [head, page(&[8], b"OpusTags"), page(&[3, 255, 5], &[&[0xfc, 1, 2], &long[..]].concat())];
    let recording = read(file.concat(), Codec::Opus).unwrap();
    assert_eq!(payloads(&recording, Codec::Opus, 0), [vec![0xfc, 1, 2]]);
    assert_eq!(payloads(&recording, Codec::Opus, 1), [long]);
    assert!(read(page(&[3], b"abc"), Codec::Opus).is_err());
}

#[test]
fn a_recorded_payload_is_known_by_its_end() {
    let mut sent = Sent::default();
    let mut payload = vec![7; 300];
    sent.note(&payload, 1_000);
    sent.note(&payload, 5_000);
    payload[0] = 9;
    assert_eq!(sent.find(&payload, 6_000), Some(5_000));
    assert_eq!(sent.find(&payload, 2_000), Some(1_000));
    assert_eq!(sent.find(&payload, 500), None);
    sent.note(&[1; 60], 20_000_000);
    sent.note(&[2; 60], 40_000_000);
    assert_eq!(sent.find(&payload, 50_000_000), None, "forgotten");
    payload[299] = 1;
    assert_eq!(sent.find(&payload, 6_000), None);
}
