import Glibc
import LxcfsHook

exit(Program.run(CommandLine.arguments).rawValue)
