//! At steady capacity the estimate does not fall below a layer that fits, probes or not: an
//! allocator without any hysteresis would not switch.

use crate::common::{Path, Source, World, ms};

#[test]
fn a_layer_that_fits_stays() {
    for (rate, layers, fitting) in [
        (600e3, [150e3, 500e3, 2.4e6], 500e3),
        (800e3, [200e3, 700e3, 2.5e6], 700e3),
        (1e6, [200e3, 700e3, 2.5e6], 700e3),
        (1.5e6, [150e3, 500e3, 2.4e6], 500e3),
        (3e6, [150e3, 500e3, 2.4e6], 2.4e6),
    ] {
        for seed in 0..5 {
            let path = Path { rate, ..Path::default() };
            let mut world = World::new(path, Source::Layers(layers), seed);
            world.run(ms(60_000));
            let settled = world.estimate();
            let fits = fitting * 1.05;
            assert!(settled >= fits, "{rate}, seed {seed}: only {settled}");
            world.run(ms(60_000));
            let of_late = world.estimates.iter().filter(|(at, _)| *at > ms(60_000));
            let (mut low, mut switches, mut was) = (settled, 0, true);
            for (_, bps) in of_late {
                let is = *bps as f64 >= fits;
                switches += i32::from(is != was);
                (low, was) = (low.min(*bps as f64), is);
            }
            println!("{rate:.0}, seed {seed}: {fits:.0} fits, least {low:.0}, switches {switches}");
            assert!(switches < 3, "{rate} seed {seed}: {switches} switches, least {low}");
        }
    }
}
