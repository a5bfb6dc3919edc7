/// The three files of pressure stall information (Documentation/accounting/psi.rst).
public enum PressureKind: String, CaseIterable, Sendable {
    case cpu, io, memory
}
