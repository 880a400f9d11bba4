// run /bin/true N times, CONC at once
package main

import (
	"aiobench/rep"
	"os/exec"
	"sync"
)

func main() {
	n, conc := rep.Arg(1, 1000), rep.Arg(2, 16)
	todo := make(chan int, n)
	for i := 0; i < n; i++ {
		todo <- i
	}
	close(todo)
	var wg sync.WaitGroup
	wg.Add(conc)
	t := rep.Now()
	for i := 0; i < conc; i++ {
		go func() {
			for range todo {
				if err := exec.Command("/bin/true").Run(); err != nil {
					panic(err)
				}
			}
			wg.Done()
		}()
	}
	wg.Wait()
	rep.Report(n, rep.Now()-t, "")
}
