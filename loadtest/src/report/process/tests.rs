use super::*;
use std::process::{Command, Stdio};

/// Burns processor time until the kernel says that it did.
fn burn_until(pid: u32, micros: u64) -> ProcessCost {
    let mut value = 1_u64;
    loop {
        for _ in 0..100_000 {
            value = std::hint::black_box(value.wrapping_mul(3));
        }
        let cost = process_cost(pid).unwrap();
        if cost.cpu_micros >= micros {
            return cost;
        }
    }
}

#[test]
fn our_own_cost_grows_and_has_memory() {
    let pid = std::process::id();
    let before = process_cost(pid).unwrap();
    assert!(before.rss_bytes > 100 * 1024, "{before:?}");
    let after = burn_until(pid, before.cpu_micros + 2_000);
    assert!(after.cpu_micros > before.cpu_micros);
}

#[test]
fn time_of_threads_that_ended_is_not_lost() {
    let pid = std::process::id();
    let (in_thread, alive) = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let before = process_cost(pid).unwrap().cpu_micros;
            burn_until(pid, before + 100_000).cpu_micros
        });
        (thread.join().unwrap(), process_cost(pid).unwrap().cpu_micros)
    });
    // Two times are cut to whole ticks.
    assert!(alive + 20_000 >= in_thread, "{alive} after {in_thread}");
}

#[test]
fn the_busiest_thread_is_told_from_the_second_reading_on() {
    let mut own = Processes::own().unwrap();
    let first = own.cost().unwrap();
    assert_eq!(first.busiest_micros, 0);
    burn_until(std::process::id(), first.cpu_micros + 50_000);
    let second = own.cost().unwrap();
    assert!(second.busiest_micros > 0);
    assert!(second.busiest_micros <= second.cpu_micros - first.cpu_micros + 20_000);
}

#[test]
fn a_process_that_ended_is_told_as_such() {
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    let mut processes = Processes::watch(&[std::process::id(), pid]).unwrap();
    assert!(processes.cost().unwrap().rss_bytes > process_cost(pid).unwrap().rss_bytes);

    drop(child.stdin.take());
    // Ended, not yet waited for, then not there at all.
    let error = loop {
        if let Err(error) = processes.cost() {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), format!("process {pid} has ended or never was"));
    child.wait().unwrap();
    assert_eq!(processes.cost().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_number_given_to_another_process_is_not_the_server() {
    let pid = std::process::id();
    let mut processes = Processes::watch(&[pid]).unwrap();
    processes.watched[0].started += 1;
    assert_eq!(processes.cost().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn processes_are_found_by_name() {
    let name = "sleep";
    let mut child = Command::new(name).arg("1000").spawn().unwrap();
    // Between fork and exec it is still called like ourselves.
    while !pids_of(name).unwrap().contains(&child.id()) {}
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!pids_of(name).unwrap().contains(&child.id()));
    assert_eq!(pids_of("").unwrap(), Vec::<u32>::new());
}

#[test]
fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
    let mut fields = vec!["S"; 1];
    let numbers: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
    fields.extend(numbers.iter().map(String::as_str));
    let stat = parse_stat(&format!("77 (a ) Z 9 (b) {}", fields.join(" "))).unwrap();
    assert_eq!(stat.state, 'S');
    assert_eq!(stat.cpu_micros, (14 + 15) * 10_000);
    assert_eq!(stat.started, 22);
    assert!(parse_stat("77 (short) S 1 2").is_none());
}

#[test]
fn memory_is_read_in_kibibytes() {
    assert_eq!(rss("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n"), Some(2048 * 1024));
    assert_eq!(rss("Name:\tkthreadd\n"), None);
}
