// TASKS goroutines on one processor, each calling Gosched YIELDS times
package main

import (
	"aiobench/rep"
	"runtime"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(1)
	tasks, yields := rep.Arg(1, 2), rep.Arg(2, 1000000)
	var wg sync.WaitGroup
	wg.Add(tasks)
	t := rep.Now()
	for i := 0; i < tasks; i++ {
		go func() {
			for j := 0; j < yields; j++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	rep.Report(tasks*yields, rep.Now()-t, "")
}
