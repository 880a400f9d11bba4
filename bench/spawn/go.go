// spawn N goroutines that return at once, in wait groups of 10,000
package main

import (
	"aiobench/rep"
	"sync"
)

func main() {
	n, batch, total := rep.Arg(1, 1000000), 10000, 0
	t := rep.Now()
	results := make([]int, batch)
	for first := 0; first < n; first += batch {
		var wg sync.WaitGroup
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go func(i int) {
				results[i] = first + i
				wg.Done()
			}(i)
		}
		wg.Wait()
		for _, v := range results {
			total += v
		}
	}
	rep.Report(n, rep.Now()-t, "")
	if total != n*(n-1)/2 {
		panic(total)
	}
}
