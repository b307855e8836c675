use super::*;

/// Writes fields of some bits.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, count: u32, value: u32) -> &mut Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().fold(0, |b, bit| b << 1 | u8::from(*bit));
        let mut padded = self.0.clone();
        padded.resize(padded.len().next_multiple_of(8), false);
        padded.chunks(8).map(byte).collect()
    }

    fn mandatory(&mut self, start: u32, end: u32, template: u32, frame: u32) -> &mut Self {
        self.put(1, start).put(1, end).put(6, template).put(16, frame)
    }
}

/// Two spatial layers with two temporal layers each: four templates (ids from 62, so that they
/// wrap), three decode targets, two chains, sizes.
fn l2t2(frame: u32) -> Bits {
    let mut b = Bits::default();
    b.mandatory(1, 0, 62, frame).put(5, 0b10000);
    b.put(6, 62).put(5, 2);
    b.put(2, 1).put(2, 2).put(2, 1).put(2, 3);
    for dtis in [[2, 2, 2], [0, 1, 1], [0, 0, 2], [0, 0, 1]] {
        for dti in dtis {
            b.put(2, dti);
        }
    }
    for fdiffs in [&[][..], &[2], &[1], &[2, 1]] {
        for diff in fdiffs {
            b.put(1, 1).put(4, diff - 1);
        }
        b.put(1, 0);
    }
    // ns(4) of 2 chains is two bits; ns(2) of a chain is one.
    b.put(2, 2).put(1, 0).put(1, 0).put(1, 1);
    for _ in 0..4 * 2 {
        b.put(4, 3);
    }
    b.put(1, 1).put(16, 319).put(16, 179).put(16, 639).put(16, 359);
    b
}

