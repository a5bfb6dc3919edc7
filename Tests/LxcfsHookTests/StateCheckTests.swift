import OCISpec
import Testing

@testable import LxcfsHook

@Suite struct StateCheckTests {
    static func state(
        id: String = "web", status: State.Status = .created, pid: Int32? = 7,
        bundle: String = "/bundle"
    ) -> State {
        var state = State()
        state.id = id
        state.status = status
        state.pid = pid
        state.bundle = bundle
        return state
    }

    @Test func ordinary() throws {
        let state = Self.state()
        #expect(try StateCheck.id(state) == "web")
        #expect(try StateCheck.pid(state) == 7)
        #expect(try StateCheck.bundle(state) == "/bundle")
    }

    @Test func faults() {
        #expect(throws: InputError.self) { try StateCheck.pid(Self.state(pid: nil)) }
        #expect(throws: InputError.self) { try StateCheck.pid(Self.state(pid: 0)) }
        #expect(throws: InputError.self) { try StateCheck.pid(Self.state(pid: -1)) }
        #expect(throws: InputError.self) { try StateCheck.bundle(Self.state(bundle: "b")) }
        #expect(throws: InputError.self) { try StateCheck.id(Self.state(id: "../x")) }
    }

    @Test func autoGoesByTheStatus() {
        #expect(StateCheck.stage(.stopped) == .poststop)
        for status in [State.Status.creating, .created, .running] {
            #expect(StateCheck.stage(status) == .createRuntime)
        }
    }
}
