use super::{vp8::Vp8Descriptor, *};

#[test]
fn vp8_with_all_fields() {
    // X S PID=0; I L T K; 15-bit picture id 4711; TL0PICIDX 200; TID 2, Y, KEYIDX 17.
    let mut payload = vec![0x90, 0xf0, 0x92, 0x67, 200, 0xb1];
    // Key frame tag, start code, 640x360 with scaling bits set.
    payload.extend([0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x81]);
    let d = vp8::parse(&payload).unwrap();
    let expected = Vp8Descriptor {
        partition_start: true,
        picture_id: Some(4711),
        picture_id_bits: 15,
        picture_id_offset: Some(2),
        tl0_pic_idx: Some(200),
        tl0_pic_idx_offset: Some(4),
        temporal_id: Some(2),
        layer_sync: true,
        key_idx: Some(17),
        key_idx_offset: Some(5),
        header_len: 6,
        key_frame: true,
        resolution: Some((640, 360)),
        ..Vp8Descriptor::default()
    };
    assert_eq!(d, expected);
    let facts = d.facts();
    assert!(facts.key_frame && facts.frame_start && facts.layer_sync);
    assert_eq!((facts.picture_id_bits, facts.key_idx), (15, Some(17)));

    vp8::rewrite(&mut payload, &d, Some(0xffff), Some(1), Some(0xff));
    assert_eq!(payload[..6], [0x90, 0xf0, 0xff, 0xff, 1, 0xbf]);
    vp8::rewrite(&mut payload, &d, Some(5), None, None);
    assert_eq!(payload[..6], [0x90, 0xf0, 0x80, 5, 1, 0xbf]);
    let again = vp8::parse(&payload).unwrap();
    assert_eq!((again.picture_id, again.tl0_pic_idx, again.key_idx), (Some(5), Some(1), Some(31)));
}

#[test]
fn vp8_minimal_and_continued() {
    let d = vp8::parse(&[0x10, 0x01]).unwrap();
    assert!(d.frame_start() && !d.key_frame);
    assert_eq!((d.header_len, d.temporal_id, d.picture_id_bits), (1, None, 0));
    // A later partition's first byte says nothing about key frames.
    assert!(!vp8::parse(&[0x11, 0x00]).unwrap().key_frame);
    assert!(!vp8::parse(&[0x00, 0x00]).unwrap().key_frame);
    let mut short_id = [0x80, 0x80, 0x7f, 0x00];
    let d = vp8::parse(&short_id).unwrap();
    assert_eq!((d.picture_id, d.picture_id_bits), (Some(127), 7));
    vp8::rewrite(&mut short_id, &d, Some(0x181), Some(9), Some(9));
    assert_eq!(short_id, [0x80, 0x80, 0x01, 0x00], "what is absent stays absent");
    // K without T: KEYIDX but no temporal layer.
    let d = vp8::parse(&[0x80, 0x10, 0xff, 0x00]).unwrap();
    assert_eq!((d.temporal_id, d.key_idx, d.layer_sync), (None, Some(31), false));
    assert!(vp8::parse(&[0xa0, 0x00, 0x00]).unwrap().non_reference);
    for cut in [&[][..], &[0x90], &[0x90, 0x80], &[0x90, 0x80, 0x80], &[0x90, 0x40], &[0x10]] {
        assert!(vp8::parse(cut).is_err(), "{cut:?}");
    }
}

