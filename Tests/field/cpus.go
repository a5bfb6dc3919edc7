// Prints what Go counts, and starts a thread for each of them.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	var group sync.WaitGroup
	for range make([]struct{}, runtime.GOMAXPROCS(0)) {
		group.Add(1)
		go func() {
			runtime.LockOSThread()
			group.Done()
		}()
	}
	group.Wait()
	fmt.Println("cpus", runtime.NumCPU(), "procs", runtime.GOMAXPROCS(0))
}
