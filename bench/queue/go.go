// one producer, one consumer, N items through a channel of CAP places (0: as many as items, Go has
// no unbounded channel)
package main

import (
	"os"
	"aiobench/rep"
	"runtime"
)

func main() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	n, capacity, total := rep.Arg(1, 1000000), rep.Arg(2, 100), 0
	if capacity == 0 {
		capacity = n
	}
	t := rep.Now()
	q := make(chan int, capacity)
	go func() {
		for i := 0; i < n; i++ {
			q <- i
		}
		close(q)
	}()
	for v := range q {
		total += v
	}
	rep.Report(n, rep.Now()-t, "")
	if total != n*(n-1)/2 {
		panic(total)
	}
}
