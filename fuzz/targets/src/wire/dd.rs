//! Dependency descriptors: rewritten for another receiver, they say the same but what was changed.

use crate::bytes::Bytes;
use weir_wire::dd::{self, DependencyDescriptor, TemplateStructure};

/// A descriptor that may bring a structure, then one that may refer to it.
pub(super) fn check(bytes: &mut Bytes<'_>) {
    let (frame_number, active) = (bytes.u16(), bytes.u32());
    let len = usize::from(bytes.u8());
    let (first, second) = (bytes.take(len), bytes.rest());
    let known = TemplateStructure::parse(first).ok().flatten().unwrap_or_default();
    walk(&known);
    for value in [first, second] {
        for active in [None, Some(active)] {
            rewritten(value, &known, frame_number, active);
        }
    }
}

fn walk(structure: &TemplateStructure) {
    let targets = structure.decode_target_count();
    assert!(targets <= 32 && structure.chain_count() <= targets);
    assert_eq!(structure.all_targets().count_ones(), u32::from(targets));
    for template in structure.templates() {
        assert!(template.spatial_id < 4 && template.temporal_id < 8);
        assert!(template.fdiffs().iter().all(|diff| (1..=16).contains(diff)));
    }
    for target in 0..=targets {
        let protection = structure.protected_by(target);
        assert!(protection.is_none_or(|chain| chain < structure.chain_count()));
        assert!(target < targets || structure.target_layer(target).is_none());
    }
}

fn rewritten(value: &[u8], known: &TemplateStructure, frame_number: u16, active: Option<u32>) {
    let Ok(before) = DependencyDescriptor::parse(value, known) else { return };
    let own = TemplateStructure::parse(value).expect("it was parsed before");
    let targets = own.as_ref().unwrap_or(known).decode_target_count();
    for target in 0..=targets {
        assert_eq!(before.dti(target).is_some(), target < before.decode_target_count());
    }
    let mut out = vec![0xa5; value.len() + 5];
    let len = dd::rewrite(value, frame_number, active, targets, &mut out)
        .expect("what can be read can be rewritten, in five bytes more");
    out.truncate(len);
    let after = DependencyDescriptor::parse(&out, known).expect("a rewritten descriptor is one");
    let mut expected = before;
    expected.frame_number = frame_number;
    if let (Some(active), 1..) = (active, targets) {
        let all = own.as_ref().unwrap_or(known).all_targets();
        expected.active_decode_targets = Some(active & all);
    }
    assert_eq!(after, expected, "{value:02x?} became {out:02x?}");
    assert_eq!(TemplateStructure::parse(&out), Ok(own));
}
