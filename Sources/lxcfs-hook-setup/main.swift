import EngineSetup
import Glibc
import LxcfsHook

exit(Program.run(CommandLine.arguments, setup: EngineSetup()).rawValue)
