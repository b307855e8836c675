//! The steps under criterion: distributions and comparison with the run before.
//! `cargo bench -p weir-bench`.

use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("steps");
    group.throughput(Throughput::Elements(1));
    for mut step in weir_bench::steps::all().expect("the steps can be made") {
        group.bench_function(step.name, |bencher| {
            bencher.iter_custom(|times| (step.run)(times).expect("CPU times can be read"));
        });
    }
    group.finish();
    criterion.final_summary();
}