#[test]
fn vp9_non_flexible_with_structure() {
    // I L B V: key picture, 15-bit id 300, TID 0 U SID 0, TL0PICIDX 7.
    let mut payload = vec![0b1010_1010, 0x81, 0x2c, 0x10, 7];
    // Structure: two spatial layers with sizes, a picture group of two.
    payload.extend([0b0011_1000, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 2]);
    payload.extend([0b0000_0100, 1, 0b0010_1000, 1, 2]);
    payload.push(0xaa);
    let d = vp9::parse(&payload).unwrap();
    assert!(d.key_frame() && d.frame_start && !d.frame_end && d.switching_up);
    assert_eq!((d.picture_id, d.picture_id_bits), (Some(300), 15));
    assert_eq!((d.temporal_id, d.spatial_id, d.tl0_pic_idx), (Some(0), Some(0), Some(7)));
    assert_eq!(d.spatial_layers, Some(2));
    assert_eq!(d.resolutions[..3], [Some((320, 180)), Some((640, 360)), None]);
    assert_eq!(d.header_len, payload.len() - 1);
    assert_eq!(d.facts().resolution, Some((640, 360)));
    vp9::rewrite(&mut payload, &d, Some(301), Some(8));
    assert_eq!(payload[..5], [0b1010_1010, 0x81, 0x2d, 0x10, 8]);
    for len in 0..payload.len() {
        assert!(vp9::parse(&payload[..len]).is_err(), "{len}");
    }
}

#[test]
fn vp9_flexible() {
    // I P L F E: 7-bit id, TID 2 SID 1 D, three references.
    let payload = [0b1111_0100, 0x05, 0b0100_0011, 0x03, 0x05, 0x06, 0xaa];
    let d = vp9::parse(&payload).unwrap();
    assert!(!d.key_frame() && d.frame_end && d.inter_picture && d.inter_layer && d.flexible);
    assert_eq!((d.picture_id, d.picture_id_bits, d.tl0_pic_idx), (Some(5), 7, None));
    assert_eq!((d.temporal_id, d.spatial_id), (Some(2), Some(1)));
    assert_eq!(d.header_len, 6);
    let too_many = [0b1111_0100, 0x05, 0b0100_0011, 0x03, 0x05, 0x07, 0x08, 0xaa];
    assert_eq!(vp9::parse(&too_many).unwrap_err().what, "VP9 reference list");
    // An upper spatial layer of a key picture is no place to start.
    let upper = vp9::parse(&[0b1011_1000, 0x05, 0b0000_0011, 0xaa]).unwrap();
    assert!(!upper.key_frame() && upper.inter_layer && !upper.inter_picture);
    // Without layers, a frame that is not inter-predicted is a key frame.
    assert!(vp9::parse(&[0x08, 0xaa]).unwrap().key_frame());
    assert!(!vp9::parse(&[0x00, 0xaa]).unwrap().key_frame());
}

