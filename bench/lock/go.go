// TASKS goroutines on one processor take and free one mutex ITERS times each, giving way while they
// hold it
package main

import (
	"aiobench/rep"
	"runtime"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(1)
	tasks, iters, count := rep.Arg(1, 100), rep.Arg(2, 10000), 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	wg.Add(tasks)
	t := rep.Now()
	for i := 0; i < tasks; i++ {
		go func() {
			for j := 0; j < iters; j++ {
				mu.Lock()
				seen := count
				runtime.Gosched()
				count = seen + 1
				mu.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	rep.Report(tasks*iters, rep.Now()-t, "")
	if count != tasks*iters {
		panic(count)
	}
}
