// A file on PORT: sends as many bytes of it as it is told, by the kernel
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"aiobench/rep"
)

// The line, byte by byte: nothing behind it is read ahead.
func ask(c net.Conn) (n int64) {
	var line strings.Builder
	var role string
	one := make([]byte, 1)
	for {
		if _, err := c.Read(one); err != nil {
			return 0
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
	n := ask(c)
	f, err := os.Open(os.Getenv("SENDFILE"))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	io.CopyN(c, f, n)
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
