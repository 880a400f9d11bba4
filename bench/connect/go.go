// N connections to a server of its own, CLIENTS at a time; the server closes each first
package main

import (
	"net"

	"aiobench/rep"
)

func client(address string, n int, done chan bool) {
	one := make([]byte, 1)
	for ; n > 0; n-- {
		c, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		if k, _ := c.Read(one); k != 0 {
			panic("bytes from nowhere")
		}
		c.Close()
	}
	done <- true
}

func main() {
	n, clients := rep.Arg(1, 30000), rep.Arg(2, 10)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { c.Close() }()
		}
	}()
	t, done := rep.Now(), make(chan bool)
	for i := 0; i < clients; i++ {
		go client(l.Addr().String(), n/clients, done)
	}
	for i := 0; i < clients; i++ {
		<-done
	}
	rep.Report(n, rep.Now()-t, "")
}
