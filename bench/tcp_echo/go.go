// TCP echo on PORT, a goroutine for each connection
package main

import (
	"fmt"
	"net"
	"aiobench/rep"
)

func serve(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 65536)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err = c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func main() {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", rep.Arg(1, 7000)))
	if err != nil {
		panic(err)
	}
	for {
		if c, err := l.Accept(); err == nil {
			go serve(c)
		}
	}
}
