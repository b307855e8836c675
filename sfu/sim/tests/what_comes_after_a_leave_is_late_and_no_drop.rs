use crate::common::{ms, secs, world};
use weir_sim::PeerSetup;
use weir_wire::stun::StunWriter;

/// Media on the way, and checks by whoever names the one who left; for 5 s, then they are drops.
#[test]
fn what_comes_after_a_leave_is_late_and_no_drop() {
    let mut world = world(1);
    world.join(0, PeerSetup::new(1, 7).talking());
    let leaves = world.join(0, PeerSetup::new(2, 7).talking());
    world.run(secs(2));
    let addr = world.peer(leaves).addr;
    world.leave(leaves);
    world.run(secs(1));
    let late = world.shard(0).counters().late_list();
    let mut check = StunWriter::binding_request(*b"transaction1");
    check.username("nobody:clnt");
    let check = check.finish(None);
    world.inject(0, addr, &check);
    world.inject(0, addr, &[0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2]);
    let count = |list: &[(&str, u64)]| {
        list.iter().find(|(reason, _)| *reason == "departed").map_or(0, |(_, count)| *count)
    };
    let before = count(&late);
    assert_eq!(count(&world.shard(0).counters().late_list()), before + 2);
    assert_eq!(world.shard(0).counters().drop_list(), []);
    world.run(secs(5) + ms(10));
    world.inject(0, addr, &check);
    world.run(ms(10));
    assert_eq!(world.shard(0).counters().drop_list(), [("stun", 1)]);
    world.finish();
}
