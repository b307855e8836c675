use super::*;
use weir_wire::dd::{DependencyDescriptor, Dti, TemplateStructure};

fn letters(value: &DependencyDescriptor, targets: u8) -> String {
    let letter = |target| match value.dti(target) {
        Some(Dti::Discardable) => 'D',
        Some(Dti::Switch) => 'S',
        Some(Dti::Required) => 'R',
        _ => '-',
    };
    (0..targets).map(letter).collect()
}

#[test]
fn structures_are_those_of_chromium() {
    let cases = [
        (Scalability::L1T3, 5, vec!["SSS", "SSS", "-DS", "--D", "--D"]),
        (
            Scalability::L3T3,
            15,
            vec![
                "SSSRRRRRR",
                "SSSSSSSSS",
                "-DS-RR-RR",
                "--D--R--R",
                "--D--R--R",
                "---SSSRRR",
                "---SSSSSS",
                "----DS-RR",
                "-----D--R",
                "-----D--R",
                "------SSS",
                "------SSS",
                "-------DS",
                "--------D",
                "--------D",
            ],
        ),
        (
            Scalability::L3T3Key,
            15,
            vec![
                "SSS------",
                "SSSSSSSSS",
                "-DS------",
                "--D------",
                "--D------",
                "---SSS---",
                "---SSSSSS",
                "----DS---",
            ],
        ),
    ];
    for (shape, count, expected) in cases {
        let sizes = [(320, 180), (640, 360), (1280, 720)];
        let at = |place: Place| {
            let mut refs = [0; REFS];
            for (to, diff) in refs.iter_mut().zip(fdiffs(place)) {
                *to = diff as u16;
            }
            let d = Descriptor {
                start: true,
                end: false,
                frame: 70_000,
                place,
                refs,
                resolutions: &sizes,
                active: None,
            };
            write(&d)
        };
        let key = at(Place { shape, key: true, ..Place::default() });
        let structure = TemplateStructure::parse(&key).unwrap().unwrap();
        assert_eq!(structure.templates().len(), count);
        let targets = structure.decode_target_count();
        assert_eq!(targets, shape.spatial() * shape.temporal());
        assert_eq!(structure.chain_count(), shape.spatial());
        assert_eq!(structure.resolution(shape.spatial() - 1).unwrap().0, {
            u32::from(sizes[usize::from(shape.spatial()) - 1].0)
        });
        assert_eq!(structure.protected_by(targets - 1), Some(shape.spatial() - 1));
        for (place, expected) in templates(shape).into_iter().zip(expected) {
            let value = at(place);
            let parsed = DependencyDescriptor::parse(&value, &structure).unwrap();
            assert_eq!(letters(&parsed, targets), expected, "{place:?}");
            let layer = parsed.layer.unwrap();
            assert_eq!((layer.spatial, layer.temporal), (place.spatial, place.temporal()));
            let diffs: Vec<u32> = parsed.fdiffs().iter().map(|diff| (*diff).into()).collect();
            assert_eq!(diffs, fdiffs(place), "{place:?}");
            assert_eq!(parsed.frame_number, 70_000u32 as u16);
        }
    }
}

#[test]
fn a_layer_that_is_off_shows_in_mask_and_differences() {
    let place = Place { shape: Scalability::L3T3, spatial: 1, phase: 0, key: false };
    let key = Place { spatial: 0, key: true, ..place };
    let base = Descriptor {
        start: true,
        end: true,
        frame: 9,
        place,
        refs: [8, 1],
        resolutions: &[(1, 1), (2, 2), (3, 3)],
        active: Some(0b111_111),
    };
    let first = write(&Descriptor { place: key, refs: [0, 0], active: None, ..base });
    let structure = TemplateStructure::parse(&first).unwrap().unwrap();
    let parsed = DependencyDescriptor::parse(&write(&base), &structure).unwrap();
    // Two bits of the first target come last on the wire.
    assert_eq!(parsed.active_decode_targets, Some(0b111_111));
    assert_eq!(parsed.fdiffs(), [8, 1]);
}
