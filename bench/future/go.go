// N cycles of: make a channel of one place, send, receive (MODE 0), or receive while another
// goroutine sends (MODE 1)
package main

import (
	"aiobench/rep"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	n, mode, total := rep.Arg(1, 1000000), rep.Arg(2, 0), 0
	t := rep.Now()
	for i := 0; i < n; i++ {
		f := make(chan int, 1)
		if mode == 1 {
			go func(i int) { f <- i }(i)
		} else {
			f <- i
		}
		total += <-f
	}
	rep.Report(n, rep.Now()-t, "")
	if total != n*(n-1)/2 {
		panic(total)
	}
}
