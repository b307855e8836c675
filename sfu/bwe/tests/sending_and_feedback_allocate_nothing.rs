//! A leg allocates its history when feedback is negotiated, and nothing after that.

use std::time::Instant;

use weir_bwe::{Leg, LegConfig, SentKind};
use weir_wire::rtcp::{self, RtcpPacket};

use crate::common::ms;

#[test]
fn sending_and_feedback_allocate_nothing() {
    let start = Instant::now();
    let mut leg = Leg::new(start, LegConfig::default());
    let made = allocation_counter::measure(|| leg.enable_feedback());
    println!("a leg's history: {} bytes, the leg {} bytes", made.bytes_total, size_of::<Leg>());
    assert!(made.bytes_total <= 32 * 1024);
    leg.set_wanted(10_000_000);
    let mut bytes = Vec::with_capacity(2_000);
    let mut list = Vec::with_capacity(100);
    for round in 0..500_u64 {
        list.clear();
        list.extend((0..50_i64).map(|i| (i % 7 != 3).then_some(round as i64 * 50_000 + i * 1_000)));
        bytes.clear();
        let base = (round * 50) as u16;
        let reference = rtcp::reference_time_64ms(round as i64 * 50_000);
        rtcp::write_transport_cc(&mut bytes, 1, 2, base, reference, round as u8, &list);
        let counted = allocation_counter::measure(|| {
            for i in 0..50 {
                let now = start + ms(round * 50 + i);
                leg.on_sent(now, base.wrapping_add(i as u16), 1_200, SentKind::Media);
                leg.pacer().consume(now, 1_200);
                let _ = leg.pacer().budget(now);
                let _ = leg.probe(now);
                leg.handle_timeout(now);
            }
            let now = start + ms(round * 50 + 50);
            for packet in rtcp::packets(&bytes) {
                if let Ok(RtcpPacket::TransportCc(feedback)) = packet {
                    leg.on_feedback(now, &feedback);
                }
            }
            leg.on_receiver_report(now, 3, Some(ms(40)));
            leg.on_remb(now, 5_000_000);
        });
        assert_eq!(counted.count_total, 0, "round {round}");
    }
    assert!(leg.counters().arrived > 20_000 && leg.counters().lost > 3_000);
}
