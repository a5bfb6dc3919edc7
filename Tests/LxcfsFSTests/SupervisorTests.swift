import Glibc
import Logging
import Syscalls
import Testing

@testable import LxcfsHandover
@testable import LxcfsKeeper

/// A keeper without processes: what it would do, from what has happened.
@Suite struct SupervisorTests {
    private static let millisecond: UInt64 = 1_000_000
    private static let second: UInt64 = 1000 * millisecond

    /// A supervisor with a clock, and process numbers from 100 on.
    private struct Keeper {
        var supervisor: Supervisor
        var now: UInt64 = 1000 * SupervisorTests.second
        /// What has been done, without what was only logged.
        var log: [String] = []
        private var nextPID: pid_t = 100

        init(isComplete: Bool = true) { supervisor = Supervisor(isComplete: isComplete) }

        /// Tells it something; workers that it starts are started.
        @discardableResult
        mutating func tell(_ event: Supervisor.Event) -> [Supervisor.Action] {
            var done: [Supervisor.Action] = []
            for action in supervisor.handle(event, now: now) {
                switch action {
                case .log(_, let text): log.append(text)
                case .start(let program, _):
                    done.append(action)
                    done += tell(.started(nextPID, program))
                    nextPID += 1
                default: done.append(action)
                }
            }
            return done
        }

        /// Lets time pass until something is due, and tells it so.
        @discardableResult
        mutating func wait() -> [Supervisor.Action] {
            guard let time = supervisor.dueTime else { return [] }
            now = max(now, time)
            return tell(.tick)
        }

        /// With a worker that serves.
        static func serving() -> Keeper {
            var keeper = Keeper()
            #expect(keeper.tell(.tick) == [.start(.current, afterCrash: false)])
            #expect(keeper.tell(.ready(100)) == [.serve(100)])
            #expect(keeper.tell(.serving(100, isOwnProgram: true)) == [.tellServing])
            return keeper
        }

