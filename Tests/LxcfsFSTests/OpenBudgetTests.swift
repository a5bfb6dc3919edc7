import Glibc
import Syscalls
import Testing

@testable import LxcfsFS

/// How what is open is shared among containers.
@Suite struct OpenBudgetTests {
    private func payer(_ number: Int) -> Payer { Payer(number: 0xf000_0000 + UInt32(number)) }

    /// Takes one after the other until there is no more.
    private func takeAll(
        _ what: OpenBudget.Holding, _ budget: inout OpenBudget, _ payer: Payer
    ) -> Int {
        var count = 0
        while count < 100_000, budget.take(what, for: payer) { count += 1 }
        return count
    }

    @Test(arguments: [1, 16, 256, 1024, 20_000, 1_048_576])
    func triggersLeaveDescriptorsForTheDaemon(descriptors: Int) {
        var budget = OpenBudget(OpenBudget.Limits(descriptors: descriptors))
        let trigger = OpenBudget.Holding(triggers: 1)
        let first = takeAll(trigger, &budget, payer(0))
        #expect((1...64).contains(first))
        // Fifty more, who all take what they can.
        for other in 1...50 {
            let taken = takeAll(trigger, &budget, payer(other))
            #expect(taken >= 1)
        }
        #expect(budget.all.triggers <= max(descriptors / 4 + 2 * 51, 51))
    }

    @Test func manyWhoTakeAllTheyCanLeaveSomeToTheNext() {
        var budget = OpenBudget(OpenBudget.Limits(descriptors: 20_000))
        let file = OpenBudget.Holding(files: 1)
        var taken: [Int] = []
        for number in 0..<1000 { taken.append(takeAll(file, &budget, payer(number))) }
        #expect(taken[0] == 2048)
        #expect(taken.allSatisfy { $0 >= 64 })
        #expect(taken.reduce(0, +) == budget.all.files)
        for number in 0..<1000 {
            budget.giveBack(OpenBudget.Holding(files: taken[number]), of: payer(number))
        }
        #expect(budget.all == OpenBudget.Holding())
    }

    @Test func whatIsRefusedChangesNothing() {
        var budget = OpenBudget(OpenBudget.Limits(descriptors: 1024))
        let large = budget.take(OpenBudget.Holding(files: 1, bytes: 1 << 30), for: payer(1))
        #expect(!large)
        #expect(budget.all == OpenBudget.Holding())
        // What is there already counts, also beyond the limit.
        budget.note(OpenBudget.Holding(files: 5000), for: payer(1))
        let (own, another) = (
            budget.take(OpenBudget.Holding(files: 1), for: payer(1)),
            budget.take(OpenBudget.Holding(files: 1), for: payer(2))
        )
        #expect(!own && another)
        budget.giveBack(OpenBudget.Holding(files: 9000), of: payer(1))
        #expect(budget.holding(of: payer(1)) == OpenBudget.Holding())
    }

    @Test func usersOfTheHostAreNotRoot() {
        #expect(Payer(nil, user: 0) == .root)
        #expect(Payer(nil, user: 65534) == .users)
        #expect(Payer(NamespaceID(inode: 4_026_532_000), user: 0).number == 4_026_532_000)
    }
}
