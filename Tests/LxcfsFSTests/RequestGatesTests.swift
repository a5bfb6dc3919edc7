import Syscalls
import Testing

@testable import LxcfsFS

@Suite struct RequestGatesTests {
    private let namespace = NamespaceID(inode: 4_026_532_900)
    private let other = NamespaceID(inode: 4_026_532_901)

    @Test func oneContainerHasOneGate() {
        weak var former: RequestGate?
        do {
            let gate = RequestGates.gate(ofRegistered: "/gates/one", slot: 7)
            #expect(gate.payer == Payer(slot: 7))
            // Registered anew, or found by one who asks.
            #expect(RequestGates.gate(ofRegistered: "/gates/one", slot: 8) === gate)
            #expect(RequestGates.gate(ofCaller: "/gates/one", namespace) === gate)
            #expect(RequestGates.gate(ofCaller: "/gates/one", nil) === gate)
            #expect(RequestGates.gate(ofRegistered: "/gates/other", slot: 9) !== gate)
            #expect(RequestGates.gate(ofCaller: "/gates/one-more", nil) !== gate)
            #expect(RequestGates.gate(ofCaller: "/gates", nil) !== gate)
            former = gate
        }
        #expect(former == nil)
    }

    @Test func whatAContainerMakesInsideHasItsGate() {
        let registered = RequestGates.gate(ofRegistered: "/gates/outer", slot: 7)
        for cgroup in [
            "/gates/outer/a", "/gates/outer/a/b//c", "/gates/outer/user.slice/user-1",
        ] {
            #expect(RequestGates.gate(ofCaller: cgroup, other) === registered)
        }
        let gate = RequestGates.gate(ofCaller: "/gates/unknown", namespace)
        #expect(gate.payer == nil)
        #expect(RequestGates.gate(ofCaller: "/gates/unknown/inside", namespace) === gate)
        #expect(RequestGates.gate(ofCaller: "/gates/unknown", other) !== gate)
        #expect(RequestGates.gate(ofCaller: "/gates/unknown", nil) !== gate)
    }

    @Test func aUserOfTheHostIsOne() {
        let gate = RequestGates.gate(ofCaller: "/user.slice/user-1.slice/session-1.scope", nil)
        for cgroup in [
            "/user.slice/user-1.slice/user@1.service/a/b", "/user.slice/user-1.slice",
        ] {
            #expect(RequestGates.gate(ofCaller: cgroup, nil) === gate)
            #expect(RequestGates.gate(ofCaller: cgroup, namespace) === gate)
        }
        #expect(
            RequestGates.gate(ofCaller: "/user.slice/user-11.slice/session-2.scope", nil)
                !== gate)
        for cgroup in ["/", "/user.slice", "/user.slice/other", "/a/user.slice/user-1.slice"] {
            #expect(RequestGates.userSlice(of: cgroup) == nil)
        }
    }

    @Test func whatPaysIsNeverTheSame() {
        #expect(Payer(namespace, user: 0).number == 4_026_532_900)
        #expect(Payer(slot: 0).number > Payer.stranger.number)
        #expect(Payer(slot: .max).number < 0xf000_0000)
    }
}

@Suite struct LookShareTests {
    private let second: UInt64 = 1_000_000_000

    @Test func looksTakeAHundredthOfACPU() {
        let share = LookShare()
        var now = 100 * second
        var looks: UInt64 = 0
        // As many as wish to look, for 2 ms each, a thousand times a second.
        for _ in 0..<20_000 {
            if share.mayLook(now: now) {
                share.charge(2_000_000, now: now)
                looks += 1
            }
            now += second / 1000
        }
        // In 20 s 200 ms, and 40 in advance.
        #expect((100...125).contains(looks), "\(looks)")
        // After a pause a few at once again, and no more.
        now += 100 * second
        looks = 0
        while share.mayLook(now: now) {
            share.charge(2_000_000, now: now)
            looks += 1
        }
        #expect((20...21).contains(looks), "\(looks)")
        share.charge(.max, now: now)
        #expect(!share.mayLook(now: .max - 1))
    }
}
