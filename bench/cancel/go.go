// spawn N goroutines asleep under a context each, cancel them all, wait for them all
package main

import (
	"context"
	"fmt"
	"aiobench/rep"
	"runtime"
	"sync"
	"time"
)

func main() {
	runtime.GOMAXPROCS(1)
	n := rep.Arg(1, 100000)
	cancels := make([]context.CancelFunc, n)
	var wg sync.WaitGroup
	wg.Add(n)
	t := rep.Now()
	for i := range cancels {
		ctx, cancel := context.WithCancel(context.Background())
		cancels[i] = cancel
		go func() {
			timer := time.NewTimer(time.Hour)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
			wg.Done()
		}()
	}
	runtime.Gosched()
	spawned := rep.Now()
	for _, cancel := range cancels {
		cancel()
	}
	wg.Wait()
	end := rep.Now()
	rep.Report(n, end-t, fmt.Sprintf(", \"cancel_s\": %f", end-spawned))
}
