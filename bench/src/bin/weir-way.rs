//! One scene of `weir_bench::way`, to be run under callgrind, which counts what is within
//! `collected_way`: `weir-way PUBLISHERS RECEIVERS MESH BROWSERS IDLE WARM_UP_MS COUNTED_MS` (numbers,
//! 0 or 1 for yes and no). Prints packets sent, packets delivered and other datagrams that left.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::Duration;
use weir_bench::Error;
use weir_bench::way::{Scene, Way};

fn main() -> Result<(), Error> {
    let args: Vec<u64> =
        std::env::args().skip(1).map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let [publishers, receivers, mesh, browsers, idle, warm_up, counted] = args[..] else {
        return Err("seven numbers are needed".into());
    };
    let scene = Scene {
        publishers: publishers as usize,
        receivers: receivers as usize,
        mesh: mesh != 0,
        browsers: browsers != 0,
        idle: idle as usize,
    };
    let mut way = Way::new(scene)?;
    way.run(Duration::from_millis(warm_up), false);
    let counts = way.run(Duration::from_millis(counted), true);
    println!("{} {} {}", counts.sent, counts.delivered, counts.control);
    Ok(())
}
