// N goroutines all asleep for SECS at once
package main

import (
	"fmt"
	"aiobench/rep"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	n, secs := rep.Arg(1, 100000), rep.Arg(2, 5)
	base, t, c := rep.Status("VmRSS"), rep.Now(), rep.CPU()
	var asleep, awake int64
	var armed, carmed, first float64
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			if atomic.AddInt64(&asleep, 1) == int64(n) {
				armed, carmed = rep.Now(), rep.CPU()
			}
			time.Sleep(time.Duration(secs) * time.Second)
			if atomic.AddInt64(&awake, 1) == 1 {
				first = rep.Now()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	end, cend := rep.Now(), rep.CPU()
	rep.Report(n, end-t-float64(secs), fmt.Sprintf(
		", \"spawn_s\": %f, \"spawn_cpu_s\": %f, \"wake_s\": %f, \"wake_cpu_s\": %f, \"bytes_per_task\": %d",
		armed-t, carmed-c, end-first, cend-carmed, (rep.RssKb()-base)*1024/n))
}
