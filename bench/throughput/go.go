// One stream on PORT: sends or receives as many bytes as it is told, 64 KiB at a time
package main

import (
	"fmt"
	"net"
	"strings"

	"aiobench/rep"
)

const block = 65536

// The line, byte by byte: nothing behind it is read ahead.
func ask(c net.Conn) (role string, n int) {
	var line strings.Builder
	one := make([]byte, 1)
	for {
		if _, err := c.Read(one); err != nil {
			return "", 0
		}
		if one[0] == '\n' {
			break
		}
		line.WriteByte(one[0])
	}
	fmt.Sscan(line.String(), &role, &n)
	return
}

func serve(c net.Conn) {
	defer c.Close()
	buf := make([]byte, block)
	role, n := ask(c)
	if role == "send" {
		for ; n > 0; n -= block {
			c.Write(buf)
		}
		return
	}
	for n > 0 {
		k, err := c.Read(buf)
		if err != nil {
			return
		}
		n -= k
	}
	if role != "" {
		c.Write([]byte("done\n"))
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