#[test]
fn a_key_frame_declares_the_layers() {
    let bytes = l2t2(1000).bytes();
    let s = TemplateStructure::parse(&bytes).unwrap().unwrap();
    assert_eq!((s.template_id_offset(), s.decode_target_count(), s.chain_count()), (62, 3, 2));
    let layers: Vec<_> = s.templates().iter().map(|t| (t.spatial_id, t.temporal_id)).collect();
    assert_eq!(layers, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(s.templates()[3].fdiffs(), [2, 1]);
    assert_eq!((s.resolution(0), s.resolution(1)), (Some((320, 180)), Some((640, 360))));
    assert_eq!((s.resolution(2), s.resolution(200)), (None, None));
    assert_eq!((s.protected_by(1), s.protected_by(2), s.protected_by(3)), (Some(0), Some(1), None));
    assert_eq!(s.all_targets(), 0b111);
    assert_eq!(s.target_layer(0), Some(Layer { spatial: 0, temporal: 0 }));
    assert_eq!(s.target_layer(2), Some(Layer { spatial: 1, temporal: 1 }));
    assert_eq!(s.target_layer(3), None);

    let d = DependencyDescriptor::parse(&bytes, &TemplateStructure::default()).unwrap();
    assert!(d.key_frame() && d.start_of_frame && !d.end_of_frame);
    assert_eq!((d.frame_number, d.template_id), (1000, 62));
    assert_eq!(d.layer, Some(Layer { spatial: 0, temporal: 0 }));
    assert_eq!(d.active_decode_targets, Some(0b111));
    assert_eq!((d.dti(0), d.dti(3)), (Some(Dti::Switch), None));
    assert!(d.fdiffs().is_empty());
}

#[test]
fn later_frames_refer_to_it() {
    let s = TemplateStructure::parse(&l2t2(1000).bytes()).unwrap().unwrap();
    let mut short = Bits::default();
    short.mandatory(1, 1, 1, 65_535); // id 1 is index 3, round the corner
    let mut bytes = short.bytes();
    assert_eq!(bytes.len(), 3);
    assert_eq!(TemplateStructure::parse(&bytes).unwrap(), None);
    let d = DependencyDescriptor::parse(&bytes, &s).unwrap();
    assert!(!d.key_frame() && d.start_of_frame && d.end_of_frame);
    assert_eq!(d.layer, Some(Layer { spatial: 1, temporal: 1 }));
    assert_eq!((d.dti(1), d.dti(2)), (Some(Dti::NotPresent), Some(Dti::Discardable)));
    assert_eq!(d.fdiffs(), [2, 1]);
    assert_eq!(d.active_decode_targets, None);
    let mut copy = [0; 3];
    assert_eq!(rewrite(&bytes, 7, None, 3, &mut copy), Some(3));
    bytes.copy_from_slice(&copy);
    assert_eq!(DependencyDescriptor::parse(&bytes, &s).unwrap().frame_number, 7);
    // Unknown structure or template: no layer, but no error.
    let unknown = DependencyDescriptor::parse(&bytes, &TemplateStructure::default()).unwrap();
    assert_eq!((unknown.layer, unknown.dti(0)), (None, None));
    let mut other = Bits::default();
    let other = other.mandatory(0, 0, 2, 0).bytes();
    assert_eq!(DependencyDescriptor::parse(&other, &s).unwrap().layer, None);
}

#[test]
fn a_frame_may_differ_from_its_template() {
    let s = TemplateStructure::parse(&l2t2(1000).bytes()).unwrap().unwrap();
    let mut b = Bits::default();
    // Active targets, custom indications, differences and chains.
    b.mandatory(0, 1, 63, 5).put(5, 0b01111).put(3, 0b011);
    b.put(2, 3).put(2, 1).put(2, 0);
    b.put(2, 1).put(4, 15).put(2, 3).put(12, 4095).put(2, 0);
    b.put(8, 1).put(8, 2);
    let bytes = b.bytes();
    let d = DependencyDescriptor::parse(&bytes, &s).unwrap();
    assert_eq!(d.active_decode_targets, Some(0b011));
    assert_eq!((d.dti(0), d.dti(1)), (Some(Dti::Required), Some(Dti::Discardable)));
    assert_eq!(d.dti(2), Some(Dti::NotPresent));
    assert_eq!(d.fdiffs(), [16, 4096]);
    assert!(DependencyDescriptor::parse(&bytes[..bytes.len() - 1], &s).is_err());
}

#[test]
fn what_exceeds_the_limits_is_refused() {
    let bytes = l2t2(1).bytes();
    for len in 0..bytes.len() {
        let cut = &bytes[..len];
        // Three bytes are a complete descriptor without a structure.
        assert_eq!(TemplateStructure::parse(cut).is_err(), len != 3, "{len}");
    }
    let structure = |fill: &dyn Fn(&mut Bits)| {
        let mut b = Bits::default();
        b.mandatory(1, 1, 0, 0).put(5, 0b10000).put(6, 0).put(5, 31);
        fill(&mut b);
        b.0.extend([false; 8192]);
        TemplateStructure::parse(&b.bytes()).map(Option::unwrap)
    };
    let templates = |count: usize| {
        structure(&|b| {
            b.0.extend(vec![false; 2 * (count - 1)]);
            b.put(2, 3);
        })
    };
    assert_eq!(templates(64).unwrap().templates().len(), MAX_TEMPLATES);
    assert_eq!(templates(64).unwrap().all_targets(), u32::MAX);
    assert_eq!(templates(65).unwrap_err().what, "template count");
    let temporal = |b: &mut Bits| {
        (0..8).for_each(|_| {
            b.put(2, 1);
        });
    };
    assert_eq!(structure(&temporal).unwrap_err().what, "template layers");
    let spatial = |b: &mut Bits| {
        (0..4).for_each(|_| {
            b.put(2, 2);
        });
    };
    assert_eq!(structure(&spatial).unwrap_err().what, "template layers");
    let many_references = |b: &mut Bits| {
        b.put(2, 3).0.extend([false; 64]);
        (0..9).for_each(|_| {
            b.put(5, 31);
        });
    };
    assert_eq!(structure(&many_references).unwrap_err().what, "template frame differences");
}

/// `value` with `frame` and `mask`, parsed again.
fn rewritten(
    value: &[u8],
    frame: u16,
    mask: u32,
    s: &TemplateStructure,
) -> (Vec<u8>, DependencyDescriptor) {
    let mut out = [0xff; 256];
    let len = rewrite(value, frame, Some(mask), s.decode_target_count(), &mut out).unwrap();
    assert!(len <= value.len() + 5);
    let out = out[..len].to_vec();
    let parsed = DependencyDescriptor::parse(&out, s).unwrap();
    (out, parsed)
}

#[test]
fn the_active_targets_are_put_in_and_all_else_stays() {
    let key = l2t2(1000).bytes();
    let s = TemplateStructure::parse(&key).unwrap().unwrap();
    let mut short = Bits::default();
    let short = short.mandatory(1, 1, 1, 65_535).bytes();
    let mut own = Bits::default();
    let own = own.mandatory(1, 0, 62, 9).put(5, 0b01000).put(3, 0b111).bytes();
    let mut custom = Bits::default();
    custom.mandatory(0, 1, 63, 5).put(5, 0b01111).put(3, 0b011);
    custom.put(2, 3).put(2, 1).put(2, 0);
    custom.put(2, 1).put(4, 15).put(2, 3).put(12, 4095).put(2, 0);
    let custom = custom.put(8, 1).put(8, 2).bytes();
    let mut no_mask = Bits::default();
    let no_mask =
        no_mask.mandatory(0, 1, 0, 6).put(5, 0b00100).put(2, 3).put(2, 1).put(2, 0).bytes();
    for value in [&key, &short, &own, &custom, &no_mask] {
        let before = DependencyDescriptor::parse(value, &s).unwrap();
        for mask in 0..8 {
            let (out, after) = rewritten(value, 77, mask, &s);
            let expected = DependencyDescriptor {
                frame_number: 77,
                active_decode_targets: Some(mask),
                ..before
            };
            assert_eq!(after, expected);
            assert_eq!(TemplateStructure::parse(&out), TemplateStructure::parse(value));
            // Once more: no bit moves.
            assert_eq!(rewritten(&out, 77, mask, &s).0, out);
        }
        let (mut out, len) = ([0; 256], value.len());
        assert_eq!(rewrite(value, 78, None, 3, &mut out), Some(len));
        let after = DependencyDescriptor::parse(&out[..len], &s).unwrap();
        assert_eq!(after, DependencyDescriptor { frame_number: 78, ..before });
    }
}

#[test]
fn what_cannot_be_rewritten_is_refused() {
    let key = l2t2(1000).bytes();
    let mut out = [0; 256];
    for len in 0..key.len() {
        assert_eq!(rewrite(&key[..len], 1, Some(1), 3, &mut out).is_some(), len == 3, "{len}");
    }
    let needed = rewrite(&key, 1, Some(1), 3, &mut out).unwrap();
    for room in 0..=needed {
        let fits = rewrite(&key, 1, Some(1), 3, &mut out[..room]).is_some();
        assert_eq!(fits, room == needed, "{room}");
    }
}
