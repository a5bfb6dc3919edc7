import Cgroups
import LxcfsHandover

extension FixedNode {
    var pressureKind: PressureKind? {
        switch self {
        case .pressureCPU: .cpu
        case .pressureIO: .io
        case .pressureMemory: .memory
        default: nil
        }
    }
}
