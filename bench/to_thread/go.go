// N functions one after the other in another goroutine, with another processor: there and back
package main

import (
	"aiobench/rep"
)

type call struct {
	fn func(int) int
	x  int
	to chan int
}

func main() {
	n, total := rep.Arg(1, 100000), 0
	calls := make(chan call)
	go func() {
		for c := range calls {
			c.to <- c.fn(c.x)
		}
	}()
	double := func(x int) int { return 2 * x }
	t := rep.Now()
	for i := 1; i <= n; i++ {
		to := make(chan int)
		calls <- call{double, i, to}
		total += <-to
	}
	rep.Report(n, rep.Now()-t, "")
	if total != n*(n+1) {
		panic(total)
	}
}
