// JOBS of fib(FIB) on WORKERS processors
package main

import (
	"aiobench/rep"
	"runtime"
	"sync"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func main() {
	jobs, n := rep.Arg(1, 8), rep.Arg(2, 30)
	runtime.GOMAXPROCS(rep.Arg(3, 2))
	var wg sync.WaitGroup
	wg.Add(jobs)
	t := rep.Now()
	for i := 0; i < jobs; i++ {
		go func() {
			fib(n)
			wg.Done()
		}()
	}
	wg.Wait()
	rep.Report(jobs, rep.Now()-t, "")
}