        /// With worker 100 that serves, and 101 of another version on its way.
        static func upgrading() -> Keeper {
            var keeper = serving()
            keeper.tell(.upgradeAsked)
            #expect(keeper.supervisor.dueTime == 0)
            #expect(
                keeper.tell(.tick) == [.tellUpgrading, .start(.onDisk, afterCrash: false)])
            return keeper
        }
    }

    /// For who counts the deaths of workers: an upgrade is none, nor is a worker that never served.
    @Test func onlyTheEndOfAServingWorkerIsUnexpected() {
        func end(_ pid: pid_t) -> ChildProcess.End {
            ChildProcess.End(pid: pid, signal: SIGKILL, code: 0)
        }
        var keeper = Keeper.serving()
        #expect(keeper.supervisor.isUnexpected(end(100)))
        #expect(!keeper.supervisor.isUnexpected(end(99)))
        keeper = Keeper.upgrading()
        #expect(keeper.supervisor.isUnexpected(end(100)))
        #expect(!keeper.supervisor.isUnexpected(end(101)))
        #expect(keeper.tell(.ready(101)) == [.finish(100)])
        #expect(!keeper.supervisor.isUnexpected(end(100)))
        // It has taken too long to finish.
        #expect(keeper.wait() == [.kill(100)])
        #expect(!keeper.supervisor.isUnexpected(end(100)))
        keeper = Keeper()
        keeper.tell(.tick)
        #expect(!keeper.supervisor.isUnexpected(end(100)))
    }

    private func killed(_ pid: pid_t, _ signal: CInt = SIGKILL) -> Supervisor.Event {
        .ended(ChildProcess.End(pid: pid, signal: signal, code: 0))
    }

    private func exited(_ pid: pid_t, _ code: CInt = 0) -> Supervisor.Event {
        .ended(ChildProcess.End(pid: pid, signal: 0, code: code))
    }

    // MARK: - Beginning

    @Test func mountsAreCompletedOnceAWorkerServes() {
        var keeper = Keeper(isComplete: false)
        keeper.tell(.tick)
        #expect(keeper.supervisor.dueTime == keeper.now + Supervisor.prepareTime)
        keeper.tell(.ready(100))
        #expect(keeper.tell(.serving(100, isOwnProgram: true)) == [.completeMounts])
        #expect(keeper.tell(.mountsComplete) == [.tellServing])
        #expect(keeper.log.isEmpty)
    }

    @Test func aWorkerThatDiesBeforeAnythingIsServedEndsTheDaemon() {
        var keeper = Keeper(isComplete: false)
        keeper.tell(.tick)
        #expect(
            keeper.tell(exited(100, 1)) == [
                .bury(100, heir: nil), .fail("cannot start: the worker exited with code 1"),
            ])
        keeper = Keeper(isComplete: false)
        keeper.tell(.tick)
        keeper.tell(.ready(100))
        #expect(
            keeper.tell(killed(100, SIGSEGV)).last
                == .fail("cannot start: the worker was killed by signal 11"))
    }

    @Test func aWorkerThatDiesWhileMountsAreCompletedIsReplaced() {
        var keeper = Keeper(isComplete: false)
        keeper.tell(.tick)
        keeper.tell(.ready(100))
        keeper.tell(.serving(100, isOwnProgram: true))
        #expect(
            keeper.tell(killed(100)) == [
                .bury(100, heir: nil), .start(.current, afterCrash: false),
            ])
    }

    @Test func whatCannotBeStartedEndsTheDaemonOnlyAtItsStart() {
        var first = Supervisor(isComplete: false)
        #expect(first.handle(.tick, now: 5) == [.start(.current, afterCrash: false)])
        #expect(first.handle(.notStarted(.current, "why"), now: 5) == [.fail("why")])
        var later = Supervisor(isComplete: true)
        _ = later.handle(.tick, now: 5)
        #expect(
            later.handle(.notStarted(.current, "why"), now: 5)
                == [.log(.error, "no worker: why")])
        #expect(later.dueTime == 5 + 50 * Self.millisecond)
        _ = later.handle(.tick, now: 5 + 50 * Self.millisecond)
        _ = later.handle(.notStarted(.current, "why"), now: 0)
        #expect(later.dueTime == 100 * Self.millisecond)
    }

    @Test func whoDoesNotGetReadyIsKilled() {
        var keeper = Keeper()
        keeper.tell(.tick)
        #expect(keeper.wait() == [.kill(100)])
        #expect(keeper.log == ["worker 100 does not get ready"])
        // What it says now comes too late.
        #expect(keeper.tell(.ready(100)).isEmpty)
        #expect(
            keeper.tell(killed(100)) == [.bury(100, heir: nil)])
        #expect(keeper.wait() == [.start(.current, afterCrash: false)])
        keeper.tell(.ready(101))
        // Neither ready nor serving.
        while keeper.now < 2000 * Self.second {
            let actions = keeper.wait()
            if actions.contains(.kill(101)) { break }
            #expect(actions == [.look(101)])
        }
        #expect(keeper.log.last == "worker 101 does not get ready")
    }

    // MARK: - Death

    @Test func aWorkerThatIsKilledByOthersIsReplacedAtOnce() {
        var keeper = Keeper.serving()
        for pid in pid_t(100)..<200 {
            #expect(
                keeper.tell(killed(pid)) == [
                    .bury(pid, heir: nil), .start(.current, afterCrash: false),
                ])
            keeper.tell(.ready(pid + 1))
            keeper.tell(.serving(pid + 1, isOwnProgram: true))
        }
        #expect(keeper.log.first == "worker 100 was killed by signal 9")
    }

    @Test func theNextWorkerIsToldOfACrash() {
        var keeper = Keeper.serving()
        #expect(
            keeper.tell(killed(100, SIGABRT)).last == .start(.current, afterCrash: true))
        #expect(
            keeper.tell(killed(101, SIGTERM)) == [.bury(101, heir: nil)])
        #expect(keeper.wait() == [.start(.current, afterCrash: false)])
        #expect(keeper.tell(exited(102, 1)) == [.bury(102, heir: nil)])
        #expect(keeper.wait() == [.start(.current, afterCrash: false)])
    }

    @Test func whoCrashesAllTheTimeIsStartedLaterAndLater() {
        var keeper = Keeper.serving()
        var pauses: [UInt64] = []
        for pid in pid_t(100)..<110 {
            keeper.tell(killed(pid, SIGSEGV))
            let time = keeper.now
            if keeper.supervisor.workers.isEmpty { keeper.wait() }
            pauses.append((keeper.now - time) / Self.millisecond)
            keeper.tell(.ready(pid + 1))
            keeper.tell(.serving(pid + 1, isOwnProgram: true))
        }
        #expect(pauses == [0, 0, 0, 0, 0, 10, 20, 40, 80, 160])
        #expect(keeper.log.contains("a new worker in 160 ms"))
    }

    @Test func whoDiesBeforeItServesIsStartedLater() {
        var keeper = Keeper.serving()
        keeper.tell(killed(100))
        keeper.tell(exited(101, 1))
        #expect(keeper.supervisor.dueTime == keeper.now + 50 * Self.millisecond)
        keeper.wait()
        keeper.tell(exited(102, 1))
        #expect(keeper.supervisor.dueTime == keeper.now + 100 * Self.millisecond)
        #expect(keeper.log.suffix(2).first == "worker 102 exited with code 1")
        #expect(keeper.log.last == "a new worker in 100 ms")
    }

    @Test func anUnknownChildIsNobody() {
        var keeper = Keeper.serving()
        #expect(keeper.tell(killed(7)).isEmpty)
        #expect(keeper.tell(.ready(7)).isEmpty)
        #expect(keeper.tell(.serving(7, isOwnProgram: true)).isEmpty)
        #expect(keeper.tell(.stuck(7)).isEmpty)
        #expect(keeper.supervisor.workers == [100])
    }

    @Test func whatIsSaidOutOfTurnChangesNothing() {
        var keeper = Keeper.serving()
        #expect(keeper.tell(.ready(100)).isEmpty)
        #expect(keeper.tell(.serving(100, isOwnProgram: false)).isEmpty)
        keeper = Keeper.upgrading()
        #expect(keeper.tell(.serving(101, isOwnProgram: false)).isEmpty)
        #expect(keeper.supervisor.current?.pid == 100)
    }

    // MARK: - Looks

    @Test func aWorkerThatServesIsLookedAt() {
        var keeper = Keeper.serving()
        let start = keeper.now
        #expect(keeper.wait() == [.look(100)])
        #expect(keeper.wait() == [.look(100)])
        #expect(keeper.now == start + 2 * Supervisor.lookInterval)
    }

    /// Looks at a worker all the time, which answers or not, until something else is to be done.
    private func look(
        _ keeper: inout Keeper, _ requests: [UInt64], answers: Bool
    ) -> [Supervisor.Action] {
        for _ in 0..<100 {
            #expect(keeper.wait() == [.look(100)])
            var actions = keeper.tell(.looked(100, requests: requests))
            if answers, actions.first == .ask(100) {
                actions.removeFirst()
                keeper.tell(.answered(100))
            }
            actions.removeAll { $0 == .ask(100) }
            if !actions.isEmpty { return actions }
        }
        return []
    }

    @Test func aWorkerThatAnswersIsLeftAlone() {
        var keeper = Keeper.serving()
        #expect(look(&keeper, [0, 0], answers: true).isEmpty)
        #expect(keeper.log.isEmpty)
    }

    @Test func aWorkerThatHangsIsReplaced() {
        var keeper = Keeper.serving()
        #expect(look(&keeper, [0, 8], answers: true) == [.kill(100)])
        #expect(
            keeper.log == ["worker 100 hangs, it is replaced: it does not finish request 8"])
        // It was at fault, though the signal was SIGKILL.
        #expect(
            keeper.tell(killed(100)) == [
                .bury(100, heir: nil), .start(.current, afterCrash: true),
            ])
    }

    @Test func aWorkerThatIsSilentIsReplaced() {
        var keeper = Keeper.serving()
        #expect(look(&keeper, [0], answers: false) == [.kill(100)])
        #expect(
            keeper.log == ["worker 100 hangs, it is replaced: it does not answer the keeper"])
    }

    @Test func aWorkerThatCannotEndIsGivenUp() {
        var keeper = Keeper.serving()
        _ = look(&keeper, [0], answers: false)
        let time = keeper.now
        #expect(keeper.wait() == [.examine(100)])
        #expect(keeper.now == time + Supervisor.deathTime)
        // A thread of it may still run.
        #expect(keeper.wait() == [.examine(100)])
        #expect(keeper.now == time + Supervisor.deathTime + Supervisor.deathInterval)
        #expect(
            keeper.tell(.stuck(100)) == [
                .bury(100, heir: nil), .start(.current, afterCrash: true),
            ])
        #expect(keeper.log.contains("worker 100 is stuck in the kernel: going on without it"))
        // Later, when what it waited for has come.
        #expect(keeper.tell(killed(100)).isEmpty)
        #expect(keeper.supervisor.workers == [101])
    }

    @Test func aWorkerThatOthersHaveKilledAndThatCannotEndIsGivenUp() {
        var keeper = Keeper.serving()
        #expect(keeper.wait() == [.look(100)])
        #expect(keeper.tell(.foundEnding(100, isStuck: true)).isEmpty)
        #expect(keeper.wait() == [.look(100)])
        #expect(keeper.tell(.foundEnding(100, isStuck: false)).isEmpty)
        #expect(keeper.wait() == [.look(100)])
        #expect(
            keeper.tell(.foundEnding(100, isStuck: true)) == [
                .bury(100, heir: nil), .start(.current, afterCrash: false),
            ])
    }

    @Test func oneLookAtADeadWorkerIsNotEnough() {
        var keeper = Keeper.serving()
        for _ in 0..<3 {
            #expect(keeper.tell(.foundEnding(100, isStuck: true)).isEmpty)
            keeper.tell(.looked(100, requests: []))
        }
        #expect(keeper.supervisor.workers == [100])
    }

    /// Then it is the kernel that hangs.
    @Test func afterFourThatAreStuckNobodyIsReplaced() {
        var keeper = Keeper.serving()
        for pid in pid_t(100)..<104 {
            keeper.tell(.foundEnding(pid, isStuck: true))
            keeper.tell(.foundEnding(pid, isStuck: true))
            keeper.tell(.ready(pid + 1))
            keeper.tell(.serving(pid + 1, isOwnProgram: true))
        }
        #expect(keeper.supervisor.workers == [104])
        func hangs() -> Bool {
            for _ in 0..<2 * HangWatch.patience
            where keeper.tell(.looked(104, requests: [8])).contains(.kill(104)) { return true }
            return false
        }
        #expect(!hangs())
        keeper.tell(killed(101))
        #expect(hangs())
    }

    // MARK: - Upgrade

    @Test func theNextWorkerTakesOverOnceTheFormerHasFinished() {
        var keeper = Keeper.upgrading()
        #expect(keeper.tell(.ready(101)) == [.finish(100)])
        #expect(
            keeper.tell(exited(100)) == [.bury(100, heir: 101), .serve(101)])
        #expect(
            keeper.tell(.serving(101, isOwnProgram: true)) == [
                .adoptProgram(101), .tellServing,
            ])
        #expect(keeper.log == ["upgraded: worker 101"])
        // This process is of that version already.
        #expect(keeper.wait() == [.look(101)])
    }

    @Test func theKeeperFollowsItsWorker() {
        var keeper = Keeper.upgrading()
        keeper.tell(.ready(101))
        keeper.tell(exited(100))
        keeper.tell(.serving(101, isOwnProgram: false))
        #expect(keeper.supervisor.dueTime == 0)
        #expect(keeper.tell(.tick) == [.replaceKeeper])
        #expect(
            keeper.tell(.notReplaced("why")) == [.start(.current, afterCrash: false)])
        #expect(keeper.log.last == "the keeper stays as it is: why")
        #expect(keeper.supervisor.workers == [102])
        keeper.tell(.ready(102))
        // The program has been adopted.
        #expect(keeper.tell(.serving(102, isOwnProgram: false)) == [.tellServing])
    }

    @Test func whoDoesNotFinishIsKilled() {
        var keeper = Keeper.upgrading()
        keeper.tell(.ready(101))
        let time = keeper.now
        #expect(keeper.wait() == [.kill(100)])
        #expect(keeper.now == time + Supervisor.finishTime)
        #expect(keeper.log.isEmpty)
        #expect(keeper.tell(killed(100)) == [.bury(100, heir: 101), .serve(101)])
    }

    @Test func whoCannotFinishIsGivenUp() {
        var keeper = Keeper.upgrading()
        keeper.tell(.ready(101))
        keeper.wait()
        #expect(keeper.wait() == [.examine(100)])
        #expect(keeper.tell(.stuck(100)) == [.bury(100, heir: 101), .serve(101)])
    }

    @Test func anUpgradeThatDoesNotStartChangesNothing() {
        var supervisor = Supervisor(isComplete: true)
        _ = supervisor.handle(.tick, now: 0)
        _ = supervisor.handle(.started(100, .current), now: 0)
        _ = supervisor.handle(.ready(100), now: 0)
        _ = supervisor.handle(.serving(100, isOwnProgram: true), now: 0)
        _ = supervisor.handle(.upgradeAsked, now: 0)
        _ = supervisor.handle(.tick, now: 0)
        #expect(
            supervisor.handle(.notStarted(.onDisk, "why"), now: 0) == [
                .log(.error, "no upgrade: why"), .tellServing,
            ])
        #expect(supervisor.workers == [100])
    }

    @Test func anUpgradeWhoseWorkerDiesChangesNothing() {
        var keeper = Keeper.upgrading()
        #expect(keeper.tell(exited(101, 1)) == [.bury(101, heir: nil), .tellServing])
        #expect(keeper.log == ["no upgrade: the new worker exited with code 1"])
        #expect(keeper.supervisor.current?.isServing == true)
        // It may be tried again.
        keeper.tell(.upgradeAsked)
        #expect(keeper.tell(.tick).first == .tellUpgrading)
    }

    @Test func anUpgradeThatDoesNotGetReadyIsEnded() {
        var keeper = Keeper.upgrading()
        var actions: [Supervisor.Action] = []
        while !actions.contains(.kill(101)), keeper.now < 2000 * Self.second {
            actions = keeper.wait()
            keeper.tell(.looked(100, requests: []))
            keeper.tell(.answered(100))
        }
        #expect(keeper.log == ["worker 101 does not get ready"])
        #expect(keeper.tell(killed(101)) == [.bury(101, heir: nil), .tellServing])
        #expect(keeper.supervisor.workers == [100])
    }

    @Test func theFormerMayDieWhileTheNextPrepares() {
        var keeper = Keeper.upgrading()
        #expect(keeper.tell(killed(100, SIGSEGV)) == [.bury(100, heir: 101)])
        #expect(keeper.log == ["worker 100 was killed by signal 11"])
        #expect(keeper.tell(.ready(101)) == [.serve(101)])
        #expect(
            keeper.tell(.serving(101, isOwnProgram: true)) == [
                .adoptProgram(101), .tellServing,
            ])
    }

    @Test func bothMayDie() {
        var keeper = Keeper.upgrading()
        keeper.tell(killed(100))
        #expect(keeper.tell(killed(101)) == [.bury(101, heir: nil), .tellServing])
        // Of the version that works.
        #expect(keeper.wait() == [.start(.current, afterCrash: false)])
    }

    @Test func theNextMayDieWhileTheFormerFinishes() {
        var keeper = Keeper.upgrading()
        keeper.tell(.ready(101))
        keeper.tell(killed(101))
        #expect(
            keeper.tell(exited(100)) == [
                .bury(100, heir: nil), .start(.current, afterCrash: false),
            ])
    }

    @Test func aWorkerThatHangsMayBeFollowedByAnUpgrade() {
        var keeper = Keeper.upgrading()
        for _ in 0..<HangWatch.patience { keeper.tell(.looked(100, requests: [8])) }
        #expect(keeper.tell(.looked(100, requests: [8])) == [.kill(100)])
        // It has been killed, and need not be told to finish.
        #expect(keeper.tell(.ready(101)).isEmpty)
        #expect(keeper.tell(killed(100)) == [.bury(100, heir: 101), .serve(101)])
    }

    @Test func anUpgradeWaitsForAWorkerThatServes() {
        var keeper = Keeper(isComplete: false)
        keeper.tell(.upgradeAsked)
        keeper.tell(.tick)
        keeper.tell(.ready(100))
        keeper.tell(.serving(100, isOwnProgram: true))
        #expect(keeper.supervisor.dueTime != 0)
        keeper.tell(.mountsComplete)
        #expect(keeper.supervisor.dueTime == 0)
        keeper.tell(killed(100))
        #expect(keeper.supervisor.dueTime != 0)
        keeper.tell(.ready(101))
        keeper.tell(.serving(101, isOwnProgram: true))
        #expect(keeper.tell(.tick) == [.tellUpgrading, .start(.onDisk, afterCrash: false)])
    }

    @Test func twoUpgradesFollowEachOther() {
        var keeper = Keeper.upgrading()
        keeper.tell(.upgradeAsked)
        keeper.tell(.ready(101))
        keeper.tell(exited(100))
        #expect(keeper.supervisor.dueTime != 0)
        keeper.tell(.serving(101, isOwnProgram: true))
        #expect(keeper.tell(.tick) == [.tellUpgrading, .start(.onDisk, afterCrash: false)])
        #expect(keeper.supervisor.workers == [101, 102])
    }
}
