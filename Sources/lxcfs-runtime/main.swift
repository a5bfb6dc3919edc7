import CRuntimeMark
import LxcfsHook

lxcfs_runtime_mark()
RuntimeWrapper.run(CommandLine.unsafeArgv, count: Int(CommandLine.argc))