#[test]
fn h264_single_units() {
    let facts = |payload: &[u8]| h264::parse(payload).unwrap();
    let sps = facts(&[0x67, 0x42, 0xc0, 0x1f]);
    assert!(sps.key_frame && sps.frame_start && sps.sps && !sps.idr);
    let idr = facts(&[0x65, 0x88]);
    assert!(idr.key_frame && idr.idr && idr.frame_start);
    let second_slice = facts(&[0x65, 0x40]);
    assert!(second_slice.idr && !second_slice.key_frame && !second_slice.frame_start);
    let delta = facts(&[0x41, 0x9a]);
    assert!(delta.frame_start && !delta.key_frame && !delta.non_reference);
    assert!(facts(&[0x01, 0x9a]).facts().discardable);
    assert!(facts(&[0x68, 0xce]).pps);
    assert!(facts(&[0x09, 0x10]).frame_start);
    for bad in [&[][..], &[0x60], &[0x7e], &[0x7f], &[0x7c]] {
        assert!(h264::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn h264_aggregates_and_fragments() {
    let facts = |payload: &[u8]| h264::parse(payload).unwrap();
    let stap = facts(&[0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3, 0, 2, 0x65, 0x88]);
    assert!(stap.key_frame && stap.sps && stap.pps && stap.idr && !stap.non_reference);
    assert!(!facts(&[0x78, 0, 2, 0x41, 0x9a]).key_frame);
    assert_eq!(h264::parse(&[0x78, 0, 3, 0x67]).unwrap_err().what, "H264 aggregated size");
    let start = facts(&[0x7c, 0x85, 0x88]);
    assert!(start.key_frame && start.frame_start && start.idr);
    let middle = facts(&[0x7c, 0x05, 0x88]);
    assert!(middle.idr && !middle.key_frame && !middle.frame_start && !middle.fragment_end);
    assert!(facts(&[0x7c, 0x45, 0x88]).fragment_end);
    let delta = facts(&[0x5c, 0x81, 0x9a]);
    assert!(delta.frame_start && !delta.key_frame);
}

#[test]
fn av1_aggregation() {
    let facts = |payload: &[u8]| av1::parse(payload).unwrap();
    // W=2, N: a sequence header of three bytes, then a frame with an extension header.
    let start = facts(&[0x28, 3, 0x08, 1, 2, 0x34, 0x48, 0xff]);
    assert!(start.key_frame() && start.sequence_header && start.new_sequence);
    assert_eq!((start.temporal_id, start.spatial_id), (Some(2), Some(1)));
    assert!(start.facts().frame_start);
    // W=0: each element has a length. The length of 130 takes two bytes.
    let mut counted = vec![0x00, 0x82, 0x01, 0x30];
    counted.extend([0; 129]);
    counted.extend([1, 0x08]);
    assert!(facts(&counted).sequence_header);
    // A continued element is no OBU header; the next one is.
    assert!(!facts(&[0x90, 0x08]).key_frame());
    assert!(facts(&[0xa0, 1, 0x08, 0x08]).sequence_header);
    assert!(!facts(&[0x90, 0x30]).facts().frame_start);
    assert!(facts(&[0x50, 0x30]).continues);
    for bad in [&[][..], &[0x10], &[0x98, 1], &[0x20, 5, 1], &[0x00, 0x80], &[0x20, 0xff]] {
        assert!(av1::parse(bad).is_err(), "{bad:?}");
    }
    let endless = [&[0x00][..], &[0x80; 9]].concat();
    assert!(av1::parse(&endless).is_err());
}

#[test]
fn opus_durations() {
    let facts = |payload: &[u8]| opus::parse(payload).unwrap();
    // What browsers send: config 15 (hybrid, fullband, 20 ms), mono and stereo.
    let speech = facts(&[0x78, 1, 2, 3]);
    assert_eq!((speech.duration_us(), speech.duration_ticks()), (20_000, 960));
    assert!(!speech.stereo && !speech.dtx);
    assert!(facts(&[0x7c, 1, 2, 3]).stereo);
    for (config, us) in
        [(0, 10_000), (3, 60_000), (10, 40_000), (12, 10_000), (13, 20_000), (14, 10_000)]
    {
        assert_eq!(facts(&[config << 3, 0, 0]).duration_us(), us, "{config}");
    }
    for (config, us) in [(16, 2_500), (17, 5_000), (22, 10_000), (31, 20_000)] {
        assert_eq!(facts(&[config << 3, 0, 0]).duration_us(), us, "{config}");
    }
    assert_eq!(facts(&[0x79, 1, 2]).frames, 2);
    assert_eq!(facts(&[0x7b, 3, 2]).duration_us(), 60_000);
    assert_eq!(facts(&[0x80, 1, 2]).duration_ticks(), 120);
    assert!(facts(&[0x78]).dtx && facts(&[0x78, 0]).dtx);
    assert!(opus::parse(&[]).is_err());
    assert!(opus::parse(&[0x7b]).is_err());
}

#[test]
fn red_primary() {
    // Two redundant blocks (2 and 1 bytes), then the primary one.
    let payload = [0xef, 0x0f, 0x00, 2, 0xef, 0x07, 0x80, 1, 0x6f, 1, 2, 3, 4, 5];
    let primary = red::primary(&payload).unwrap();
    assert_eq!((primary.payload_type, primary.payload, primary.redundant), (111, &[4, 5][..], 2));
    assert_eq!(red::primary(&[0x6f, 9]).unwrap().payload, [9]);
    assert_eq!(red::primary(&payload[..10]).unwrap_err().what, "RED block length");
    assert_eq!(red::primary(&payload[..7]).unwrap_err().what, "RED header");
    assert!(red::primary(&[]).is_err());
}
