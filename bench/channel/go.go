// N messages to a goroutine on another processor, through a channel of CAP places; KIND 0: numbers,
// 1: small structs, copied, 2: numbers that come back, one at a time
package main

import (
	"aiobench/rep"
)

type point struct {
	x    int
	y    float64
	name string
}

func main() {
	n, capacity, kind := rep.Arg(1, 1000000), rep.Arg(2, 1000), rep.Arg(3, 0)
	there, back, result := make(chan point, capacity), make(chan int, capacity), make(chan int)
	go func() {
		total := 0
		for p := range there {
			total += p.x
			if kind == 2 {
				back <- p.x
			}
		}
		result <- total
	}()
	t := rep.Now()
	for i := 1; i <= n; i++ {
		there <- point{i, 0.5, "point"}
		if kind == 2 {
			<-back
		}
	}
	close(there)
	total := <-result
	rep.Report(n, rep.Now()-t, "")
	if total != n*(n+1)/2 {
		panic(total)
	}
}
